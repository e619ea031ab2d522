"""Daily copies of the SQLite database, `backups/<date>.db` beside it, made while the program runs."""

import asyncio
import logging
import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path

from llmgine.errors import StoreError
from llmgine.sessions.sqlite import copy_database

KEEP = 7
_INTERVAL = 3600.0  # seconds between checks whether today's copy exists
_STALE = 86_400.0  # seconds after which nobody is still writing an unfinished copy
_FIRST = 60.0  # seconds until the first check; a program that ends sooner makes no copy

_log = logging.getLogger(__name__)


class DailyBackup:
    """Makes a copy on every day on which the program runs.

    A failure is logged once, until a copy succeeds; nothing else depends on it.

    Args:
        database: The file.
        first: Seconds until the first check.
        interval: Seconds between two checks.
    """

    def __init__(self, database: Path, *, first: float = _FIRST, interval: float = _INTERVAL) -> None:
        self._database = database
        self._folder = database.parent / "backups"
        self._unfinished = self._folder / f"{os.getpid()}.part"
        self._first = first
        self._interval = interval
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start checking."""
        self._task = asyncio.create_task(self._keep_looking())

    async def stop(self) -> None:
        """Stop; a copy that is being made is abandoned."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Make today's copy if it does not exist; the store stays usable meanwhile."""
        try:
            if self._is_there():
                return
            await copy_database(self._database, self._unfinished)
            self._keep_copy()
        except (OSError, StoreError) as error:
            if not self._failing:
                _log.warning("The database %s could not be backed up: %s", self._database, error)
            self._failing = True
        else:
            self._failing = False
            _log.info("The database was backed up")

    def _is_there(self) -> bool:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        return self._today.exists()

    @property
    def _today(self) -> Path:
        return self._folder / f"{datetime.now(UTC):%Y-%m-%d}.db"

    def _keep_copy(self) -> None:
        """Give a finished copy its name, and delete what is too old."""
        self._unfinished.replace(self._today)
        copies = sorted(path for path in self._folder.iterdir() if re.fullmatch(r"\d{4}-\d\d-\d\d\.db", path.name))
        left_over = (path for path in self._folder.glob("*.part") if time.time() - path.stat().st_mtime > _STALE)
        for path in [*copies[:-KEEP], *left_over]:
            path.unlink(missing_ok=True)

    async def _keep_looking(self) -> None:
        await asyncio.sleep(self._first)
        while True:
            await self.look()
            await asyncio.sleep(self._interval)
