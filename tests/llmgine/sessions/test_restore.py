"""Putting a copy in a database's place: all or nothing, wherever it is killed, and nothing is thrown away."""

import asyncio
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmgine.errors import ConfigurationError, DamagedStoreError, NewerStoreError, StoreError
from llmgine.sessions import open_store
from llmgine.sessions.schema import MIGRATIONS
from llmgine.sessions.sqlite_restore import restore
from tests.llmgine.sessions.data.old import OLD, dump, reopened, version, write_old

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 29, 19, 0, 5, tzinfo=UTC)
KEPT = "chat-replaced-2026-11-29T19-00-05Z.db"

# Makes a database, a copy of it, and then more in the database, which is only in its log: the process is killed.
_KILLED = """
import asyncio, os, pathlib, sys
from llmgine.sessions import open_store
from llmgine.sessions.backup_folder import BackupFolder

async def main():
    store = await open_store(f"sqlite:///{sys.argv[1]}")
    await store.sessions.ensure("first", 1, "x" * 300)
    (await BackupFolder(pathlib.Path(sys.argv[1])).add()).rename(pathlib.Path(sys.argv[1]).with_name("copy.db"))
    await store.close()
    store = await open_store(f"sqlite:///{sys.argv[1]}")
    for number in range(40):
        await store.sessions.ensure(f"later {number}", number, "x" * 300)
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""

# Restores in a child process for each moment at which it can be killed, each time in a folder of its own.
_KILL_ALL = """
import os, pathlib, resource, shutil, signal, sys
from datetime import UTC, datetime
from llmgine.sessions import sqlite_copies, sqlite_restore

start, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
files = {sqlite_restore.__file__, sqlite_copies.__file__}
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

def at_line(number):
    left = number
    def trace(frame, event, _):
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)

def at_size(number):
    # The kernel kills it when a file becomes larger than this: in the middle of what SQLite writes.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (number * 32768 - 2000,) * 2)

