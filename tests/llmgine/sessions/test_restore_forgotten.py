"""A backup from before somebody was forgotten: restored, it has nothing of them, wherever the restoring is killed."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llmgine.errors import DamagedStoreError, StoreError
from llmgine.messages.commands import Author
from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.backup_folder import BackupFolder
from llmgine.sessions.clock import now
from llmgine.sessions.forgetting import erase_person
from llmgine.sessions.forgotten_list import write_list
from llmgine.sessions.restoring import restore_without_forgotten
from tests.llmgine.sessions.data.old import write_old
from tests.llmgine.sessions.examples import admit, claimed, ended, finish, prompt
from tests.llmgine.sessions.test_restore import damaged_pages, lost, no_header, only_a_log

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 29, 19, 0, 5, tzinfo=UTC)
WORDS, OTHERS, SINCE = b"engine-of-brass", b"compiler-of-grace", b"said-since"
ADA = Author(id="111111111111111111", name="Ada")

_KILL_ALL = """
import asyncio, os, pathlib, shutil, signal, sys
from datetime import UTC, datetime
from llmgine.sessions import forgetting, restoring

start, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
files = {restoring.__file__, forgetting.__file__}
number = 0
while True:
    number += 1
    folder = out / str(number)
    shutil.copytree(start, folder)
    child = os.fork()
    if not child:
        left = number
        def trace(frame, event, _):
            global left
            if frame.f_code.co_filename not in files:
                return None
            if event == "line":
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace
        sys.settrace(trace)
        now = datetime(2026, 11, 29, 19, 0, 5, tzinfo=UTC)
        asyncio.run(restoring.restore_without_forgotten(folder / "copy.db", folder / "chat.db", now))
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
"""


async def say(store: SessionStore, number: int, text: bytes, author: Author) -> None:
    """A turn of somebody."""
    said = prompt(f"{author.id} {number}", text.decode(), session_id=f"s{number % 3}")
    await admit(store, said.model_copy(update={"author": author}))
    await finish(store, await claimed(store, said.session_id))


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A copy with what two people said, and a database in which one of them was forgotten since, and came back."""
    folder = tmp_path / "start"
    database = folder / "chat.db"
    store = await open_store(f"sqlite:///{database}")
    for number in range(5):
        await say(store, number, WORDS, ADA)
        await say(store, number, OTHERS, Author(id="2", name="Grace"))
    copy = await BackupFolder(database).add()
    assert copy is not None
    copy.rename(folder / "copy.db")
    await store.people.begin(ADA.id, at := now())
    await erase_person(store, ADA.id, at)
    await store.people.finish(ADA.id, at, now())
    await say(store, 9, SINCE, ADA)
    write_list(database, await store.people.forgotten())
    await store.close()
    assert WORDS in (folder / "copy.db").read_bytes()
    assert WORDS not in database.read_bytes()
    return folder


def found(database: Path, words: bytes) -> bool:
    """Whether a database has words, in its file or its log."""
    return any(words in path.read_bytes() for path in database.parent.glob(f"{database.name}*"))


def leftovers(folder: Path) -> list[Path]:
    """What is left of the preparing of a copy."""
    return list(folder.glob("*restoring*"))


async def restored(folder: Path) -> int:
    return (await restore_without_forgotten(folder / "copy.db", folder / "chat.db", NOW))[1]


async def test_what_they_said_does_not_come_back(folder: Path) -> None:
    """Others have what they said then; the person is still on the list, and nothing is left to be erased."""
    assert await restored(folder) == 1

    assert not found(folder / "chat.db", WORDS)
    assert found(folder / "chat.db", OTHERS)
    store = await open_store(f"sqlite:///{folder / 'chat.db'}")
    [one] = await store.people.forgotten()
    assert (one.person, one.finished > 0) == (ADA.id, True)
    await store.close()
    assert not leftovers(folder)


