"""The files of a log: appended to by any number of processes, and rotated by size.

    events.jsonl                        what is written now
    events.jsonl.20261122183828123456   what was written before, named by when it was rotated (UTC, microseconds)

A file is renamed once and never again, so a reader that follows the names misses nothing and reads nothing twice.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

_TRIES = 10  # files opened for one append, where others rotate at the same time
_PATIENCE = 1.0  # seconds; a process suspended while it writes must not keep the others from writing


def rotated_files(path: Path) -> list[tuple[int, Path]]:
    """The rotated files of the log, with their numbers, oldest first."""
    prefix = path.name + "."
    try:
        names = [name for name in os.listdir(path.parent) if name.startswith(prefix)]  # noqa: PTH208  names are enough
    except OSError:
        return []
    return sorted(
        (int(end), path.parent / name) for name in names if (end := name[len(prefix) :]).isascii() and end.isdigit()
    )


class LogFile:
    """Appends to `path` under a lock that all writers share.

    Args:
        path: The file that is written.
        max_bytes: How large it may become before it is rotated; one append is never split.
        keep: How many rotated files are kept.

    Raises:
        ValueError: A limit is less than 1.
    """

    def __init__(self, path: Path, *, max_bytes: int, keep: int) -> None:
        if max_bytes < 1 or keep < 1:
            raise ValueError("a log needs room: max_bytes and keep are at least 1")
        self.path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._file: int | None = None
        self._busy_since: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a file to append to."""
        return self._file is not None

    def open(self) -> None:
        """Make the folder (0700) and the file (0600).

        Raises:
            OSError: They cannot be made.
        """
        self._reopen()

    def close(self) -> None:
        """Close; closing twice is harmless."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def append(self, data: bytes) -> bool:
        """Write whole lines at the end; a line that a crash or a full disk tore is ended first.

        Returns:
            False if another process is writing: nothing was written, try again in a moment.

        Raises:
            OSError: They could not be written, or not all of them.
        """
        for left in reversed(range(_TRIES)):
            if self._file is None:
                raise OSError("the log is closed")
            with self._locked(self._file) as free:
                if not free:
                    return False
                may_stay = self._is_current(self._file) and not self._rotate_if_full(self._file, len(data))
                if may_stay or not left:
                    self._write(self._file, data)
                    return True
            self._reopen()
        return False

    @contextlib.contextmanager
    def _locked(self, file: int) -> Iterator[bool]:
        """Get the lock, or continue without it after a while: appending alone keeps lines whole, too."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            now = time.monotonic()
            self._busy_since = self._busy_since or now
            yield now - self._busy_since > _PATIENCE
            return
        except OSError:  # a file system without locks
            yield True
            return
        self._busy_since = None
        try:
            yield True
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def _is_current(self, file: int) -> bool:
        """Whether our file still has its name: another process may have rotated it, or a person deleted it."""
        try:
            return os.path.samestat(os.fstat(file), self.path.stat())
        except FileNotFoundError:
            return False

    def _write(self, file: int, data: bytes) -> None:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            data = b"\n" + data
        while data:
            data = data[os.write(file, data) :]

    def _rotate_if_full(self, file: int, more: int) -> bool:
        """Rotate the file if this many more bytes are too much, and delete what is too old. Only under the lock.

        Returns:
            Whether it was rotated. False, too, if the folder cannot be written: a file that grows is better than none.
        """
        size = os.fstat(file).st_size
        if not size or size + more <= self._max_bytes or self._busy_since is not None:
            return False
        older = rotated_files(self.path)
        now = int(datetime.now(UTC).strftime("%Y%m%d%H%M%S%f"))
        number = max(now, older[-1][0] + 1) if older else now  # a clock that was set back does not change the order
        try:
            self.path.rename(self.path.with_name(f"{self.path.name}.{number}"))
        except OSError:
            return False
        for _, path in older[: max(0, len(older) + 1 - self._keep)]:
            with contextlib.suppress(OSError):
                path.unlink()
        return True

    def _reopen(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self.close()
        self._file = file
