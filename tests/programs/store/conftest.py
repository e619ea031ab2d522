"""Stores to copy from and to, of each engine, and what is in them."""

import asyncio
import itertools
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from llmgine.sessions import open_store
from programs.store.copying import copy
from programs.store.ends import TABLES
from tests.llmgine.sessions.data.old import write_old
from tests.postgres import PostgresServer
from tests.processes import ending

ENGINES = ("sqlite", "postgres")
# The address of a new database of an engine.
New = Callable[[str], str]
Rows = dict[str, list[tuple[object, ...]]]


@pytest.fixture
def new(tmp_path: Path, postgres: PostgresServer) -> New:
    numbers = itertools.count()

    def new(engine: str) -> str:
        if engine == "postgres":
            return postgres.url(postgres.database())
        return f"sqlite:///{tmp_path / str(next(numbers)) / 'llmgine.db'}"

    return new


def file_of(url: str) -> Path:
    """The file of a SQLite address."""
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture
async def sqlite_source(new: New) -> str:
    """A store with something in each table: what a bot and a terminal chat left in the middle of their work."""
    url = new("sqlite")
    write_old(file_of(url))
    await (await open_store(url)).close()
    await change(url, "INSERT INTO forgotten VALUES ('1', 5, 6)")
    await change(url, "INSERT INTO result_file SELECT id, 1, 'c', 0, 'AAAA' FROM turn ORDER BY id LIMIT 1")
    await change(url, "INSERT INTO reported_server VALUES ('discord', 1, 7, 5)")
    await change(url, "INSERT INTO lesson VALUES ('service', 'model', 'no_tools', 1, 'not \U0001f642 supported', 1)")
    await change(url, "INSERT INTO reservation VALUES ('call', 'gone', '[\"s\"]', 1, 2, 3, 4, 5)")
    await change(url, "INSERT INTO context_message SELECT id, 'm', 1, '{\"text\":\"\U0001f642\"}', 5 FROM turn LIMIT 1")
    await change(url, "INSERT INTO audit VALUES ('entry', 1, '1', 's', 's', 'set', 'style: \U0001f642')")
    return url


@pytest.fixture
async def source(request: pytest.FixtureRequest, new: New, sqlite_source: str) -> str:
    """The same on the engine that the test asks for."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return sqlite_source
    url = new("postgres")
    await copy(sqlite_source, url, silent)
    return url


def silent(_doing: str, _table: str, _there: int, _expected: int) -> None:
    """Progress that nobody wants to hear of."""


async def change(url: str, statement: str) -> None:
    """Change a database by hand."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(file_of(url))) as file:
            file.execute(statement)
            file.commit()
        return
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def read(url: str, statement: str) -> list[tuple[object, ...]]:
    """What a statement finds, read by nothing that is tested."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(file_of(url))) as file:
            return list(file.execute(statement))
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def rows(url: str) -> Rows:
    """All rows of all tables, sorted."""
    columns = {
        table: [name for (name,) in await read(url, _columns_of(url, table)) if isinstance(name, str)]
        for table in TABLES
    }
    return {
        table: sorted(await read(url, f"SELECT {', '.join(sorted(names))} FROM {table}"), key=repr)  # noqa: S608  ours
        for table, names in columns.items()
    }


def _columns_of(url: str, table: str) -> str:
    if url.startswith("sqlite"):
        return f"SELECT name FROM pragma_table_info('{table}')"  # noqa: S608  ours
    return f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"  # noqa: S608  ours


async def run(*arguments: str, before: str = "pass") -> tuple[int, str, str]:
    """Run the program as a process, after `before`; its exit code, and what it wrote and reported."""
    program = f"import sys\nfrom programs.store.__main__ import main\n{before}\nsys.exit(main())"
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, *arguments, stdout=pipe, stderr=pipe)
    async with ending(process):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()
