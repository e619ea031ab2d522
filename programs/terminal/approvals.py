"""Asking the person at the terminal whether a tool call may run."""

import asyncio
import getpass
from collections.abc import Callable

from llmgine.bus import MessageBus
from llmgine.messages.commands import Author, DecideToolCallCommand
from llmgine.messages.events import ToolCallDecidedEvent, ToolCallWaitingEvent
from llmgine.turn_state import CallState
from programs.terminal.call_question import question_about
from programs.terminal.lines import Interrupted, Lines
from programs.terminal.terminal_text import one_line
from programs.terminal.view import View

_YES, _NO, _ALWAYS = frozenset({"y", "yes"}), frozenset({"n", "no"}), frozenset({"a", "always"})
# Decides where no person can answer: the input is a pipe that has ended.
_NOBODY = Author(id="terminal", name="The terminal (input closed)")


class Approvals:
    """Asks about the tool calls that wait for approval, one at a time.

    Args:
        bus: Takes the decisions.
        view: Shows what was decided elsewhere.
        lines: Where answers come from.
        interrupt: Called when Ctrl-C is pressed in place of an answer.

    Attributes:
        me: The person at the terminal.
        unanswered: Whether a call was denied because there was nobody to ask.
    """

    def __init__(self, bus: MessageBus, view: View, lines: Lines, interrupt: Callable[[], None]) -> None:
        self._bus = bus
        self._view = view
        self._lines = lines
        self._interrupt = interrupt
        self.me = Author(id="terminal", name=_user_name())
        self.unanswered = False
        self._questions: dict[str, asyncio.Task[None]] = {}  # by call id, until they are answered
        self._one_at_a_time = asyncio.Lock()

    @property
    def open(self) -> bool:
        """Whether a question is on the screen, or about to be."""
        return bool(self._questions)

    def ask(self, event: ToolCallWaitingEvent) -> None:
        """Start asking about a call."""
        self._questions[event.call.id] = asyncio.create_task(self._ask(event))

    async def _ask(self, event: ToolCallWaitingEvent) -> None:
        call = event.call
        async with self._one_at_a_time:
            self._view.quiet()
            try:
                choices = "y/N/always, or a reason" if event.allows_always else "y/N, or a reason"
                with question_about(call) as question:
                    answer = await self._lines.ask(f"{question} [{choices}]")
            except Interrupted:
                self._interrupt()
                return
            except OSError:  # a question that cannot be asked counts as no
                answer = None
            if answer is None:
                self.unanswered = True
                self._view.error(f"{one_line(call.name, 64)} was denied: it asks first, and there is nobody to ask.")
        del self._questions[call.id]
        said = (answer or "").strip()
        word = said.casefold()
        always = event.allows_always and word in _ALWAYS
        approved = always or word in _YES
        decision = DecideToolCallCommand(
            session_id=event.session_id,
            turn_id=event.turn_id,
            call_id=call.id,
            approved=approved,
            decided_by=self.me if answer is not None else _NOBODY,
            reason=None if approved or word in _NO | {""} else said,
            always=always,
        )
        result = await self._bus.execute(decision)
        if not result.success:
            self._view.error(f"Your answer could not be saved: {result.error}")

    async def decided(self, event: ToolCallDecidedEvent, state: CallState) -> None:
        """Withdraw the question about a call that was decided, and report a decision made elsewhere."""
        was_open = event.call.id in self._questions
        await self._withdraw(event.call.id)
        name = one_line(event.call.name, 64)
        if state is CallState.EXPIRED or event.decided_by is None:
            self._view.note(f"Nobody answered in time, so {name} was not run.")
        elif was_open or event.decided_by not in (self.me, _NOBODY):
            verb = "denied" if state is CallState.DENIED else "approved"
            self._view.note(f"{one_line(event.decided_by.name, 64)} {verb} {name} elsewhere.")

    async def close(self) -> None:
        """Withdraw all questions: the turn has ended."""
        for call_id in list(self._questions):
            await self._withdraw(call_id)

    async def _withdraw(self, call_id: str) -> None:
        question = self._questions.pop(call_id, None)
        if question is not None:
            question.cancel()
            await asyncio.gather(question, return_exceptions=True)


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a user id without a name, as in some containers, or Windows without one
        return "The person at the terminal"
