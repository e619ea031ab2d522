"""Owners: each process on a store holds a lock that the kernel frees when the process dies, however it dies."""

import contextlib
import fcntl
import os
import secrets
from pathlib import Path


class Owners:
    """The owners of one store, as lock files in a folder.

    Attributes:
        me: This process's own id, named in the turns it runs.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self.me = secrets.token_hex(8)
        self._lock: int | None = os.open(self._path(self.me), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _path(self, owner: str) -> Path:
        return self._folder / f"{owner}.lock"

    def is_alive(self, owner: str) -> bool:
        """Whether the process that is `owner` still runs; the lock file of a dead one is removed."""
        if owner == self.me:
            return self._lock is not None
        try:
            lock = os.open(self._path(owner), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            with contextlib.suppress(FileNotFoundError):
                self._path(owner).unlink()
            return False
        finally:
            os.close(lock)

    def close(self) -> None:
        """Let go of the lock: from here on this owner counts as dead."""
        if self._lock is not None:
            with contextlib.suppress(FileNotFoundError):
                self._path(self.me).unlink()
            os.close(self._lock)
            self._lock = None
