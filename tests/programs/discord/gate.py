"""Something that happens just while the bot asks its store."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from llmgine.errors import StoreError
from llmgine.sessions.database import Operation
from tests.programs.discord.scene import Scene


class Gate:
    """Stands before an operation of the store: holds its next run, or that with an argument, or lets it fail."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.held: str | None = None
        self.holds = False
        self.failures = 0
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        self._name = name
        scene.app.store.observe(self._around)

    @contextlib.asynccontextmanager
    async def _around(self, operation: Operation) -> AsyncIterator[None]:
        if operation.name == self._name:
            await self._pass(operation)
        yield

    async def _pass(self, operation: Operation) -> None:
        if self.holds or self.held in operation.about:
            self.held, self.holds = None, False
            self.reached.set()
            await self.open.wait()
        if self.failures:
            self.failures -= 1
            raise StoreError("The session store failed: disk I/O error")
