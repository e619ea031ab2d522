"""The files of a log: appended to by any number of processes, and rotated by size.

    events.jsonl                        what is written now
    events.jsonl.20261122183828123456   what was written before, named by when it was rotated (UTC, microseconds)
    events.jsonl.lock                   locked by the process that writes

A file is renamed once and never again, so a reader that follows the names misses nothing and reads nothing twice.

Nobody has the file open between two writes: Windows renames no open file. There, a log that somebody follows is
rotated once they have stopped.
"""

import contextlib
import io
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from llmgine.platforms import FileLock, keep_private

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
        self._lock_path = path.with_name(f"{path.name}.lock")
        self._open = False
        self._busy_since: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a file to append to."""
        return self._open

    def open(self) -> None:
        """Make the folder (0700) and the file (0600).

        Raises:
            OSError: They cannot be made.
        """
        self._make_folder()
        with self._opened():
            self._open = True
        keep_private(self.path)

    def close(self) -> None:
        """Close; closing twice is harmless."""
        self._open = False

    def append(self, data: bytes) -> bool:
        """Write whole lines at the end; a line that a crash or a full disk tore is ended first.

        Returns:
            False if another process is writing: nothing was written, try again in a moment.

        Raises:
            OSError: They could not be written, or not all of them.
        """
        if not self._open:
            raise OSError("the log is closed")
        self._make_folder()  # somebody may have deleted it
        with self._locked() as free:
            if free:
                self._rotate_if_full(len(data))
                self._write(data)
            return free

    @contextlib.contextmanager
    def _locked(self) -> Iterator[bool]:
        """Get the lock, or continue without it after a while: appending alone keeps lines whole, too."""
        lock = FileLock(self._lock_path)
        try:
            try:
                locked = lock.acquire()
            except OSError:  # a file system without locks
                locked = True
            now = time.monotonic()
            self._busy_since = None if locked else self._busy_since or now
            yield locked or now - (self._busy_since or now) > _PATIENCE
        finally:
            lock.close()

    def _make_folder(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _opened(self) -> io.FileIO:
        return open(self.path, "a+b", buffering=0, opener=lambda path, flags: os.open(path, flags, 0o600))

    def _write(self, data: bytes) -> None:
        with self._opened() as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                data = data if file.read(1) == b"\n" else b"\n" + data
            while data:
                data = data[os.write(file.fileno(), data) :]

    def _rotate_if_full(self, more: int) -> None:
        """Rotate the file if this many more bytes are too much, and delete what is too old. Only under the lock.

        If that fails, the file grows, which is better than no log: perhaps the folder cannot be written, or on Windows
        somebody has the file open.
        """
        if self._busy_since is not None or not self.path.exists():
            return
        size = self.path.stat().st_size
        if not size or size + more <= self._max_bytes:
            return
        older = rotated_files(self.path)
        now = int(datetime.now(UTC).strftime("%Y%m%d%H%M%S%f"))
        number = max(now, older[-1][0] + 1) if older else now  # a clock that was set back does not change the order
        try:
            self.path.rename(self.path.with_name(f"{self.path.name}.{number}"))
        except OSError:
            return
        for _, path in older[: max(0, len(older) + 1 - self._keep)]:
            with contextlib.suppress(OSError):
                path.unlink()
