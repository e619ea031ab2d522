"""What the tests of open faults share: how a fault is marked, and short waits."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import pytest

from programs.playground.entities import GENERAL_ID
from tests.programs.discord.answers import asked
from tests.programs.discord.scene import Scene
from tests.programs.discord.served import Joining, Served, served

__all__ = ["Joining", "Served", "SetUpError", "answered", "end", "given", "open_fault", "served", "soon"]

T = TypeVar("T")
SOON = 2.0  # seconds in which what a test is about has to happen


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


async def answered(scene: Scene, questions: list[str], *, channel: int = GENERAL_ID, seconds: float = SOON) -> None:
    """Check that these questions of a channel are answered, once each and in this order."""
    with suppress(TimeoutError):
        await soon(scene, lambda: len(scene.outcomes(channel)) >= len(questions), seconds=seconds)
    assert asked(scene)[-len(questions) :] == questions, f"the model was asked {asked(scene)}"
    there = len(scene.outcomes(channel))
    assert there == len(questions), f"{there} answers"


async def end(scene: Scene) -> None:
    """End a scene in whatever state its bot is, also in one in which it would not end by itself."""
    if hasattr(scene, "bot"):
        try:
            await asyncio.wait_for(scene.app.bus.wait_until_idle(), 1)
        except TimeoutError:  # one of the bus's handlers waits for ever, and so would the end
            await scene.bot.close()
            await scene.app.bus.stop(0.0)
    await scene.stop()
