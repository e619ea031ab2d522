"""Hourly copies of the SQLite database, made while the program runs; see `backup_folder` for where and how many."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from llmgine.errors import StoreError
from llmgine.sessions.backup_folder import BackupFolder
from llmgine.sessions.sqlite_copies import ABANDON, WriteCounter

LEAST_AGE = timedelta(hours=1)  # of the newest copy when the next one is made
_FIRST = 60.0  # seconds until the first check; until then the start has other things to do
_INTERVAL = 60.0  # seconds between two checks
_AFTER_FAILURE = 600.0  # seconds until the next one, if no copy could be made
_BYTES_PER_SECOND = 20e6  # how fast copying is assumed to be at the end, if this process made no copy

_log = logging.getLogger(__name__)


class HourlyBackup:
    """Makes a copy in every hour in which something was written, by whatever process.

    The hour counts from the newest copy, whoever made it, so it matters neither how long a process runs nor how many
    do. A failure is logged once, until a copy succeeds; nothing else depends on it.

    Args:
        database: The file.
        megabytes: What all copies together may have; by default five times the database.
        first: Seconds until the first check.
        interval: Seconds between two checks.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        database: Path,
        *,
        megabytes: int | None = None,
        first: float = _FIRST,
        interval: float = _INTERVAL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._folder = BackupFolder(database, megabytes=megabytes, clock=clock)
        self._first = first
        self._interval = interval
        self._writes: WriteCounter | None = None
        self._at_start: int | None = None  # what it read then
        self._copied: int | None = None  # what it read before the newest copy that is known to have everything
        self._speed = _BYTES_PER_SECOND
        self._failing = False
        self._ending = asyncio.Event()
        self._end_by = 0.0  # on the monotonic clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start checking."""
        with contextlib.suppress(StoreError):  # `look` reports it
            self._at_start = self._read_counter()
        self._task = asyncio.create_task(self._run())

    async def stop(self, seconds: float = 0.0) -> None:
        """Stop. A copy that is due is made if it fits the time, and abandoned if it turns out not to.

        Args:
            seconds: How long this may take.
        """
        if self._task is not None:
            self._end_by = time.monotonic() + seconds - ABANDON
            self._ending.set()
            await asyncio.wait({self._task}, timeout=max(0.0, seconds - ABANDON))
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._writes is not None:
            self._writes.close()
            self._writes = None

    async def look(self) -> None:
        """Make a copy if one is due; the store stays usable meanwhile."""
        try:
            written = self._read_counter()
            if written == self._copied or not await asyncio.to_thread(self._folder.is_due, LEAST_AGE):
                return
            began, size = time.monotonic(), self._folder.database_size()
            copy = await self._folder.add(least=LEAST_AGE, repeat=False, wait=False)
        except (OSError, StoreError) as error:
            if not self._failing:
                _log.warning("The database %s could not be backed up: %s", self._database, error)
            self._failing = True
            return
        self._failing = False
        if copy is not None:  # else another process made one, or is about to
            self._copied = written
            self._speed = size / max(time.monotonic() - began, 1e-3)
            _log.info("The database was backed up to %s", copy)

    async def _run(self) -> None:
        await self._pause(self._first)
        while not self._ending.is_set():
            await self.look()
            await self._pause(_AFTER_FAILURE if self._failing else self._interval)
        if self._fits():
            await self.look()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ending.wait()

    def _fits(self) -> bool:
        """Whether something was written that no copy has yet, and there is time to copy it."""
        try:
            if self._read_counter() == (self._at_start if self._copied is None else self._copied):
                return False
            return self._folder.database_size() / self._speed < self._end_by - time.monotonic()
        except (OSError, StoreError):
            return False

    def _read_counter(self) -> int:
        """See `WriteCounter.read`, which takes microseconds."""
        if self._writes is None:
            self._writes = WriteCounter(self._database)
        return self._writes.read()
