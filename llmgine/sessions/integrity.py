"""Whether a database file is undamaged: checked after a process did not close it, and on request."""

import asyncio
import logging
from pathlib import Path

from llmgine.errors import DamagedStoreError, StoreError
from llmgine.sessions.sqlite import Inspection, mark_of_unclean_end

_log = logging.getLogger(__name__)


class IntegrityCheck:
    """Checks a database in the background, while it is used; one check at a time, whoever asks.

    Args:
        path: The database's file.

    Attributes:
        damage: What was found; None as long as nothing was.
        damaged: Set when damage was found.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inspection = Inspection(path)
        self._look: asyncio.Task[None] | None = None
        self.damaged = asyncio.Event()
        self.damage: DamagedStoreError | None = None

    def start(self) -> None:
        """Start a check if the database was not closed the last time, or the check after that did not end."""
        if mark_of_unclean_end(self._path).exists():
            self._begin()

    async def run(self) -> None:
        """Check the database, or wait for the end of the check that is under way.

        Raises:
            DamagedStoreError: It is damaged.
            StoreError: It cannot be checked.
        """
        await asyncio.shield(self._begin())

    async def stop(self) -> None:
        """Abandon a check that is under way; it is repeated after the next start."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.gather(self._look, return_exceptions=True)

    def close(self) -> None:
        """Release the file. Until then, closing the database leaves a damaged file as it is."""
        self._inspection.close()

    def _begin(self) -> "asyncio.Task[None]":
        if self._look is None or (self._look.done() and self.damage is None):
            self._look = asyncio.create_task(self._run())
            self._look.add_done_callback(_told)
        return self._look

    async def _run(self) -> None:
        mark = mark_of_unclean_end(self._path)
        mark.touch(mode=0o600)  # a check that does not end is repeated
        try:
            await self._inspection.run()
        except DamagedStoreError as error:
            self.damage = error
            self.damaged.set()
            raise
        mark.unlink(missing_ok=True)


def _told(look: "asyncio.Task[None]") -> None:
    """Log why a check failed, since nobody may be waiting for it; the program itself reports damage when it ends."""
    error = None if look.cancelled() else look.exception()
    if error is not None and not isinstance(error, DamagedStoreError):
        level = logging.WARNING if isinstance(error, StoreError | OSError) else logging.ERROR
        _log.log(level, "The database was not checked: %s", error)
