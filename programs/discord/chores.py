"""Chores: work in the background that is done one at a time by its name."""

import asyncio
import logging
from collections.abc import Callable, Coroutine

_log = logging.getLogger(__name__)


class Chores:
    """Does work in tasks. What is asked for while it is under way is done once more after that, and never cut off."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._closed = False

    def do(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Do this in a task; an error in it is logged."""
        if self._closed:
            return
        if name in self._tasks:
            self._again.add(name)
            return
        self._tasks[name] = asyncio.create_task(self._do(name, work), name=name)

    async def over(self, name: str) -> None:
        """Wait until none of this work is under way."""
        while name in self._tasks:
            await asyncio.wait({self._tasks[name]})

    async def close(self) -> None:
        """End all of it, and begin nothing more."""
        self._closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            while True:
                self._again.discard(name)
                try:
                    await work()
                except Exception:  # a fault in it must not keep it from being done the next time
                    _log.exception("This failed: %s", name)
                if name not in self._again:
                    return
        finally:
            del self._tasks[name]
