"""A talk with each of the services."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.llmgine.deadline import deadline
from tests.llmgine.services.talk import Talk
from tests.services.catalogue import SERVICES, Entry

__all__ = ["deadline"]


@pytest.fixture(params=SERVICES, ids=lambda entry: entry.make.__name__)
def entry(request: pytest.FixtureRequest) -> Entry:
    """Each service in turn."""
    found: Entry = request.param
    return found


@pytest.fixture
async def talk(entry: Entry, tmp_path: Path) -> AsyncIterator[Talk]:
    """A talk with a service's stand-in."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(entry.make())
        yield Talk(stack, entry, service, tmp_path / "test.db")
