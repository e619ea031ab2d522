"""Patience: a wait lasts as long as something goes on, and says so when it is given up."""

import asyncio

import pytest

from tests.waiting import NoProgressError, eventually, noted, patience

SHORT = 0.5  # seconds of patience in these tests


async def test_without_progress_a_wait_is_given_up() -> None:
    """Nothing goes on: the wait ends in an error of its own, which names what was waited for."""
    with pytest.raises(NoProgressError, match=r"No progress for 0.5 s while waiting for Godot"):
        await eventually(lambda: False, "Godot", seconds=SHORT)


async def test_with_progress_a_wait_goes_on() -> None:
    """Each sign of progress, noted or looked up, begins the patience anew."""
    loop = asyncio.get_running_loop()
    begin, steps = loop.time(), 0

    async with patience("a slow one", lambda: steps // 10, seconds=SHORT):
        while loop.time() < begin + 3 * SHORT:
            await asyncio.sleep(SHORT / 50)
            noted()
        while loop.time() < begin + 6 * SHORT:
            await asyncio.sleep(SHORT / 50)
            steps += 1


async def test_another_time_limit_is_none_of_it() -> None:
    """A time limit of the block itself stays what it is."""
    with pytest.raises(TimeoutError):
        async with patience("nothing"), asyncio.timeout(0.01):
            await asyncio.sleep(1)
