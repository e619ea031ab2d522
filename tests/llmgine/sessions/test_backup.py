"""A copy of every day: whole, private, made beside the running store, and never more than a week of them."""

import logging
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.backup import KEEP, DailyBackup
from llmgine.sessions.clock import now


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SessionStore]:
    store = await open_store(f"sqlite:///{tmp_path}/chat.db")
    await store.sessions.ensure("s", now(), "The name")
    yield store
    await store.close()


def _copies(folder: Path, pattern: str = "*") -> list[Path]:
    return sorted(folder.glob(f"backups/{pattern}"))


@pytest.mark.usefixtures("store")
async def test_a_copy_is_whole_and_private(tmp_path: Path) -> None:
    """It can be used in place of the database, and nobody else can read it."""
    await DailyBackup(tmp_path / "chat.db").look()

    (copy,) = _copies(tmp_path)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT name FROM session").fetchall() == [("The name",)]
    restored = await open_store(f"sqlite:///{copy}")
    assert (await restored.sessions.get("s")).name == "The name"
    await restored.close()


@pytest.mark.usefixtures("store")
async def test_one_a_day_and_a_week_of_them(tmp_path: Path) -> None:
    """Looking again the same day makes none; of the older ones the newest stay, and other files are left alone."""
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(1, 10):
        (folder / f"2001-01-0{day}.db").touch()
    (folder / "mine.db").touch()
    backup = DailyBackup(tmp_path / "chat.db")

    await backup.look()
    (today,) = (path for path in _copies(tmp_path) if path.name > "2002" and path.name != "mine.db")
    made = today.stat().st_mtime_ns
    await backup.look()

    names = [path.name for path in _copies(tmp_path)]
    assert names == [*(f"2001-01-0{day}.db" for day in range(4, 10)), today.name, "mine.db"]
    assert len(names) == KEEP + 1
    assert today.stat().st_mtime_ns == made


async def test_it_is_made_while_the_store_is_used(tmp_path: Path, store: SessionStore) -> None:
    """Started once, it looks by itself; the store reads and writes meanwhile, and ending does not wait for a look."""
    backup = DailyBackup(tmp_path / "chat.db", first=0.0, interval=0.001)
    backup.start()
    number = 0
    while not _copies(tmp_path, "*.db"):
        await store.sessions.ensure(f"session {number}", now())
        number += 1
    await backup.stop()

    assert len((await store.sessions.page(most=100)).sessions) == number + 1
    assert _copies(tmp_path, "*.part") == []


@pytest.mark.usefixtures("store")
async def test_a_failure_is_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where no copy can be made that is said once; when one can, it is made."""
    (tmp_path / "backups").touch()  # a file where the folder should be
    backup = DailyBackup(tmp_path / "chat.db")

    await backup.look()
    await backup.look()

    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.levelname for record in warnings] == ["WARNING"]
    (tmp_path / "backups").unlink()
    await backup.look()
    assert len(_copies(tmp_path)) == 1
