"""Leases: how processes on one PostgreSQL database know which of them are alive, also across machines.

Each process has a row with a time and moves it forward: that renews its lease. A process that sees another's time
unchanged for as long as that one's lease lasts deletes the row. From then on the other can write nothing (its
transactions begin by changing a row that was deleted with it), its turns may be run by others, and it has to end.

Processes only check whether that time has changed, and measure by their own clocks for how long it has not. So no
change of the date matters, not even the server's. The time itself is for those who check once: until then the process
counts as alive.

No database can stop a request to Discord. So a process trusts its lease only for a part of it, counted from before the
renewal was sent: after that it neither writes nor posts until the lease is renewed.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto

import asyncpg

from llmgine.errors import LeaseLostError, StoreError
from llmgine.platforms import clock
from llmgine.sessions.postgres_address import Address

MARKS = 8  # rows of each process that its transactions begin by changing; so many of them run at a time

# What only PostgreSQL needs. Nothing in it outlives the processes, so no migration ever has to keep it.
TABLES = (
    """
    CREATE TABLE IF NOT EXISTS process (
        id TEXT PRIMARY KEY,
        milliseconds BIGINT NOT NULL,
        expires_at BIGINT NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS mark (
        process TEXT NOT NULL REFERENCES process (id) ON DELETE CASCADE,
        slot BIGINT NOT NULL,
        number BIGINT NOT NULL,
        PRIMARY KEY (process, slot)
    )
    """,
)

# The end of a lease that is renewed now, in microseconds by the server's clock.
_THEN = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT + $2::BIGINT * 1000"
_REGISTER = f"INSERT INTO process (id, milliseconds, expires_at) VALUES ($1, $2, {_THEN})"  # noqa: S608  our own words
_MARK = "INSERT INTO mark (process, slot, number) SELECT $1, slot, 0 FROM generate_series(1, $2) AS slot"
_RENEW = f"UPDATE process SET expires_at = {_THEN} WHERE id = $1 RETURNING id"  # noqa: S608  our own words
_OTHERS = "SELECT id, milliseconds, expires_at FROM process WHERE id <> $1"
_BURY = "DELETE FROM process WHERE id = $1 AND expires_at = $2"
_DEATHS = "llmgine_death"
_LEAVE = "WITH gone AS (DELETE FROM process WHERE id = $1 RETURNING id) SELECT pg_notify($2, id) FROM gone"
_PATIENCE = 5.0  # seconds that a write waits for the lease to be renewed

_log = logging.getLogger(__name__)


class LeaseState(Enum):
    """What a process may do."""

    HELD = auto()  # The lease was renewed lately: it may write and post.
    LATE = auto()  # The lease may have expired: it waits until the database has answered.
    LOST = auto()  # Another process counted this one as dead: it never writes or posts again.
    CLOSED = auto()  # It gave the lease back.


@dataclass
class _Seen:
    """The lease of another process, as this one sees it.

    Attributes:
        expires_at: The time in its row.
        since: When that was seen first, with no gap in this process's own renewals since then.
    """

    expires_at: int
    since: float


class Leases:
    """The lease of this process, and what it sees of the others' leases.

    Args:
        address: The database.
        seconds: How long a lease is. It is renewed three times in that time, and trusted for two thirds of it.

    Attributes:
        me: This process's own id.
        lost: Set when the lease is lost.
        renewals: How often the lease was renewed.
    """

    def __init__(self, address: Address, *, seconds: float) -> None:
        self.me = secrets.token_hex(8)
        self.lost = asyncio.Event()
        self.renewals = 0
        self._address = address
        self._seconds = seconds
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._using = asyncio.Lock()
        self._sure_until = 0.0  # by `_now`, as all times here
        self._changed = asyncio.Event()  # set when the lease is renewed or ends
        self._others: dict[str, _Seen] = {}
        self._death = asyncio.Event()
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> LeaseState:
        """What this process may do."""
        if self.lost.is_set():
            return LeaseState.LOST
        if self._closed:
            return LeaseState.CLOSED
        return LeaseState.HELD if clock() < self._sure_until else LeaseState.LATE

    async def start(self) -> None:
        """Take a lease, and renew it from here on.

        Raises:
            Exception: As asyncpg raises them.
        """
        began = clock()
        async with self._using:
            connection = await self._connected()
            async with connection.transaction():
                await connection.execute(_REGISTER, self.me, self._milliseconds)
                await connection.execute(_MARK, self.me, MARKS)
            self._sure_until = began + self._seconds * 2 / 3
            await self._look_at_others(connection)  # from here on, a process that ends is noticed
        self._task = asyncio.create_task(self._renew_for_ever())

    async def hold(self) -> None:
        """See `Owners.hold`."""
        while self.state is not LeaseState.HELD:
            await self._next_change()

    async def hold_soon(self) -> None:
        """The same, with less patience.

        Raises:
            LeaseLostError: The lease is lost.
            StoreError: It could not be renewed for some seconds, or was given back.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while self.state is LeaseState.LATE:
                    await self._next_change()
        match self.state:
            case LeaseState.LOST:
                raise LeaseLostError
            case LeaseState.CLOSED:
                raise StoreError("The session store is closed")
            case LeaseState.LATE:
                raise StoreError(f"PostgreSQL at {self._address.where} has not answered for some seconds")

    def lose(self) -> LeaseLostError:
        """The row of this process is gone: another one counted it as dead. Returns what to raise for it."""
        if not self._closed and not self.lost.is_set():
            _log.error("Another process took over the work of this one, which had been silent for %g s", self._seconds)
            self.lost.set()
            self._changed.set()
        return LeaseLostError()

    async def dead(self, owners: Collection[str]) -> set[str]:
        """See `Owners.dead`."""
        if not owners:
            return set()
        try:
            async with self._using, asyncio.timeout(self._seconds):
                connection = await self._connected()
                rows = await connection.fetch("SELECT id FROM process WHERE id = ANY($1)", list(owners))
        except Exception as error:  # of asyncpg, the system or the server: no process may count as dead for it
            raise StoreError(f"Which processes are alive cannot be read: {_short(error)}") from error
        return set(owners) - {row["id"] for row in rows}

    async def death(self) -> None:
        """See `Owners.death`."""
        await self._death.wait()
        self._death.clear()

    async def close(self) -> None:
        """See `Owners.close`."""
        if self._closed:
            return
        self._closed = True
        self._changed.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            # Without an answer, the others find out when the lease has expired.
            with contextlib.suppress(Exception):
                async with self._using, asyncio.timeout(self._seconds):
                    await (await self._connected()).execute(_LEAVE, self.me, _DEATHS)
        self._disconnect()

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _renew_for_ever(self) -> None:
        pause = self._seconds / 3
        while not self.lost.is_set():
            await asyncio.sleep(pause)
            try:
                async with self._using, asyncio.timeout(self._seconds / 3):
                    await self._renew(await self._connected())
                pause = self._seconds / 3
            except Exception as error:  # whatever it is, the lease is renewed as soon as that can be done
                _log.warning("The lease could not be renewed: %s", _short(error))
                self._disconnect()
                pause = self._seconds / 12

    async def _renew(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        began = clock()
        if not await connection.fetch(_RENEW, self.me, self._milliseconds):
            self.lose()
            return
        if began > self._sure_until:
            # The others may not have been able to renew theirs either: no process counts as dead for it.
            for seen in self._others.values():
                seen.since = clock()
        self._sure_until = began + self._seconds * 2 / 3
        self.renewals += 1
        self._changed.set()
        await self._look_at_others(connection)

    async def _look_at_others(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """See who renewed its lease and who is gone, and delete leases that have expired."""
        others: dict[str, _Seen] = {}
        for row in await connection.fetch(_OTHERS, self.me):
            seen = self._others.get(row["id"])
            if seen is None or seen.expires_at != row["expires_at"]:
                seen = _Seen(row["expires_at"], clock())
            if clock() - seen.since <= row["milliseconds"] / 1000 or not await self._bury(connection, row["id"], seen):
                others[row["id"]] = seen
        if self._others.keys() - others.keys():
            self._death.set()
        self._others = others

    async def _bury(self, connection: "asyncpg.Connection[asyncpg.Record]", process: str, seen: _Seen) -> bool:
        """Count a process as dead, unless it renewed its lease or is in a transaction, which will end soon."""
        try:
            done: str = await connection.execute(_BURY, process, seen.expires_at)
        except asyncpg.LockNotAvailableError:
            return False
        return done != "DELETE 0"

    @property
    def _milliseconds(self) -> int:
        return int(self._seconds * 1000)

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is None or self._connection.is_closed():
            short = {"application_name": "llmgine lease", "lock_timeout": str(max(1, int(self._seconds * 50)))}
            self._connection = await self._address.connect(
                seconds=self._seconds / 3, patience=self._seconds, settings=short
            )
            await self._connection.add_listener(_DEATHS, lambda *_: self._death.set())
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


def _short(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
