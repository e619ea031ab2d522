"""Copies a store to another one, of the same engine or the other.

What is copied is the source as it was when the copy began. The target gets its tables from the migrations, then the
rows of each table in batches, each batch a transaction. Rows are read in a fixed order, so an interrupted copy
continues after the rows that the target already has. At the end both are compared, by counts and checksums over all
values; what was copied before the interruption is read again for that.

As long as the copy is unfinished, the target's schema has a negative number, so that no program opens it, and the table
`unfinished_copy` names its source.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeVar

from llmgine.errors import ConfigurationError, StoreError, UserError
from llmgine.sessions import open_store
from llmgine.sessions.schema import MIGRATIONS
from llmgine.sessions.store import database_file
from programs.store.ends import TABLES, Source, Sum, Target, cleaned
from programs.store.sqlite_end import SqliteEnd

T = TypeVar("T")

# Called with what is done (copying or comparing), the table, how many of its rows are done, and how many there are.
Progress = Callable[[str, str, int, int], None]

_VERSION = len(MIGRATIONS)
_EMPTY_FIRST = "Choose an empty database, or empty this one first"


@dataclass
class Copied:
    """What was copied.

    Attributes:
        rows: How many rows each table has.
        found: How many of them were in the target already, from a copy that was interrupted.
        cleaned: How many texts had NUL characters, which were left out.
        used: Whether a program opened the source during the copy: what it wrote is not in the target.
    """

    rows: dict[str, int] = field(default_factory=dict)
    found: int = 0
    cleaned: int = 0
    used: bool = False


async def copy(source_url: str, target_url: str, progress: Progress) -> Copied:
    """Copy all that is stored at one address to another one, and compare.

    Args:
        source_url: As `open_store` takes it. It is only read.
        target_url: The same; its database is empty, or has an unfinished copy of this source.
        progress: Called after each batch.

    Raises:
        ConfigurationError: An address cannot be used.
        UserError: The source or the target is in use, of another schema or not empty.
        StoreError: A database failed. If the fault was temporary, the same call continues the copy.
    """
    source = await _open(source_url, snapshot=True)
    try:
        await _check_source(source)
        target = await _open_target(target_url, source)
        try:
            copied = await _copy_tables(source, target, progress)
            await target.change("DROP TABLE unfinished_copy", f"UPDATE schema_version SET version = {_VERSION}")  # noqa: S608  ours
        finally:
            await target.close()
        copied.used = await source.in_use()
        return copied
    finally:
        await source.close()


async def _open(url: str, *, snapshot: bool) -> Target:
    file = database_file(url)
    if file is None:
        try:
            from programs.store.postgres_end import PostgresEnd  # noqa: PLC0415  its library is an extra
        except ImportError as error:
            raise ConfigurationError("PostgreSQL needs an extra; install it with `uv sync --extra postgres`") from error
        return await PostgresEnd.open(url, snapshot=snapshot)
    return SqliteEnd(file, snapshot=snapshot)


async def _check_source(source: Source) -> None:
    """Raise `UserError` unless the source can be copied as it is."""
    version = await _version(source)
    if version == 0:
        raise UserError(f"There is no store in {source.name}")
    if version < 0:
        raise UserError(f"{source.name} is itself an unfinished copy: finish that copy first")
    if version < _VERSION:
        raise UserError(
            f"{source.name} was written by an older version (schema {version}, this program has {_VERSION}): start the "
            "bot or the terminal chat with it once, which updates it (a SQLite file is backed up first)"
        )
    if version > _VERSION:
        raise UserError(
            f"{source.name} was written by a newer version (schema {version}, this program has {_VERSION}): "
            "update this program"
        )
    if await source.in_use():
        raise UserError(f"A program is using {source.name}: stop the bot and all terminal chats, then try again")


async def _open_target(url: str, source: Source) -> Target:
    """The target with its tables, marked as an unfinished copy of the source.

    Raises:
        UserError: It is something else already.
    """
    file = database_file(url)
    if file is None or file.exists():
        target = await _open(url, snapshot=False)
        try:
            version = await _check_target(target, source)
        except BaseException:
            await target.close()
            raise
        if version < 0:
            return target
        await target.close()
    await (await open_store(url)).close()  # makes the tables
    target = await _open(url, snapshot=False)
    await target.change("DROP TABLE IF EXISTS unfinished_copy", "CREATE TABLE unfinished_copy (source TEXT NOT NULL)")
    await target.write("unfinished_copy", ["source"], [(source.name,)])
    await target.change(f"UPDATE schema_version SET version = {-_VERSION}")  # noqa: S608  ours
    return target


async def _check_target(target: Target, source: Source) -> int:
    """The number of the target's schema; negative for an unfinished copy of this source.

    Raises:
        UserError: It has something else in it, or is in use.
    """
    if target.name == source.name:
        raise UserError("The source and the target are the same database")
    version = await _version(target)
    if version < 0:
        [begun] = await target.texts("SELECT source FROM unfinished_copy")
        if (begun, version) != (source.name, -_VERSION):
            raise UserError(f"{target.name} has an unfinished copy of {begun}. {_EMPTY_FIRST}")
        return version
    if await target.in_use():
        raise UserError(f"A program is using {target.name}: stop it, then try again")
    for table in TABLES:
        if await target.columns(table) and await target.numbers(f"SELECT 1 FROM {table} LIMIT 1"):  # noqa: S608  ours
            raise UserError(f"{target.name} is not empty: its table {table} has rows. {_EMPTY_FIRST}")
    return version


async def _version(end: Source) -> int:
    """The number of the schema; 0 where there is none."""
    if not await end.columns("schema_version"):
        return 0
    return next(iter(await end.numbers("SELECT version FROM schema_version")), 0)


async def _copy_tables(source: Source, target: Target, progress: Progress) -> Copied:
    copied = Copied()
    sums = {table: await _copy_table(source, target, table, progress, copied) for table in TABLES}
    copied.rows = {table: read.rows for table, read in sums.items()}
    for table, expected in sums.items():
        found = await _sum(target, table, await source.columns(table), expected.rows, progress)
        if found != expected:
            what = (
                "other values" if found.rows == expected.rows else f"{found.rows:,} instead of {expected.rows:,} rows"
            )
            raise StoreError(
                f"The copy differs from the source: its table {table} has {what}. Most likely the source was used "
                f"after the copy began. {_EMPTY_FIRST}, and copy again"
            )
    await target.analyze()
    return copied


async def _copy_table(source: Source, target: Target, table: str, progress: Progress, copied: Copied) -> Sum:
    """Copy what the target does not have yet of a table; returns the checksum of all of it."""
    columns = await source.columns(table)
    [there] = await target.numbers(f"SELECT COUNT(*) FROM {table}")  # noqa: S608  ours
    [expected] = await source.numbers(f"SELECT COUNT(*) FROM {table}")  # noqa: S608  ours
    copied.found += there
    read = Sum()
    progress("copying", table, there, expected)
    async with aclosing(_ahead(source.batches(table, columns))) as batches:
        async for batch in batches:
            rows, changed = cleaned(batch)
            copied.cleaned += changed
            if new := rows[max(0, there - read.rows) :]:
                await target.write(table, columns, new)
            read.add(rows)
            progress("copying", table, max(there, read.rows), expected)
    return read


async def _sum(target: Target, table: str, columns: list[str], expected: int, progress: Progress) -> Sum:
    """The checksum of what the target has of a table, with the columns in this order."""
    found = Sum()
    progress("comparing", table, 0, expected)
    async with aclosing(_ahead(target.batches(table, columns))) as batches:
        async for rows in batches:
            found.add(rows)
            progress("comparing", table, found.rows, expected)
    return found


async def _ahead(batches: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """The same, with the next one being read while one is worked on."""
    async with aclosing(batches):
        reading = asyncio.ensure_future(anext(batches, None))
        try:
            while (batch := await reading) is not None:
                reading = asyncio.ensure_future(anext(batches, None))
                yield batch
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
