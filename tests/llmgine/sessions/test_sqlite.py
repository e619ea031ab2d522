"""The SQLite adapter: files that cannot be used, disks that are full, other processes, and the schema."""

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from llmgine.errors import ConfigurationError, NewerStoreError, StoreError
from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.clock import now
from llmgine.sessions.database import Operation, Steps
from llmgine.sessions.migrate import migrate
from llmgine.sessions.owners import LockFiles
from llmgine.sessions.sqlite import SqliteDatabase
from tests.llmgine.sessions.examples import DONE, admit, admitted, ended, outcome, prompt


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "test.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SessionStore]:
    store = await open_store(f"sqlite:///{path}")
    yield store
    await store.close()


def garbage(path: Path) -> None:
    path.write_bytes(b"this is not a database" * 100)


def folder(path: Path) -> None:
    path.mkdir()


def truncated(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 1_000,)] * 100)
    connection.close()
    path.write_bytes(path.read_bytes()[:-20_000])


def owners_is_a_file(path: Path) -> None:
    (path.parent / "owners").write_text("")


@pytest.mark.parametrize("damage", [garbage, folder, truncated, owners_is_a_file])
async def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """It names the setting and the path, and nothing stays open."""
    path = tmp_path / "test.db"
    damage(path)

    with pytest.raises(ConfigurationError) as caught:
        await open_store(f"sqlite:///{path}")

    assert str(caught.value).startswith(f"DATABASE_URL: {tmp_path}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["/proc/nowhere/test.db", "/dev/null/test.db"])
async def test_a_folder_that_cannot_be_made_is_one_sentence(path: str) -> None:
    """It names the setting, the path and the reason."""
    with pytest.raises(ConfigurationError, match=f"^DATABASE_URL: {path} cannot be opened: [^\n]+$"):
        await open_store(f"sqlite:///{path}")


@pytest.mark.parametrize(
    "url", ["mysql://ada:hunter22@host/db", "data/llmgine.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", ""]
)
async def test_an_address_of_no_known_kind_is_refused(url: str) -> None:
    """The sentence names the setting and an address that works, and no password."""
    with pytest.raises(ConfigurationError, match=r"^DATABASE_URL: .*sqlite:///data/llmgine\.db") as caught:
        await open_store(url)

    assert "hunter22" not in str(caught.value)


async def test_the_files_are_their_owners_only(store: SessionStore, path: Path) -> None:
    """Conversations are readable by nobody else, the write-ahead log too."""
    await ended(store, "1")

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == {"test.db": 0o600, "test.db-wal": 0o600, "test.db-shm": 0o600, "owners": 0o700}


async def test_a_file_that_others_could_read_is_its_owners_again(tmp_path: Path) -> None:
    """A database that was copied or restored by hand is readable by nobody else once the program has opened it."""
    path = tmp_path / "copied.db"
    path.touch(mode=0o644)

    store = await open_store(f"sqlite:///{path}")
    await store.close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_commit_outlives_a_loss_of_power(store: SessionStore) -> None:
    """A commit is told of when the disk has it: SQLite waits for that at each one, which is its level 2."""

    def level() -> Steps[int]:
        rows = yield "PRAGMA synchronous", ()
        return int(rows[0]["synchronous"])

    assert await store.run(level, Operation("test.level")) == 2


async def test_the_database_takes_nothing_of_no_turn(store: SessionStore) -> None:
    """Whoever writes it, and however: a step without its turn would be a text that nothing ever deletes."""

    def write() -> Steps[None]:
        yield "INSERT INTO step (turn_id, attempt, seq, body) VALUES ('nobody', 1, 1, '{}')", ()

    with pytest.raises(StoreError, match="FOREIGN KEY"):
        await store.run(write, Operation("test.write"))


async def test_many_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    """Making the file, the write-ahead log and the schema is safe against others who do the same."""
    for number in range(5):
        url = f"sqlite:///{tmp_path / str(number)}.db"
        stores = await asyncio.gather(*(open_store(url) for _ in range(5)))
        await asyncio.gather(*(store.sessions.ensure("s", now()) for store in stores))
        for store in stores:
            await store.close()


async def test_a_cleared_text_is_not_left_in_the_file(store: SessionStore, path: Path) -> None:
    """Once the store has closed, the bytes of a forgotten conversation are nowhere on the disk."""
    await ended(store, "1", "the-secret-plan" * 100)
    await ended(store, "2", "something else", session_id="other")

    await store.sessions.clear("s", now())
    await store.close()

    data = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    assert b"something else" in data
    assert b"secret-plan" not in data


def fill_disk(pages: str) -> Steps[None]:
    """Let the database have so many pages at most; fewer than it has mean that it cannot grow."""
    yield f"PRAGMA max_page_count = {pages}", ()


async def test_a_full_disk_is_a_store_error_and_passes(store: SessionStore) -> None:
    """What does not fit is not half there; with space again the store works on."""
    turn = await admitted(store, "1")
    await store.run(lambda: fill_disk("1"), Operation("test.fill"))  # a bound on this connection's file only

    with pytest.raises(StoreError, match="full"):
        await admit(store, prompt("2", "x" * 1_000_000))
    assert [t.id for t in await store.turns.unfinished("s")] == [turn.id]

    await store.run(lambda: fill_disk("1000000"), Operation("test.fill"))
    assert (await admit(store, prompt("2", "x" * 1_000_000))).place == 1


async def test_another_processs_lock_is_waited_for_then_told(path: Path, tmp_path: Path) -> None:
    """Past the busy timeout it is a store error; once the lock is gone the same call works."""
    database = await SqliteDatabase.open(path, busy_timeout=0.05)
    await migrate(database)
    store = SessionStore(database, LockFiles(tmp_path / "owners"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match="locked"):
        await store.sessions.ensure("s", now())
    other.execute("ROLLBACK")
    other.close()

    await store.sessions.ensure("s", now())
    await store.close()


async def test_a_transaction_that_raises_leaves_nothing(store: SessionStore) -> None:
    """All its statements are undone and the next transaction works."""

    def fail() -> Steps[None]:
        yield "INSERT INTO session (id, name, cleared_seq, updated_at) VALUES ($1, $1, 0, 0)", ("lost",)
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        await store.run(fail, Operation("test.fail"))

    await store.sessions.ensure("kept", now())
    assert [session.id for session in (await store.sessions.page(most=100)).sessions] == ["kept"]


async def test_a_cancelled_caller_leaves_no_transaction_open(store: SessionStore) -> None:
    """The transaction ends as a whole and the store works on."""
    caller = asyncio.create_task(admit(store, prompt("1")))
    await asyncio.sleep(0)
    caller.cancel()

    with pytest.raises(asyncio.CancelledError):
        await caller

    await admit(store, prompt("2"))
    assert [turn.seq for turn in await store.turns.unfinished("s")] in ([1], [1, 2])


async def test_a_newer_database_is_refused(store: SessionStore, path: Path) -> None:
    """The sentence says what to do, and the database is as it was."""

    def make_newer() -> Steps[None]:
        yield "UPDATE schema_version SET version = 99", ()

    await store.run(make_newer, Operation("test.make_newer"))

    with pytest.raises(NewerStoreError, match=r"schema 99.*upgrade the program"):
        await open_store(f"sqlite:///{path}")


async def test_a_migration_that_fails_half_way_changes_nothing(
    store: SessionStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old schema and its number stay; mended, the migration runs from its beginning."""
    from llmgine.sessions.schema import MIGRATIONS  # noqa: PLC0415  beside its replacement

    turn = await ended(store, "1")
    await store.close()
    broken = (*MIGRATIONS, ("ALTER TABLE turn ADD COLUMN colour TEXT", "ALTER TABLE nowhere ADD COLUMN x TEXT"))
    monkeypatch.setattr("llmgine.sessions.migrate.MIGRATIONS", broken)

    with pytest.raises(StoreError, match="nowhere"):
        await open_store(f"sqlite:///{path}")

    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(len(MIGRATIONS),)]
        assert "colour" not in [row[1] for row in connection.execute("PRAGMA table_info(turn)")]
    connection.close()
    mended = (*MIGRATIONS, ("ALTER TABLE turn ADD COLUMN colour TEXT",))
    monkeypatch.setattr("llmgine.sessions.migrate.MIGRATIONS", mended)
    reopened = await open_store(f"sqlite:///{path}")
    assert outcome(await reopened.turns.get(turn.id)) == DONE
    await reopened.close()
