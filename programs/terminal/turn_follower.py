"""Following turns by their events: each is shown as it progresses, until its outcome."""

import asyncio
import contextlib
import math
from collections.abc import Iterable

from llmgine.bus import MessageBus
from llmgine.messages.events import (
    AnswerProgressEvent,
    LLMResponseEvent,
    ModelAskedEvent,
    ModelRetryEvent,
    ToolCallDecidedEvent,
    ToolCallEvent,
    ToolCallFinishedEvent,
    ToolCallProgressEvent,
    ToolCallStartedEvent,
    ToolCallWaitingEvent,
    TurnEvent,
    TurnFinishedEvent,
    TurnStartedEvent,
)
from llmgine.messages.steps import PromptStep
from llmgine.sessions import SessionStore
from llmgine.turn_state import TurnState, fold, fold_all, step_of
from programs.application import LEFT_OUT
from programs.terminal.approvals import Approvals
from programs.terminal.current_session import CurrentSession
from programs.terminal.terminal_text import footer, one_line, sources_lines
from programs.terminal.thinking import AT_FIRST, ThinkingStatus
from programs.terminal.tool_files import ToolFiles
from programs.terminal.view import View

_MOST_HEARD = 350  # characters of a transcript that are shown
_REDACTED = "Your message has a password or key in it. It was removed from what is stored and what the model reads."


