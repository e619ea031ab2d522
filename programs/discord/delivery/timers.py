"""When the delivery of a channel is looked at again because time has passed."""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable


class Timers:
    """Wakes a channel when a preview may be shown, when something may be tried again, or for the thinking line.

    Args:
        sleep: How it is waited until something may be tried again, in seconds.
        wake: Called when a time has come.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]], wake: Callable[[], None]) -> None:
        self._sleep = sleep
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._has_preview = False  # whether the timer is for something that is to be shown already
        self._sleeper: asyncio.Task[None] | None = None
        self._sleeps_until = math.inf
        self._slept_until = 0.0  # the clock is at least there, however it was slept

    @property
    def has_preview(self) -> bool:
        """Whether a preview is to be shown at a later time; the thinking line is none, it only counts seconds."""
        return self._timer is not None and self._has_preview

    @property
    def has_retry(self) -> bool:
        """Whether something is to be tried again."""
        return self._sleeper is not None

    def now(self) -> float:
        """Seconds of the loop's clock."""
        return max(self._loop.time(), self._slept_until)

    def set(self, *, preview: float, retry: float, tick: float) -> None:
        """Come back at these times, and at no others; `math.inf` for never.

        Args:
            preview: When the next preview may be shown.
            retry: When the next request may be tried again.
            tick: When the thinking line is to be shown, or shows other seconds.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._has_preview = not math.isinf(preview)
        if not math.isinf(min(preview, tick)):
            self._timer = self._loop.call_at(min(preview, tick), self._time_is_up)
        if retry != self._sleeps_until:
            if self._sleeper is not None:
                self._sleeper.cancel()
            self._sleeps_until = retry
            self._sleeper = None if math.isinf(retry) else asyncio.ensure_future(self._sleep_until(retry))

    def stop(self) -> list[asyncio.Task[None]]:
        """Come back no more; returns what is to be waited for."""
        sleeper = self._sleeper
        self.set(preview=math.inf, retry=math.inf, tick=math.inf)
        return [sleeper] if sleeper is not None else []

    def _time_is_up(self) -> None:
        self._timer = None
        self._wake()

    async def _sleep_until(self, until: float) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await self._sleep(until - self.now())
            self._slept_until, self._sleeps_until, self._sleeper = until, math.inf, None
            self._wake()
