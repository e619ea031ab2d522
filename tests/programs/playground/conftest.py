"""A running playground, the real discord.py connected to it, and plain HTTP for what no client would send."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands

from programs.playground.changes import Changes
from programs.playground.entities import Json
from programs.playground.openapi import Document
from programs.playground.server import Playground
from tests.prompt import PromptClient
from tests.waiting import noted, patience

T = TypeVar("T")


class Bot(PromptClient):
    """discord.py as it is, with a record of what it told."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("intents", discord.Intents.all())
        super().__init__(**options)
        self.tree = app_commands.CommandTree(self)
        self.running: asyncio.Task[None] | None = None
        self.told: list[tuple[str, tuple[Any, ...]]] = []
        self._changes = Changes()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Discord's politeness of five seconds between two sessions is not needed here."""

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        super().dispatch(event, *args, **kwargs)
        self.told.append((event, args))
        noted()
        self._changes.note()

    async def heard(self, event: str, *, count: int = 1) -> Any:
        """The argument (or arguments) of the `count`-th event of that name."""

        def find() -> list[tuple[Any, ...]]:
            found = [args for name, args in self.told if name == event]
            return found if len(found) >= count else []

        async with patience(f"{count} × {event}"):
            args = (await self._changes.wait_for(find))[count - 1]
        return args[0] if len(args) == 1 else args

    def frames(self, name: str) -> list[Json]:
        """The data of every event of that name, as it was on the wire. Needs the option `enable_debug_events`."""
        frames = [json.loads(args[0]) for event, args in self.told if event == "socket_raw_receive"]
        return [frame["d"] for frame in frames if frame["t"] == name]

    @property
    def general(self) -> discord.TextChannel:
        channel = discord.utils.get(self.get_all_channels(), name="general")
        assert isinstance(channel, discord.TextChannel)
        return channel


Connect = Callable[..., Awaitable[Bot]]


@pytest.fixture(scope="session")
def document() -> Document | None:
    """Discord's own document, where DISCORD_OPENAPI names a copy: then every exchange below is held against it."""
    path = os.environ.get("DISCORD_OPENAPI")
    return Document(Path(path)) if path else None


@pytest.fixture
def needs_the_document(document: Document | None) -> None:
    if document is None:
        pytest.skip("no copy of Discord's OpenAPI document: name it in DISCORD_OPENAPI")


@pytest.fixture
async def playground(document: Document | None) -> AsyncIterator[Playground]:
    """A playground that must itself have answered as Discord would, whatever was sent to it."""
    async with Playground(openapi=document) as running:
        running.state.subscribe(noted)
        yield running
    assert [one.text for one in running.violations if one.by == "playground"] == []


@pytest.fixture
async def start(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Awaitable[Bot]]]:
    """Connect a bot to a playground, and wait until it is ready."""
    bots: list[Bot] = []

    async def starting(playground: Playground, *, ready: bool = True, token: str = "", **options: Any) -> Bot:
        monkeypatch.setattr(discord.http.Route, "BASE", playground.api_base)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(playground.gateway_url))
        bot = Bot(**options)
        bot.running = asyncio.create_task(bot.start(token or playground.token))
        bots.append(bot)
        if ready:
            await bot.heard("ready")
        return bot

    yield starting
    for bot in bots:
        await bot.close()
        if bot.running is not None:
            await asyncio.gather(bot.running, return_exceptions=True)


@pytest.fixture
async def bot(start: Connect, playground: Playground) -> Bot:
    return await start(playground)


@pytest.fixture
async def listener(start: Connect, playground: Playground) -> Bot:
    """A bot that keeps every frame; see `Bot.frames`."""
    return await start(playground, enable_debug_events=True)


@dataclass
class Clock:
    """Seconds that go on only when a test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Raw:
    """Plain HTTP, as the bot (`api`) or as the page (`page`). Gives the status and the JSON."""

    session: aiohttp.ClientSession
    playground: Playground

    async def api(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        options.setdefault("headers", {"Authorization": f"Bot {self.playground.token}"})
        return await self._ask(method, self.playground.api_base + path, body, options)

    async def page(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        return await self._ask(method, f"{self.playground.url}/playground{path}", body, options)

    async def _ask(self, method: str, url: str, body: Any, options: dict[str, Any]) -> tuple[int, Any]:
        if body is not None:
            options["json"] = body
        async with self.session.request(method, url, **options) as answer:
            return answer.status, await answer.json() if answer.content_type == "application/json" else None


@pytest.fixture
async def raw(playground: Playground) -> AsyncIterator[Raw]:
    async with aiohttp.ClientSession() as session:
        yield Raw(session, playground)


async def within(awaitable: Awaitable[T], *progress: Callable[[], object]) -> T:
    """The result of something, as long as there is progress; see `patience`."""
    async with patience("something of the playground", *progress):
        return await awaitable
