"""A bot that is started without waiting for it, and ended in whatever state it is."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from programs.application import Application
from programs.discord.bot import discord_at, join
from programs.discord.client import Bot
from programs.discord.delivery.rendering import render_deliveries
from programs.discord.ids import SOURCE
from programs.settings import ProgramConfig
from tests.programs.discord.scene import Scene
from tests.waiting import patience

Joining = Callable[[Bot, str, asyncio.Event], Coroutine[Any, Any, None]]


@dataclass
class Served:
    """A bot that was started without waiting for it."""

    app: Application
    bot: Bot
    joined: "asyncio.Task[None]"

    async def is_in(self) -> None:
        """Wait until it is in. Raises AssertionError with the reason when its start failed."""
        async with patience("the bot to be in"):
            while not self.bot.is_in:
                assert not self.joined.done(), f"the bot did not start: {self.joined.exception()}"
                await asyncio.sleep(0.01)

    async def failed(self) -> str:
        """Wait until the start fails; gives the words."""
        async with patience("the start to fail"):
            await asyncio.wait({self.joined})
        return str(self.joined.exception())


@asynccontextmanager
async def served(scene: Scene, *, by: Joining = join, **options: Any) -> AsyncIterator[Served]:
    """Start a bot on the scene's database, whether or not it comes in; it is ended after the block."""
    stop = asyncio.Event()
    quick = {"edit_interval": 0.01, "guild_ready_timeout": 0.02, "first_wait": 0.01, "rate": 1e6, "burst": 0.0}
    config = ProgramConfig(settings=scene.settings)
    async with Application(config, renderers={SOURCE: render_deliveries}) as app:
        with discord_at(scene.settings):
            bot = Bot(app, **{**quick, **options})
            joined = asyncio.create_task(by(bot, scene.playground.token, stop))
            try:
                yield Served(app, bot, joined)
            finally:
                stop.set()
                await bot.close()
                await asyncio.wait({joined}, timeout=5)
                joined.cancel()
                await asyncio.gather(joined, return_exceptions=True)
