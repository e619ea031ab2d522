"""Virtual time, and what the world outside of the bot does in it."""

import hashlib
import heapq
import itertools
import math
from collections.abc import Callable

BEGAN = 1_772_323_200.0  # seconds since 1970 at which every run begins


class Trace:
    """All that happened, as a hash; line by line too where somebody wants to read it.

    Args:
        tell: Is given each line.
    """

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._tell = tell
        self.lines = 0

    def add(self, now: float, what: str) -> None:
        """Note that something happened."""
        line = f"{now:.6f} {what}"
        self.lines += 1
        self._hash.update(line.encode())
        self._hash.update(b"\n")
        if self._tell is not None:
            self._tell(line)

    @property
    def digest(self) -> str:
        """The hash of all lines so far."""
        return self._hash.hexdigest()


class Timeline:
    """The clock of one run, and the events of the world: people, the network, Discord, the disk.

    They happen whether the bot is alive or not; an event loop only waits for them.

    Attributes:
        now: Seconds since the beginning of the run.
        trace: What happened.
    """

    def __init__(self, trace: Trace) -> None:
        self.now = 0.0
        self.trace = trace
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        """Let something happen in so many seconds."""
        self.at(self.now + seconds, event)

    def at(self, moment: float, event: Callable[[], None]) -> None:
        """Let something happen at a moment."""
        heapq.heappush(self._events, (max(moment, self.now), next(self._numbers), event))

    @property
    def next(self) -> float:
        """When the next event happens; infinity without one."""
        return self._events[0][0] if self._events else math.inf

    def advance(self, limit: float) -> None:
        """Go to the next event, but not beyond a moment, and let what is due happen."""
        self.now = max(self.now, min(self.next, limit))
        self.happen()

    def happen(self) -> None:
        """Let happen what is due."""
        events = self._events
        while events and events[0][0] <= self.now:
            heapq.heappop(events)[2]()

    def note(self, what: str) -> None:
        """Add a line to the trace."""
        self.trace.add(self.now, what)

    @property
    def wall(self) -> float:
        """Seconds since 1970."""
        return BEGAN + self.now