class TurnFollower:
    """Shows the turns of one session that this process runs.

    Args:
        bus: Where the events come from.
        store: Where the prompts of turns that an earlier process left are read.
        session: The session that the chat is in.
        view: Shows them.
        approvals: Asks about tool calls that need approval.
        demo: Whether the offline demo model answers; the footer says so.
        files: Saves the files that tools give.

    Attributes:
        running: The turn being followed.
        started: Whether it is running; if not, it waits for earlier turns.
    """

    def __init__(
        self,
        bus: MessageBus,
        store: SessionStore,
        session: CurrentSession,
        view: View,
        approvals: Approvals,
        *,
        demo: bool,
        files: ToolFiles | None = None,
    ) -> None:
        self._store = store
        self._files = files or ToolFiles(store)
        self._session = session
        self._view = view
        self._approvals = approvals
        self._demo = demo
        self._events: asyncio.Queue[TurnEvent] = asyncio.Queue()
        self._later: list[TurnEvent] = []  # that came while a question is on the screen
        self._growing = ""  # the text of a reply that is not committed yet
        self._state = TurnState()  # of the turn being followed, as far as its events have come
        self._thinking = ThinkingStatus()
        self._noted: set[str] = set()  # notes already shown for this turn, which are not repeated
        self.running: str | None = None
        self.started = False
        bus.register_event_handler(TurnEvent, self._hear)

    def _hear(self, event: TurnEvent) -> None:
        if event.session_id == self._session.id:
            self._events.put_nowait(event)

    async def follow(self, turn_id: str, so_far: TurnState | None = None) -> bool:
        """Show a turn until its outcome. Returns whether it was answered.

        Args:
            turn_id: The turn.
            so_far: What it is at; None where it begins.
        """
        self.running = turn_id
        self._growing, self._state = "", so_far or TurnState()
        self._noted.clear()
        try:
            while True:
                event = await self._next()
                if event.turn_id == turn_id:
                    if (step := step_of(event)) is not None:
                        self._state = fold(self._state, step)
                    await self._show(event)
                    if isinstance(event, TurnFinishedEvent):
                        return event.state == "done"
        finally:
            self.running, self.started = None, False
            self._thinking.end()
            await self._approvals.close()

    async def _next(self) -> TurnEvent:
        """The next event; until it comes, the status says for how long the model has been thinking."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._thinking.seconds_left):
                    return await self._events.get()
            self._view.status(self._thinking.next())

    async def follow_resumed(self) -> bool:
        """Show a turn that an earlier process left, with its prompt. Returns whether it was answered."""
        while True:
            event = await self._events.get()
            if isinstance(event, TurnStartedEvent):
                self.started = True
                so_far = fold_all(event.steps) if event.steps else (await self._store.turns.get(event.turn_id)).state
                self._view.prompt(so_far.prompt.text)
                self._quote_heard(so_far.prompts)
                return await self.follow(event.turn_id, so_far)

    async def _show(self, event: TurnEvent) -> None:
        """Show an event now, or once no question is on the screen any more."""
        match event:
            case ToolCallWaitingEvent():
                self._approvals.ask(event)
            case ToolCallDecidedEvent():
                await self._approvals.decided(event, self._state.calls[event.call.id].state)
                await self._catch_up()
            case TurnFinishedEvent():
                self._thinking.end()
                await self._approvals.close()
                await self._catch_up()
                saved = [] if event.turn is None else await self._files.save(event.turn, self._state)
                self._end(event, saved)
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
                prompts = fold_all(event.steps).prompts
                if any(prompt.redacted for prompt in prompts):
                    self._note_once(_REDACTED)
                self._quote_heard(prompts)
                view.status(AT_FIRST)
            case ModelAskedEvent():
                self._thinking.begin()
            case AnswerProgressEvent():
                self._grow(event.text if event.text.strip() else "")
            case LLMResponseEvent():
                self._replied(event)
            case ModelRetryEvent():
                self._retrying(event)
            case ToolCallEvent():
                self._call(event)
            case _:
                pass  # what is not shown

    def _call(self, event: ToolCallEvent) -> None:
        match event:
            case ToolCallStartedEvent():
                self._view.call(event.call)
            case ToolCallProgressEvent():
                self._view.status(one_line(f"{event.call.name}: {event.text}", 100))
            case ToolCallFinishedEvent():
                self._view.result(event.call, event.result, event.seconds)
                self._view.status(AT_FIRST)

    def _quote_heard(self, prompts: Iterable[PromptStep]) -> None:
        """Show what was heard in the recordings of a question, as it is stored: without secrets."""
        for file in (one for prompt in prompts for one in prompt.attachments if one.transcript == "file"):
            self._view.note(f"Heard in {one_line(file.name, 100)}: “{one_line(file.text or '', _MOST_HEARD)}”")

    def _grow(self, text: str) -> None:
        """There is so much of the answer; none where what looked like it was thinking, or nothing came yet."""
        if text:
            self._thinking.end()
        elif self._growing:
            self._thinking.resume()
        if text or self._growing:
            self._view.answer(text)
        self._growing = text

    def _replied(self, event: LLMResponseEvent) -> None:
        self._thinking.end()
        self._growing = ""
        self._view.end_answer(event.text)
        for one in event.left_out:
            self._note_once(f"{LEFT_OUT[one]}.")
        if event.fallback is not None:
            self._note_once(str(event.fallback.words))

    def _retrying(self, event: ModelRetryEvent) -> None:
        self._thinking.begin(event.wait_seconds)
        reason, again = event.reason.rstrip("."), f"Trying again in {math.ceil(event.wait_seconds)} s"
        if event.tries is not None:
            self._view.note(f"{reason}. {again} (try {event.next_try} of {event.tries}).")
            self._view.status(AT_FIRST)
            return
        # A service that is not up yet is tried every few seconds, too often for a note each time.
        self._note_once(f"{reason}. Trying again for up to a minute.")
        self._view.status(f"{again} … (Ctrl-C to stop)")

    def _note_once(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self._view.note(text)

    def _end(self, event: TurnFinishedEvent, saved: Iterable[str]) -> None:
        # A reply that was committed in this process is already on the screen.
        committed = self._state.replies[-1].text if self._state.replies else ""
        text = event.text if event.text != committed else self._growing
        self._view.end_answer(text)
        if event.state == "failed":
            self._view.error(event.notice or "There was no answer. Ask again.")
        elif event.notice:
            self._view.note(event.notice)
        for note in (*saved, *sources_lines(self._state.sources), *map(str, event.warnings)):
            self._view.note(note)
        done = event.state == "done"
        self._view.end_turn(footer(event.model, event.usage, event.seconds, demo=self._demo) if done else None)
