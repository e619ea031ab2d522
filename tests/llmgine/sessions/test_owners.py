"""Owners: alive while their process lives, however it ends."""

import asyncio
import os
import sys
import threading
from pathlib import Path

import pytest

from llmgine.platforms import FileLock
from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.owners import LockFiles
from tests.llmgine.sessions.examples import admit, prompt, said
from tests.processes import ending

ADMIT_AND_HANG = """
import asyncio, sys
from tests.processes import ending
from llmgine.messages.commands import PromptCommand
from tests.processes import ending
from llmgine.sessions import open_store
from llmgine.sessions.clock import now

async def main():
    store = await open_store(sys.argv[1])
    await store.turns.admit(PromptCommand(session_id="s", text="hello", source="test", source_id="1"), "t", now())
    print(store.owners.me, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_an_owner_is_alive_until_it_closes(tmp_path: Path) -> None:
    """To itself and to the others; closing twice is harmless and leaves no file."""
    one, other = LockFiles(tmp_path), LockFiles(tmp_path)

    assert await one.dead([one.me]) == set()
    assert await other.dead([one.me]) == set()
    await one.close()
    await one.close()
    assert await one.dead([one.me]) == {one.me}
    assert await other.dead([one.me]) == {one.me}
    await other.close()
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240  a test may wait for the disk


async def test_nobody_is_taken_for_dead_at_its_start(tmp_path: Path) -> None:
    """However often others look at just that moment, who starts is alive."""
    begun, done = threading.Event(), threading.Event()

    def look() -> int:
        looks = 0
        while not done.is_set():
            begun.set()
            for file in tmp_path.glob("*.lock"):
                other._is_alive(file.stem)
                looks += 1
        return looks

    other = LockFiles(tmp_path)
    looking = asyncio.create_task(asyncio.to_thread(look))
    await asyncio.to_thread(begun.wait)
    started = [LockFiles(tmp_path) for _ in range(100)]
    done.set()

    assert await looking > 0
    assert await other.dead([one.me for one in started]) == set()
    for one in (*started, other):
        await one.close()


async def test_who_is_taken_for_dead_while_it_starts_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process finds the file before it is locked, and removes it: the id is dropped, and no file is left."""
    acquire, taken = FileLock.acquire, list[FileLock]()

    def acquire_late(lock: FileLock) -> bool:
        if not taken:
            taken.append(FileLock(lock._path, create=False))
            assert acquire(taken[0])
            taken[0].remove()
        return acquire(lock)

    monkeypatch.setattr(FileLock, "acquire", acquire_late)
    one = LockFiles(tmp_path)
    other = LockFiles(tmp_path)

    assert await other.dead([one.me]) == set()
    assert {file.stem for file in tmp_path.iterdir()} == {one.me, other.me}  # noqa: ASYNC240  a test may wait
    await one.close()
    await other.close()


async def test_who_is_checked_by_another_process_is_checked_again(tmp_path: Path) -> None:
    """Two processes look at a dead one at once: the first finds it dead, the second hears of a death."""
    gone = LockFiles(tmp_path)
    os.close(gone._lock.descriptor)  # as the system does it
    first = FileLock(tmp_path / f"{gone.me}.lock")
    assert first.acquire()
    second = LockFiles(tmp_path)
    assert await second.dead([gone.me]) == set()
    first.remove()

    await asyncio.wait_for(second.death(), 10)

    assert await second.dead([gone.me]) == {gone.me}
    await second.close()


async def test_another_that_ends_is_noticed(tmp_path: Path) -> None:
    """Whether it was killed or ended by itself; who ended before is no news."""
    us, killed, ended = LockFiles(tmp_path), LockFiles(tmp_path), LockFiles(tmp_path)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(us.death(), 0.1)

    os.close(killed._lock.descriptor)  # as the system does it
    await us.death()
    await ended.close()
    await us.death()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(us.death(), 0.1)
    await us.close()


async def test_an_unknown_owner_is_dead(tmp_path: Path) -> None:
    """No file means no process."""
    owners = LockFiles(tmp_path)

    assert await owners.dead(["0123456789abcdef"]) == {"0123456789abcdef"}

    await owners.close()


async def test_a_killed_process_is_dead_at_once(tmp_path: Path) -> None:
    """While it lives nobody takes its turn; after SIGKILL the next one to look does, and its lock file is gone."""
    url = f"sqlite:///{tmp_path / 'test.db'}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ADMIT_AND_HANG, url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with ending(process):
        owner = (await process.stdout.readline()).decode().strip()
        store = await open_store(url)

        assert await store.owners.dead([owner]) == set()
        assert await store.take_over(["test"]) == []

    assert await _taken_texts(store) == ["hello"]
    assert not (tmp_path / "owners" / f"{owner}.lock").exists()
    assert (await admit(store, prompt("1"))).duplicate
    await store.close()


async def _taken_texts(store: SessionStore) -> list[str]:
    return [said(await store.turns.get(turn.id)) for turn in await store.take_over(["test"])]
