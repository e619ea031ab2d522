"""The chat: lines become commands on the bus, turns are followed until their outcome."""

import asyncio
import secrets
import signal

from llmgine.bootstrap import ApplicationBootstrap
from llmgine.messages.commands import Admitted, PromptCommand, StopTurnCommand
from programs.terminal.approvals import Approvals
from programs.terminal.lines import Interrupted, Lines
from programs.terminal.slash import SlashCommands
from programs.terminal.terminal_text import one_line
from programs.terminal.turn_follower import TurnFollower
from programs.terminal.view import View

SOURCE = "terminal"
INTERRUPTED = 130  # the exit code of a program that Ctrl-C ended

_NAME = 48  # characters of a session's name that is made from its first prompt


def new_session_id() -> str:
    """The id of a new session."""
    return f"{SOURCE}:{secrets.token_hex(4)}"


class Chat:
    """One session at the terminal.

    Args:
        app: The application, started.
        session_id: The session.
        session_name: Its name from now on; None keeps its name, or names a new session after its first prompt.
        is_new: Whether this is a new session.
        view: Shows the chat.
        lines: Where lines come from.
    """

    def __init__(
        self,
        app: ApplicationBootstrap,
        session_id: str,
        *,
        session_name: str | None,
        is_new: bool,
        view: View,
        lines: Lines,
    ) -> None:
        self._bus = app.bus
        self._engine = app.engine
        self._session_id = session_id
        self._name = session_name
        self._unnamed = is_new and session_name is None
        self._view = view
        self._lines = lines
        approvals = Approvals(app.bus, view, lines, self.interrupt)
        demo = not app.config.settings.has_model
        self._turns = TurnFollower(app.bus, app.store, session_id, view, approvals, demo=demo)
        self.commands = SlashCommands(app, session_id, session_name, view)
        self._task: asyncio.Task[object] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._interrupted = False  # Ctrl-C was pressed and no line was entered since
        self._busy = False

    async def run(self) -> int:
        """Chat until the person leaves. Returns the exit code."""
        self._task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.interrupt)
        try:
            with self._lines.kept():
                await self._resume()
                await self._chat()
        except asyncio.CancelledError:
            if not self._interrupted or self._task is None:
                raise
            self._task.uncancel()
            return INTERRUPTED
        finally:
            self._view.quiet()
            loop.remove_signal_handler(signal.SIGINT)
        return 0

    def interrupt(self) -> None:
        """Ctrl-C: the first stops the answer, the second quits."""
        if self._interrupted and self._task is not None:
            self._task.cancel()
        elif self._busy:
            self._stop(self._turns.running)
        else:
            self._view.note("Press Ctrl-C again to quit.")
        self._interrupted = True

    def _stop(self, turn_id: str | None) -> None:
        """Stop a turn. None: the prompt is not admitted yet, and its turn is stopped as soon as it is."""
        if turn_id is not None:
            command = StopTurnCommand(session_id=self._session_id, turn_id=turn_id)
            self._stopping = asyncio.create_task(self._execute_stop(command))
            if not self._turns.started:
                self._view.note("It will stop once the earlier turns have ended. Press Ctrl-C again to quit.")

    async def _execute_stop(self, command: StopTurnCommand) -> None:
        result = await self._bus.execute(command)
        if not result.success:
            self._view.error(f"The answer could not be stopped: {result.error}")

    async def _resume(self) -> None:
        """Finish the turns of this session that an earlier process left unfinished."""
        count = await self._engine.recover({SOURCE}, self._session_id)
        if count:
            self._view.note("The program ended before it had answered; continuing now.")
            self._busy = True
            await self._turns.follow_resumed(count)
            self._busy = False

    async def _chat(self) -> None:
        while not self.commands.leaving:
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
                await self.commands.run(line)
            elif line:
                await self._say(line.removeprefix("/") if line.startswith("//") else line)

    async def _say(self, text: str) -> None:
        """Send a prompt to the bus and show its turn."""
        if self._unnamed:
            self._name, self._unnamed = one_line(text, _NAME), False
        prompt = PromptCommand(
            session_id=self._session_id,
            session_name=self._name,
            text=text,
            source=SOURCE,
            source_id=secrets.token_hex(16),
        )
        self._name = None  # once is enough: the session may be renamed elsewhere meanwhile
        self._busy = True
        try:
            result = await self._bus.execute(prompt)
            if result.success:
                await self._follow(result.unwrap())
            else:
                self._view.error(result.error or "Your message could not be sent. Try again.")
        finally:
            self._busy = False

    async def _follow(self, admitted: Admitted) -> None:
        if admitted.place:
            turns = "turn" if admitted.place == 1 else "turns"
            self._view.note(f"Waiting for {admitted.place} earlier {turns}.")
            self._view.status("waiting … (Ctrl-C to stop)")
        if self._interrupted:
            self._stop(admitted.turn_id)
        await self._turns.follow(admitted.turn_id)
