"""Recordings that go with a message: made text before it is sent, so that nothing is answered without them."""

import asyncio
from dataclasses import replace

from llmgine.errors import AllowanceError, ProviderError, UserError
from llmgine.messages.commands import Attachment
from llmgine.sessions.costs import Asker
from programs.application import Application
from programs.files.recordings import with_transcript
from programs.terminal.current_session import CurrentSession
from programs.terminal.files import Sound, no_transcriber
from programs.terminal.terminal_text import one_line
from programs.terminal.view import View


class Listening:
    """Makes text of the recordings that go with the next message of a session.

    Args:
        app: The application, started.
        session: The session, with its files. Each gets its text as soon as there is one, so that a message that was
            not sent in the end can be sent again without paying twice.
        view: Shows what is being listened to.
    """

    def __init__(self, app: Application, session: CurrentSession, view: View) -> None:
        self._app = app
        self._session = session
        self._view = view
        self._task: asyncio.Task[None] | None = None

    async def hear(self) -> bool:
        """Make text of the recordings. Returns whether that was done, rather than stopped.

        Raises:
            UserError: One of them has no text; the sentence says why.
            StoreError: What it costs cannot be counted.
        """
        if all(file.sound is None for file in self._session.files):
            return True
        self._task = asyncio.create_task(self._hear_all())
        try:
            await asyncio.wait([self._task])
        finally:  # this may be cancelled itself
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._task.cancelled():
            return False
        self._task.result()
        return True

    def stop(self) -> bool:
        """Stop listening. Returns whether there was something to stop."""
        return self._task is not None and self._task.cancel()

    async def _hear_all(self) -> None:
        files = self._session.files
        for place, file in enumerate(files):
            if file.sound is None:
                continue
            self._view.status(f"Listening to {one_line(file.attachment.name, 100)} … (Ctrl-C to stop)")
            try:
                facts = await self._heard(file.attachment, file.sound)
            finally:
                self._view.quiet()
            files[place] = replace(file, attachment=facts, sound=None)
            if files[place].note is not None:
                self._view.note(str(files[place].note))

    async def _heard(self, facts: Attachment, sound: Sound) -> Attachment:
        name, transcriber = one_line(facts.name, 100), self._app.transcriber
        if transcriber is None:
            raise no_transcriber(name)
        account = await transcriber.account_in(self._session.id, Asker())
        try:
            async with transcriber.slot(self._session.id):
                heard = await with_transcript(facts, sound.data, sound.kind, transcriber=transcriber, account=account)
        except AllowanceError as error:
            raise UserError(f"{name} could not be transcribed: {error}") from error
        except ProviderError as error:
            reason = transcriber.failure.reason if transcriber.failure is not None else type(error).__name__
            raise UserError(f"{name} could not be transcribed: {reason}") from error
        if heard.transcript is None:
            words = str(heard.note_text)
            skipped = words.startswith("skipped: ")
            raise UserError(f"{name} {f'was {words}' if skipped else words}.")
        return heard
