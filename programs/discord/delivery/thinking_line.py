"""The line that says that the model thinks, and for how long it has: when it is shown, and what it says. No I/O."""

import math

from programs.discord.delivery.rendering import Live, thinking_status

AFTER = 3.0  # seconds without text until it is shown
EVERY = 5.0  # seconds between two looks of it


class ThinkingLine:
    """Knows since when the model of one turn has been asked, and when people are told so.

    Args:
        interval: Seconds between two changes of a message, which is waited for at least.

    Attributes:
        due_at: When it is to be drawn, or drawn again, on the clock of whoever drives this; `math.inf` for never.
    """

    def __init__(self, interval: float) -> None:
        self.due_at = math.inf
        self._interval = interval
        self._round = 0
        self._since = 0.0
        self._seconds: int | None = None  # what it shows; None while it is not shown

    @property
    def is_shown(self) -> bool:
        """Whether it is what people see last."""
        return self._seconds is not None

    def begin(self, round_: int, now: float) -> None:
        """The model is asked for the reply of a round; `now` may be a moment that is still to come."""
        self._round, self._since, self._seconds = round_, now, None
        self.due_at = now + AFTER

    def end(self) -> None:
        """There is text, or nobody is asked any more."""
        self._seconds, self.due_at = None, math.inf

    def resume(self, now: float) -> None:
        """What looked like text was thinking: it is shown at once."""
        self._seconds, self.due_at = None, now

    def draw(self, now: float) -> Live | None:
        """What is shown now; None while there is nothing to show."""
        if now >= self.due_at:
            self._seconds, self.due_at = max(1, int(now - self._since)), now + max(EVERY, self._interval)
        return None if self._seconds is None else thinking_status(self._round, self._seconds)
