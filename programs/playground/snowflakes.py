"""Snowflakes: ids that carry the wall clock and are always greater than any before."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

EPOCH_MS = 1_420_070_400_000  # Discord's epoch: the first second of 2015
_TIME_SHIFT = 22
_WRITTEN = re.compile(r"[0-9]{1,20}")


class Snowflakes:
    """A source of ids. `clock` gives seconds since 1970 and may jump backwards; the ids never do."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._last = 0

    def now(self) -> datetime:
        """The wall clock's time."""
        return datetime.fromtimestamp(self._clock(), UTC)

    def follow(self, last: int) -> None:
        """Give only ids greater than `last`."""
        self._last = max(self._last, last)

    def next(self) -> int:
        """A new id, higher than all before it, with the time in it."""
        now = (int(self._clock() * 1000) - EPOCH_MS) << _TIME_SHIFT
        self._last = max(now, self._last + 1)
        return self._last


def read_id(text: object) -> int | None:
    """The snowflake a text writes out, or None when it is none."""
    return int(text) if isinstance(text, str) and _WRITTEN.fullmatch(text) else None


def moment(snowflake: int) -> datetime:
    """The time at which a snowflake was made."""
    return datetime.fromtimestamp(((snowflake >> _TIME_SHIFT) + EPOCH_MS) / 1000, UTC)


def iso(at: datetime) -> str:
    """A time as Discord writes it: microseconds and a numeric offset."""
    return at.isoformat(timespec="microseconds")
