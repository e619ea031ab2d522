"""A scene for faults that are not corrected yet: it ends also when its bot does not, and errors in the log are fine."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import discord
import pytest

from programs.discord.ids import SOURCE
from programs.playground.server import Playground
from tests.chat_completions import ChatCompletionsServer
from tests.programs.discord.open_faults.faults import Reads, end, given
from tests.programs.discord.scene import PATIENCE, Scene
from tests.programs.playground.conftest import start

__all__ = ["hurried", "reads", "settled", "start", "unstarted"]


@pytest.fixture
async def unstarted(playground: Playground, model: ChatCompletionsServer, tmp_path: Path) -> AsyncIterator[Scene]:
    """A scene whose bot the test starts itself."""
    scene = Scene(playground, model, tmp_path)
    yield scene
    print("\n".join(scene.trail()))  # noqa: T201  pytest shows it where the test failed
    await end(scene)


@pytest.fixture
async def settled(unstarted: Scene) -> Scene:
    """A scene whose bot has looked at every channel."""
    with given():
        scene = await unstarted.start()
        async with asyncio.timeout(PATIENCE):
            await scene.bot.caught_up()
        assert await scene.app.store.cursors.of(SOURCE) != {}
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
