"""What a database contains, read past the store, for every engine there is."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from llmgine.sessions.store import sqlite_path
from tests.llmgine.sessions.data import old

# What belongs to the processes of the present, on PostgreSQL.
_OF_PROCESSES = {"process", "mark", "announcement"}


def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table."""
    if url.startswith("sqlite:"):
        return old.rows(sqlite_path(url))
    with ThreadPoolExecutor(1) as thread:  # whoever asks has a loop of its own
        return thread.submit(asyncio.run, _postgres_rows(url)).result()


@asynccontextmanager
async def directly(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to a PostgreSQL database past the store, as another program has it."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def _postgres_rows(url: str) -> dict[str, list[dict[str, Any]]]:
    async with directly(url) as connection:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        found = {}
        for name in (row["tablename"] for row in names):
            if name not in _OF_PROCESSES:
                # The names are those of our own tables.
                found[name] = [dict(row) for row in await connection.fetch(f"SELECT * FROM {name} AS t ORDER BY t")]  # noqa: S608
        return found
