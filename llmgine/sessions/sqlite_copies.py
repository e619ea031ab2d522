"""Copies of SQLite files that others may be writing to, and whether anybody has written to one."""

import asyncio
import concurrent.futures
import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from llmgine.errors import StoreError

T = TypeVar("T")

_INTERRUPT = 0.05  # seconds between two tries to end work that is no longer wanted
ABANDON = 1.0  # seconds that work gets to end then; a disk that does not answer cannot be interrupted


class Copying:
    """The copying of a database, which may be in use, into a file that only its owner can read.

    `VACUUM INTO` copies the state of one moment. It blocks nobody who writes meanwhile, nor is it delayed by them:
    SQLite's backup interface would begin again at each of their commits.
    """

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._is_stopped = False

    def run(self, source: Path, target: Path) -> None:
        """Copy, wait until the disk has it, and check it; blocks the calling thread.

        Args:
            source: The database.
            target: The file to make. It replaces one of that name; if copying fails, there is none.

        Raises:
            OSError: The target cannot be made.
            StoreError: The database cannot be copied, the copy is damaged, or `stop` was called.
        """
        target.unlink(missing_ok=True)
        target.touch(mode=0o600)
        try:
            with self._connected(source) as connection:
                connection.execute("VACUUM INTO ?", (str(target),))
            flush(target)
            # Takes a sixth of the time of copying. Every row has just been read from the source, so what is looked for
            # is what went wrong in writing.
            with self._connected(target) as connection:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except BaseException as error:
            target.unlink(missing_ok=True)
            if isinstance(error, sqlite3.Error):
                raise StoreError(f"The database cannot be copied: {error}") from error
            raise
        if found != "ok":
            target.unlink()
            raise StoreError(f"The copy of the database is damaged: {found}")

    def stop(self) -> None:
        """End `run` early, from another thread. Call it until `run` has ended: it may be between two connections."""
        self._is_stopped = True
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(sqlite3.ProgrammingError):  # it has just been closed
                connection.interrupt()

    @contextlib.contextmanager
    def _connected(self, path: Path) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(connect(path)) as connection:
            self._connection = connection
            try:
                if self._is_stopped:
                    raise StoreError("The copying of the database was stopped")
                yield connection
            finally:
                self._connection = None


class WriteCounter:
    """Tells whether anybody has written to a database: this process, through its other connections, or another one.

    Args:
        database: The file, which must be there.

    Raises:
        StoreError: It cannot be read.
    """

    def __init__(self, database: Path) -> None:
        with _explained():
            self._connection = connect(database, timeout=0.0)

    def read(self) -> int:
        """A number that is another one after each write, and only compares with others of this object.

        Raises:
            StoreError: The database cannot be read.
        """
        with _explained():
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Release the file."""
        self._connection.close()


def schema_of(path: Path) -> int | None:
    """See `read_schema`.

    Raises:
        StoreError: The file cannot be read.
    """
    with _explained(), contextlib.closing(connect(path)) as connection:
        return read_schema(connection)


def read_schema(connection: sqlite3.Connection) -> int | None:
    """The number of the schema of a store; None if the database is something else.

    Raises:
        sqlite3.Error: It cannot be read.
    """
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone():
        return None
    row = connection.execute("SELECT version FROM schema_version").fetchone()
    return row[0] if row and isinstance(row[0], int) else None


def forgotten_in(path: Path) -> list[tuple[str, int]]:
    """Who was forgotten and when, by a database; nothing where it is not there, damaged, or of an older schema."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(connect(path)) as connection:
        return connection.execute("SELECT person, forgotten_at FROM forgotten").fetchall()
    return []


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"The database cannot be read: {error}") from error


def connect(path: Path, *, timeout: float = 5.0) -> sqlite3.Connection:
    """A connection, for any thread, that leaves the write-ahead log as it is and creates no file that is not there.

    Args:
        path: The file.
        timeout: Seconds to wait for others' locks.

    Raises:
        sqlite3.Error: There is no such file.
    """
    log = path.with_name(f"{path.name}-wal")
    # Whoever may write empties the log when nobody else has the file open: then the next start could not see that the
    # last process was killed. Where there is no log, whoever may only read leaves empty files behind.
    mode = "ro" if log.exists() and log.stat().st_size else "rw"
    address = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)


def flush(path: Path) -> None:
    """Wait until the disk has a file.

    Raises:
        OSError: The disk cannot write it.
    """
    descriptor = os.open(path, os.O_RDWR)  # Windows writes out only what may be written to
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def in_thread(work: Callable[[], T], stop: Callable[[], object]) -> T:
    """Run work in a thread that no exit of the process waits for.

    Args:
        work: What blocks.
        stop: Ends the work early. It is called, repeatedly, when the caller is cancelled; the caller then waits for
            `ABANDON` seconds at most.

    Returns:
        What the work returns; what it raises is raised.
    """
    done: concurrent.futures.Future[T] = concurrent.futures.Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # whoever waits gets it
            done.set_exception(error)

    threading.Thread(target=run, name="copy of the database", daemon=True).start()
    waiting = asyncio.wrap_future(done)
    waiting.add_done_callback(asyncio.Future.exception)  # after a cancellation nobody else asks for it
    try:
        return await asyncio.shield(waiting)
    except asyncio.CancelledError:
        for _ in range(round(ABANDON / _INTERRUPT)):
            stop()
            if (await asyncio.wait({waiting}, timeout=_INTERRUPT))[0]:
                break
        raise
