"""Which copies are kept: of the last hours and days, within a limit, and nobody else's files are touched."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llmgine.sessions import open_store
from llmgine.sessions.backup_folder import Backup as Copy
from llmgine.sessions.backup_folder import BackupFolder, surplus

NOW = datetime(2026, 11, 29, 19, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PLENTY = 10**9


@pytest.fixture
async def folder(tmp_path: Path) -> BackupFolder:
    """Of a database with nothing in it yet."""
    store = await open_store(f"sqlite:///{tmp_path}/chat.db")
    await store.close()
    (tmp_path / "backups").mkdir()
    return BackupFolder(tmp_path / "chat.db", clock=NOW.timestamp)


def copies(ages: Iterable[timedelta], label: str = "", size: int = 10) -> list[Copy]:
    """Copies of these ages, the oldest first."""
    return sorted(Copy(NOW - age, Path(f"{NOW - age}{label}"), label, size) for age in ages)


def kept(backups: list[Copy], allowed: int = PLENTY) -> list[timedelta]:
    """The ages of those that are not deleted, the newest first."""
    gone = surplus(backups, NOW, allowed)
    return [NOW - backup.taken for backup in reversed(backups) if backup not in gone]


def names(folder: BackupFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir() if path.name != ".lock")


def test_a_copy_of_each_hour_for_a_month() -> None:
    """The newest 24 stay, and of the days before the last copy of each, until there are seven days."""
    ages = kept(copies(HOUR * number for number in range(30 * 24)))

    assert ages[:24] == [HOUR * number for number in range(24)]
    assert [(NOW - age).strftime("%d %H") for age in ages[24:]] == ["27 23", "26 23", "25 23", "24 23", "23 23"]


def test_days_without_a_copy_do_not_count() -> None:
    """Who uses the bot once a week has seven weeks."""
    weekly = [7 * DAY * number for number in range(40)]
    used = [week + HOUR * hour for week in weekly for hour in range(5)]

    assert kept(copies(used))[24:] == weekly[5:7]


def test_the_limit_leaves_hours_and_days() -> None:
    """The older ones of both go first, so that neither kind is lost to the other."""
    backups = copies(HOUR * number for number in range(24 * 7))

    assert kept(backups, 50) == [0 * HOUR, 1 * HOUR, 2 * HOUR, 20 * HOUR, 44 * HOUR]
    assert kept(backups, 49) == [0 * HOUR, 1 * HOUR, 2 * HOUR, 20 * HOUR]
    assert kept(copies(HOUR * number for number in range(9)), 50) == [HOUR * number for number in range(5)]
    assert kept(copies(DAY * number for number in range(9)), 50) == [DAY * number for number in range(5)]


@pytest.mark.parametrize("allowed", [0, 9, 10, 19])
def test_the_newest_is_kept_whatever_the_limit(allowed: int) -> None:
    """A limit that is smaller than one copy leaves one."""
    assert kept(copies([0 * HOUR, HOUR, DAY]), allowed) == [0 * HOUR]


def test_a_copy_from_before_a_migration_is_kept_for_a_month() -> None:
    """The newest one outlives those of its days, also within a limit; after a month it is a copy like others."""
    hourly = [HOUR * number for number in range(24 * 8)]

    for days, stays in ((20, True), (31, False)):
        old = copies([days * DAY, (days + 1) * DAY], "before-schema-9")
        assert (days * DAY in kept([*old, *copies(hourly)])) is stays
        assert (days * DAY in kept([*old, *copies(hourly)], 30)) is stays
        assert (days + 1) * DAY not in kept([*old, *copies(hourly)])


async def test_names_of_earlier_versions(folder: BackupFolder) -> None:
    """Copies that they made are copies: listed, counted, and deleted when they are too many."""
    for day in range(1, 10):
        (folder.path / f"2001-01-0{day}.db").touch()
    (folder.path / "before-schema-9.db").touch()
    (folder.path / "before-schema-9-2.db").touch()
    assert len(folder.copies()) == 11
    assert [backup.label for backup in folder.copies()].count("before-schema-9") == 2
    for day in range(10, 30):
        (folder.path / f"2001-01-{day}.db").touch()

    await folder.add()

    left = names(folder)
    assert "2001-01-05.db" not in left
    assert "2001-01-29.db" in left
    assert "2026-11-29T19-30-00Z.db" in left


async def test_files_of_others_are_left_alone(folder: BackupFolder) -> None:
    """Whatever their names look like: only a file that is named as a copy is ever deleted."""
    others = ["mine.db", "2001-13-45.db", "2001-01-01.db.gz", "notes.part", "2001-01-01T00-00-00Z-mine.db", "x.db.part"]
    for name in others:
        (folder.path / name).touch()
    (folder.path / "2001-01-01.db").mkdir()
    for day in range(1, 31):
        (folder.path / f"2002-04-{day:02}.db").touch()

    await folder.add()

    assert set(names(folder)) >= {*others, "2001-01-01.db"}
    assert "2002-04-01.db" not in names(folder)


async def test_a_clock_that_is_set_back(folder: BackupFolder) -> None:
    """Copies from the future neither keep a copy from being made nor push it out, and are not deleted."""
    future = [f"2040-01-{day:02}T00-00-00Z.db" for day in range(1, 31)]
    for name in future:
        (folder.path / name).write_bytes(b"x" * 1_000_000)

    assert await folder.add(least=HOUR) == folder.path / "2026-11-29T19-30-00Z.db"
    assert await folder.add(least=HOUR) is None
    assert names(folder) == ["2026-11-29T19-30-00Z.db", *future]


async def test_two_in_one_second(folder: BackupFolder) -> None:
    """No copy replaces another one."""
    made = [await folder.add() for _ in range(3)]

    assert [path.name for path in made if path] == [f"2026-11-29T19-30-0{second}Z.db" for second in range(3)]
    assert len(names(folder)) == 3


async def test_what_a_killed_process_left(folder: BackupFolder) -> None:
    """Half-written copies, of this version or an earlier one, are removed by whoever makes the next."""
    for name in ("2026-11-29T18-00-00Z.db.part", "4711.part", "before-schema-9-0123abcd.part"):
        (folder.path / name).touch()

    await folder.add()

    assert names(folder) == ["2026-11-29T19-30-00Z.db"]


async def test_the_setting(folder: BackupFolder, tmp_path: Path) -> None:
    """`BACKUP_MEGABYTES` is what all of them together may have, whatever the database's size."""
    for number in range(1, 10):
        (folder.path / f"2026-11-29T0{number}-00-00Z.db").write_bytes(b"x" * 1_000_000)

    await BackupFolder(tmp_path / "chat.db", megabytes=4, clock=NOW.timestamp).add()

    assert names(folder) == [*(f"2026-11-29T0{number}-00-00Z.db" for number in (7, 8, 9)), "2026-11-29T19-30-00Z.db"]
