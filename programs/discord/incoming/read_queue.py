"""Whose turn it is to be read: so many places at a time, those with the newest activity first."""

import heapq
import itertools
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from programs.discord.incoming.feed import Feed

_AT_ONCE = 8


class Rank(IntEnum):
    """Which reads come first, when nobody waits for any of them."""

    NEWS = 0  # Of places in which something is known to be new.
    DM = 1  # Of DMs: Discord does not say whether there is.
    OTHER = 2  # Of what else may have something new, such as archived threads.


class ReadQueue:
    """The queue of places to be read. One that people wait for is read without it.

    Args:
        at_once: How many are read at a time.
    """

    def __init__(self, at_once: int = _AT_ONCE) -> None:
        self._at_once = at_once
        self._waiting: list[tuple[int, int, int, Feed]] = []
        self._queued: set[Feed] = set()
        self._running: set[Feed] = set()
        self._numbers = itertools.count()

    def queue(self, feed: "Feed") -> None:
        """Have a place read when it is its turn; it is in the queue once."""
        if feed not in self._queued and feed not in self._running:
            self._queued.add(feed)
            heapq.heappush(self._waiting, (feed.rank, -feed.activity, next(self._numbers), feed))
            self._go_on()

    def done(self, feed: "Feed") -> None:
        """A place needs no turn any more."""
        if feed in self._running:
            self._running.discard(feed)
            self._go_on()

    def _go_on(self) -> None:
        while self._waiting and len(self._running) < self._at_once:
            *_, feed = heapq.heappop(self._waiting)
            self._queued.discard(feed)
            if feed.begin():
                self._running.add(feed)
