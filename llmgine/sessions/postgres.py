"""PostgreSQL through asyncpg: the same operations, statement by statement, from any number of processes and machines.

A transaction that writes begins by putting a number into a row of its own process (a mark, see `leases`). That does two
things. When a COMMIT gets no answer, the row says afterwards whether it was done. And a process that others took for
dead has no such row any more, so it can write nothing.

Writes run at READ COMMITTED: each begins by locking the session it is about, and checks and changes in one statement.
Reads see one moment of the database. What the server refuses because of others at the same time is tried again.
"""

import asyncio
import contextlib
import itertools
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg

from llmgine.errors import LLMgineError, StoreError
from llmgine.messages.translatable import tr
from llmgine.sessions.database import Operation, Row, Steps, storable
from llmgine.sessions.leases import MARKS, TABLES, Leases
from llmgine.sessions.postgres_address import Address, explained, read_address

T = TypeVar("T")

_READS = 4  # reads at a time, so that slow ones leave connections to writes
_LISTS = 2  # long ones of them at a time
_CONNECTIONS = MARKS + _READS + 1  # and one to see what other processes changed
_PATIENCE = 6.0  # seconds without an answer after which a connection is given up
_LOST_PATIENCE = 5.0  # seconds in which a transaction whose connection was lost is begun once more
_UNKNOWN_PATIENCE = 8.0  # seconds in which the server has to say whether a COMMIT was done
_FOR_EVER = 1e6  # seconds; with None asyncpg takes the connection's own patience
_STARTING = 30.0  # seconds that a server has that is just starting
_TRIES = 10  # of a transaction that others are in the way of
_LONGEST_PAUSE = 0.2  # seconds before another try
_EXCLUSIVE = 0x6C6C6D67696E65  # the advisory lock of exclusive operations; an arbitrary number of ours

# Milliseconds. Each is less than `_PATIENCE`, so that the server says what it was about.
_SERVER_SETTINGS = {"application_name": "llmgine", "lock_timeout": "4000", "statement_timeout": "5000"}
# Of a process that hangs in a transaction: others may wait for what it has locked, first of all to count it as dead.
_LONGEST_IDLE = 5.0  # seconds
_ANNOUNCEMENTS = (
    "CREATE TABLE IF NOT EXISTS announcement (number BIGINT NOT NULL)",
    "INSERT INTO announcement SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM announcement)",
)
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

_NoAnswer = (asyncpg.QueryCanceledError, TimeoutError)
# The connection is gone, or of no use: the server ends, is full, or became a replica.
_Lost = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    OSError,
)
_IN_THE_WAY = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.InvalidCachedStatementError)

_Connection = asyncpg.pool.PoolConnectionProxy  # in a transaction

_log = logging.getLogger(__name__)


class _UnknownCommitError(Exception):
    """A COMMIT was sent and got no answer.

    Attributes:
        result: Of the operation, if it was done.
    """

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


@dataclass
class _Mark:
    """A row that a transaction begins by changing, and the number that the one under way puts there."""

    slot: int
    number: int = 0


