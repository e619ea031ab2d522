"""SQLite through aiosqlite: a connection that writes and two that only read, each on a thread of its own."""

import asyncio
import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import aiosqlite

from llmgine.errors import ConfigurationError, DamagedStoreError, StoreError, cannot_use
from llmgine.messages.translatable import tr
from llmgine.platforms import keep_private
from llmgine.sessions.database import Operation, Row, Statement, Steps, storable

T = TypeVar("T")

_log = logging.getLogger(__name__)

_BUSY_TIMEOUT = 5.0  # seconds to wait for another process's transaction
# Codes of errors that may pass without a change of the settings.
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM}
_CHECKPOINT_TIMEOUT = 100  # milliseconds for which nobody writes while the log cannot be emptied yet
_INTERRUPT = 0.05  # seconds between two tries to end a check of the file
_DAMAGED = (
    "DATABASE_URL: {path} is damaged ({found}). It was not changed. Restore a backup with "
    "`python -m programs.backup --restore FILE` (--list shows them). To start with a new database, move it "
    "away, with the files beside it whose names end in -wal and -shm"
)


class _Connection(aiosqlite.Connection):
    """An aiosqlite connection that runs a whole function on its thread, so that a transaction is one hop."""

    stopped: asyncio.Future[None] | None = None

    def stop(self) -> asyncio.Future[None] | None:
        """End the thread; the end can be waited for as `stopped`, also when opening failed and the library stops it."""
        self.stopped = super().stop()
        return self.stopped

    async def call(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run `function` on the connection's thread with the plain connection."""
        result: T = await self._execute(lambda: function(self._conn))  # type: ignore[no-untyped-call]  # untyped there
        return result


class SqliteDatabase:
    """One database file. Reads do not wait for writes, nor writes for reads, nor short reads for long ones."""

    def __init__(self, path: Path, writer: _Connection, reader: _Connection, lister: _Connection) -> None:
        self._path = path
        self._writer = writer
        self._reader = reader
        self._lister = lister

    @classmethod
    async def open(cls, path: Path, *, busy_timeout: float = _BUSY_TIMEOUT) -> "SqliteDatabase":
        """Open or make the file, readable by its owner only.

        Args:
            path: The file; its folder is made.
            busy_timeout: Seconds to wait for another process's transaction.

        Raises:
            ConfigurationError: The file or its folder cannot be used.
            ExhaustedError: There is no space for it.
            StoreError: The file cannot be used now.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            if not keep_private(path):
                _log.warning("Others can read %s: make it the bot's alone", path)
        except OSError as error:
            raise cannot_use(f"DATABASE_URL: {path} cannot be opened", error) from error
        if _has_log(path):
            await asyncio.to_thread(_note_unclean_end, path)
        async with contextlib.AsyncExitStack() as stack:
            writer = await _opened(path, lambda: _connect(path, busy_timeout))
            stack.push_async_callback(writer.close)
            readers: list[_Connection] = []
            for _ in range(2):
                readers.append(await _opened(path, lambda: _connect_reader(path, busy_timeout)))
                stack.push_async_callback(readers[-1].close)
            stack.pop_all()
        return cls(path, writer, *readers)

    async def run(self, work: Callable[[], Steps[T]], operation: Operation) -> T:
        """See `Database.run`."""
        reader = self._lister if operation.long else self._reader
        connection = self._writer if operation.writes else reader
        return await self._call(connection, lambda bare: _run(bare, work, operation))

    async def version(self) -> int:
        """See `Database.version`."""
        return await self._call(self._writer, lambda bare: int(bare.execute("PRAGMA data_version").fetchone()[0]))

    async def overwrite_deleted(self) -> bool:
        """See `Database.overwrite_deleted`. In the file SQLite overwrites what is deleted; its log is emptied here."""
        return await self._call(self._writer, _empty_log)

    async def _call(self, connection: _Connection, function: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await connection.call(function)
        except (sqlite3.Error, ValueError) as error:  # ValueError: closed, or a value that cannot be stored
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CORRUPT:
                raise DamagedStoreError(_DAMAGED.format(path=self._path, found=error)) from error
            raise StoreError(tr("The session store failed: {error}", error=str(error))) from error

    async def close(self) -> None:
        """See `Database.close`."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._writer.close)  # the last to close, so that it can tidy the write-ahead log
            stack.push_async_callback(self._reader.close)
            stack.push_async_callback(self._lister.close)


async def _opened(path: Path, connect: Callable[[], sqlite3.Connection]) -> _Connection:
    connection = _Connection(connect, iter_chunk_size=64)
    try:
        await connection
    except sqlite3.Error as error:
        if connection.stopped is not None:  # else the thread would find the event loop closed
            await connection.stopped
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING:
            raise StoreError(f"DATABASE_URL: {path} cannot be used now: {error}") from error
        raise ConfigurationError(
            f"DATABASE_URL: {path} is not a usable SQLite database: {error}. If it was one, restore a copy with "
            "`python -m programs.backup --restore FILE` (--list shows them)"
        ) from error
    return connection


def mark_of_unclean_end(path: Path) -> Path:
    """The file that is beside a database that was not closed, from when that was noticed until it is checked."""
    return path.with_name(f"{path.name}-unchecked")


def _has_log(path: Path) -> bool:
    """Whether there is a write-ahead log: somebody has the database open, or did not close it."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _note_unclean_end(path: Path) -> None:
    """Leave a mark if nobody has the database open, so that its log was left by a process that did not close it."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=0.0, isolation_level=None)) as connection:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN IMMEDIATE")  # refused while anybody else has it open, though they do nothing
            # Before the database is closed here, which deletes the log.
            mark_of_unclean_end(path).touch(mode=0o600)
    except (sqlite3.Error, OSError):
        return  # it is open elsewhere, or cannot be used, which is reported when it is opened


