"""Owners: the processes on a store, each with an id that is named in the turns it runs."""

import asyncio
import contextlib
import fcntl
import os
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

_LOOK = 2.0  # seconds between checks whether another process has ended


class Owners(Protocol):
    """The processes on one store.

    Attributes:
        me: This process's own id.
        lost: Set when another process counted this one as dead and may run its turns: this one has to end.
    """

    me: str
    lost: asyncio.Event

    async def hold(self) -> None:
        """Return when this process may write and post, which is nearly always at once.

        A process whose lease may have expired waits until it is renewed.
        """

    async def dead(self, owners: Collection[str]) -> set[str]:
        """The owners that have ended, however they ended.

        Raises:
            StoreError: This cannot be determined.
        """

    async def death(self) -> None:
        """Wait until another process of the store has ended."""

    async def close(self) -> None:
        """Give up this process's id: it counts as dead from here on."""


class LockFiles:
    """Owners on one machine: each has a lock on a file, which the kernel frees when the process ends.

    Args:
        folder: Where the files are; it is made.

    Raises:
        OSError: The folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self.me = secrets.token_hex(8)
        self.lost = asyncio.Event()  # never set: the lock cannot be lost
        self._others: set[str] = set()  # that were alive at the last check
        # It gets this name once it is locked: others would take an unlocked file for a dead owner's, and remove it.
        unnamed = folder / f"{self.me}.new"
        self._lock: int | None = os.open(unnamed, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unnamed.rename(self._path(self.me))

    async def hold(self) -> None:
        """See `Owners.hold`. A process keeps its lock until it ends."""

    async def dead(self, owners: Collection[str]) -> set[str]:
        """See `Owners.dead`. The files of dead owners are removed."""
        return {owner for owner in owners if not self._is_alive(owner)}

    async def death(self) -> None:
        """See `Owners.death`."""
        while True:
            before, self._others = self._others, self._names() - await self.dead(self._names())
            if before - self._others:
                return
            await asyncio.sleep(_LOOK)

    async def close(self) -> None:
        """See `Owners.close`."""
        if self._lock is not None:
            with contextlib.suppress(FileNotFoundError):
                self._path(self.me).unlink()
            os.close(self._lock)
            self._lock = None

    def _names(self) -> set[str]:
        return {path.stem for path in self._folder.glob("*.lock")} - {self.me}

    def _path(self, owner: str) -> Path:
        return self._folder / f"{owner}.lock"

    def _is_alive(self, owner: str) -> bool:
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
