"""Something that happens just while the bot asks its store."""

import asyncio
from typing import Any

import pytest

from llmgine.errors import StoreError
from tests.programs.discord.scene import Scene


class Gate:
    """Stands before a method of the store: holds its next call, or that with an argument, or lets it fail."""

    def __init__(self, scene: Scene, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
        self.held: str | None = None
        self.holds = False
        self.failures = 0
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        self._method = getattr(scene.app.store, method)
        monkeypatch.setattr(scene.app.store, method, self._call)

    async def _call(self, *args: Any) -> Any:
        if self.holds or self.held in args:
            self.held, self.holds = None, False
            self.reached.set()
            await self.open.wait()
        if self.failures:
            self.failures -= 1
            raise StoreError("The session store failed: disk I/O error")
        return await self._method(*args)
