"""Waiting for the store to change, by this process or another."""

import asyncio
import contextlib

from llmgine.errors import StoreError
from llmgine.sessions import SessionStore

_POLL = 0.25  # seconds between looks at what other processes wrote


class Changes:
    """Wakes those who wait when something they may care about was written.

    This process says so with `notify`; what others write is found by a look at the store four times a second, taken
    only while somebody waits.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._changed = asyncio.Event()  # something was written
        self._changed_by_others = asyncio.Event()
        self._waiting = 0
        self._version: int | None = None
        self._poller: asyncio.Task[None] | None = None

    def notify(self) -> None:
        """Wake all who wait."""
        self._changed.set()
        self._changed = asyncio.Event()

    def mark(self) -> asyncio.Event:
        """The present moment, for `wait`: taken before something is read, so that no change after it is missed."""
        return self._changed

    def mark_of_others(self) -> asyncio.Event:
        """The same for `wait_for_others`."""
        return self._changed_by_others

    async def wait(self, timeout: float | None = None, *, since: asyncio.Event | None = None) -> None:  # noqa: ASYNC109  # past it, look again: no error
        """Return at the next change, or the next one since a moment, or after `timeout` seconds."""
        await self._wait(since or self._changed, timeout)

    async def wait_for_others(self, timeout: float, *, since: asyncio.Event) -> None:  # noqa: ASYNC109  # as above
        """Return when another process has written since then, or after `timeout` seconds."""
        await self._wait(since, timeout)

    async def _wait(self, changed: asyncio.Event, timeout: float | None) -> None:  # noqa: ASYNC109  # as above
        self._waiting += 1
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll())
        try:
            async with asyncio.timeout(timeout):
                await changed.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1

    async def _poll(self) -> None:
        """Compare with what was seen last, by an earlier poller too: in between somebody may have written."""
        try:
            while self._waiting:
                with contextlib.suppress(StoreError):  # whoever waits looks for itself and meets the error there
                    before, self._version = self._version, await self._store.version()
                    if self._version != before:
                        self._changed_by_others.set()
                        self._changed_by_others = asyncio.Event()
                        self.notify()
                await asyncio.sleep(_POLL)
        finally:
            self._poller = None

    async def close(self) -> None:
        """End the looking."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)
