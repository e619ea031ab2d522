"""What may go wrong around a bot: its store fails, histories are not read or are nonsense, and bugs are logged."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable

from llmgine.errors import StoreError
from llmgine.sessions.database import Operation
from programs.discord.delivery import poster
from programs.playground.server import Playground
from programs.playground.wire import Call, Reply

READ = ("GET", "/channels/{channel_id}/messages")
# What feeds ask of the store, and what of it changes something.
READING = (
    "cursors.at",
    "cursors.newest",
    "cursors.page",
    "turns.of_message",
    "turns.admitted",
    "turns.known",
    "contextmessages.lately",
    "turns.asked_lately",
)
WRITING = ("cursors.move", "turns.admit", "prompts.edit", "prompts.delete")


class StoreTrouble:
    """Stands around the operations of a store, and lets some fail. It outlives the store."""

    def __init__(self) -> None:
        self.failing = Counter[str]()

    @contextlib.asynccontextmanager
    async def around(self, operation: Operation) -> AsyncIterator[None]:
        """See `SessionStore.observe`."""
        if self.failing[operation.name] > 0:
            self.failing[operation.name] -= 1
            raise StoreError("The session store failed: disk I/O error")
        yield


class ReadTrouble:
    """Stands before the reads of histories. Others of Discord's faults are the playground's own."""

    def __init__(self, playground: Playground) -> None:
        self.nonsense = 0  # how many of the next reads get an answer that nobody can read
        self._free = asyncio.Event()
        self._free.set()
        self._around = playground.faults.around
        playground.faults.around = self._call  # type: ignore[method-assign]  # as `ReadQueue` of the open faults does

    def hold(self) -> None:
        """Answer no read from now on."""
        self._free.clear()

    def release(self) -> None:
        """Answer all that wait."""
        self._free.set()

    async def _call(self, method: str, route: str, call: Call, handle: Callable[[Call], Reply]) -> Reply:
        if (method, route) == READ and call.query.get("limit") == str(poster.PAGE):  # others are no reads of feeds
            await self._free.wait()
            if self.nonsense:
                self.nonsense -= 1
                return Reply([{"id": "nonsense"}])
        return await self._around(method, route, call, handle)


class Bugs(logging.Handler):
    """Keeps what is logged with a traceback, apart from what a test provoked.

    Attributes:
        found: The messages.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what nobody foresaw. discord.py tells of each connection that ends with its traceback."""
        words = record.getMessage()
        if record.exc_info and "could not be read" not in words and "Attempting a reconnect" not in words:
            self.found.append(f"{words}: {record.exc_info[1]!r}")
