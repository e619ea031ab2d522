"""Reads of channels' histories: which there were, and a way to hold them or to answer something else."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from programs.playground.server import Playground
from programs.playground.wire import Call, Reply
from tests.waiting import noted, patience

HISTORY = "/channels/{channel_id}/messages"
READ = ("GET", HISTORY)


class Reads:
    """Stands before the reads of channels' histories in the playground, but for what was written before a question.

    Attributes:
        begun: The channels, in the order in which they were asked for.
        instead: By channel, what is answered in place of its history.
    """

    def __init__(self, playground: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[int] = []
        self.instead: dict[int, Any] = {}
        self._free: set[int] | None = None  # the channels that are read while the others are held
        self._released = asyncio.Event()
        self._playground = playground
        self._around = playground.faults.around
        monkeypatch.setattr(playground.faults, "around", self._call)

    def hold(self, *, but: tuple[int, ...] = ()) -> None:
        """Hold all reads from now on, but those of some channels."""
        self._free = set(but)
        self._released.clear()

    def release(self) -> None:
        """Let everything that is held go on."""
        self._free = None
        self._released.set()

    async def reached(self, count: int = 1) -> None:
        """Wait until so many reads have begun."""
        async with patience(f"{count} reads"):
            await self._playground.wait_for(lambda _state: len(self.begun) >= count)

    async def _call(self, method: str, route: str, call: Call, handle: Callable[[Call], Reply]) -> Reply:
        if (method, route) == READ and "before" not in call.query:  # what was before a question is not missed
            channel_id = call.id("channel_id")
            self.begun.append(channel_id)
            noted()
            self._playground.state.changes.note()
            if self._free is not None and channel_id not in self._free:
                await self._released.wait()
            if channel_id in self.instead:
                return Reply(self.instead[channel_id])
        return await self._around(method, route, call, handle)
