"""Putting a copy in the place of a SQLite database that nobody uses.

Killed at any moment, the old database or the new one is there, complete. SQLite itself sees to that: the copy is
written into the database in one transaction, through its write-ahead log. A new file could not replace the old one in
one step: the old one's log is a file of its own, and would be applied to the new one. Only a file that SQLite cannot
open as a database is replaced.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from llmgine.errors import DamagedStoreError, NewerStoreError, StoreError
from llmgine.platforms import sync_folder
from llmgine.sessions.backup_folder import unused
from llmgine.sessions.schema import MIGRATIONS
from llmgine.sessions.sqlite_copies import connect, flush, read_schema

_BESIDE = ("-wal", "-shm", "-journal")  # what SQLite adds to a database's name for files that belong to it
_NO_DATABASE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def restore(copy: Path, database: Path, now: datetime) -> Path | None:
    """Put a copy in the place of a database, and keep what was there.

    Args:
        copy: The file, which is only read. Files that SQLite keeps beside it are part of it.
        database: The database, which need not be there, or be undamaged. No process may have it open.
        now: The time, for the name under which the database that was there is kept, beside it.

    Returns:
        Where it is kept; None if there was none.

    Raises:
        DamagedStoreError: The copy is damaged. Like after all other errors, nothing was changed.
        NewerStoreError: The copy was written by a newer program.
        OSError: A file cannot be read or written.
        StoreError: The copy is not a store, somebody uses the database, or the disk is full.
    """
    _refuse_itself(copy, database)
    kept = unused(database.parent, f"{database.stem}-replaced-", now, database.suffix)
    there = database.exists() and database.stat().st_size > 0
    try:
        with _checked(copy) as source:
            for path in database.parent.glob(f"{database.stem}-replaced-*.part"):  # of one that was killed
                path.unlink()
            if there and not _opens(database):
                _replace(source, database, kept)
            else:
                with _alone(database) as target:
                    if there:
                        _write(target, kept)
                    source.backup(target)
    except sqlite3.Error as error:
        raise StoreError(f"{database} was not changed: {error}") from error
    sync_folder(database.parent)
    return kept if there else None


def copy_checked(copy: Path, database: Path, target: Path) -> None:
    """Write a copy of a database, if it is a sound one, into a new file in a new folder.

    Raises:
        LLMgineError: As for `restore`.
        OSError: A file cannot be read or written.
    """
    _refuse_itself(copy, database)
    with _checked(copy) as source:
        target.parent.mkdir(mode=0o700, parents=True)
        _write(source, target)


def _refuse_itself(copy: Path, database: Path) -> None:
    if copy.exists() and database.exists() and copy.samefile(database):
        raise StoreError(f"{copy} is the database itself: choose a copy of it")


@contextlib.contextmanager
def _checked(copy: Path) -> Iterator[sqlite3.Connection]:
    """The copy, as it was when it was checked, for as long as the block takes."""
    if not copy.is_file():
        raise StoreError(f"There is no file {copy}")
    with contextlib.closing(connect(copy)) as source:
        try:
            source.execute("BEGIN")
            found = str(source.execute("PRAGMA integrity_check(1)").fetchone()[0])
        except sqlite3.DatabaseError as error:
            if _code(error) == sqlite3.SQLITE_NOTADB:
                raise StoreError(f"{copy} is not a SQLite database") from error
            if _code(error) != sqlite3.SQLITE_CORRUPT:
                raise
            found = str(error)
        if found != "ok":
            raise DamagedStoreError(f"{copy} is damaged ({' '.join(found.split())}): choose another copy")
        schema = read_schema(source)
        if schema is None or schema < 1:
            raise StoreError(f"{copy} is not a copy of LLMgine's database")
        if schema > len(MIGRATIONS):
            raise NewerStoreError(
                f"{copy} was written by a newer version (schema {schema}, this program has {len(MIGRATIONS)}): "
                "update this program, or choose an older copy"
            )
        yield source


def _opens(database: Path) -> bool:
    """Whether SQLite takes a file for a database. Neither the file nor its log is changed, as closing might do."""
    with contextlib.closing(connect(database)) as connection:
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError as error:
            if _code(error) not in _NO_DATABASE:
                raise
            return False
    return True


@contextlib.contextmanager
def _alone(database: Path) -> Iterator[sqlite3.Connection]:
    """The database, made if it is not there, that nobody else can open for as long as the block takes."""
    database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(database, os.O_RDWR | os.O_CREAT, 0o600))
    with contextlib.closing(sqlite3.connect(database, timeout=0.0, isolation_level=None)) as target:
        target.execute("PRAGMA synchronous=FULL")
        target.execute("PRAGMA locking_mode=EXCLUSIVE")  # keeps the lock of the next transaction after its end
        try:
            target.execute("BEGIN EXCLUSIVE")  # refused while anybody else has it open, though they do nothing
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY:
                raise
            raise StoreError(f"Another program has {database} open: stop it, then try again") from error
        target.execute("COMMIT")
        yield target


def _write(source: sqlite3.Connection, path: Path) -> None:
    """Write a database, page by page as it is, into a new file, which gets its name when the disk has all of it."""
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    with contextlib.closing(sqlite3.connect(unfinished, isolation_level=None)) as target:
        target.execute("PRAGMA journal_mode=OFF")  # a file that is not finished is of no use
        source.backup(target)
    flush(unfinished)
    unfinished.replace(path)


def _replace(source: sqlite3.Connection, database: Path, kept: Path) -> None:
    """Put a copy in the place of a file that SQLite cannot open, after keeping the file and those beside it."""
    for suffix in (*_BESIDE, ""):  # the database last: once it is kept, all of it is
        beside, to = database.with_name(f"{database.name}{suffix}"), kept.with_name(f"{kept.name}{suffix}")
        if beside.exists():
            to.touch(mode=0o600)
            shutil.copyfile(beside, to)
            flush(to)
    new = database.with_name(f"{database.name}.new")
    _write(source, new)
    for suffix in _BESIDE:
        database.with_name(f"{database.name}{suffix}").unlink(missing_ok=True)
    sync_folder(database.parent)
    new.replace(database)


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary code of an error; 0 for an error of Python's module itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