for kill in (at_line, at_size) if sys.argv[3] == "everywhere" else (at_size,):
    number = 0
    while True:
        number += 1
        folder = out / f"{kill.__name__}-{number}"
        shutil.copytree(start, folder)
        child = os.fork()
        if not child:
            kill(number)
            now = datetime(2026, 11, 29, 19, 0, 5, tzinfo=UTC)
            sqlite_restore.restore(folder / "copy.db", folder / "chat.db", now)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database, whose process was killed, and an earlier copy of it."""
    folder = tmp_path_factory.mktemp("made") / "start"
    command = [sys.executable, "-c", _KILLED, str(folder / "chat.db")]
    killed = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (folder / "chat.db-wal").stat().st_size > 0
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """The same for one test."""
    return shutil.copytree(made, tmp_path / "start")


def sessions(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM session ORDER BY id")]


def pages(database: Path) -> bytes | None:
    """All of a file but the header, where SQLite counts changes; None if it is not there."""
    return database.read_bytes()[100:] if database.exists() else None


OLD_SESSIONS = sorted(["first", *(f"later {number}" for number in range(40))])


def no_header(database: Path) -> None:
    """What SQLite does not take for a database, nor its log for a log, from which it could be repaired."""
    for path in database.parent.glob(f"{database.name}*"):
        with path.open("r+b") as file:
            file.write(b"\xa5" * 100)


def only_a_log(database: Path) -> None:
    """What SQLite does not take for a database, with a sound log, which does not have the page that is missing."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    program = "connection.execute(\"UPDATE session SET updated_at = 'later' WHERE id = 'first'\")"
    start = "import os, sqlite3, sys; connection = sqlite3.connect(sys.argv[1], isolation_level=None)"
    subprocess.run([sys.executable, "-c", f"{start}; {program}; os._exit(0)", str(database)], check=True)
    with database.open("r+b") as file:
        file.write(b"\xa5" * 100)


def without_a_log(database: Path) -> None:
    """No damage: a database that was restored and not opened since, which SQLite protects by a rollback journal."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def no_end(database: Path) -> None:
    """Its log is lost and half of it missing."""
    database.with_name("chat.db-wal").unlink()
    os.truncate(database, database.stat().st_size // 2)


def damaged_pages(database: Path) -> None:
    """Damage that only a look at these pages shows."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with database.open("r+b") as file:
        file.seek(8_192)
        file.write(b"\xa5" * 40_000)


def lost(database: Path) -> None:
    """It is gone, and only its log is left."""
    database.unlink()


def test_the_copy_takes_its_place(folder: Path) -> None:
    """What was there is kept with all that was written into it, and the log of the old one is not left to the new."""
    kept = restore(folder / "copy.db", folder / "chat.db", NOW)

    assert kept == folder / KEPT
    assert sessions(folder / "chat.db") == ["first"]
    assert sessions(kept) == OLD_SESSIONS
    assert stat.S_IMODE(kept.stat().st_mode) == stat.S_IMODE((folder / "chat.db").stat().st_mode) == 0o600
    left = {path.name for path in folder.iterdir()}
    assert left - {f"{KEPT}-wal", f"{KEPT}-shm"} == {"chat.db", "copy.db", KEPT, "owners", "backups"}


def test_back_and_forth(folder: Path) -> None:
    """What was kept can be restored in its turn, and nothing that is kept replaces what was kept before."""
    kept = restore(folder / "copy.db", folder / "chat.db", NOW)
    assert kept is not None

    again = restore(kept, folder / "chat.db", NOW)

    assert sessions(folder / "chat.db") == OLD_SESSIONS
    assert again is not None
    assert again != kept
    assert sessions(again) == ["first"]


@pytest.mark.parametrize("damage", [no_header, only_a_log, no_end, damaged_pages, lost])
async def test_in_place_of_a_damaged_one(folder: Path, damage: Callable[[Path], None]) -> None:
    """Whatever became of the database, the copy takes its place; what is left of the old one is kept as it is."""
    damage(folder / "chat.db")
    before, log = pages(folder / "chat.db"), pages(folder / "chat.db-wal")

    kept = restore(folder / "copy.db", folder / "chat.db", NOW)

    store = await open_store(f"sqlite:///{folder / 'chat.db'}")
    assert (await store.sessions.get("first")).id == "first"
    await store.close()
    assert sessions(folder / "chat.db") == ["first"]
    with closing(sqlite3.connect(folder / "chat.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert (kept and pages(kept)) == before
    assert pages(folder / f"{KEPT}-wal") == (log if kept else None)


@pytest.mark.parametrize("damage", [None, without_a_log, only_a_log], ids=["a database", "no log", "a damaged one"])
def test_killed_at_any_moment(folder: Path, tmp_path: Path, damage: Callable[[Path], None] | None) -> None:
    """The old one or the new one is there, complete: after each line, and in the middle of what SQLite writes.

    A damaged one is still refused, or the new one is there. The same command then completes it.
    """
    if damage is not None:
        damage(folder / "chat.db")
    is_damaged = damage is only_a_log
    where = "in SQLite" if damage is without_a_log else "everywhere"
    out = tmp_path / "out"
    subprocess.run(
        [sys.executable, "-c", _KILL_ALL, str(folder), str(out), where],
        env={"PYTHONPATH": str(ROOT)},
        check=True,
        timeout=90,
    )

    results = set[str]()
    for killed in out.iterdir():
        for path in killed.glob("*.db.part*"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        try:
            found = sessions(killed / "chat.db")
            with closing(sqlite3.connect(killed / "chat.db")) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        except sqlite3.DatabaseError:
            assert is_damaged
            results.add("damaged")
        else:
            assert found in ([["first"]] if is_damaged else [["first"], OLD_SESSIONS]), killed.name
            results.add("new" if found == ["first"] else "old")
        restore(killed / "copy.db", killed / "chat.db", NOW)
        assert sessions(killed / "chat.db") == ["first"]
        assert not list(killed.glob("*.part"))
    assert results == ({"damaged", "new"} if is_damaged else {"old", "new"})
    assert len(list(out.glob("at_line-*"))) > 40 or where != "everywhere"
    assert len(list(out.glob("at_size-*"))) > 4


async def test_one_that_is_open_is_refused(folder: Path) -> None:
    """Also if whoever has it open does nothing: it would go on with a database that is another one now."""
    store = await open_store(f"sqlite:///{folder / 'chat.db'}")
    try:
        with pytest.raises(StoreError, match=r"has .*chat\.db open: stop it"):
            restore(folder / "copy.db", folder / "chat.db", NOW)
        assert len((await store.sessions.page(most=100)).sessions) == 41
    finally:
        await store.close()
    assert not (folder / KEPT).exists()


def a_newer_one(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE schema_version SET version = ?", (len(MIGRATIONS) + 1,))
        connection.commit()


def another_database(copy: Path) -> None:
    copy.unlink()
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")


def a_missing_index_entry(copy: Path) -> None:
    """Damage that only a check of the whole finds: the pages are sound, but an index lacks what is in its table."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.execute("CREATE INDEX i ON t (a)")
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX i ON t (a) WHERE a > 1' WHERE name = 'i'")
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX i ON t (a)' WHERE name = 'i'")


@pytest.mark.parametrize(
    ("spoil", "error", "text"),
    [
        (a_newer_one, NewerStoreError, "newer version"),
        (another_database, StoreError, "not a copy of LLMgine's database"),
        (a_missing_index_entry, DamagedStoreError, "is damaged .*choose another"),
        (damaged_pages, DamagedStoreError, "is damaged .*choose another"),
        (no_header, StoreError, "is not a SQLite database"),
        (lost, StoreError, "There is no file"),
    ],
)
def test_what_is_no_good_copy_is_refused(
    folder: Path, spoil: Callable[[Path], None], error: type[Exception], text: str
) -> None:
    """A sentence says why, and nothing is changed."""
    spoil(folder / "copy.db")
    before = {path.name: path.read_bytes() for path in folder.glob("chat*")}

    with pytest.raises(error, match=text):
        restore(folder / "copy.db", folder / "chat.db", NOW)

    assert {path.name: path.read_bytes() for path in folder.glob("chat*")} == before


def test_the_database_itself_is_refused(folder: Path) -> None:
    """Under whatever name it is given."""
    (folder / "link.db").symlink_to("chat.db")

    with pytest.raises(StoreError, match="is the database itself"):
        restore(folder / "link.db", folder / "chat.db", NOW)


@pytest.mark.parametrize("old", OLD)
async def test_an_older_schema_is_migrated_at_the_next_start(folder: Path, old: int) -> None:
    """A copy of an older version is restored as it is; the next start makes a copy of it and migrates it."""
    (folder / "copy.db").unlink()
    write_old(folder / "copy.db", old)
    before = dump(folder / "copy.db")

    restore(folder / "copy.db", folder / "chat.db", NOW)

    assert dump(folder / "chat.db") == before
    await reopened(folder / "chat.db")
    assert version(folder / "chat.db") == len(MIGRATIONS)


async def test_a_disk_that_is_full(folder: Path) -> None:
    """Nothing is changed, and no half file is left under a name that says it is whole."""
    program = f"""
import pathlib, resource
from datetime import datetime
from llmgine.errors import StoreError
from llmgine.sessions.sqlite_restore import restore
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    restore(pathlib.Path({str(folder / "copy.db")!r}), pathlib.Path({str(folder / "chat.db")!r}), datetime(2026, 1, 1))
except StoreError as error:
    print(error)
"""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )

    assert "was not changed" in done.stdout
    assert sessions(folder / "chat.db") == OLD_SESSIONS
    assert not (folder / "chat-replaced-2026-01-01T00-00-00Z.db").exists()


def test_a_damaged_one_names_the_command(folder: Path) -> None:
    """Whoever is told that the database is damaged is told how a copy is restored."""
    no_header(folder / "chat.db")

    with pytest.raises(ConfigurationError, match=r"python -m programs\.backup --restore FILE"):
        asyncio.run(reopened(folder / "chat.db"))
