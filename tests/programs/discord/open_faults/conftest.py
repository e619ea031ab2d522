"""A scene for faults that are not corrected yet: it ends also when its bot does not, and errors in the log are fine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from programs.playground.server import Playground
from tests.chat_completions import ChatCompletionsServer
from tests.programs.discord.open_faults.faults import end
from tests.programs.discord.scene import Scene

__all__ = ["unstarted"]


@pytest.fixture
async def unstarted(playground: Playground, model: ChatCompletionsServer, tmp_path: Path) -> AsyncIterator[Scene]:
    """A scene whose bot the test starts itself."""
    scene = Scene(playground, model, tmp_path)
    yield scene
    print("\n".join(scene.trail()))  # noqa: T201  pytest shows it where the test failed
    await end(scene)
