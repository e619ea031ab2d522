"""A bus that runs, and a deadline for every test."""

from collections.abc import AsyncIterator

import pytest

from llmgine.bus import MessageBus
from tests.llmgine.deadline import deadline

__all__ = ["deadline"]


@pytest.fixture
async def bus() -> AsyncIterator[MessageBus]:
    """A started bus without a log."""
    bus = MessageBus()
    await bus.start()
    yield bus
    await bus.stop(timeout=1)
