"""Hourly copies: whole, private, made beside the running store, of every hour in which something was written."""

import asyncio
import logging
import os
import sqlite3
import stat
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock

from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.backup import HourlyBackup
from llmgine.sessions.backup_folder import BackupFolder
from llmgine.sessions.clock import now
from llmgine.sessions.sqlite_copies import Copying
from tests.processes import ending
from tests.waiting import computing, eventually, patience

ROOT = Path(__file__).parents[3]


class Clock:
    """Seconds since 1970, from a Monday at midnight."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, tzinfo=UTC)

    def __call__(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SessionStore]:
    store = await open_store(f"sqlite:///{tmp_path}/chat.db")
    await store.sessions.ensure("s", now(), "The name")
    yield store
    await store.close()


@pytest.fixture
async def backup(tmp_path: Path, store: SessionStore, clock: Clock) -> AsyncIterator[HourlyBackup]:
    """As it is in a program, but the test says when to look."""
    backup = HourlyBackup(tmp_path / "chat.db", first=1e6, clock=clock)
    backup.start()
    yield backup
    await backup.stop()


def _copies(folder: Path, pattern: str = "*.db") -> list[Path]:
    return sorted(folder.glob(f"backups/{pattern}"))


async def test_a_copy_is_whole_and_private(tmp_path: Path, backup: HourlyBackup) -> None:
    """It can be used in place of the database, nobody else can read it, and its name is the time."""
    await backup.look()

    (copy,) = _copies(tmp_path)
    assert copy.name == "2026-11-23T00-00-00Z.db"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT name FROM session").fetchall() == [("The name",)]
    restored = await open_store(f"sqlite:///{copy}")
    assert (await restored.sessions.get("s")).name == "The name"
    await restored.close()


async def test_a_simulated_week(tmp_path: Path, store: SessionStore, backup: HourlyBackup, clock: Clock) -> None:
    """Looked at every half hour, there is a copy of each hour with a change, and in the end the newest of them."""
    made = set[Path]()
    changes = 0
    for step in range(7 * 24 * 2):
        hour = step // 2 % 24
        if 9 <= hour < 17 and step % 2:
            changes += 1
            await store.sessions.ensure(f"session {changes}", now())
        await backup.look()
        made |= set(_copies(tmp_path))
        clock.now += timedelta(minutes=30)

    assert changes == 7 * 8
    assert len(made) == 1 + changes  # one of the beginning
    for copy in _copies(tmp_path)[-1:]:
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("SELECT COUNT(*) FROM session").fetchone() == (1 + changes,)
    folder = BackupFolder(tmp_path / "chat.db")
    size = sum(one.size for one in folder.copies())
    assert size <= 5 * folder.database_size()
    assert len(folder.copies()) >= 4


async def test_an_idle_hour_makes_none(tmp_path: Path, store: SessionStore, backup: HourlyBackup, clock: Clock) -> None:
    """Reading is no change, nor is what SQLite does to its files; a change is seen, whichever connection made it."""
    await backup.look()
    for _ in range(3):
        clock.now += timedelta(hours=1)
        await store.sessions.get("s")
        with closing(sqlite3.connect(tmp_path / "chat.db")) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        await backup.look()
    assert len(_copies(tmp_path)) == 1

    await store.sessions.ensure("another", now())
    await backup.look()

    assert len(_copies(tmp_path)) == 2


async def test_a_change_by_the_terminal_chat_is_noticed(tmp_path: Path, backup: HourlyBackup, clock: Clock) -> None:
    """What another process writes into the same file is a change like one of our own."""
    await backup.look()
    clock.now += timedelta(hours=1)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "programs.function_chat"),
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": f"sqlite:///{tmp_path}/chat.db",
            "BACKUP_MEGABYTES": "0",
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    async with ending(process), patience("the terminal chat to end", computing(process.pid)):
        await process.communicate(b"Can you calculate 24*7 for me?\n")
    assert process.returncode == 0

    await backup.look()

    assert len(_copies(tmp_path)) == 2
    with closing(sqlite3.connect(_copies(tmp_path)[-1])) as connection:
        assert connection.execute("SELECT COUNT(*) FROM turn").fetchone() == (1,)


async def test_short_processes_make_one_an_hour(tmp_path: Path, store: SessionStore, clock: Clock) -> None:
    """Programs that run for five minutes each, all of which write, make a copy an hour: not one each, and not none."""
    for number in range(36):
        backup = HourlyBackup(tmp_path / "chat.db", clock=clock)
        backup.start()
        await store.sessions.ensure(f"session {number}", now())
        clock.now += timedelta(minutes=5)
        await backup.stop(30.0)

    assert [copy.name[11:16] for copy in _copies(tmp_path)] == ["00-05", "01-05", "02-05"]


async def test_a_process_that_wrote_nothing_makes_none_at_its_end(
    tmp_path: Path, store: SessionStore, clock: Clock
) -> None:
    """Listing sessions, for example, is no reason for a copy."""
    backup = HourlyBackup(tmp_path / "chat.db", clock=clock)
    backup.start()
    await store.sessions.get("s")

    await backup.stop(30.0)

    assert not (tmp_path / "backups").exists()


async def test_what_does_not_fit_the_time_is_not_begun(
    tmp_path: Path, store: SessionStore, backup: HourlyBackup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long the last copy took says how long the next one will."""
    monkeypatch.setattr(backup, "_speed", 1.0)  # byte per second
    await store.sessions.ensure("another", now())

    await backup.stop(30.0)

    assert not (tmp_path / "backups").exists()


