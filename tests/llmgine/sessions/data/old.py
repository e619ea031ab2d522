"""Databases as older versions left them, and what the tests of migrations do with them."""

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from llmgine.sessions import open_store
from tests.processes import ending

OLD = (5, 6, 7, 8, 9)  # the schemas there is a dump of
_DATA = Path(__file__).parent

# Opens a database, after what a test puts in place of `before`.
_OPEN = """
import asyncio, importlib, os, signal, sqlite3, sys
from llmgine.errors import StoreError
from llmgine.sessions import backup_folder, migrate, open_store, sqlite_copies

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    {before}
    try:
        store = await open_store(sys.argv[1])
    except StoreError as error:
        sys.exit(f"error: {{error}}")
    await store.close()

asyncio.run(main())
"""


def write_old(path: Path, version: int = OLD[-1]) -> None:
    """Write the database that a program with this schema left in the middle of its work.

    Args:
        path: The file to make, and its folder.
        version: The number of the schema.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")  # as the store has it
        connection.executescript((_DATA / f"schema_{version}.sql").read_text(encoding="utf-8"))


def dump(path: Path) -> list[str]:
    """All that is in a database, as SQL, in an order that does not depend on where in the file it is."""
    with closing(sqlite3.connect(path)) as connection:
        return sorted(connection.iterdump())


def rows(path: Path) -> dict[str, list[dict[str, object]]]:
    """The rows of each table."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        # The names are those of our own tables.
        return {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in tables}  # noqa: S608


def copies_of(path: Path) -> list[Path]:
    """The files beside a database that are, or were to become, copies of it."""
    return sorted(copy for copy in (path.parent / "backups").glob("*") if copy.name != ".lock")


def content(path: Path) -> bytes:
    return path.read_bytes()


def version(path: Path) -> int:
    """The number of a database's schema."""
    [row] = rows(path)["schema_version"]
    return int(str(row["version"]))


async def reopened(path: Path) -> None:
    """Open the database and close it again."""
    store = await open_store(f"sqlite:///{path}")
    await store.close()


async def other_process(path: Path, before: str = "pass") -> tuple[int, str]:
    """Open the database in a process of its own; its exit code and what it wrote as an error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _OPEN.format(before=before), f"sqlite:///{path}", stderr=asyncio.subprocess.PIPE
    )
    async with ending(process):
        _, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, err.decode()
