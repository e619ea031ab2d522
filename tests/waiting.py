"""Waiting as long as there is progress: the one measure of patience of all tests.

Progress is whatever the test's own servers, buses and clients note while they are at work: a request to the model, an
event of the bus or of a playground, an output; and where a test waits for another process, each second it computes.
A wait that is given up says so in an error of its own, which no broken promise raises.
"""

import asyncio
import inspect
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

# Seconds without progress after which a state that did not come is a failure; fewer where most waits are in vain.
PATIENCE = float(os.environ.get("TESTS_PATIENCE", "30"))
_LOOK = 0.2  # seconds between two looks for progress

_noted = 0


class NoProgressError(Exception):
    """Nothing went on, and what a test waited for was not there."""

    def __init__(self, what: str, seconds: float = PATIENCE) -> None:
        super().__init__(f"No progress for {seconds:g} s while waiting for {what}")


def noted(*_: object) -> None:
    """Something went on. It takes any arguments, so that it can listen to whatever tells of it."""
    global _noted  # noqa: PLW0603  one test runs at a time, so there is one progress
    _noted += 1


def computing(pid: int) -> Callable[[], object]:
    """What changes with each second that a process has computed, as far as the system tells."""

    def seconds() -> int:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) // os.sysconf("SC_CLK_TCK")
        return 0

    return seconds


class Watch:
    """Calls `give_up` once there was no progress for so long; only time in which this process ran counts.

    Args:
        give_up: What to do then.
        progress: What else, beside what is `noted`, changes while something goes on.
        seconds: How long.
    """

    def __init__(
        self, give_up: Callable[[], object], *progress: Callable[[], object], seconds: float = PATIENCE
    ) -> None:
        self._give_up = give_up
        self._progress = (lambda: _noted, *progress)
        self._seconds = seconds
        self._seen: list[object] = []
        self._waited = 0.0
        self._loop = asyncio.get_running_loop()
        self._look()

    def close(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _look(self) -> None:
        seen = [progress() for progress in self._progress]
        # A look that comes late counts as one in time: the machine was busy with others.
        self._waited = 0.0 if seen != self._seen else self._waited + _LOOK
        self._seen = seen
        self._timer = self._loop.call_later(_LOOK, self._look)
        if self._waited >= self._seconds:
            self.close()
            self._give_up()


@asynccontextmanager
async def patience(what: str, *progress: Callable[[], object], seconds: float = PATIENCE) -> AsyncIterator[None]:
    """Have the block end in `NoProgressError` when there is no progress for so many seconds; see `Watch`."""
    loop = asyncio.get_running_loop()
    deadline = asyncio.timeout(None)
    try:
        async with deadline:
            watch = Watch(lambda: deadline.reschedule(loop.time()), *progress, seconds=seconds)
            try:
                yield
            finally:
                watch.close()
    except TimeoutError:
        if deadline.expired():
            raise NoProgressError(what, seconds) from None
        raise


async def eventually(
    state: Callable[[], object | Awaitable[object]], what: str = "", *, empty: bool = False, seconds: float = PATIENCE
) -> None:
    """Wait until the state is truthy, or, where it is to become `empty`, falsy; it is looked at all the time."""
    async with patience(what or _source_of(state), seconds=seconds):
        while True:
            found = state()
            if inspect.isawaitable(found):
                found = await found
            if bool(found) is not empty:
                return
            await asyncio.sleep(0.01)


def _source_of(state: Callable[[], object]) -> str:
    """The place of a test where a state is written down."""
    code = getattr(state, "__code__", None)
    return f"the state at {Path(code.co_filename).name}:{code.co_firstlineno}" if code else repr(state)
