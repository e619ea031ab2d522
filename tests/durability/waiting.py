"""Waiting for states that nobody tells of."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

from tests.programs.discord.scene import PATIENCE


async def eventually(state: Callable[[], object | Awaitable[object]], *, empty: bool = False) -> None:
    """Wait until the state is truthy, or, where it is to become `empty`, falsy."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = state()
            if inspect.isawaitable(found):
                found = await found
            if bool(found) is not empty:
                return
            await asyncio.sleep(0.01)
