"""A SQLite database that is copied from or to."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from llmgine.errors import ConfigurationError, StoreError
from llmgine.sessions.owners import in_use
from programs.store.ends import Values, next_batch

T = TypeVar("T")


class SqliteEnd:
    """See `Source` and `Target`. Everything runs on one thread of its own, in order.

    Args:
        path: The file, which must be there.
        snapshot: Whether all reads are to see one moment; it cannot be written then.

    Raises:
        ConfigurationError: There is no such file, or it is no database.
    """

    def __init__(self, path: Path, *, snapshot: bool) -> None:
        if not path.is_file():
            raise ConfigurationError(f"There is no database at {path}")
        self.name = f"sqlite:///{path.resolve()}"
        self._folder = path.parent / "owners"
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._thread = ThreadPoolExecutor(1)
        # A copy can be continued after a crash, so only its end waits for the disk.
        settings = ("PRAGMA query_only=ON", "BEGIN") if snapshot else ("PRAGMA synchronous=NORMAL",)
        try:
            for statement in settings:
                self._connection.execute(statement)
        except sqlite3.Error as error:
            self._connection.close()
            raise ConfigurationError(f"{path} is not a usable SQLite database: {error}") from error

    async def columns(self, table: str) -> list[str]:
        """See `Source`."""
        return [row[0] for row in await self._rows(f"SELECT name FROM pragma_table_info('{table}')")]  # noqa: S608  ours

    async def numbers(self, sql: str) -> list[int]:
        """See `Source`."""
        return [int(row[0]) for row in await self._rows(sql)]

    async def texts(self, sql: str) -> list[str]:
        """See `Target`."""
        return [str(row[0]) for row in await self._rows(sql)]

    async def in_use(self) -> bool:
        """See `Source`. Programs that use another database in the same folder count, too."""
        return await in_use(self._folder)

    async def batches(self, table: str, columns: Sequence[str]) -> AsyncGenerator[list[Values]]:
        """See `Source`; in the order in which the file has them, which is the fastest."""
        found = await self._run(
            lambda: self._connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY rowid")  # noqa: S608  ours
        )
        rows: list[Values] = []
        while rows := await self._run(partial(found.fetchmany, next_batch(rows))):
            yield rows

    async def write(self, table: str, columns: Sequence[str], rows: list[Values]) -> None:
        """See `Target`."""
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608  names of our own

        def write() -> None:
            with self._transaction():
                self._connection.executemany(sql, rows)

        await self._run(write)

    async def change(self, *statements: str) -> None:
        """See `Target`."""

        def change() -> None:
            self._connection.execute("PRAGMA synchronous=FULL")
            with self._transaction():
                for statement in statements:
                    self._connection.execute(statement)
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.execute("PRAGMA synchronous=NORMAL")

        await self._run(change)

    async def analyze(self) -> None:
        """See `Target`; SQLite plans by the indexes alone."""

    async def close(self) -> None:
        """See `Source`."""
        await self._run(self._connection.close)
        self._thread.shutdown()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    async def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return await self._run(lambda: self._connection.execute(sql).fetchall())

    async def _run(self, function: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function)
        except sqlite3.Error as error:
            raise StoreError(f"{self.name}: {error}") from error