async def test_what_they_said_since_does(folder: Path) -> None:
    """A copy from after it has what they said when they came back, and that stays."""
    store = await open_store(f"sqlite:///{folder / 'chat.db'}")
    copy = await BackupFolder(folder / "chat.db").add()
    await store.close()
    assert copy is not None

    assert (await restore_without_forgotten(copy, folder / "chat.db", NOW))[1] == 0

    assert found(folder / "chat.db", SINCE)


@pytest.mark.parametrize("damage", [no_header, only_a_log, damaged_pages, lost])
async def test_the_list_survives_the_database(folder: Path, damage: object) -> None:
    """Where the database cannot be read, the list beside the backups says who it is."""
    assert callable(damage)
    damage(folder / "chat.db")

    assert await restored(folder) == 1

    assert not found(folder / "chat.db", WORDS)


async def test_the_database_survives_the_list(folder: Path) -> None:
    """Where somebody deleted the list, the database says who it is."""
    shutil.rmtree(folder / "backups")

    assert await restored(folder) == 1

    assert not found(folder / "chat.db", WORDS)


async def test_a_damaged_list_is_refused(folder: Path) -> None:
    """Nothing is changed, and a sentence says which file it is."""
    (folder / "backups" / "forgotten.json").write_text("{")

    with pytest.raises(StoreError, match=r"forgotten\.json, is damaged"):
        await restored(folder)

    assert found(folder / "chat.db", SINCE)


async def test_a_bad_copy_is_refused(folder: Path) -> None:
    """As without forgotten people: a sentence says why, and nothing is left behind."""
    damaged_pages(folder / "copy.db")

    with pytest.raises(DamagedStoreError, match="choose another"):
        await restored(folder)

    assert not leftovers(folder)


@pytest.mark.parametrize("old", [5, 9])
async def test_a_copy_of_an_older_schema(folder: Path, old: int) -> None:
    """It is brought to the current schema, so that it can be erased."""
    (folder / "copy.db").unlink()
    write_old(folder / "copy.db", old)

    assert await restored(folder) == 1

    store = await open_store(f"sqlite:///{folder / 'chat.db'}")
    assert [one.person for one in await store.people.forgotten()] == [ADA.id]
    await store.close()


def test_killed_at_any_moment(folder: Path, tmp_path: Path) -> None:
    """The database is the one from before, or the restored one without the person; the same command completes it."""
    out = tmp_path / "out"
    command = [sys.executable, "-c", _KILL_ALL, str(folder), str(out)]
    subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, check=True, timeout=90)

    results = set[bool]()
    for killed in out.iterdir():
        assert not found(killed / "chat.db", WORDS), killed.name
        with closing(sqlite3.connect(killed / "chat.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        results.add(found(killed / "chat.db", SINCE))
    assert results == {True, False}
    assert len(list(out.iterdir())) > 40


async def test_backups_with_their_words_go(folder: Path) -> None:
    """After a week, copies from before the person was forgotten are deleted; younger ones, and others' files, stay."""
    database = folder / "chat.db"
    clock = [NOW.timestamp()]
    backups = BackupFolder(database, clock=lambda: clock[0])
    await backups.add()
    clock[0] += 3600
    kept = await backups.add()
    (folder / "backups" / "notes.txt").touch()

    backups.expire(NOW + timedelta(minutes=1))

    assert [one.path for one in backups.copies()] == [kept]
    assert (folder / "backups" / "notes.txt").exists()


async def test_nobody_forgotten_changes_nothing(tmp_path: Path) -> None:
    """Without such people, a copy is restored as it is, in its schema."""
    database = tmp_path / "chat.db"
    store = await open_store(f"sqlite:///{database}")
    await ended(store, "1")
    await store.close()
    write_old(tmp_path / "old" / "copy.db", 5)

    assert (await restore_without_forgotten(tmp_path / "old" / "copy.db", database, NOW))[1] == 0

    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchone() == (5,)
