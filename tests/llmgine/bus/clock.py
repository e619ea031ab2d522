"""An event loop whose clock stands still until a test moves it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# Turns of the loop in which all that does not wait for the clock comes to rest; a step of ours takes a handful.
_TURNS = 40


class StandingClock:
    """Runs coroutines on a loop of its own, in steps, and tells that loop the time."""

    def __init__(self) -> None:
        self._now = 0.0
        self._loop = asyncio.SelectorEventLoop()
        self._loop.time = lambda: self._now  # type: ignore[method-assign]  # the very point

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns, once all that it set going is at rest."""
        return self._loop.run_until_complete(self._and_rest(work))

    async def _and_rest(self, work: Coroutine[Any, Any, T]) -> T:
        result = await work
        await self._rest()
        return result

    async def _rest(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def run_for(self, work: Coroutine[Any, Any, T], *, at_most: int) -> T:
        """What `work` returns; the clock goes on by a second whenever it waits, `at_most` so often."""

        async def drive() -> T:
            task = asyncio.ensure_future(work)
            await self._rest()
            for _ in range(at_most):
                if task.done():
                    break
                self._now += 1
                await self._rest()
            assert task.done(), f"not done after {at_most} seconds"
            return task.result()

        return self._loop.run_until_complete(drive())

    def tasks(self) -> set[asyncio.Task[Any]]:
        """What has not ended."""
        return asyncio.all_tasks(self._loop)

    def close(self) -> None:
        """Close the loop."""
        self._loop.close()
