"""The folder `backups` beside a SQLite database: the names of its copies, how one is added, and which are deleted."""

import contextlib
import filecmp
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest
from pathlib import Path

from llmgine.errors import StoreError
from llmgine.platforms import FileLock, sync_folder
from llmgine.sessions.sqlite_copies import Copying, in_thread, schema_of

HOURLY = 24  # copies that are kept because they are the newest
DAILY = 7  # days of which the newest copy is kept
MIGRATION_KEPT = timedelta(days=30)  # how long the newest copy from before a migration is kept
SIZES = 5  # times the database's size: what all copies together may have, unless a setting says how much

MIGRATION = "before-schema-"  # with a number, the label of a copy from before a migration

_LOOK = 0.05  # seconds between two looks whether another process has made its copy
_TIME = "%Y-%m-%dT%H-%M-%SZ"  # sorts by time, and is a file name on every system
# The other two are the names that earlier versions gave.
_COPY = re.compile(
    rf"(?P<time>\d{{4}}-\d\d-\d\dT\d\d-\d\d-\d\dZ)(?:-(?P<label>{MIGRATION}\d+))?\.db"
    rf"|(?P<day>\d{{4}}-\d\d-\d\d)\.db"
    rf"|(?P<old_label>{MIGRATION}\d+)(?:-\d+)?\.db"
)
_UNFINISHED = re.compile(rf"(?:{_COPY.pattern}|\d+|{MIGRATION}\d+-[0-9a-f]{{8}})\.part")


@dataclass(frozen=True, order=True)
class Backup:
    """One copy.

    Attributes:
        taken: When, in UTC.
        path: The file.
        label: `before-schema-<number>` if it was made before a migration to that schema, else empty.
        size: In bytes.
    """

    taken: datetime
    path: Path
    label: str = ""
    size: int = 0


class BackupFolder:
    """The copies of one database.

    Args:
        database: Its file.
        megabytes: What all copies together may have; by default five times the database.
        clock: Seconds since 1970.
    """

    def __init__(self, database: Path, *, megabytes: int | None = None, clock: Callable[[], float] = time.time) -> None:
        self.path = database.parent / "backups"
        self._database = database
        self._megabytes = megabytes
        self._clock = clock

    def copies(self) -> list[Backup]:
        """All copies, the oldest first; other files in the folder are ignored.

        Raises:
            OSError: The folder cannot be read.
        """
        if not self.path.exists():
            return []
        return sorted(backup for path in self.path.iterdir() if (backup := _recognised(path)) is not None)

    def is_due(self, least: timedelta) -> bool:
        """Whether no copy was made in the last while, as far as the names say.

        Raises:
            OSError: The folder cannot be read.
        """
        return all(self._now() - backup.taken >= least for backup in self._past())

    async def add(
        self,
        label: str = "",
        *,
        schema: int | None = None,
        least: timedelta = timedelta(0),
        repeat: bool = True,
        wait: bool = True,
        prune: bool = True,
    ) -> Path | None:
        """Make a copy; the database stays usable meanwhile.

        Args:
            label: See `Backup`.
            schema: Keep the copy only if this is the number of its schema.
            least: Make none if the newest copy is younger than this.
            repeat: Whether to keep a copy that is the same as the newest one with this label.
            wait: Whether to wait while another process makes a copy; if not, none is made then.
            prune: Whether to delete the copies that are then too many.

        Returns:
            The copy, or the older one that is the same. None if there is neither.

        Raises:
            OSError: The folder cannot be used.
            StoreError: The database cannot be copied, or the disk has too little space.
        """
        copying = Copying()

        def make() -> Path | None:
            self.path.mkdir(mode=0o700, exist_ok=True)
            with self._alone(wait=wait) as alone:
                if not alone or not self.is_due(least):
                    return None
                copy = self._make(copying, label, schema, repeat=repeat)
                if prune:
                    self._prune()
                return copy

        return await in_thread(make, copying.stop)

    @contextlib.contextmanager
    def _alone(self, *, wait: bool) -> Iterator[bool]:
        """Whether this process is the only one that makes a copy, for as long as the block takes."""
        lock = FileLock(self.path / ".lock")
        try:
            while not (alone := lock.acquire()) and wait:
                time.sleep(_LOOK)
            yield alone
        finally:
            lock.close()

    def _make(self, copying: Copying, label: str, schema: int | None, *, repeat: bool) -> Path | None:
        for path in self.path.iterdir():
            if _UNFINISHED.fullmatch(path.name):  # of a killed process: whoever writes one has the lock
                path.unlink(missing_ok=True)
        size = self.database_size()
        if shutil.disk_usage(self.path).free < 2 * size:
            raise StoreError(
                f"{self.path} is on a disk with too little free space: a copy is made only if twice the size of "
                f"the database is free, {2 * size / 1e6:,.0f} MB"
            )
        path = unused(self.path, "", self._now(), f"{label and '-'}{label}.db")
        unfinished = path.with_name(f"{path.name}.part")
        try:
            copying.run(self._database, unfinished)
            if schema is not None and schema_of(unfinished) != schema:
                return None
            like = [backup.path for backup in self._past() if backup.label == label]
            if not repeat and like and filecmp.cmp(unfinished, like[-1], shallow=False):
                return like[-1]
            unfinished.rename(path)
        finally:
            unfinished.unlink(missing_ok=True)
        sync_folder(self.path)
        return path

    def _prune(self) -> None:
        allowed = SIZES * self.database_size() if self._megabytes is None else self._megabytes * 1_000_000
        for old in surplus(self._past(), self._now(), allowed):
            old.path.unlink(missing_ok=True)

    def expire(self, until: datetime) -> None:
        """Delete the copies that were made until a time, and what a restored backup replaced until then.

        Raises:
            OSError: A file cannot be deleted.
        """
        for copy in self.copies():
            if copy.taken <= until:
                copy.path.unlink(missing_ok=True)
        for path in self._database.parent.glob(f"{self._database.stem}-replaced-*"):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) <= until:
                path.unlink(missing_ok=True)

    def database_size(self) -> int:
        """The size of the database and of what is not yet written into it, in bytes.

        Raises:
            OSError: There is no database.
        """
        log = self._database.with_name(f"{self._database.name}-wal")
        return self._database.stat().st_size + (log.stat().st_size if log.exists() else 0)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _past(self) -> list[Backup]:
        """The copies, without those from the future: made when the clock was wrong, they neither count nor go."""
        return [backup for backup in self.copies() if backup.taken <= self._now()]


