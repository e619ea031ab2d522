"""The scene of the bot's own tests, for faults that need no second process."""

import pytest

from programs.discord.ids import SOURCE
from tests.programs.discord.conftest import playground, scene, unstarted
from tests.programs.discord.scene import Scene
from tests.waiting import patience

__all__ = ["playground", "scene", "unstarted"]


@pytest.fixture
async def settled(scene: Scene) -> Scene:
    """A scene whose bot has looked at every channel."""
    async with patience("the bot to catch up"):
        await scene.bot.caught_up()
    assert await scene.app.store.cursors.of(SOURCE) != {}
    return scene
