"""What is erased because of its age: idle conversations, servers that were left, the log, and backups.

Conversations are kept for ever unless RETENTION_DAYS says for how long. When that is switched on, or changed, nothing
is erased for seven days, so that whoever did it by mistake can undo it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from llmgine.messages.commands import EVERYWHERE
from llmgine.observability.overwriting import erase_older
from llmgine.sessions import SessionStore
from llmgine.sessions.backup_folder import BackupFolder
from llmgine.sessions.clock import at, microseconds
from llmgine.sessions.forgetting import erase_session
from llmgine.sessions.records import LeftServer
from llmgine.sessions.restoring import remove_unfinished

GRACE = timedelta(days=7)  # before anything is erased for the first time, and after a server was left
BACKUPS_KEPT = timedelta(days=7)  # how long a backup is kept that has words of somebody who was forgotten since
CONTEXT_KEPT = timedelta(days=7)  # how long what was written before a question is kept, after it was read
MOST_COUNTED = 10_000  # idle conversations

_SETTING = "retention_days"  # with its value, since when it is so
_PORTION = 100  # conversations that are looked up at once


@dataclass(frozen=True)
class Outlook:
    """What is going to be erased.

    Attributes:
        days: For how many days conversations are kept; None for ever.
        begins: When idle conversations begin to be erased; None where they are kept.
        idle: How many are idle for so long by now, at most `MOST_COUNTED`.
        left: The servers that were left, with when they are erased.
        unfinished: How many people are being forgotten at the moment.
    """

    days: int | None
    begins: datetime | None
    idle: int
    left: tuple[tuple[LeftServer, datetime], ...]
    unfinished: int


class Retention:
    """Erases what is due.

    Args:
        store: What is erased from.
        days: For how many days idle conversations are kept; None for ever.
        log_days: For how many days the log is kept.
        log: The log of the bus, if there is one.
        database: The file, if the store has one.
        clock: The time.

    Attributes:
        clock: The time.
    """

    def __init__(
        self,
        store: SessionStore,
        *,
        days: int | None = None,
        log_days: int = 30,
        log: Path | None = None,
        database: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.days = days
        self.log_days = log_days
        self._store = store
        self._log = log
        self._database = database
        self._reported: set[tuple[str, int]] = set()
        self.clock = clock

    async def report_servers(self, source: str, account: int, guilds: Sequence[int]) -> int:
        """Note which servers an account of a front end is in; until that is known, none that it left is erased here.

        Returns:
            How many servers were left.

        Raises:
            StoreError: The store failed.
        """
        left = await self._store.purges.note_servers(source, account, guilds, microseconds(self.clock()))
        self._reported.add((source, account))
        return len(left)

    async def erase_due(self) -> None:
        """Erase all that is due by now.

        Raises:
            StoreError: The store failed.
            OSError: The log or a backup cannot be erased.
        """
        begins = await self._begins()
        if begins is not None and begins <= self.clock():
            await self._erase_idle()
        for left in await self._store.purges.left():
            if (left.source, left.account) in self._reported and _due(left) <= self.clock():
                await self._erase_server(left)
        while await self._store.context_messages.erase_older(self.context_since):
            pass
        if self._log is not None:
            await asyncio.to_thread(erase_older, self._log, self.clock() - timedelta(days=self.log_days))
        if self._database is not None:
            await self._expire_backups(self._database)

    @property
    def context_since(self) -> int:
        """When what was written before a question was read at the earliest, as older is not kept; in microseconds."""
        return microseconds(self.clock() - CONTEXT_KEPT)

    async def outlook(self) -> Outlook:
        """What is going to be erased.

        Raises:
            StoreError: The store failed.
        """
        begins, idle = await self._begins(), 0
        if self.days is not None:
            idle = len(await self._store.purges.idle(self._idle_before(), MOST_COUNTED))
        left = tuple((one, _due(one)) for one in await self._store.purges.left())
        return Outlook(self.days, begins, idle, left, len(await self._store.people.unfinished()))

    async def _begins(self) -> datetime | None:
        """When idle conversations begin to be erased. That they are to be is noted at the first look."""
        wanted = None if self.days is None else str(self.days)
        for _ in range(2):
            settings = await self._store.settings.of([EVERYWHERE])
            noted = next((one for one in settings if one.name == _SETTING), None)
            if wanted == (None if noted is None else noted.value):
                return None if noted is None else noted.changed_at + GRACE
            await self._store.settings.change(EVERYWHERE, _SETTING, wanted, None, microseconds(self.clock()))
        return None

    def _idle_before(self) -> int:
        return microseconds(self.clock() - timedelta(days=self.days or 0))

    async def _erase_idle(self) -> None:
        before = self._idle_before()
        while found := await self._store.purges.idle(before, _PORTION):
            for session_id in found:
                await erase_session(self._store, session_id, before=before)

    async def _erase_server(self, left: LeftServer) -> None:
        """Erase a server's conversations, then what else is of it, unless the front end is in it again."""
        while left in await self._store.purges.left() and (found := await self._store.purges.of_server(left)):
            for session_id in found:
                await self._store.purges.wider_settings(left, session_id)
                await erase_session(self._store, session_id, settings=True)
        while await self._store.purges.places(left):
            pass

    async def _expire_backups(self, database: Path) -> None:
        """Delete the backups that have words of people who were forgotten long enough ago."""
        await asyncio.to_thread(remove_unfinished, database)
        long_ago = microseconds(self.clock() - BACKUPS_KEPT)
        finished = [one.finished for one in await self._store.people.forgotten()]
        until = max((one for one in finished if 0 < one <= long_ago), default=None)
        if until is not None:
            await asyncio.to_thread(BackupFolder(database).expire, at(until))


def _due(left: LeftServer) -> datetime:
    """When a server is erased."""
    return at(left.left_at) + GRACE
