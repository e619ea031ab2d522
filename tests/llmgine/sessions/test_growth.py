"""No operation works longer the more is stored: what SQLite does for each statement is counted at two sizes."""

from pathlib import Path

import pytest

from llmgine.sessions import SessionStore
from llmgine.sessions.migrate import migrate
from llmgine.sessions.operations.sessions import SEARCHED
from llmgine.sessions.owners import LockFiles
from llmgine.sessions.sqlite import SqliteDatabase
from programs.bench.stored_sessions import store_old
from tests.llmgine.sessions.everything import do_everything
from tests.llmgine.sessions.statements import Made, Recording

SMALL, LARGE = SEARCHED + 200, 5 * SEARCHED  # sessions; a search of the smaller one ends at its bound too
GUILD, CHANNEL = 7, 8


async def work(path: Path, sessions: int) -> list[Made]:
    """All statements of all operations where so many sessions are stored, each with the steps of SQLite's machine."""
    database = await SqliteDatabase.open(path)
    await migrate(database)
    recording = Recording(database)
    store = SessionStore(recording, LockFiles(path.parent / "owners"))
    try:
        await store_old(store, 0, sessions, GUILD, CHANNEL)
        recording.made.clear()
        for connection in (database._writer, database._reader):
            await connection.call(lambda bare: bare.set_progress_handler(recording.count, 1))
        await do_everything(store)
        await store.sessions.page(most=10, under=[f"discord:server:{GUILD}"])
        await store.sessions.page(most=10, words="zebra")
        await store.cursors.page("discord", "dm", most=100)
        await store.cursors.newest("discord")
        await store.deliveries.undelivered("discord")
        await store.turns.unfinished_of(["discord"])
        await store.turns.asked_lately("discord", GUILD, 2**62)
    finally:
        await store.close()
    return recording.made


async def test_no_statement_works_longer_where_more_is_stored(tmp_path: Path) -> None:
    """Each of all operations, from the first start to a search; they are done on both databases in one order."""
    small, large = await work(tmp_path / "small.db", SMALL), await work(tmp_path / "large.db", LARGE)

    assert [made.sql for made in small] == [made.sql for made in large]
    assert sum(made.work for made in small) > 10_000
    # A little more is what a table is read on for that has one page more.
    grown = [
        f"{after.operation} {after.place.file}:{after.place.line}: {before.work} to {after.work}"
        for before, after in zip(small, large, strict=True)
        if after.work > 1.2 * before.work + 20
    ]
    assert grown == []


@pytest.mark.parametrize("sql", ["SELECT id FROM turn WHERE attempt = 2", "SELECT MAX(name) FROM session"])
async def test_work_that_grows_is_counted(tmp_path: Path, sql: str) -> None:
    """Of a statement that looks at all rows the count is that of the rows."""
    database = await SqliteDatabase.open(tmp_path / "test.db")
    await migrate(database)
    recording = Recording(database)
    store = SessionStore(recording, LockFiles(tmp_path / "owners"))
    await store_old(store, 0, 500, GUILD, CHANNEL)
    await database._writer.call(lambda bare: bare.set_progress_handler(recording.count, 1))

    await database._writer.call(lambda bare: bare.execute(sql).fetchall())

    assert recording.work > 500
    await store.close()
