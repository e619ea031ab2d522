"""Where a world keeps its sessions: a file, or a database of a PostgreSQL server."""

import argparse
import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from tests.postgres import PostgresServer

# How long a killed process counts as alive: the next one goes on with its turns after that.
LEASE_SECONDS = 0.9
_PATIENCE = 10.0  # seconds that the server has to answer a test

T = TypeVar("T")
ENGINES = ("sqlite", "postgres")
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Database:
    """One database.

    Attributes:
        url: Its address, as a setting.
        rows: What a query finds in it; nothing where the tables are not made yet.
    """

    url: str
    rows: Callable[[str], Rows]


# Makes a database that is empty, and there as long as the block takes; a file is put into the folder.
Databases = Callable[[Path], AbstractAsyncContextManager[Database]]


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Database]:
    """A file."""
    path = folder / "llmgine.db"

    def rows(query: str) -> Rows:
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)) as connection:
                return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []

    yield Database(f"sqlite:///{path}", rows)


class PostgresDatabases:
    """Databases of one PostgreSQL server."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._one_at_a_time = threading.Lock()  # the server counts its databases

    @asynccontextmanager
    async def __call__(self, _folder: Path) -> AsyncIterator[Database]:
        """Make a database, and delete it after the block."""
        name = await asyncio.to_thread(self._make)
        try:
            with _reader(self._server.url(name)) as rows:
                yield Database(self._server.url(name), rows)
        finally:
            await asyncio.to_thread(self._server.drop, name)

    def _make(self) -> str:
        with self._one_at_a_time:
            return self._server.database()


@contextmanager
def _reader(url: str) -> Iterator[Callable[[str], Rows]]:
    """What reads a database on a connection of its own, for whoever cannot wait in the event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)

    def wait_for(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    async def fetched(query: str) -> Rows:
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        except asyncpg.UndefinedTableError:
            return []

    thread.start()
    try:
        connection = wait_for(asyncpg.connect(url, command_timeout=_PATIENCE))
        try:
            yield lambda query: wait_for(fetched(query))
        finally:
            wait_for(connection.close())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def databases_of(engine: str) -> Iterator[Databases]:
    """The databases of one of the engines, whose server runs as long as the block takes."""
    if engine == "sqlite":
        yield sqlite
        return
    with PostgresServer() as server:
        yield PostgresDatabases(server)


def engine_asked_for(about: str | None) -> str:
    """The engine that the command line names."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=ENGINES, default=ENGINES[0], help="where the sessions are kept")
    return str(parser.parse_args().engine)