class PostgresDatabase:
    """One PostgreSQL database, as a pool of connections.

    Attributes:
        leases: Which processes are alive.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", leases: Leases, where: str) -> None:
        self._pool = pool
        self._where = where
        self._marks = deque(_Mark(slot) for slot in range(1, MARKS + 1))
        self._writes = asyncio.Semaphore(MARKS)
        self._reads = asyncio.Semaphore(_READS)
        self._lists = asyncio.Semaphore(_LISTS)
        self._running: set[asyncio.Task[Any]] = set()
        self.leases = leases

    @classmethod
    async def open(cls, url: str, *, lease_seconds: float) -> "PostgresDatabase":
        """Connect, and take a lease.

        Args:
            url: The address, as `postgres_address.read_address` takes it.
            lease_seconds: How many seconds a silent process counts as alive.

        Raises:
            ConfigurationError: The address, the user or the database is wrong.
            StoreError: The server does not answer, or only reads.
        """
        address = read_address(url)
        leases = Leases(address, seconds=lease_seconds)
        pool = await _pool(address, lease_seconds)
        try:
            await _prepare(pool)
            await leases.start()
        except BaseException as error:
            await leases.close()
            pool.terminate()
            if isinstance(error, (asyncpg.PostgresError, ValueError, *_Lost)):
                raise explained(error, address.where) from None  # what is below may show the address
            raise
        return cls(pool, leases, address.where)

    async def run(self, work: Callable[[], Steps[T]], operation: Operation) -> T:
        """See `Database.run`. Whoever waits for it may be cancelled; the transaction ends by itself."""
        task = asyncio.create_task(self._write(work, operation) if operation.writes else self._read(work, operation))
        self._running.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def version(self) -> int:
        """See `Database.version`. Announced operations count up a number, of this process too."""
        try:
            async with self._pool.acquire(timeout=_PATIENCE) as connection:
                return int(await connection.fetchval("SELECT number FROM announcement"))
        except (asyncpg.PostgresError, *_Lost) as error:
            raise self._failed(error) from error

    async def overwrite_deleted(self) -> bool:
        """See `Database.overwrite_deleted`: on a server that is up to its own VACUUM."""
        return True

    async def close(self) -> None:
        """See `Database.close`."""
        if self._running:
            await asyncio.wait(self._running, timeout=_UNKNOWN_PATIENCE)
        with contextlib.suppress(TimeoutError, asyncpg.InterfaceError):
            async with asyncio.timeout(1.0):
                await self._pool.close()
        self._pool.terminate()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # so that nobody misses it where the caller was cancelled

    async def _read(self, work: Callable[[], Steps[T]], operation: Operation) -> T:
        async with self._lists if operation.long else contextlib.nullcontext(), self._reads:
            return await self._tried(lambda: self._once(_READ, work, operation))

    async def _write(self, work: Callable[[], Steps[T]], operation: Operation) -> T:
        async with self._writes:
            await self.leases.hold_soon()
            mark = self._marks.popleft()
            mark.number += 1
            try:
                return await self._tried(lambda: self._marked(mark, work, operation))
            finally:
                self._marks.append(mark)  # last, since the server may still be at what this one was given up for

    async def _tried(self, transaction: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a transaction again where others were in its way, or its connection was lost before its COMMIT."""
        deadline = time.monotonic() + _LOST_PATIENCE
        for tries in itertools.count(1):
            try:
                return await transaction()
            except _IN_THE_WAY as error:
                if tries >= _TRIES:
                    raise self._failed(error) from error
            except _Lost as error:
                ended = self._pool.is_closing() or (tries > 1 and time.monotonic() > deadline)
                if ended or isinstance(error, (*_NoAnswer, ValueError)):  # the last: a value that cannot be stored
                    raise self._failed(error) from error
            except asyncpg.PostgresError as error:
                raise self._failed(error) from error
            await asyncio.sleep(random.uniform(0.01, _LONGEST_PAUSE))  # noqa: S311  so that those in each other's way part
        raise AssertionError

    async def _marked(self, mark: _Mark, work: Callable[[], Steps[T]], operation: Operation) -> T:
        """Run a transaction that writes; when its COMMIT gets no answer, find out whether it was done."""
        where = f"process = '{self.leases.me}' AND slot = {mark.slot}"
        begin = f"BEGIN; UPDATE mark SET number = {mark.number} WHERE {where}"  # noqa: S608  our own id and numbers
        try:
            return await self._once(begin, work, operation)
        except _UnknownCommitError as unknown:
            if await self._was_committed(mark):
                result: T = unknown.result
                return result
            raise asyncpg.ConnectionDoesNotExistError("the connection was lost") from unknown

    async def _was_committed(self, mark: _Mark) -> bool:
        """Whether the transaction with this mark was done; waits until it has ended.

        Raises:
            StoreError: The server does not say. The caller has to check, or to try again.
        """
        error: Exception | None = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_UNKNOWN_PATIENCE):
                while not self._pool.is_closing():
                    try:
                        async with self._pool.acquire() as connection:
                            number = await connection.fetchval(
                                "SELECT number FROM mark WHERE process = $1 AND slot = $2 FOR UPDATE",
                                self.leases.me,
                                mark.slot,
                            )
                    except (asyncpg.PostgresError, *_Lost) as failure:
                        error = failure
                        await asyncio.sleep(_LONGEST_PAUSE)
                    else:
                        if number is None:
                            raise self.leases.lose()
                        return bool(number == mark.number)
        raise StoreError(f"It is not known whether this was saved: {error or 'the server does not answer'}")

    async def _once(self, begin: str, work: Callable[[], Steps[T]], operation: Operation) -> T:
        """One try of a transaction, which begins with this statement.

        Raises:
            _UnknownCommitError: Nobody knows whether a write was committed.
        """
        async with self._pool.acquire(timeout=_PATIENCE) as connection:
            try:
                await self._begun(connection, begin)
                if operation.exclusive:
                    await _exclude_others(connection)
                result = await _drive(connection, work(), operation)
                if operation.announced:
                    await connection.execute("UPDATE announcement SET number = number + 1")
            except BaseException as error:
                await _rolled_back(connection, error)
                raise
            try:
                await connection.execute("COMMIT")
            except _Lost as error:  # where the server refuses instead, nothing was done
                _given_up(connection)
                if operation.writes:
                    raise _UnknownCommitError(result) from error
                raise
            return result

    async def _begun(self, connection: "_Connection[asyncpg.Record]", begin: str) -> None:
        """Begin a transaction; one that writes finds its mark.

        Raises:
            LeaseLostError: There is none any more.
        """
        try:
            begun = await connection.execute(begin)
        except asyncpg.ReadOnlySQLTransactionError as error:  # it was the one that takes writes when we connected
            raise asyncpg.exceptions.TargetServerAttributeNotMatched from error
        if begun == "UPDATE 0":
            raise self.leases.lose()

    def _failed(self, error: Exception) -> LLMgineError:
        if isinstance(error, _Lost) and not isinstance(error, ValueError):
            return StoreError(str(explained(error, self._where)))
        return StoreError(tr("The session store failed: {error}", error=str(error).partition("\n")[0]))