async def test_what_takes_too_long_is_abandoned(
    tmp_path: Path, store: SessionStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that never answers keeps no program from ending."""
    hanging, answers = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        hanging.set()
        answers.wait()

    monkeypatch.setattr("llmgine.sessions.sqlite_copies.flush", hang)
    backup = HourlyBackup(tmp_path / "chat.db", clock=clock)
    backup.start()
    await store.sessions.ensure("another", now())

    try:
        async with patience("the backup to be abandoned"):
            await backup.stop(1.5)
        assert hanging.is_set()
    finally:
        answers.set()
    assert _copies(tmp_path) == []


async def test_it_ends_though_others_write_all_the_time(tmp_path: Path, store: SessionStore) -> None:
    """A copy is of one moment, and needs no pause of the writers; they wait for nothing either."""
    database, done, written = tmp_path / "chat.db", threading.Event(), 0

    def write() -> None:
        nonlocal written
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("CREATE TABLE written (number INTEGER)")
            while not done.is_set():
                connection.execute("INSERT INTO written VALUES (1)")
                written += 1

    writing = asyncio.create_task(asyncio.to_thread(write))
    await eventually(lambda: written)
    try:
        for _ in range(5):
            before = written
            copy = await BackupFolder(database).add()
            assert copy is not None
            with closing(sqlite3.connect(copy)) as connection:
                [found] = connection.execute("SELECT COUNT(*) FROM written").fetchone()
            assert before <= found <= written
    finally:
        done.set()
        await writing


async def test_it_looks_by_itself(tmp_path: Path, store: SessionStore) -> None:
    """Once started; the store reads and writes meanwhile, and ending does not wait for a look."""
    backup = HourlyBackup(tmp_path / "chat.db", first=0.0, interval=0.001)
    backup.start()
    number = 0
    while not _copies(tmp_path):
        await store.sessions.ensure(f"session {number}", now())
        number += 1
    await backup.stop()

    assert len((await store.sessions.page(most=100)).sessions) == number + 1
    assert _copies(tmp_path, "*.part") == []


async def test_two_processes_make_one(tmp_path: Path, store: SessionStore, clock: Clock) -> None:
    """While one makes a copy the other does not, and then sees that it is there."""
    backups = [HourlyBackup(tmp_path / "chat.db", clock=clock) for _ in range(4)]
    (tmp_path / "backups").mkdir()
    with FileLock(tmp_path / "backups" / ".lock"):
        await backups[0].look()
        assert _copies(tmp_path) == []

    await asyncio.gather(*(backup.look() for backup in backups))

    assert len(_copies(tmp_path)) == 1
    for backup in backups:
        await backup.stop()


async def test_a_cancelled_copy_leaves_nothing(
    tmp_path: Path, store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told to end while SQLite copies, it is interrupted, and no half file is left."""
    database, begun, run = tmp_path / "chat.db", threading.Event(), Copying.run
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT i FROM n"
        connection.execute(f"CREATE TABLE filler AS {numbers}")

    def told(self: Copying, source: Path, target: Path) -> None:
        begun.set()
        run(self, source, target)

    monkeypatch.setattr(Copying, "run", told)
    copying = asyncio.create_task(BackupFolder(database).add())
    await asyncio.to_thread(begun.wait)
    copying.cancel()
    await asyncio.gather(copying, return_exceptions=True)

    assert copying.cancelled()
    assert [path.name for path in _copies(tmp_path, "*")] == [".lock"]


async def test_a_failure_is_one_warning(tmp_path: Path, backup: HourlyBackup, caplog: pytest.LogCaptureFixture) -> None:
    """Where no copy can be made that is said once; when one can, it is made."""
    (tmp_path / "backups").touch()  # a file where the folder should be

    await backup.look()
    await backup.look()

    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.levelname for record in warnings] == ["WARNING"]
    (tmp_path / "backups").unlink()
    await backup.look()
    assert len(_copies(tmp_path)) == 1


async def test_a_disk_with_too_little_space(
    tmp_path: Path, backup: HourlyBackup, caplog: pytest.LogCaptureFixture
) -> None:
    """With less than twice the database's size free no copy is made, and one warning says so."""
    database = tmp_path / "chat.db"
    size = database.stat().st_size
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    os.truncate(database, size + free)  # it takes no space, having nothing in it

    await backup.look()
    await backup.look()

    os.truncate(database, size)
    assert caplog.text.count("too little free space") == 1
    assert _copies(tmp_path) == []
    await backup.look()
    assert len(_copies(tmp_path)) == 1
