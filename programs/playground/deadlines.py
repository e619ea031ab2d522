"""What happens at a time of the injected clock: when a test moves the clock, without waiting; else by a timer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

_SHORTEST = 0.001  # seconds a timer takes at least, when the loop's clock is a little ahead of ours


@dataclass(eq=False)
class Deadline:
    """`act` at the time `at` of the clock, unless it is cancelled before."""

    at: float
    act: Callable[[], None] = field(repr=False)


class Deadlines:
    """`clock` gives seconds that never go back. `after` needs a running loop."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ahead: set[Deadline] = set()
        self._timer: asyncio.TimerHandle | None = None

    def after(self, seconds: float, act: Callable[[], None]) -> Deadline:
        """Call `act` in so many seconds; give the deadline that is returned to `cancel` to prevent it."""
        deadline = Deadline(self._clock() + seconds, act)
        self._ahead.add(deadline)
        self._wind()
        return deadline

    def cancel(self, deadline: Deadline) -> None:
        """Does nothing for one that is over."""
        self._ahead.discard(deadline)

    def run_due(self) -> None:
        """Let everything happen whose time has come, the earliest first."""
        now = self._clock()
        for deadline in sorted((one for one in self._ahead if one.at <= now), key=lambda one: one.at):
            if deadline in self._ahead:  # an earlier one may have cancelled it
                self._ahead.remove(deadline)
                deadline.act()

    def close(self) -> None:
        """Nothing happens any more."""
        self._ahead.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wind(self) -> None:
        """Look again when the next one is due, if the clock goes as the loop's does."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ahead:
            left = min(one.at for one in self._ahead) - self._clock()
            self._timer = asyncio.get_running_loop().call_later(max(left, _SHORTEST), self._look)

    def _look(self) -> None:
        self.run_due()
        self._wind()
