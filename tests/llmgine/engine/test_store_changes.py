"""Waiting for the store to change: no write is missed, and a store that fails for a moment ends nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from llmgine.engine.store_changes import Changes
from llmgine.errors import StoreError
from llmgine.sessions import SessionStore


class Versions:
    """A store of which only the version is asked."""

    def __init__(self) -> None:
        self.now = 1
        self.failures = 0
        self.asked = asyncio.Event()

    async def version(self) -> int:
        self.asked.set()
        if self.failures:
            self.failures -= 1
            raise StoreError("locked")
        return self.now


@pytest.fixture
def versions() -> Versions:
    return Versions()


@pytest.fixture
async def changes(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Changes]:
    """Looks often; the first look, which finds what was there before, is over."""
    monkeypatch.setattr("llmgine.engine.store_changes._POLL", 0.001)
    changes = Changes(cast("SessionStore", versions))
    await changes.wait()
    yield changes
    await changes.close()


async def ended(changes: Changes) -> None:
    """Wait until nobody looks any more."""
    if changes._poller is not None:
        await asyncio.wait([changes._poller])


async def test_a_write_of_another_process_wakes(changes: Changes, versions: Versions) -> None:
    """All who wait, at the next look."""
    waiting = [asyncio.create_task(changes.wait()) for _ in range(3)]
    await asyncio.sleep(0)

    versions.now += 1

    await asyncio.gather(*waiting)


async def test_a_write_while_nobody_waits_is_found_by_the_next_who_does(changes: Changes, versions: Versions) -> None:
    """Between a look at the store and the wait for its change nothing can slip through."""
    await ended(changes)
    versions.now += 1

    await changes.wait()


async def test_this_processs_own_word_wakes_at_once(changes: Changes) -> None:
    """Without a look at the store."""
    waiting = asyncio.create_task(changes.wait())
    await asyncio.sleep(0)

    changes.notify()

    await waiting


async def test_a_wait_may_end_by_itself(changes: Changes) -> None:
    """Past its time it returns, without an error; then nobody looks at the store any more."""
    await changes.wait(0.01)

    await ended(changes)
    assert changes._poller is None


async def test_a_store_that_fails_for_a_moment_is_asked_again(changes: Changes, versions: Versions) -> None:
    """The failure wakes nobody and is nobody's end."""
    waiting = asyncio.create_task(changes.wait())
    versions.failures = 3
    versions.asked.clear()
    await versions.asked.wait()

    versions.now += 1

    await waiting
    assert versions.failures == 0
