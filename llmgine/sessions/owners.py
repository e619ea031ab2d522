"""Owners: the processes on a store, each with an id that is named in the turns it runs."""

import asyncio
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from llmgine.platforms import FileLock

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
    """Owners on one machine: each has a lock on a file, which the system frees when the process ends.

    Args:
        folder: Where the files are; it is made.

    Raises:
        OSError: The folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self.lost = asyncio.Event()  # never set: the lock cannot be lost
        self.me, self._lock = self._claimed()
        # Alive at the last check. The first is here: whom another process checks while this one looks for what is left
        # seems alive, and only `death` looks again.
        self._others = {owner for owner in _owners_in(folder) - {self.me} if self._is_alive(owner)}

    async def hold(self) -> None:
        """See `Owners.hold`. A process keeps its lock until it ends."""

    async def dead(self, owners: Collection[str]) -> set[str]:
        """See `Owners.dead`. The files of dead owners are removed."""
        return {owner for owner in owners if not self._is_alive(owner)}

    async def death(self) -> None:
        """See `Owners.death`."""
        while True:
            before, self._others = self._others, await self.others()
            if before - self._others:
                return
            await asyncio.sleep(_LOOK)

    async def others(self) -> set[str]:
        """The owners that live, without this process."""
        names = _owners_in(self._folder) - {self.me}
        return names - await self.dead(names)

    async def close(self) -> None:
        """See `Owners.close`."""
        if self._lock.is_open:
            self._lock.remove()

    def _claimed(self) -> tuple[str, FileLock]:
        """A new id and its lock. Nobody knows the id before it is locked, so one that is taken for dead is dropped."""
        while True:
            me = secrets.token_hex(8)
            lock = FileLock(self._path(me), new=True)
            try:
                if lock.acquire() and lock.is_in_place:
                    return me, lock
            except OSError:
                lock.remove()
                raise
            lock.close()  # another process looked just now, and removes it

    def _path(self, owner: str) -> Path:
        return self._folder / f"{owner}.lock"

    def _is_alive(self, owner: str) -> bool:
        if owner == self.me:
            return self._lock.is_open
        try:
            lock = FileLock(self._path(owner), create=False)
        except FileNotFoundError:
            return False
        try:
            if not lock.acquire():
                return True
            lock.remove()
        finally:
            lock.close()
        return False


async def in_use(folder: Path) -> bool:
    """Whether a living process is among the owners of `LockFiles`, also if it uses another database in that place."""
    if not _owners_in(folder):
        return False
    us = LockFiles(folder)
    try:
        return bool(await us.others())
    finally:
        await us.close()


def _owners_in(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.lock")}
