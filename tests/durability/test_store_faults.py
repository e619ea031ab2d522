"""The session store at its worst, as people see it: full, or damaged. See tests/llmgine/sessions for the rest."""

import asyncio
import contextlib
import sqlite3
from functools import partial
from pathlib import Path

import pytest

from llmgine import bootstrap
from llmgine.errors import ConfigurationError, DamagedStoreError
from llmgine.sessions import open_store
from llmgine.sessions.backup import HourlyBackup
from llmgine.sessions.database import Operation, Steps
from tests.programs.discord.scene import Scene, people_said
from tests.waiting import patience

_HUGE = 2**30


def _copies(folder: Path) -> list[Path]:
    return list(folder.glob("backups/*.db"))


async def _allow_pages(scene: Scene, pages: int) -> None:
    """Let the database have so many pages and no more: what a full disk is to SQLite."""

    def pragma() -> Steps[None]:
        yield "CREATE TABLE IF NOT EXISTS filler (data BLOB)", ()
        free = yield "PRAGMA freelist_count", ()  # pages that could be used without more space
        yield "INSERT INTO filler (data) VALUES (zeroblob($1))", (4_096 * free[0]["freelist_count"],)
        yield f"PRAGMA max_page_count={pages}", ()

    await scene.app.store.run(pragma, Operation("test"))


async def test_a_full_disk_is_said_once_and_recovered_from(settled: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be stored is not taken up: one notice a channel; when there is space, all is answered in order."""
    scene = settled
    scene.ask("before")
    await scene.outcome()
    await _allow_pages(scene, 1)
    for number in range(3):
        scene.ask(f"while full {number} " + "€" * 1_500)  # more than what is left of a page
    notice = await scene.until(lambda: next((m for m in scene.shown() if "can't save" in m.content), None))
    await scene.bot.caught_up()
    assert [m for m in scene.shown() if "can't save" in m.content] == [notice]
    assert len(scene.model.requests) == 1

    await _allow_pages(scene, _HUGE)
    scene.ask("after")

    await scene.outcome(5)
    asked = [people_said(request)[-1].split(" €")[0] for request in scene.model.requests]
    assert asked == ["before", "while full 0", "while full 1", "while full 2", "after"]
    caplog.clear()  # it was logged, as it should be


async def test_a_disk_that_fills_in_the_middle_of_a_turn(settled: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """A turn whose outcome cannot be stored ends when there is space again, with the answer that was paid for."""
    scene, go_on = settled, asyncio.Event()
    scene.model.hold(go_on, before="It ", after="y" * 100_000)
    scene.ask("tell me")
    await scene.until(scene.shown)
    await _allow_pages(scene, 1)
    go_on.set()
    async with patience("an outcome, or a word of the store"):
        while not scene.outcomes() and "cannot end" not in caplog.text:  # noqa: ASYNC110  whichever comes first
            await asyncio.sleep(0.01)
    await _allow_pages(scene, _HUGE)

    outcome = await scene.outcome()
    assert "It yyy" in scene.shown()[0].content
    assert "disk is full" not in outcome.content
    assert (len(scene.outcomes()), len(scene.model.requests)) == (1, 1)
    caplog.clear()  # it was logged, as it should be


async def test_a_log_that_cannot_be_written_is_said_once(unstarted: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Where the log's disk is full the bot goes on without it, and answers as ever."""
    unstarted.settings.log_dir.mkdir()
    (unstarted.settings.log_dir / "events.jsonl").symlink_to("/dev/full")

    scene = await unstarted.start()
    for number in range(2):
        scene.ask(f"question {number}")
    await scene.outcome(2)
    await scene.stop()

    assert caplog.text.count("cannot be written") == 1
    caplog.clear()  # it was logged, as it should be


async def test_the_running_program_backs_its_database_up(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A copy is made beside the database, and a bot that is started on the copy knows what was said."""
    monkeypatch.setattr(bootstrap, "HourlyBackup", partial(HourlyBackup, first=0.0, interval=0.01))
    before = await unstarted.start()
    before.ask("remember me")
    await before.outcome()
    for copy in _copies(tmp_path):
        copy.unlink()
    async with patience("a copy of the database"):
        while not (copies := _copies(tmp_path)):  # noqa: ASYNC110  a file tells nobody
            await asyncio.sleep(0.01)
    monkeypatch.undo()

    await unstarted.restart(database_url=f"sqlite:///{copies[0]}")
    unstarted.ask("and?")
    await unstarted.outcome(2)

    assert people_said(unstarted.model.requests[-1]) == ["remember me", "and?"]


@pytest.mark.parametrize("damage", [0, 100, 5_000], ids=["header", "schema", "pages"])
async def test_a_damaged_database_is_refused(tmp_path: Path, damage: int) -> None:
    """A file that is no healthy database is not used, and is left as it is; the error names the setting."""
    path = tmp_path / "test.db"
    store = await open_store(f"sqlite:///{path}")
    for number in range(50):
        await store.sessions.ensure(f"session {number}", number, "x" * 300)
    await store.close()
    content = bytearray(path.read_bytes())
    content[damage : damage + 4_000] = b"\xa5" * 4_000
    path.write_bytes(content)

    with pytest.raises((ConfigurationError, DamagedStoreError), match="DATABASE_URL"):
        await open_store(f"sqlite:///{path}")

    assert path.read_bytes() == bytes(content)


@pytest.mark.parametrize("version", [None, "\u20ac", b"\xa5", 1.5])
async def test_a_damaged_version_is_refused(tmp_path: Path, version: object) -> None:
    """What SQLite reads from a damaged page may be of any kind; nothing is built on it."""
    path = tmp_path / "test.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE schema_version (version)")
        connection.execute("INSERT INTO schema_version (version) VALUES (?)", (version,))

    with pytest.raises(DamagedStoreError, match="DATABASE_URL"):
        await open_store(f"sqlite:///{path}")