class Inspection:
    """A check of a whole database file for damage, on a connection that only reads.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def run(self) -> None:
        """Check all of it, in a thread of its own; ends early if cancelled.

        Raises:
            DamagedStoreError: There is damage. From then on, until `close`, whoever else closes the database does not
                write its log into it.
            StoreError: It cannot be read.
        """
        looking = asyncio.create_task(asyncio.to_thread(self._look))
        try:
            found = await asyncio.shield(looking)
        except asyncio.CancelledError:
            while not looking.done():
                if self._connection is not None:
                    self._connection.interrupt()
                await asyncio.wait({looking}, timeout=_INTERRUPT)  # it may have begun only after the interrupt
            self.close()
            raise
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"The database cannot be checked: {error}") from error
        if found is not None:
            raise DamagedStoreError(_DAMAGED.format(path=self._path, found=found))
        self.close()

    def _look(self) -> str | None:
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        self._connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("BEGIN")  # held until the end: meanwhile nothing is written into the file
            found = str(self._connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise
            return str(error)
        return None if found == "ok" else " ".join(found.split())

    def close(self) -> None:
        """Release the database; doing it twice is harmless."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(path: Path, busy_timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        _enter_wal(connection, busy_timeout)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _connect_reader(path: Path, busy_timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA query_only=ON")
    return connection


def _enter_wal(connection: sqlite3.Connection, busy_timeout: float) -> None:
    """Switch to the write-ahead log; when another process is doing so SQLite fails at once, not after the timeout."""
    deadline = time.monotonic() + busy_timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)  # on the connection's own thread
        else:
            return


def _empty_log(connection: sqlite3.Connection) -> bool:
    """Write the log into the database and cut it; False if that would have to wait for others."""
    timeout = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute(f"PRAGMA busy_timeout={_CHECKPOINT_TIMEOUT}")
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout={timeout}")
    return not busy


def _run(connection: sqlite3.Connection, work: Callable[[], Steps[T]], operation: Operation) -> T:
    """Drive an operation on the connection's own thread."""
    connection.execute("BEGIN IMMEDIATE" if operation.writes else "BEGIN")
    try:
        result = _drive(connection, work(), operation)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def _drive(connection: sqlite3.Connection, steps: Steps[T], operation: Operation) -> T:
    try:
        statement = next(steps)
        while True:
            rows = _execute(connection, statement)
            operation.statements += 1
            operation.rows += len(rows)
            statement = steps.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result


def _execute(connection: sqlite3.Connection, statement: Statement) -> list[Row]:
    sql, values = statement
    # SQLite takes $1 for a *named* parameter, so the values are bound as a mapping.
    bound = {str(number): value for number, value in enumerate(storable(values), 1)}
    return [dict(row) for row in connection.execute(sql, bound)]
