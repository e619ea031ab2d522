"""SQLite through aiosqlite: one connection, one thread, one transaction at a time."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import aiosqlite

from llmgine.errors import ConfigurationError, StoreError
from llmgine.messages.chat import clean_text
from llmgine.sessions.database import Row, Statement, Transaction

T = TypeVar("T")

_BUSY_TIMEOUT = 5.0  # seconds to wait for another process's transaction


class _Connection(aiosqlite.Connection):
    """An aiosqlite connection that runs a whole function on its thread, so that a transaction is one hop."""

    async def call(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run `function` on the connection's thread with the plain connection."""
        result: T = await self._execute(lambda: function(self._conn))  # type: ignore[no-untyped-call]  # untyped there
        return result


class SqliteDatabase:
    """One database file."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, path: Path) -> "SqliteDatabase":
        """Open or make the file, readable by its owner only.

        Raises:
            ConfigurationError: The file or its folder cannot be used.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise ConfigurationError(f"DATABASE_URL: {path} cannot be opened: {error.strerror}") from error
        connection = _Connection(lambda: _connect(path), iter_chunk_size=64)
        try:
            await connection
        except sqlite3.Error as error:
            raise ConfigurationError(f"DATABASE_URL: {path} is not a usable SQLite database: {error}") from error
        return cls(connection)

    async def run(self, transaction: Transaction[T]) -> T:
        """See `Database.run`."""
        try:
            return await self._connection.call(lambda connection: _run(connection, transaction))
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.Error, ValueError) as error:
            raise StoreError(f"The session store failed: {error}") from error

    async def version(self) -> int:
        """See `Database.version`."""
        return await self._connection.call(lambda c: int(c.execute("PRAGMA data_version").fetchone()[0]))

    async def close(self) -> None:
        """See `Database.close`."""
        await self._connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _run(connection: sqlite3.Connection, transaction: Transaction[T]) -> T:
    """Drive a transaction on the connection's own thread."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = _drive(connection, transaction)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def _drive(connection: sqlite3.Connection, transaction: Transaction[T]) -> T:
    try:
        statement = next(transaction)
        while True:
            statement = transaction.send(_execute(connection, statement))
    except StopIteration as end:
        result: T = end.value
        return result


def _execute(connection: sqlite3.Connection, statement: Statement) -> list[Row]:
    sql, values = statement
    # SQLite takes $1 for a *named* parameter, so the values are bound as a mapping.
    clean = (clean_text(value) if isinstance(value, str) else value for value in values)
    return [dict(row) for row in connection.execute(sql, {str(n): value for n, value in enumerate(clean, 1)})]
