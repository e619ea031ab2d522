"""The scene of the bot's own tests, for faults that need no second process."""

from tests.programs.discord.conftest import playground, scene, settled, unstarted

__all__ = ["playground", "scene", "settled", "unstarted"]