async def _drive(connection: "_Connection[asyncpg.Record]", steps: Steps[T], operation: Operation) -> T:
    timeout = _FOR_EVER if operation.exclusive else None
    try:
        sql, values = next(steps)
        while True:
            rows: list[Row] = [dict(row) for row in await connection.fetch(sql, *storable(values), timeout=timeout)]
            operation.statements += 1
            operation.rows += len(rows)
            sql, values = steps.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result


async def _rolled_back(connection: "_Connection[asyncpg.Record]", error: BaseException) -> None:
    """End the transaction; a connection that may be of no use any more ends with it."""
    if isinstance(error, _Lost):
        _given_up(connection)
        return
    try:
        await connection.execute("ROLLBACK")
    except (asyncpg.PostgresError, *_Lost):
        _given_up(connection)


def _given_up(connection: "_Connection[asyncpg.Record]") -> None:
    with contextlib.suppress(asyncpg.InterfaceError):  # one that has ended went back to the pool by itself
        connection.terminate()


async def _pool(address: Address, lease_seconds: float) -> "asyncpg.Pool[asyncpg.Record]":
    """A pool that has no connection yet."""
    idle = {"idle_in_transaction_session_timeout": str(int(min(lease_seconds, _LONGEST_IDLE) * 1000))}

    async def connect(*_: object, **__: object) -> "asyncpg.Connection[asyncpg.Record]":
        return await address.connect(seconds=_PATIENCE, patience=_PATIENCE, settings=_SERVER_SETTINGS | idle)

    return await asyncpg.create_pool(connect=connect, min_size=0, max_size=_CONNECTIONS, reset=_nothing)


async def _prepare(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Make what processes need to share a database, once the server is up: one that is starting has half a minute."""
    deadline = time.monotonic() + _STARTING
    while True:
        try:
            async with pool.acquire() as connection, connection.transaction():
                await _exclude_others(connection)  # one of which may be at its migrations
                for statement in (*TABLES, *_ANNOUNCEMENTS):
                    await connection.execute(statement)
        except asyncpg.CannotConnectNowError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(_LONGEST_PAUSE)
        else:
            return


async def _exclude_others(connection: "_Connection[asyncpg.Record]") -> None:
    await connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _EXCLUSIVE, timeout=_FOR_EVER)


async def _nothing(_connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Each transaction here ends before its connection goes back, and changes nothing else of it."""
