"""A migration that goes wrong: no copy, a death on the way, several processes at once, a newer database."""

import asyncio
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from llmgine.errors import NewerStoreError, StoreError
from llmgine.sessions.backup_folder import BackupFolder
from llmgine.sessions.schema import MIGRATIONS
from tests.llmgine.sessions.data.old import OLD, content, copies_of, dump, other_process, reopened, version, write_old

NOW = len(MIGRATIONS)


@pytest.fixture(params=OLD)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A database of each older version there is a dump of."""
    path = tmp_path / "data" / "llmgine.db"
    write_old(path, request.param)
    return path


def a_file(folder: Path) -> None:
    folder.touch()


def no_place_for_files(folder: Path) -> None:
    folder.symlink_to("/proc")


def a_link_to_nothing(folder: Path) -> None:
    folder.symlink_to("nowhere")


@pytest.mark.parametrize("hinder", [a_file, no_place_for_files, a_link_to_nothing])
async def test_without_a_copy_nothing_is_changed(path: Path, hinder: Callable[[Path], None]) -> None:
    """One sentence says what to do, the database stays as it was, and once the reason is gone it is migrated."""
    folder = path.parent / "backups"
    hinder(folder)
    before = dump(path)

    with pytest.raises(StoreError, match=rf"^The database was not updated .*{folder} \(.+\): make sure [^.]+$"):
        await reopened(path)

    assert dump(path) == before
    folder.unlink()
    await reopened(path)
    assert version(path) == NOW
    assert [dump(copy) for copy in copies_of(path)] == [before]


async def test_a_full_disk(path: Path) -> None:
    """A copy that does not fit leaves no half file, and nothing is migrated."""
    before = dump(path)
    size = len(content(path)) - 4_096
    # Not `import`, which `tests/hidden` refuses: the limit is this test's.
    limit = f"resource = importlib.import_module('resource'); resource.setrlimit(resource.RLIMIT_FSIZE, ({size},) * 2)"

    code, err = await other_process(path, limit)

    assert code == 1
    assert err.startswith("error: The database was not updated")
    assert len(err.splitlines()) == 1
    assert copies_of(path) == []
    assert dump(path) == before


@pytest.mark.parametrize(
    "die",
    ["sqlite_copies.Copying.run = die", "backup_folder.schema_of = die", "migrate._next_migration = die"],
    ids=["before the copy", "before it has its name", "before the migration"],
)
async def test_killed_on_the_way(path: Path, die: str) -> None:
    """The next start migrates, and there is one copy: the first one, where it was whole."""
    before = dump(path)
    code, _ = await other_process(path, die)
    assert code == -signal.SIGKILL
    left = [(copy, copy.stat().st_ino) for copy in copies_of(path) if copy.suffix == ".db"]

    await reopened(path)

    assert version(path) == NOW
    [copy] = [copy for copy in copies_of(path) if copy.suffix == ".db"]
    assert dump(copy) == before
    assert left in ([], [(copy, copy.stat().st_ino)])


async def test_many_processes_at_once(path: Path) -> None:
    """Each of them opens the database; it is migrated once, and the one copy is of before."""
    before = dump(path)

    ends = await asyncio.gather(*(other_process(path) for _ in range(4)))

    assert ends == [(0, "")] * 4
    assert version(path) == NOW
    [copy] = copies_of(path)
    assert dump(copy) == before


async def test_another_process_is_faster(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that turns out to be of the migrated database is not kept; the other process made the right one."""
    before, add = dump(path), BackupFolder.add

    async def add_late(self: BackupFolder, *label: str, **options: Any) -> Path | None:
        assert await other_process(path) == (0, "")
        return await add(self, *label, **options)

    monkeypatch.setattr(BackupFolder, "add", add_late)
    await reopened(path)

    assert [dump(copy) for copy in copies_of(path)] == [before]


async def test_many_stores_at_once(tmp_path: Path) -> None:
    """The same where they meet more closely."""
    for number in range(5):
        path = tmp_path / str(number) / "llmgine.db"
        write_old(path)
        before = dump(path)

        await asyncio.gather(*(reopened(path) for _ in range(5)))

        [copy] = copies_of(path)
        assert dump(copy) == before
        assert version(path) == NOW


@pytest.mark.parametrize("newer", [NOW + 1, 99])
async def test_a_newer_database_is_left_alone(path: Path, newer: int) -> None:
    """One sentence says what to do; not a byte of the file changes, and no copy is made."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE schema_version SET version = ?", (newer,))
        connection.commit()
    before = content(path)

    with pytest.raises(
        NewerStoreError, match=rf"^This .*\(schema {newer}, this program has {NOW}\): upgrade the program"
    ):
        await reopened(path)

    assert content(path) == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_a_migration_that_fails_leaves_the_copy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is tried, the copy is one, and it is of before the first try."""
    before = dump(path)
    broken = (*MIGRATIONS[: version(path)], ("ALTER TABLE nowhere ADD COLUMN x TEXT",))
    monkeypatch.setattr("llmgine.sessions.migrate.MIGRATIONS", broken)

    for _ in range(3):
        with pytest.raises(StoreError, match="nowhere"):
            await reopened(path)

    assert dump(path) == before
    assert [dump(copy) for copy in copies_of(path)] == [before]
