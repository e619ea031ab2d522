"""Daily copies of the SQLite database, `backups/<date>.db` beside it, made while the program runs."""

import asyncio
import contextlib
import logging
import os
import re
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

KEEP = 7
_INTERVAL = 3600.0  # seconds between looks whether today's copy is there
_STALE = 86_400.0  # seconds after which nobody is at work on an unfinished copy any more
_FIRST = 60.0  # seconds until the first look; a program that ends sooner makes no copy

_log = logging.getLogger(__name__)


def back_up(database: Path, connection: sqlite3.Connection) -> bool:
    """Make today's copy unless it is there, and delete what is too old; whether it was made.

    Args:
        database: The file.
        connection: One of its own to that file; `interrupt` ends the copying.

    Raises:
        OSError: The folder cannot be used.
        sqlite3.Error: The database cannot be copied.
    """
    folder = database.parent / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    copy = folder / f"{datetime.now(UTC):%Y-%m-%d}.db"
    if copy.exists():
        return False
    unfinished = folder / f"{os.getpid()}.part"
    try:
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        connection.execute("VACUUM INTO ?", (str(unfinished),))
        unfinished.replace(copy)
    finally:
        unfinished.unlink(missing_ok=True)
    copies = sorted(path for path in folder.iterdir() if re.fullmatch(r"\d{4}-\d\d-\d\d\.db", path.name))
    left_over = (path for path in folder.glob("*.part") if time.time() - path.stat().st_mtime > _STALE)
    for path in [*copies[:-KEEP], *left_over]:
        path.unlink(missing_ok=True)
    return True


class DailyBackup:
    """Sees that there is a copy of every day on which the program runs.

    A copy that fails is one warning until one succeeds; nothing else depends on it.

    Args:
        database: The file.
        first: Seconds until the first look.
        interval: Seconds between two looks.
    """

    def __init__(self, database: Path, *, first: float = _FIRST, interval: float = _INTERVAL) -> None:
        self._database = database
        self._first = first
        self._interval = interval
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._keep_looking())

    async def stop(self) -> None:
        """End; a copy that is being made is given up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Make today's copy if it is not there, in a thread of its own: the store goes on meanwhile."""
        try:
            with contextlib.closing(sqlite3.connect(self._database, check_same_thread=False)) as connection:
                copying = asyncio.create_task(asyncio.to_thread(back_up, self._database, connection))
                try:
                    made = await asyncio.shield(copying)
                except asyncio.CancelledError:
                    connection.interrupt()
                    await asyncio.gather(copying, return_exceptions=True)
                    raise
        except (OSError, sqlite3.Error) as error:
            if not self._failing:
                _log.warning("The database %s could not be backed up: %s", self._database, error)
            self._failing = True
        else:
            self._failing = False
            if made:
                _log.info("The database was backed up")

    async def _keep_looking(self) -> None:
        await asyncio.sleep(self._first)
        while True:
            await self.look()
            await asyncio.sleep(self._interval)
