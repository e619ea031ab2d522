"""The status while the model gives no text yet: that it thinks, and for how long it has."""

import asyncio

AFTER = 3.0  # seconds without text until it is said for how long
EVERY = 5.0  # seconds until that is said again
AT_FIRST = "thinking … (Ctrl-C to stop)"


class ThinkingStatus:
    """Knows since when the model has been asked, and when the status is to say so."""

    def __init__(self) -> None:
        self._since = 0.0
        self._due_at: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the status changes; None for never."""
        return None if self._due_at is None else max(0.0, self._due_at - asyncio.get_running_loop().time())

    def begin(self, wait: float = 0.0) -> None:
        """The model is asked, or will be in so many seconds."""
        self._since = asyncio.get_running_loop().time() + wait
        self._due_at = self._since + AFTER

    def resume(self) -> None:
        """What looked like text was thinking: it is said at once."""
        self._due_at = asyncio.get_running_loop().time()

    def end(self) -> None:
        """There is text, or nobody is asked any more."""
        self._due_at = None

    def next(self) -> str:
        """What the status says now."""
        now = asyncio.get_running_loop().time()
        self._due_at = now + EVERY
        return f"thinking … {max(1, int(now - self._since))} s (Ctrl-C to stop)"
