"""The chat: lines become commands on the bus, turns are followed until their outcome."""

import asyncio
import secrets
import signal
from datetime import UTC, datetime
from pathlib import Path

from llmgine.errors import LLMgineError
from llmgine.messages.commands import PromptCommand, StopTurnCommand
from llmgine.platforms import handle_signals, reset_signals
from programs.application import Application
from programs.terminal.approvals import Approvals
from programs.terminal.current_session import SOURCE, CurrentSession
from programs.terminal.files import prompt_parts
from programs.terminal.lines import Interrupted, Lines
from programs.terminal.listening import Listening
from programs.terminal.slash import SlashCommands
from programs.terminal.terminal_text import one_line
from programs.terminal.tool_files import FOLDER, ToolFiles
from programs.terminal.turn_follower import TurnFollower
from programs.terminal.view import View

FAILED = 1  # the exit code where an answer or a command failed
INTERRUPTED = 130  # the exit code of a program that Ctrl-C ended

_NAME = 48  # characters of a session's name that is made from its first prompt
_END_TURN = 2.0  # seconds that a stopped turn gets to end


class Chat:
    """One session at the terminal.

    Args:
        app: The application, started.
        session: The session, chosen.
        view: Shows the chat.
        lines: Where lines come from.
        interactive: Whether a person types them: then Ctrl-C stops an answer and the chat goes on, and an answer that
            failed is no failure of the chat.
        save_to: The folder in which files that tools give are saved.
    """

    def __init__(
        self,
        app: Application,
        session: CurrentSession,
        *,
        view: View,
        lines: Lines,
        interactive: bool,
        save_to: Path = FOLDER,
    ) -> None:
        self._bus = app.bus
        self._engine = app.engine
        self._session = session
        self._view = view
        self._lines = lines
        self._interactive = interactive
        self._approvals = Approvals(app.bus, view, lines, self.interrupt)
        demo = not app.config.settings.has_model
        files = ToolFiles(app.store, save_to)
        self._turns = TurnFollower(app.bus, app.store, session, view, self._approvals, demo=demo, files=files)
        self._listening = Listening(app, session, view)
        self.commands = SlashCommands(app, session, view, self._approvals.me)
        self._task: asyncio.Task[object] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._interrupted = False  # Ctrl-C was pressed and no line was entered since
        self._busy = False
        self._failed = False

    async def run(self, question: str | None = None) -> int:
        """Answer one question, or chat until the person leaves. Returns the exit code.

        Raises:
            BrokenPipeError: Whoever read the output has closed it.
        """
        self._task = asyncio.current_task()
        handle_signals(self.interrupt, signal.SIGINT)
        try:
            with self._lines.kept():
                await self._resume()
                if question is None:
                    await self._chat()
                elif not self._is_over:
                    await self._say(question)
        except asyncio.CancelledError:
            if not self._interrupted or self._task is None:
                raise
            self._task.uncancel()
            return INTERRUPTED
        except BrokenPipeError:
            await self._end_turn()
            raise
        finally:
            self._view.quiet()
            reset_signals(signal.default_int_handler, signal.SIGINT)
        return self._exit_code

    @property
    def _is_over(self) -> bool:
        """Whether nothing more is to be read: only a person who types can go on after Ctrl-C."""
        return self.commands.leaving or (self._interrupted and not self._interactive)

    @property
    def _exit_code(self) -> int:
        if self._interactive:
            return 0
        if self._interrupted:
            return INTERRUPTED
        return FAILED if self._failed or self.commands.failed or self._approvals.unanswered else 0

    def interrupt(self) -> None:
        """Ctrl-C: the first stops the answer, the second quits; where nobody types, the first does both."""
        again, self._interrupted = self._interrupted, True
        if self._task is not None and (again or not (self._busy or self._interactive)):
            self._task.cancel()
        elif self._busy:
            if not self._listening.stop():
                self._stop(self._turns.running)
        else:
            self._view.note("Press Ctrl-C again to quit.")

    def _stop(self, turn_id: str | None) -> None:
        """Stop a turn. None: the prompt is not admitted yet, and its turn is stopped as soon as it is."""
        if turn_id is not None:
            self._stopping = asyncio.create_task(self._execute_stop(turn_id))
            if self._interactive and not self._turns.started:
                self._view.note("It will stop once the earlier turns have ended. Press Ctrl-C again to quit.")

    async def _execute_stop(self, turn_id: str) -> None:
        result = await self._bus.execute(StopTurnCommand(session_id=self._session.id, turn_id=turn_id))
        if not result.success:
            self._view.error(f"The answer could not be stopped: {result.error}")
        if self._task is not None and not self._interactive and not self._turns.started:
            self._task.cancel()  # whoever comes to it next finds that it is to be stopped

    async def _end_turn(self) -> None:
        """Stop the turn that runs, since nobody reads its answer, so that no later run takes it up."""
        if self._busy:
            await self._bus.execute(StopTurnCommand(session_id=self._session.id))
            await self._engine.drain(_END_TURN)

    async def _resume(self) -> None:
        """Finish the turns of this session that an earlier process left unfinished."""
        count = await self._engine.recover({SOURCE}, self._session.id)
        if not count:
            return
        self._view.note("The program ended before it had answered; continuing now.")
        self._busy = True
        with self._view.aside():
            while count and not self._is_over:
                await self._turns.follow_resumed()
                count -= 1
        self._busy = False

    async def _chat(self) -> None:
        while not self._is_over:
            try:
                line = await self._lines.read()
            except Interrupted:
                self.interrupt()
                continue
            if line is None:
                return
            self._interrupted = False
            line = line.strip()
            if line and not self._lines.visible:
                self._view.prompt(line)
            if line.startswith("/") and not line.startswith("//"):
                if turn_id := await self.commands.run(line):
                    await self._follow(turn_id)
            elif line:
                await self._say(line.removeprefix("/") if line.startswith("//") else line)

    async def _say(self, text: str) -> None:
        """Send a prompt to the bus and show its turn; not without the text of a recording that goes with it."""
        session = self._session
        if not await self._hear():
            return
        if session.is_new and session.name is None:
            session.name = one_line(text, _NAME)
        attachments, images = prompt_parts(session.files)
        prompt = PromptCommand(
            session_id=session.id,
            session_name=session.name,
            text=text,
            source=SOURCE,
            source_id=secrets.token_hex(16),
            attachments=attachments,
            images=images,
            sent_at=datetime.now(UTC),
        )
        self._busy = True
        try:
            result = await self._bus.execute(prompt)
        finally:
            self._busy = False
        if not result.success:
            self._failed = True
            self._view.error(result.error or "Your message could not be sent. Try again.")
            return
        # Once is enough: the session may be renamed elsewhere meanwhile.
        session.name, session.is_new = None, False
        session.files.clear()
        admitted = result.unwrap()
        if admitted.place:
            turns = "turn" if admitted.place == 1 else "turns"
            self._view.note(f"Waiting for {admitted.place} earlier {turns}.")
            self._view.status("waiting … (Ctrl-C to stop)")
        await self._follow(admitted.turn_id)

    async def _hear(self) -> bool:
        """Make text of the recordings that go with the next prompt. Returns whether it can be sent."""
        self._busy = True
        try:
            if await self._listening.hear():
                return True
            self._view.note("Stopped. Your message was not sent.")
        except LLMgineError as error:
            self._failed = True
            self._view.error(f"{str(error).rstrip('.')}. Your message was not sent.{self._hint}")
        finally:
            self._busy = False
        return False

    @property
    def _hint(self) -> str:
        return " Send it again, or remove what is attached with /file -." if self._interactive else ""

    async def _follow(self, turn_id: str) -> None:
        self._busy = True
        try:
            if self._interrupted:
                self._stop(turn_id)
            if not await self._turns.follow(turn_id):
                self._failed = True
        finally:
            self._busy = False
