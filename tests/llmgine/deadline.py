"""What the asynchronous tests share: one that hangs fails, and one that leaves a task behind fails too."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.waiting import PATIENCE, Watch

SECONDS = min(20.0, PATIENCE)


@pytest.fixture(autouse=True)
async def deadline() -> AsyncIterator[None]:
    """Cancel everything when the test makes no progress, not even a second of computing; at its end only this task
    is left.
    """
    loop = asyncio.get_running_loop()
    words = f"no progress for {SECONDS:g} s"
    watch = Watch(
        lambda: [task.cancel(words) for task in asyncio.all_tasks(loop)],
        lambda: int(time.process_time()),
        seconds=SECONDS,
    )
    yield
    watch.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
