"""What the asynchronous tests share: one that hangs fails, and one that leaves a task behind fails too."""

import asyncio
from collections.abc import AsyncIterator

import pytest

SECONDS = 20.0


@pytest.fixture(autouse=True)
async def deadline() -> AsyncIterator[None]:
    """Cancel everything when the test takes too long; at its end only this task is left."""
    loop = asyncio.get_running_loop()
    timer = loop.call_later(
        SECONDS, lambda: [task.cancel("the test took too long") for task in asyncio.all_tasks(loop)]
    )
    yield
    timer.cancel()
    assert asyncio.all_tasks() == {asyncio.current_task()}
