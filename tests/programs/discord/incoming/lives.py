"""A bot that is started, stopped and killed within one process, on one database and one playground.

A kill cuts the bot off from its store and from Discord in one moment, and only then ends its tasks: whatever they do
while they end reaches nobody, so all that is left is what a process leaves that was killed in that moment.
"""

import asyncio
import contextvars
import threading
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any, NoReturn
from weakref import WeakSet

import discord

from tests.programs.discord.scene import Scene

_life = contextvars.ContextVar("_life", default=0)  # which start of the bot a task or a timer comes from


async def _never(*_: object, **__: object) -> NoReturn:
    """What a bot that was cut off waits for."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


class Lives:
    """Starts and ends the bot of a scene, and knows which tasks it made.

    Attributes:
        is_up: Whether there is a bot at present.
    """

    def __init__(self, scene: Scene) -> None:
        self.is_up = False
        self._scene = scene
        self._number = 0
        self._tasks: WeakSet[asyncio.Task[Any]] = WeakSet()  # of the present life
        self._loop = asyncio.get_running_loop()
        self._loop.set_task_factory(self._make_task)

    def _make_task(
        self, loop: asyncio.AbstractEventLoop, work: Any, *, context: contextvars.Context | None = None
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
        if self._number and _life.get() == self._number:
            self._tasks.add(task)
        return task

    async def start(self, **options: Any) -> None:
        """Start the bot, and wait until it is in."""
        self._number += 1
        self._tasks = WeakSet()
        context = contextvars.copy_context()
        context.run(_life.set, self._number)
        await self._loop.create_task(self._started(options), context=context)
        self.is_up = True

    async def _started(self, options: dict[str, Any]) -> None:
        """In a task of its own, whose context all that the bot begins has."""
        await self._scene.start(**options)

    async def stop(self) -> list[str]:
        """End it as the program does when it is told to; gives the work of feeds that goes on in spite of that."""
        await self._scene.stop()
        self.is_up = False
        return self.work_of_feeds()

    def work_of_feeds(self) -> list[str]:
        """The tasks of feeds that have not ended."""
        works = (task.get_coro() for task in self._tasks if not task.done())
        names = (getattr(work, "__qualname__", "") for work in works if isinstance(work, Coroutine))
        return [name for name in names if name.startswith(("Feed.", "Feeds."))]

    async def kill(self) -> None:
        """End it as `kill -9` does."""
        scene = self._scene
        self._cut_off()
        while alive := [task for task in self._tasks if not task.done()]:
            for task in alive:
                task.cancel()
            await asyncio.wait(alive, timeout=0.1)
        self._stop_timers()
        await scene.app.store.close()
        await scene.app.bus.stop(0.0)
        await scene.bot.http._HTTPClient__session.close()  # type: ignore[attr-defined]  # a process closes its sockets
        scene._joined = None
        scene._stack = AsyncExitStack()
        self.is_up = False

    def _cut_off(self) -> None:
        """From here on nothing the bot does reaches the database or Discord."""
        bot, app = self._scene.bot, self._scene.app
        for name in ("run", "version"):
            setattr(app.store._database, name, _never)
        bot.http.request = _never  # type: ignore[method-assign]
        for beat in threading.enumerate():
            if isinstance(beat, discord.gateway.KeepAliveHandler) and beat.ws._connection is bot._connection:
                beat.stop()
        with suppress(AttributeError):  # there is no connection at this moment
            bot.ws.socket._response.connection.transport.abort()  # type: ignore[union-attr]

    def _stop_timers(self) -> None:
        for timer in list(self._loop._scheduled):  # type: ignore[attr-defined]
            if timer._context.get(_life) == self._number:
                timer.cancel()
