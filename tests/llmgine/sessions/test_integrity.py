"""Damage of a database: when it is looked for, what is said of it, and that the file stays as it is."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from llmgine.errors import DamagedStoreError, StoreError
from llmgine.sessions import open_store
from llmgine.sessions.clock import now
from llmgine.sessions.integrity import IntegrityCheck
from llmgine.sessions.sqlite import mark_of_unclean_end
from tests.llmgine.sessions.data import old
from tests.llmgine.sessions.examples import ended
from tests.processes import ending

# Writes something, and is gone without having closed the database.
_KILLED = """
import asyncio, os, signal, sys
from llmgine.sessions import open_store

async def main():
    store = await open_store(sys.argv[1])
    await store.sessions.ensure("killed", 1)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


async def filled(path: Path, *, turns: int = 30) -> None:
    """A database that was used and closed."""
    store = await open_store(f"sqlite:///{path}")
    for number in range(turns):
        await ended(store, str(number), "x" * 3_000, session_id=str(number))
    await store.close()


async def killed(path: Path) -> None:
    """A process is killed while it has the database open."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _KILLED, f"sqlite:///{path}")
    async with ending(process):
        assert await process.wait() == -signal.SIGKILL


def damage(path: Path) -> bytes:
    """Flip the bits of the first bytes of a page in the middle, which say what kind of page it is; gives the file."""
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'step'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    content = bytearray(path.read_bytes())
    begin = (root - 1) * size
    content[begin : begin + 12] = bytes(one ^ 0xFF for one in content[begin : begin + 12])
    path.write_bytes(content)
    return bytes(content)


async def test_a_closed_database_is_not_looked_through(path: Path) -> None:
    """However large it is, opening it costs the same; a second process beside the first is no unclean end either."""
    await filled(path)
    first = await open_store(f"sqlite:///{path}")
    await first.sessions.ensure("s", now())
    second = await open_store(f"sqlite:///{path}")
    check = IntegrityCheck(path)

    check.start()

    assert not mark_of_unclean_end(path).exists()
    await check.stop()
    await second.close()
    await first.close()


async def test_after_a_kill_it_is_looked_through_once(path: Path) -> None:
    """By whichever program opens it next and lasts long enough, though another one closed it in between."""
    await filled(path)
    await killed(path)
    listing = await open_store(f"sqlite:///{path}")
    assert (await listing.sessions.get("killed")).turns == 0
    await listing.close()
    assert mark_of_unclean_end(path).exists()
    store = await open_store(f"sqlite:///{path}")
    check = IntegrityCheck(path)

    check.start()
    await check.run()

    assert not mark_of_unclean_end(path).exists()
    assert check.damage is None
    await store.close()


async def test_damage_is_found_and_left(path: Path) -> None:
    """What is damaged is named with what to do, and not a byte of the file is changed, by nobody who closes it."""
    await filled(path)
    content = damage(path)
    store = await open_store(f"sqlite:///{path}")
    check = IntegrityCheck(path)
    async with AsyncExitStack() as stack:  # so that a failure here leaves no thread that keeps the run from ending
        stack.callback(check.close)
        stack.push_async_callback(store.close)
        stack.push_async_callback(check.stop)
        await store.sessions.ensure("while it is looked through", now())

        what_to_do = r"Restore a backup with `python -m programs\.backup --restore FILE`[^\n]+$"
        with pytest.raises(DamagedStoreError, match=rf"^DATABASE_URL: .* is damaged \(.+\)\. .*{what_to_do}"):
            await check.run()
        await asyncio.wait_for(check.damaged.wait(), 10)
        await store.sessions.ensure("afterwards", now())

    assert old.content(path) == content
    assert mark_of_unclean_end(path).exists()  # the next start looks again


async def test_those_who_ask_at_once_share_a_look(path: Path) -> None:
    """Each of them hears what it found."""
    await filled(path)
    damage(path)
    store = await open_store(f"sqlite:///{path}")
    check = IntegrityCheck(path)

    found = await asyncio.gather(*(check.run() for _ in range(5)), return_exceptions=True)

    assert len({id(one) for one in found}) == 1
    assert isinstance(found[0], DamagedStoreError)
    await check.stop()
    await store.close()
    check.close()


async def test_a_look_ends_when_the_program_does(path: Path) -> None:
    """It does not keep the program, nobody is told of damage, and the next start looks again."""
    await filled(path, turns=400)
    store = await open_store(f"sqlite:///{path}")
    check = IntegrityCheck(path)
    looking = asyncio.create_task(check.run())
    while not mark_of_unclean_end(path).exists():  # noqa: ASYNC110  # it begins in this loop, and is not to end
        await asyncio.sleep(0)

    await check.stop()
    with pytest.raises(asyncio.CancelledError):
        await looking
    await store.close()

    assert mark_of_unclean_end(path).exists()
    assert check.damage is None
    assert path.with_name(f"{path.name}-wal").exists() is False


async def test_a_kill_during_the_look_has_it_done_again(path: Path) -> None:
    """The mark is there from before the look until after it."""
    await filled(path)
    await killed(path)
    script = _KILLED.replace('"killed", 1', '"again", 1').replace(
        "    os.kill",
        "    from llmgine.sessions.integrity import IntegrityCheck\n"
        "    check = IntegrityCheck(__import__('pathlib').Path(sys.argv[2]))\n"
        "    check.start()\n    await asyncio.sleep(0)\n    os.kill",
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, f"sqlite:///{path}", str(path))
    async with ending(process):
        assert await process.wait() == -signal.SIGKILL

    assert mark_of_unclean_end(path).exists()


def other(path: Path) -> None:
    path.write_bytes(b"not a database" * 999)


@pytest.mark.parametrize(("change", "is_damage"), [(os.unlink, False), (other, True)])
async def test_a_file_that_is_gone_or_another(path: Path, change: Callable[[Path], None], *, is_damage: bool) -> None:
    """What is no database is damage, for which the program ends; that there is no file may have other reasons."""
    await filled(path)
    change(path)
    check = IntegrityCheck(path)

    with pytest.raises(StoreError, match=r"cannot be checked|is damaged"):
        await check.run()

    assert (check.damage is not None) is is_damage
    check.close()
