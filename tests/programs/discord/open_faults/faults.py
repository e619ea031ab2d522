"""What the tests of open faults share: how a fault is marked, short waits, and what the playground cannot do yet."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from llmgine.bootstrap import ApplicationConfig
from programs.application import Application
from programs.discord.bot import discord_at, join
from programs.discord.client import Bot
from programs.discord.delivery.rendering import render_deliveries
from programs.discord.ids import SOURCE
from programs.playground.entities import GENERAL_ID, GUILD_ID, Json
from programs.playground.server import Playground
from programs.playground.sessions import Session
from programs.playground.wire import Call, Reply
from tests.programs.discord.scene import Scene, people_said

T = TypeVar("T")
SOON = 2.0  # seconds in which what a test is about has to happen
LONG_ENOUGH = 2.0  # seconds in which what must not happen would have happened
READ = ("GET", "/channels/{channel_id}/messages")


def open_fault(reason: str) -> pytest.MarkDecorator:
    """Mark a test that shows a fault which is not corrected yet; `reason` says what goes wrong today."""
    return pytest.mark.xfail(strict=True, raises=(AssertionError, TimeoutError), reason=reason)


class SetUpError(Exception):
    """A test did not come to what it tests, so it shows nothing."""


@contextmanager
def given() -> Iterator[None]:
    """What has to be so before the fault: when it fails, that does not count as the fault."""
    try:
        yield
    except (AssertionError, TimeoutError) as error:
        raise SetUpError("the test did not come to what it tests") from error


async def soon(scene: Scene, find: Callable[[], T], *, seconds: float = SOON) -> T:
    """The first truthy result of `find`. Raises TimeoutError when there is none within seconds."""
    async with asyncio.timeout(seconds):
        return await scene.playground.wait_for(lambda _state: find())


def asked(scene: Scene) -> list[str]:
    """What the model was asked, in its order."""
    return [people_said(request)[-1] for request in scene.model.requests]


async def answered(scene: Scene, questions: list[str], *, channel: int = GENERAL_ID, seconds: float = SOON) -> None:
    """Check that these questions of a channel are answered, once each and in this order."""
    with suppress(TimeoutError):
        await soon(scene, lambda: len(scene.outcomes(channel)) >= len(questions), seconds=seconds)
    assert asked(scene)[-len(questions) :] == questions, f"the model was asked {asked(scene)}"
    there = len(scene.outcomes(channel))
    assert there == len(questions), f"{there} answers"


async def unasked(scene: Scene, *, but: int = 0) -> None:
    """Check that the model is asked nothing more than so often; for as long as that would take."""
    with suppress(TimeoutError):
        await asyncio.wait_for(scene.model.until(lambda: len(scene.model.requests) > but), LONG_ENOUGH)
    assert len(scene.model.requests) == but, f"the model was asked {asked(scene)}"


async def end(scene: Scene) -> None:
    """End a scene in whatever state its bot is, also in one in which it would not end by itself."""
    if hasattr(scene, "bot"):
        try:
            await asyncio.wait_for(scene.app.bus.wait_until_idle(), 1)
        except TimeoutError:  # one of the bus's handlers waits for ever, and so would the end
            await scene.bot.close()
            await scene.app.bus.stop(0.0)
    await scene.stop()


class Reads:
    """The reads of channels' histories: which there were, and a way to hold them."""

    def __init__(self, playground: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[int] = []  # the channels, in the order in which they were asked for
        self.instead: dict[int, Any] = {}  # by channel: what is answered in place of its history
        self._free: set[int] | None = None  # the channels that are read while the others are held
        self._released = asyncio.Event()
        self._playground = playground
        self._around = playground.faults.around
        monkeypatch.setattr(playground.faults, "around", self._call)

    def hold(self, *, but: tuple[int, ...] = ()) -> None:
        """Hold all reads from now on, but those of some channels."""
        self._free = set(but)

    def release(self) -> None:
        """Let everything that is held go on."""
        self._free = None
        self._released.set()

    async def reached(self, count: int = 1) -> None:
        """Wait until so many reads have begun."""
        await self._playground.wait_for(lambda _state: len(self.begun) >= count)

    async def _call(self, method: str, route: str, call: Call, handle: Callable[[Call], Reply]) -> Reply:
        if (method, route) == READ:
            channel_id = call.id("channel_id")
            self.begun.append(channel_id)
            self._playground.state.changes.note()
            if self._free is not None and channel_id not in self._free:
                await self._released.wait()
            if channel_id in self.instead:
                return Reply(self.instead[channel_id])
        return await self._around(method, route, call, handle)


class LateServer:
    """The server does not come with the start: its GUILD_CREATE is held back until it arrives.

    Args:
        listed: Whether READY names the server as unavailable; else the bot hears of it only by such a GUILD_CREATE,
            as when it was added to a server in an outage.
    """

    def __init__(self, playground: Playground, monkeypatch: pytest.MonkeyPatch, *, listed: bool = True) -> None:
        self._playground = playground
        self._away = True
        tell = Session.dispatch

        def dispatch(session: Session, name: str, data: Json) -> None:
            if self._away and name == "READY" and not listed:
                data = {**data, "guilds": []}
            elif self._away and name == "GUILD_CREATE":
                data = {"id": str(GUILD_ID), "unavailable": True}
            tell(session, name, data)

        monkeypatch.setattr(Session, "dispatch", dispatch)

    def arrive(self) -> None:
        """The server is there now."""
        self._away = False
        self._playground.gateway.restore()


@dataclass
class Served:
    """A bot that was started without waiting for it."""

    app: Application
    bot: Bot
    joined: "asyncio.Task[None]"

    async def is_in(self) -> None:
        """Wait until it is in. Raises AssertionError with the reason when its start failed."""
        async with asyncio.timeout(SOON):
            while not self.bot.is_in:
                assert not self.joined.done(), f"the bot did not start: {self.joined.exception()}"
                await asyncio.sleep(0.01)

    async def failed(self) -> str:
        """Wait until the start fails; gives the words."""
        await asyncio.wait({self.joined}, timeout=5)
        assert self.joined.done(), "the start goes on"
        return str(self.joined.exception())


Joining = Callable[[Bot, str, asyncio.Event], Coroutine[Any, Any, None]]


@asynccontextmanager
async def served(scene: Scene, *, by: Joining = join, **options: Any) -> AsyncIterator[Served]:
    """Start a bot on the scene's database, whether or not it comes in; it is ended after the block."""
    stop = asyncio.Event()
    quick = {"edit_interval": 0.01, "guild_ready_timeout": 0.02, "first_wait": 0.01, "rate": 1e6, "burst": 0.0}
    config = ApplicationConfig(settings=scene.settings)
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
