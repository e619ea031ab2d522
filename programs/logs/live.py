"""The log as it grows, for the page: the recent turns, and a notice of every change."""

import asyncio
import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from llmgine.observability.reader import LogReader, Record
from programs.logs.turn_records import RecentTurns

_LOOK_AGAIN = 0.25  # seconds
_AT_ONCE = 1_000  # records handled in one go, so that a long log does not block the page

_log = logging.getLogger(__name__)


class LiveLog:
    """Follows the log in a thread beside the event loop.

    Attributes:
        turns: What was read so far.
        revision: A number that grows with every change.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.turns = RecentTurns()
        self.revision = 0
        self.closed = False
        self._changed = asyncio.Event()
        self._reader = LogReader(path, newest=1)
        self._records: Iterator[Record] | None = None
        self._failing = False

    async def follow(self) -> None:
        """Read until cancelled."""
        try:
            while True:
                records = await self._read()
                if not records:
                    await asyncio.sleep(_LOOK_AGAIN)
                    continue
                for record in records:
                    self.turns.add(record)
                self.revision += 1
                self._notify()
        finally:
            self.close()

    async def _read(self) -> list[Record]:
        reading = asyncio.ensure_future(asyncio.to_thread(self._next))
        try:
            return await asyncio.shield(reading)
        finally:
            await asyncio.wait([reading])  # nobody closes the file while the thread reads it

    def _next(self) -> list[Record]:
        """The next records; none at the end of what is there now."""
        if self._records is None:
            self._records = self._reader.read()
        try:
            records = list(islice(self._records, _AT_ONCE))
            self._failing = False
        except OSError as error:
            if not self._failing:
                _log.error("The log %s cannot be read: %s. Trying again.", self.path, error)
            records, self._failing = [], True
        if not records:
            self._records = None
        return records

    def close(self) -> None:
        """Close the file, and release those who wait for a change."""
        self.closed = True
        self._reader.close()
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def change(self, seen: int, timeout: float) -> None:  # noqa: ASYNC109  its end is no error
        """Return when the revision is not `seen` (any more), when the log is closed, or after `timeout` seconds."""
        changed = self._changed
        if self.revision == seen and not self.closed:
            try:
                async with asyncio.timeout(timeout):
                    await changed.wait()
            except TimeoutError:
                return
