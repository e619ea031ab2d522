"""A running turn as it is to be drawn: its committed steps, and the text that is streaming in."""

import math

from llmgine.messages.events import AnswerProgressEvent, ModelRetryEvent, TurnEvent
from llmgine.sessions.records import TurnSteps
from llmgine.turn_state import step_of
from programs.discord.delivery.answer import Part
from programs.discord.delivery.metrics import TurnCounts
from programs.discord.delivery.rendering import AGAIN, THINKING, Live, render, retrying, waiting_notice


class Drawing:
    """Hears the events of one turn, and draws it when asked; text that streams in is drawn at the pace of edits.

    Args:
        steps: The turn with the steps it has.
        others_wait: Whether other questions wait behind it.
        interval: Seconds between two drawings of text that streams in.

    Attributes:
        due_at: When it is to be drawn, on the loop's clock; None when nothing has changed since.
    """

    def __init__(self, steps: TurnSteps, *, others_wait: bool, interval: float, counts: TurnCounts) -> None:
        self.steps = steps
        self.due_at: float | None = 0.0
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

    def handle(self, event: TurnEvent) -> None:
        """Take in an event of the turn."""
        if isinstance(event, AnswerProgressEvent):
            if event.text.strip():  # until there is something to see, what is shown stays
                self._live = Live(event.round, text=event.text)
            elif self._live is not None and self._live.text:  # it was thinking
                self._live = Live(event.round, status=THINKING)
            self._counts.coalesced += self.due_at is not None
            self._draw_at(self._drawn_at + self._interval)
            return
        if isinstance(event, ModelRetryEvent):
            self._live = retrying(event)
        else:
            step = step_of(event)
            self.steps = self.steps if step is None else self.steps.plus(step)
        self._draw_at(0.0)

    def wait(self, *, others: bool) -> bool:
        """Other questions wait behind the turn, or none do any more. Returns whether that is new."""
        if others == self._others_wait:
            return False
        self._others_wait = others
        self._draw_at(0.0)
        return True

    def draw(self, now: float) -> list[Part]:
        """The parts as they are now."""
        self.due_at = None
        if self._live is not None and self._live.text:
            self._drawn_at = now
        parts = render(self.steps, self._live)
        notice = waiting_notice(self.steps) if self._others_wait else None
        return [Part(key, body) for key, body in (parts if notice is None else [*parts, notice])]

    def _draw_at(self, moment: float) -> None:
        self.due_at = moment if self.due_at is None else min(self.due_at, moment)
