"""Stores on one database, each as a process of its own would have it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from llmgine.sessions import SessionStore, open_store
from tests.llmgine.deadline import deadline

__all__ = ["deadline"]

Open = Callable[[], Awaitable[SessionStore]]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each engine there is; what is promised of the store is promised on all of them."""
    if request.param == "postgres":
        address: str = request.getfixturevalue("postgres_url")
        return address
    return f"sqlite:///{tmp_path / 'data' / 'test.db'}"


@pytest.fixture
async def open_another(url: str) -> AsyncIterator[Open]:
    """Opens further stores on the same database; each is an owner of its own, as another process is."""
    async with AsyncExitStack() as stack:

        async def open_one() -> SessionStore:
            store = await open_store(url)
            stack.push_async_callback(store.close)
            return store

        yield open_one


@pytest.fixture
async def store(open_another: Open) -> SessionStore:
    """An open store."""
    return await open_another()