def unused(folder: Path, before: str, now: datetime, after: str) -> Path:
    """A path whose name has the time in it, or if there is such a file the next second."""
    path = folder / f"{before}{now.strftime(_TIME)}{after}"
    return unused(folder, before, now + timedelta(seconds=1), after) if path.exists() else path


def surplus(backups: Sequence[Backup], now: datetime, allowed: int) -> list[Backup]:
    """Which copies are deleted.

    Kept are the newest 24, the newest of each of the last seven days that have one, and for a month the newest that was
    made before a migration. If they have more than is allowed, the older of the hourly and of the daily ones go by
    turns, so that hours and days remain.

    Args:
        backups: All that count, the oldest first.
        now: The time.
        allowed: Bytes that all together may have. The newest is kept even if it has more.
    """
    newest_first = list(reversed(backups))
    days: dict[date, Backup] = {}
    for backup in newest_first:
        days.setdefault(backup.taken.date(), backup)
    daily = list(days.values())[:DAILY]
    migration = [backup for backup in newest_first if backup.label and now - backup.taken < MIGRATION_KEPT][:1]
    by_turns = [one for pair in zip_longest(newest_first[:HOURLY], daily) for one in pair if one is not None]
    kept, total = set[Backup](), 0
    for backup in dict.fromkeys([*newest_first[:1], *migration, *by_turns]):
        total += backup.size
        if kept and total > allowed:
            break
        kept.add(backup)
    return [backup for backup in backups if backup not in kept]


def _recognised(path: Path) -> Backup | None:
    """A file of the folder as a copy; None if it is something else."""
    found = _COPY.fullmatch(path.name)
    if found is None or not path.is_file():
        return None
    status = path.stat()
    try:
        if found["time"]:
            taken = datetime.strptime(found["time"], _TIME).replace(tzinfo=UTC)
        elif found["day"]:
            taken = datetime.strptime(found["day"], "%Y-%m-%d").replace(tzinfo=UTC)
        else:
            taken = datetime.fromtimestamp(status.st_mtime, UTC)
    except ValueError:  # it only looks like a date
        return None
    return Backup(taken, path, found["label"] or found["old_label"] or "", status.st_size)
