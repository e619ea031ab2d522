"""A running turn as it is to be drawn: its committed steps, and the text that is streaming in."""

import math

from llmgine.messages.events import (
    AnswerProgressEvent,
    LLMResponseEvent,
    ModelAskedEvent,
    ModelRetryEvent,
    ToolCallProgressEvent,
    TurnEvent,
)
from llmgine.sessions.records import TurnSteps
from llmgine.turn_state import step_of
from programs.discord.delivery.answer import Part
from programs.discord.delivery.metrics import TurnCounts
from programs.discord.delivery.rendering import AGAIN, Live, falling_back, render, retrying, waiting_notice
from programs.discord.delivery.thinking_line import ThinkingLine


class Drawing:
    """Hears the events of one turn, and draws it when asked; text that streams in is drawn at the pace of edits.

    Args:
        steps: The turn with the steps it has.
        others_wait: Whether other questions wait behind it.
        interval: Seconds between two drawings of text that streams in.
        counts: What the turn has cost so far.
        line: Says that the model thinks.

    Attributes:
        text_at: When it is to be drawn, on the loop's clock; `math.inf` when nothing has changed since, 0 for at once.
    """

    def __init__(
        self, steps: TurnSteps, *, others_wait: bool, interval: float, counts: TurnCounts, line: ThinkingLine
    ) -> None:
        self.steps = steps
        self._line = line
        self.text_at = 0.0
        self._interval = interval
        self._counts = counts
        self._others_wait = others_wait
        self._drawn_at = -math.inf  # when text that streams in was drawn last
        # Until the first words come; the answer that is there is not to be read as one to what is asked now.
        self._live: Live | None = Live(0, status=AGAIN) if steps.turn.attempt > 1 else None

    @property
    def is_writing(self) -> bool:
        """Whether an answer is being written, and nobody is waited for."""
        return not self.steps.state.waiting and self.steps.state.outcome is None

    @property
    def tick_at(self) -> float:
        """When the line that says that the model thinks is to be shown, or shows other seconds."""
        return self._line.due_at

    def is_due(self, now: float) -> bool:
        """Whether something of it has to be drawn now."""
        return now >= min(self.text_at, self.tick_at)

    def handle(self, event: TurnEvent, now: float) -> None:
        """Take in an event of the turn."""
        match event:
            case AnswerProgressEvent():
                self._progress(event, now)
                return
            case ToolCallProgressEvent():
                self.steps = self.steps.with_progress(event.call.id, event.text)
                self._draw_at(now + self._interval)
                return
            case ModelAskedEvent():
                self._line.begin(event.round, now)
                if event.fallback is None or event.fallback.rested:
                    return  # nothing of it is shown yet
                self._live = falling_back(event.fallback, event.round)
            case ModelRetryEvent():
                self._live = retrying(event)
                self._line.begin(event.round, now + event.wait_seconds)
            case _:
                if isinstance(event, LLMResponseEvent):
                    self._line.end()
                step = step_of(event)
                self.steps = self.steps if step is None else self.steps.plus(step)
        self._draw_at(0.0)

    def _progress(self, event: AnswerProgressEvent, now: float) -> None:
        if event.text.strip():  # until there is something to see, what is shown stays
            self._live = Live(event.round, text=event.text)
            if self._line.is_shown:
                self._draw_at(0.0)  # the answer takes its place at once
            self._line.end()
        elif self._live is not None and self._live.text:  # it was thinking
            self._live = None
            self._line.resume(now)
        self._counts.coalesced += not math.isinf(self.text_at)
        self._draw_at(max(0.0, self._drawn_at + self._interval))

    def wait(self, *, others: bool) -> bool:
        """Other questions wait behind the turn, or none do any more. Returns whether that is new."""
        if others == self._others_wait:
            return False
        self._others_wait = others
        self._draw_at(0.0)
        return True

    def draw(self, now: float) -> list[Part]:
        """The parts as they are now."""
        self.text_at = math.inf
        if self._live is not None and self._live.text:
            self._drawn_at = now
        parts = render(self.steps, self._line.draw(now) or self._live)
        notice = waiting_notice(self.steps) if self._others_wait else None
        return [Part(key, body) for key, body in (parts if notice is None else [*parts, notice])]

    def _draw_at(self, moment: float) -> None:
        self.text_at = min(self.text_at, moment)
