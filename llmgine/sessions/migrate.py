"""Bringing a database to the current schema, with a copy of it made first."""

import asyncio
import contextlib
import fcntl
import filecmp
import itertools
import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from llmgine.errors import DamagedStoreError, NewerStoreError, StoreError
from llmgine.sessions.database import Database, Operation, Steps
from llmgine.sessions.schema import MIGRATIONS
from llmgine.sessions.sqlite import copy_database

_log = logging.getLogger(__name__)


async def migrate(database: Database, path: Path | None = None) -> None:
    """Apply the migrations that are missing, each in a transaction of its own.

    Args:
        database: The database, which other processes may be opening too.
        path: Its file. If it has data in an older schema, it is first copied to `backups/before-schema-<number>.db`
            beside it, where the number is that of the current schema. Without a path no copy is made.

    Raises:
        DamagedStoreError: The database cannot be read.
        NewerStoreError: The database was written by a newer program.
        StoreError: The copy could not be made, or a migration failed.
    """
    version = await database.run(_version, Operation("migrate.version", exclusive=True))
    if path is not None and 0 < version < len(MIGRATIONS):
        await _copy_first(database, path, version)
    while await database.run(_next_migration, Operation("migrate.next", exclusive=True)):
        pass


def _version() -> Steps[int]:
    """The number of the database's schema; 0 for a new database.

    Raises:
        DamagedStoreError: It is not a number.
        NewerStoreError: It is newer than the current schema.
        StoreError: It is an unfinished copy of another database.
    """
    yield "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)", ()
    rows = yield "SELECT version FROM schema_version", ()
    version = rows[0]["version"] if rows else 0
    if not isinstance(version, int):  # SQLite reads what is left of a damaged page
        raise DamagedStoreError(
            f"DATABASE_URL: the database is damaged (its schema number is {version!r:.20}). It was not changed. "
            "Restore a backup; those of SQLite are in the folder backups beside it"
        )
    if version < 0:  # see programs.store
        raise StoreError(
            "This database is an unfinished copy of another one: finish it with `python -m programs.store copy`, or "
            "set DATABASE_URL to another database"
        )
    if version > len(MIGRATIONS):
        raise NewerStoreError(
            f"This database was written by a newer version (schema {version}, this program has {len(MIGRATIONS)}): "
            "upgrade the program, or set DATABASE_URL to another database"
        )
    return version


def _next_migration() -> Steps[bool]:
    version = yield from _version()
    if version == len(MIGRATIONS):
        return False
    for step in MIGRATIONS[version]:
        if isinstance(step, str):
            yield step, ()
        else:
            yield from step()
    if version:
        yield "UPDATE schema_version SET version = $1", (version + 1,)
    else:
        yield "INSERT INTO schema_version (version) VALUES ($1)", (1,)
    return True


async def _copy_first(database: Database, path: Path, version: int) -> None:
    """Copy the database, unless another process has meanwhile copied and migrated it.

    Raises:
        NewerStoreError: That process is a newer program.
        StoreError: The copy could not be made.
    """
    folder = path.parent / "backups"
    # The daily backup removes files of this ending that a crash left.
    unfinished = folder / f"before-schema-{len(MIGRATIONS)}-{secrets.token_hex(4)}.part"
    try:
        with _explained(folder):
            folder.mkdir(mode=0o700, exist_ok=True)
            await copy_database(path, unfinished)
        if await database.run(_version, Operation("migrate.version", exclusive=True)) == version:
            with _explained(folder):
                copy = await asyncio.to_thread(_keep, unfinished)
            _log.info("Updating the database to schema %d; a copy of the old one is %s", len(MIGRATIONS), copy)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Raise errors of a copy as one sentence that says what to do."""
    try:
        yield
    except (OSError, StoreError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreError(
            f"The database was not updated to schema {len(MIGRATIONS)} because it could not be copied to {folder} "
            f"({reason}): make sure that this folder is writable and has enough space, then start again"
        ) from error


def _keep(unfinished: Path) -> Path:
    """Give a copy its lasting name and return that. An older copy is not replaced: another content gets a number.

    Raises:
        OSError: The copy cannot be written out or named.
    """
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())  # the disk must have the copy before it has the migration
    folder = os.open(unfinished.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # other processes name their copies too
        copy = unfinished.with_name(f"before-schema-{len(MIGRATIONS)}.db")
        for number in itertools.count(2):
            if not copy.exists():
                unfinished.rename(copy)
                break
            if filecmp.cmp(unfinished, copy, shallow=False):  # left by a start that ended before it had migrated
                break
            copy = unfinished.with_name(f"before-schema-{len(MIGRATIONS)}-{number}.db")
        os.fsync(folder)
    finally:
        os.close(folder)
    return copy
