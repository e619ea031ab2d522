"""What the tests of the registration of commands share: how Discord answers it, and what came of it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from programs.playground.entities import Json
from programs.playground.wire import Call, Reply
from tests.programs.discord.scene import Scene

COMMANDS = "/applications/{application_id}/commands"
ALWAYS = 100  # times


def refuse(scene: Scene, status: int, method: str = "PUT", times: int = ALWAYS) -> None:
    """Have Discord refuse the registration of commands from now on; a 429 for longer than is waited for."""
    if status == 429:
        scene.playground.faults.plan("rate_limit", method, COMMANDS, retry_after=3600, times=times)
    else:
        scene.playground.faults.plan("error", method, COMMANDS, status=status, times=times)


def answer(scene: Scene, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any]) -> None:
    """Have Discord answer the question for its commands with something else, made of what it would answer."""
    around = scene.playground.faults.around

    async def changed(method: str, route: str, call: Call, handle: Callable[[Call], Reply]) -> Reply:
        reply = await around(method, route, call, handle)
        return Reply(change(copy.deepcopy(reply.body))) if (method, route) == ("GET", COMMANDS) else reply

    monkeypatch.setattr(scene.playground.faults, "around", changed)


def commands(scene: Scene) -> dict[str, Json]:
    """What is registered, by name; without what Discord makes anew each time."""
    found = scene.playground.state.commands.values()
    return {one["name"]: copy.deepcopy({**one, "version": None}) for one in found}


def registrations(scene: Scene) -> int:
    """How often commands were sent."""
    return len(scene.sends("PUT", COMMANDS))


async def outdate(scene: Scene) -> None:
    """Come to where other commands are registered than the bot has now, and the bot is stopped."""
    await scene.stop()
    for command in scene.playground.state.commands.values():
        if command["name"] == "clear":
            command["description"] = "What it was called in the last version"
