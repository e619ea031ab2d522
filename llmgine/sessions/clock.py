"""The time of day that deadlines are kept by: it does not jump when somebody sets the machine's clock."""

import time
from datetime import UTC, datetime, timedelta


class SteadyClock:
    """The time of day when it was made, and what has passed since."""

    def __init__(self) -> None:
        self._begin = datetime.now(UTC)
        self._begun = time.monotonic()

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return self._begin + timedelta(seconds=time.monotonic() - self._begun)

    def today(self) -> str:
        """The day, in UTC, as the machine has it: a steady clock stands still while the machine sleeps."""
        return datetime.now(UTC).date().isoformat()
