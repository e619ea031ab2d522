"""The store's disk, which outlives the bot, and the database that a life of the bot has on it."""

import asyncio
import functools
import random
import re
import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

from llmgine.errors import StoreError
from llmgine.sessions.database import Operation, Row, Statement, Steps, storable
from llmgine.sessions.migrate import migrate
from llmgine.sessions.owners import Owners
from tests.simulation.faults import Fault, Weather
from tests.simulation.life import Life
from tests.simulation.timeline import Timeline

T = TypeVar("T")

_QUICK = 0.004  # seconds that an operation takes at most, when the disk is well
_FULL_SECONDS = 40.0


class Disk:
    """A database in memory."""

    def __init__(self, content: bytes | None = None) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=512)
        if content is not None:
            self.connection.deserialize(content)
        self.connection.execute("PRAGMA foreign_keys=ON")
        self.full_until = 0.0

    @classmethod
    def formatted(cls) -> "Disk":
        """A new disk with the present schema."""
        return cls(_empty())

    def run(self, work: Callable[[], Steps[T]], operation: Operation) -> T:
        """Run an operation as one transaction; what only reads needs none, as nobody else is at the disk."""
        if not operation.writes:
            return self._drive(work(), operation)
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            result = self._drive(work(), operation)
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        return result

    def _drive(self, steps: Steps[T], operation: Operation) -> T:
        try:
            statement = next(steps)
            while True:
                rows = self._execute(statement)
                operation.statements += 1
                operation.rows += len(rows)
                statement = steps.send(rows)
        except StopIteration as end:
            result: T = end.value
            return result

    def _execute(self, statement: Statement) -> list[Row]:
        sql, values = statement
        return _as_dicts(self.connection.execute(_numbered(sql), storable(values)))

    def rows(self, query: str, *values: object) -> list[Row]:
        """What is stored."""
        return _as_dicts(self.connection.execute(query, values))


@functools.cache
def _numbered(sql: str) -> str:
    """The statement as SQLite takes values by their number: it takes $1 for a name."""
    return re.sub(r"\$(\d+)", r"?\1", sql)


def _as_dicts(cursor: sqlite3.Cursor) -> list[Row]:
    rows = cursor.fetchall()
    if not rows:
        return []
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=False)) for row in rows]


@functools.cache
def _empty() -> bytes:
    disk = Disk()

    class Plain:
        async def run(self, work: Callable[[], Steps[T]], operation: Operation) -> T:
            return disk.run(work, operation)

        async def version(self) -> int:
            return 0

        async def overwrite_deleted(self) -> bool:
            return True

        async def close(self) -> None:
            """It stays."""

    coroutine = migrate(Plain())
    try:
        coroutine.send(None)
    except StopIteration:
        return disk.connection.serialize()
    raise RuntimeError("a migration waits for something")


class SimulatedDatabase:
    """The database of one life of the bot.

    As with the real one, an operation is done also when its caller does not wait for it any more, and the writing ones
    are done one after the other, beside the reading ones.
    """

    def __init__(self, disk: Disk, life: Life, weather: Weather, timeline: Timeline, chance: random.Random) -> None:
        self._disk = disk
        self._life = life
        self._weather = weather
        self._timeline = timeline
        self._chance = chance
        self._free = [0.0, 0.0]  # when reads and writes may go on

    async def run(self, work: Callable[[], Steps[T]], operation: Operation) -> T:
        """See `Database.run`."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        seconds = self._chance.random() * _QUICK
        if self._weather.strikes(Fault.STORE_SLOW):
            seconds = 1.0 + 4.0 * self._chance.random()
        begin = max(self._timeline.now, self._free[operation.writes])
        self._free[operation.writes] = begin + seconds
        self._timeline.at(begin + seconds, lambda: self._do(work, operation, future))
        return await future

    def _do(self, work: Callable[[], Steps[T]], operation: Operation, future: "asyncio.Future[T]") -> None:
        life, weather = self._life, self._weather
        if not life.alive:
            return
        writes = operation.writes
        if writes and weather.strikes(Fault.KILL_BEFORE_COMMIT):
            life.kill(f"before {operation.name}")
            return
        try:
            self._may_fail(operation)
            result = self._disk.run(work, operation)
            if writes:
                self._committed(operation)
        except (sqlite3.Error, ValueError) as error:
            _refuse(future, StoreError(f"The session store failed: {error}"))
        except Exception as error:  # the caller gets it, as from a real database
            _refuse(future, error)
        else:
            if life.alive and not future.done():
                future.set_result(result)

    def _may_fail(self, operation: Operation) -> None:
        disk, weather = self._disk, self._weather
        if weather.strikes(Fault.STORE_FULL):
            disk.full_until = self._timeline.now + _FULL_SECONDS
        full = operation.writes and self._timeline.now < disk.full_until and not weather.is_calm
        if full or weather.strikes(Fault.STORE_BEFORE):
            self._timeline.note(f"{operation.name} fails")
            raise StoreError("The session store failed: the simulated disk does not answer")

    def _committed(self, operation: Operation) -> None:
        self._timeline.note(operation.name)
        if self._weather.strikes(Fault.KILL_AFTER_COMMIT):
            self._life.kill(f"after {operation.name}")
        elif self._weather.strikes(Fault.STORE_AFTER):
            raise StoreError("The session store failed: nobody knows whether it was committed")

    async def version(self) -> int:
        """See `Database.version`. No other process writes here."""
        return 1

    async def overwrite_deleted(self) -> bool:
        """See `Database.overwrite_deleted`. There is no file here."""
        return True

    async def close(self) -> None:
        """See `Database.close`."""


def _refuse(future: "asyncio.Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


class SimulatedOwners(Owners):
    """The processes on the store: only the present one is alive."""

    def __init__(self, me: str) -> None:
        self.me = me
        self.lost = asyncio.Event()
        self._alive = True

    async def hold(self) -> None:
        """See `Owners.hold`."""

    async def dead(self, owners: Collection[str]) -> set[str]:
        """See `Owners.dead`."""
        return {owner for owner in owners if not (self._alive and owner == self.me)}

    async def death(self) -> None:
        """See `Owners.death`. There is never another process."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """See `Owners.close`."""
        self._alive = False


class NoBackup:
    """In place of the hourly backup, which copies files in a thread."""

    def __init__(self, path: Path, **_: object) -> None:
        self.path = path

    def start(self) -> None:
        """Nothing to do."""

    async def stop(self, seconds: float) -> None:
        """Nothing to do."""
