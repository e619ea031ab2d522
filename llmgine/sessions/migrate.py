"""Bringing a database to the current schema, with a copy of it made first."""

import logging
from pathlib import Path

from llmgine.errors import DamagedStoreError, NewerStoreError, StoreError
from llmgine.sessions.backup_folder import MIGRATION, BackupFolder
from llmgine.sessions.database import Database, Operation, Steps
from llmgine.sessions.schema import MIGRATIONS

_log = logging.getLogger(__name__)


async def migrate(database: Database, path: Path | None = None) -> None:
    """Apply the migrations that are missing, each in a transaction of its own.

    Args:
        database: The database, which other processes may be opening too.
        path: Its file. If it has data in an older schema, it is first copied to
            `backups/<time>-before-schema-<number>.db` beside it, where the number is that of the current schema.
            Without a path no copy is made.

    Raises:
        DamagedStoreError: The database cannot be read.
        NewerStoreError: The database was written by a newer program.
        StoreError: The copy could not be made, or a migration failed.
    """
    version = await database.run(_version, Operation("migrate.version", exclusive=True))
    if path is not None and 0 < version < len(MIGRATIONS):
        await _copy_first(path, version)
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
            "Restore a backup: those of SQLite with `python -m programs.backup --restore FILE` (--list shows them)"
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


async def _copy_first(path: Path, version: int) -> None:
    """Copy the database, unless another process has meanwhile copied and migrated it.

    Raises:
        StoreError: The copy could not be made.
    """
    folder = BackupFolder(path)
    try:
        # The copy's schema tells whether that process was faster. A start that ended before it migrated left the same.
        copy = await folder.add(f"{MIGRATION}{len(MIGRATIONS)}", schema=version, repeat=False, prune=False)
    except (OSError, StoreError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreError(
            f"The database was not updated to schema {len(MIGRATIONS)} because it could not be copied to {folder.path} "
            f"({reason}): make sure that this folder is writable and has enough space, then start again"
        ) from error
    if copy is not None:
        _log.info("Updating the database to schema %d; a copy of the old one is %s", len(MIGRATIONS), copy)
