"""Waiting for a state: a predicate looked at again at each change, never by the clock."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Changes:
    """Something changed, so those who wait check again."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def note(self) -> None:
        """Wake everybody who waits for a change."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    async def wait_for(self, find: Callable[[], T]) -> T:
        """The first truthy result of `find`, which is called now and after each change."""
        while not (found := find()):
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.add(waiter)
            try:
                await waiter
            finally:
                self._waiting.discard(waiter)
        return found
