"""Following turns by their events: each is shown as it progresses, until its outcome."""

import asyncio
import math

from llmgine.bus import MessageBus
from llmgine.messages.events import (
    AnswerProgressEvent,
    LLMResponseEvent,
    ModelRetryEvent,
    ToolCallDecidedEvent,
    ToolCallFinishedEvent,
    ToolCallStartedEvent,
    ToolCallWaitingEvent,
    TurnEvent,
    TurnFinishedEvent,
    TurnStartedEvent,
)
from llmgine.sessions import SessionStore
from llmgine.turn_state import TurnState, fold, fold_all, step_of
from programs.application import LEFT_OUT
from programs.terminal.approvals import Approvals
from programs.terminal.terminal_text import footer
from programs.terminal.view import View

_THINKING = "thinking … (Ctrl-C to stop)"


class TurnFollower:
    """Shows the turns of one session that this process runs.

    Args:
        bus: Where the events come from.
        store: Where the prompts of turns that an earlier process left are read.
        session_id: The session.
        view: Shows them.
        approvals: Asks about tool calls that need approval.
        demo: Whether the offline demo model answers; the footer says so.

    Attributes:
        running: The turn being followed.
        started: Whether it is running; if not, it waits for earlier turns.
    """

    def __init__(
        self, bus: MessageBus, store: SessionStore, session_id: str, view: View, approvals: Approvals, *, demo: bool
    ) -> None:
        self._store = store
        self._session_id = session_id
        self._view = view
        self._approvals = approvals
        self._demo = demo
        self._events: asyncio.Queue[TurnEvent] = asyncio.Queue()
        self._later: list[TurnEvent] = []  # that came while a question is on the screen
        self._growing = ""  # the text of a reply that is not committed yet
        self._state = TurnState()  # of the turn being followed, as far as its events have come
        self._noted: set[str] = set()  # notes already shown for this turn, which are not repeated
        self.running: str | None = None
        self.started = False
        bus.register_event_handler(TurnEvent, self._hear)

    def _hear(self, event: TurnEvent) -> None:
        if event.session_id == self._session_id:
            self._events.put_nowait(event)

    async def follow(self, turn_id: str) -> None:
        """Show a turn until its outcome."""
        self.running = turn_id
        self._growing, self._state = "", TurnState()
        self._noted.clear()
        try:
            while True:
                event = await self._events.get()
                if event.turn_id == turn_id:
                    if (step := step_of(event)) is not None:
                        self._state = fold(self._state, step)
                    await self._show(event)
                    if isinstance(event, TurnFinishedEvent):
                        return
        finally:
            self.running, self.started = None, False
            await self._approvals.close()

    async def follow_resumed(self, count: int) -> None:
        """Show `count` turns that an earlier process left, each with its prompt."""
        while count:
            event = await self._events.get()
            if isinstance(event, TurnStartedEvent):
                self.started = True
                so_far = fold_all(event.steps) if event.steps else (await self._store.turns.get(event.turn_id)).state
                self._view.prompt(so_far.prompt.text)
                await self.follow(event.turn_id)
                count -= 1

    async def _show(self, event: TurnEvent) -> None:
        """Show an event now, or once no question is on the screen any more."""
        match event:
            case ToolCallWaitingEvent():
                self._approvals.ask(event)
            case ToolCallDecidedEvent():
                await self._approvals.decided(event, self._state.calls[event.call.id].state)
                await self._catch_up()
            case TurnFinishedEvent():
                await self._approvals.close()
                await self._catch_up()
                self._end(event)
            case _ if self._approvals.open:
                self._later.append(event)
            case _:
                self._progress(event)

    async def _catch_up(self) -> None:
        if not self._approvals.open:
            later, self._later = self._later, []
            for event in later:
                self._progress(event)

    def _progress(self, event: TurnEvent) -> None:
        view = self._view
        match event:
            case TurnStartedEvent():
                self.started = True
                view.status(_THINKING)
            case AnswerProgressEvent():
                self._growing = event.text
                view.answer(event.text)
            case LLMResponseEvent():
                self._growing = ""
                view.end_answer(event.text)
                for one in event.left_out:
                    self._note_once(f"{LEFT_OUT[one]}.")
            case ModelRetryEvent():
                self._retrying(event)
            case ToolCallStartedEvent():
                view.call(event.call)
            case ToolCallFinishedEvent():
                view.result(event.call, event.result, event.seconds)
                view.status(_THINKING)
            case _:
                pass  # what is not shown

    def _retrying(self, event: ModelRetryEvent) -> None:
        reason, again = event.reason.rstrip("."), f"Trying again in {math.ceil(event.wait_seconds)} s"
        if event.tries is not None:
            self._view.note(f"{reason}. {again} (try {event.next_try} of {event.tries}).")
            self._view.status(_THINKING)
            return
        # A service that is not up yet is tried every few seconds, too often for a note each time.
        self._note_once(f"{reason}. Trying again for up to a minute.")
        self._view.status(f"{again} … (Ctrl-C to stop)")

    def _note_once(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self._view.note(text)

    def _end(self, event: TurnFinishedEvent) -> None:
        # A reply that was committed in this process is already on the screen.
        committed = self._state.replies[-1].text if self._state.replies else ""
        text = event.text if event.text != committed else self._growing
        self._view.end_answer(text)
        if event.state == "failed":
            self._view.error(event.notice or "There was no answer. Ask again.")
        elif event.notice:
            self._view.note(event.notice)
        done = event.state == "done"
        self._view.end_turn(footer(event.model, event.usage, event.seconds, demo=self._demo) if done else None)
