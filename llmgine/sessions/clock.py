"""Time as the store has it: microseconds since 1970, and a time of day that does not jump."""

import time
from datetime import UTC, datetime, timedelta

_DAY = 86_400  # seconds


def now() -> int:
    """The present, as the machine's clock has it, in microseconds since 1970."""
    return time.time_ns() // 1_000


def microseconds(moment: datetime) -> int:
    """A moment in microseconds since 1970."""
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def at(microseconds: int) -> datetime:
    """The moment that many microseconds after the beginning of 1970."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)


class SteadyClock:
    """The time of day when it was made, and what has passed since: deadlines do not move with the machine's clock."""

    def __init__(self) -> None:
        self._begin = datetime.now(UTC)
        self._begun = time.monotonic()

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return self._begin + timedelta(seconds=time.monotonic() - self._begun)

    def today(self) -> int:
        """The day (UTC) as the machine has it, counted since 1970: a steady clock does not run while it sleeps."""
        return int(time.time()) // _DAY
