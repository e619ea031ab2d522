"""A playground, a model service, and a bot between them."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import discord
import pytest

from programs.playground.invariants import Invariants
from programs.playground.server import Playground
from tests.chat_completions import ChatCompletionsServer
from tests.programs.discord.reads import Reads
from tests.programs.discord.scene import ROOMY, Scene
from tests.waiting import patience


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with Playground(rules=ROOMY) as running:
        yield running


@pytest.fixture
async def unstarted(
    playground: Playground, model: ChatCompletionsServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Scene]:
    """A scene whose bot the test starts itself.

    Whatever logs an error fails the test. So does, whatever the test was about, a part shown twice, an answer out of
    order, a request that Discord's own document does not allow, and a secret in one.
    """
    scene = Scene(playground, model, tmp_path)
    yield scene
    print("\n".join(scene.trail()))  # noqa: T201  pytest shows it where the test failed
    await scene.stop()
    errors = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert errors == []
    held = Invariants(playground)
    assert [*held.nothing_twice(), *held.in_order(), *held.every_request_valid(), *held.no_secret()] == []


@pytest.fixture
async def scene(unstarted: Scene) -> Scene:
    return await unstarted.start()


@pytest.fixture
async def settled(scene: Scene) -> Scene:
    """A scene whose bot has looked at every channel."""
    async with patience("the bot to catch up"):
        await scene.bot.caught_up()
    assert await scene.cursors() != {}
    return scene


@pytest.fixture
def reads(playground: Playground, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reads]:
    """What is read of channels; nothing is held unless the test says so, nor after it."""
    watched = Reads(playground, monkeypatch)
    yield watched
    watched.release()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord's politeness of five seconds between two sessions is not needed here."""

    async def at_once(_client: discord.Client, _shard_id: int | None, *, initial: bool = False) -> None:
        return

    monkeypatch.setattr(discord.Client, "before_identify_hook", at_once)
