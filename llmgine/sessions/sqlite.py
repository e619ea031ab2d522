"""SQLite through aiosqlite: a connection that writes and one that only reads, each on a thread of its own."""

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import aiosqlite

from llmgine.errors import ConfigurationError, StoreError
from llmgine.sessions.database import Operation, Row, Statement, Steps, storable

T = TypeVar("T")

_BUSY_TIMEOUT = 5.0  # seconds to wait for another process's transaction


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
    """One database file. Reads do not wait for writes, nor writes for reads."""

    def __init__(self, writer: _Connection, reader: _Connection) -> None:
        self._writer = writer
        self._reader = reader

    @classmethod
    async def open(cls, path: Path, *, busy_timeout: float = _BUSY_TIMEOUT) -> "SqliteDatabase":
        """Open or make the file, readable by its owner only.

        Args:
            path: The file; its folder is made.
            busy_timeout: Seconds to wait for another process's transaction.

        Raises:
            ConfigurationError: The file or its folder cannot be used.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise ConfigurationError(f"DATABASE_URL: {path} cannot be opened: {error.strerror}") from error
        writer = await _opened(path, lambda: _connect(path, busy_timeout))
        try:
            reader = await _opened(path, lambda: _connect_reader(path, busy_timeout))
        except BaseException:
            await writer.close()
            raise
        return cls(writer, reader)

    async def run(self, work: Callable[[], Steps[T]], operation: Operation) -> T:
        """See `Database.run`."""
        connection = self._writer if operation.writes else self._reader
        return await self._call(connection, lambda bare: _run(bare, work, operation))

    async def version(self) -> int:
        """See `Database.version`."""
        return await self._call(self._writer, lambda bare: int(bare.execute("PRAGMA data_version").fetchone()[0]))

    async def _call(self, connection: _Connection, function: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await connection.call(function)
        except (sqlite3.Error, ValueError) as error:  # ValueError: closed, or a value that cannot be stored
            raise StoreError(f"The session store failed: {error}") from error

    async def close(self) -> None:
        """See `Database.close`."""
        try:
            await self._reader.close()
        finally:
            await self._writer.close()  # last, so that it can tidy the write-ahead log


async def _opened(path: Path, connect: Callable[[], sqlite3.Connection]) -> _Connection:
    connection = _Connection(connect, iter_chunk_size=64)
    try:
        await connection
    except sqlite3.Error as error:
        if connection.stopped is not None:  # else the thread would find the event loop closed
            await connection.stopped
        raise ConfigurationError(f"DATABASE_URL: {path} is not a usable SQLite database: {error}") from error
    return connection


async def copy_database(source: Path, target: Path) -> None:
    """Copy a database, which may be in use, into a file that only its owner can read; in a thread of its own.

    What is there by the target's name is replaced; when it fails nothing is.

    Raises:
        OSError: The target cannot be made.
        StoreError: The database cannot be copied.
    """
    try:
        with contextlib.closing(sqlite3.connect(source, check_same_thread=False)) as connection:
            copying = asyncio.create_task(asyncio.to_thread(_copy, connection, target))
            try:
                await asyncio.shield(copying)
            except asyncio.CancelledError:
                connection.interrupt()
                await asyncio.gather(copying, return_exceptions=True)
                raise
    except sqlite3.Error as error:
        raise StoreError(f"The database cannot be copied: {error}") from error


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    try:
        connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error:
        target.unlink(missing_ok=True)
        raise


def _connect(path: Path, busy_timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        _enter_wal(connection, busy_timeout)
        if (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(f"{found}. Restore a copy, or move it away to begin anew")
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
