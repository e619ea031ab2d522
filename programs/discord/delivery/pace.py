"""How often previews are drawn: no oftener than a message may be edited, however fast the model writes."""

import asyncio
from collections.abc import Callable


class Pace:
    """Draws at once, then at most once in each interval, and once more for what came since the last time.

    Args:
        draw: What to do.
        interval: Seconds between two times.
    """

    def __init__(self, draw: Callable[[], None], interval: float) -> None:
        self._draw = draw
        self._interval = interval
        self._not_before = 0.0  # on the loop's clock
        self._later: asyncio.TimerHandle | None = None

    def draw(self) -> None:
        """There is something to draw: now, or when the interval is over."""
        if self._later is not None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() >= self._not_before:
            self._draw_now()
        else:
            self._later = loop.call_at(self._not_before, self._draw_now)

    def stop(self) -> None:
        """Nothing more is to be drawn of what came."""
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def _draw_now(self) -> None:
        self._later = None
        self._not_before = asyncio.get_running_loop().time() + self._interval
        self._draw()
