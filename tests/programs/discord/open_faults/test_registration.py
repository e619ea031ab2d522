"""The registration of slash commands, and what a start that fails says of its cause."""

import asyncio
import copy
import logging
from collections.abc import Callable

import pytest

from programs.discord.bot import stay
from programs.discord.client import Bot
from programs.playground.entities import ADA_ID, GENERAL_ID, Json
from programs.playground.sessions import Session
from tests.programs.discord.open_faults.faults import answered, given, open_fault, served, soon
from tests.programs.discord.scene import Scene

COMMANDS = "/applications/{application_id}/commands"
ALWAYS = 100  # times


def refuse(scene: Scene, status: int, method: str = "PUT", times: int = ALWAYS) -> None:
    """Have Discord refuse the registration of commands from now on; a 429 for longer than is waited for."""
    if status == 429:
        scene.playground.faults.plan("rate_limit", method, COMMANDS, retry_after=3600, times=times)
    else:
        scene.playground.faults.plan("error", method, COMMANDS, status=status, times=times)


def commands(scene: Scene) -> dict[str, Json]:
    """What is registered, by name; without what Discord makes anew each time."""
    found = scene.playground.state.commands.values()
    return {one["name"]: copy.deepcopy({**one, "version": None}) for one in found}


async def outdate(scene: Scene) -> None:
    """Come to where other commands are registered than the bot has now, and the bot is stopped."""
    with given():
        await scene.stop()
        for command in scene.playground.state.commands.values():
            if command["name"] == "clear":
                command["description"] = "What it was called in the last version"


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("status", [400, 403, 429, 500])
@open_fault("a refused registration ends the start, or, where discord.py tries again, holds it up")
async def test_a_refused_registration_keeps_nobody_from_an_answer(unstarted: Scene, status: int, method: str) -> None:
    """Whatever Discord answers to the registration of commands, the bot comes in and answers."""
    refuse(unstarted, status, method)

    async with served(unstarted) as bot:
        await bot.is_in()
        unstarted.ask("hello")

        await answered(unstarted, ["hello"])


@open_fault("a refused registration ends the start, so nothing is logged of a bot that runs without its commands")
async def test_a_refused_registration_is_logged(unstarted: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """The log has a warning that names the commands and Discord's refusal."""
    refuse(unstarted, 403)

    async with served(unstarted) as bot:
        await bot.is_in()

    warnings = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert any("command" in text and "403" in text for text in warnings), warnings


@open_fault("a refused registration ends the start, so nobody can call the doctor")
async def test_a_refused_registration_is_shown_by_the_doctor(settled: Scene) -> None:
    """/doctor, which is known from the version before, has a line of warning about the commands."""
    scene = settled
    await outdate(scene)
    refuse(scene, 403)

    async with served(scene) as bot:
        await bot.is_in()
        scene.command("doctor")
        shown = await soon(scene, lambda: [one for one in scene.private(ADA_ID, GENERAL_ID) if one.embeds])

    lines = shown[0].embeds[0]["description"].splitlines()
    assert any("ommands" in line.split("**")[1] and not line.startswith("✅") for line in lines), lines


@open_fault("a refused registration ends the start, so it is not tried again")
async def test_a_refused_registration_is_tried_again(unstarted: Scene) -> None:
    """What was refused once is registered later, while the bot runs."""
    refuse(unstarted, 403, times=1)

    async with served(unstarted) as bot:
        await bot.is_in()
        await bot.bot.check()

        await soon(unstarted, lambda: "clear" in commands(unstarted))


def of_option(name: str, value: object) -> Callable[[Json], None]:
    """Change a limit of the first option of a command."""

    def change(command: Json) -> None:
        command["options"][0][name] = value

    return change


def of_command(name: str, value: object) -> Callable[[Json], None]:
    """Change a field of a command."""

    def change(command: Json) -> None:
        command[name] = value

    return change


_NOT_COMPARED = "of what is sent some fields are not compared, so such a change is never registered"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param("doctor", of_command("contexts", [0, 1]), id="contexts", marks=open_fault(_NOT_COMPARED)),
        pytest.param("doctor", of_command("integration_types", [1]), id="installs", marks=open_fault(_NOT_COMPARED)),
        pytest.param("doctor", of_command("nsfw", value=True), id="age-restricted", marks=open_fault(_NOT_COMPARED)),
        pytest.param("doctor", of_command("dm_permission", value=True), id="in DMs", marks=open_fault(_NOT_COMPARED)),
        pytest.param("doctor", of_command("default_member_permissions", "8"), id="permissions"),
        pytest.param("doctor", of_command("default_member_permissions", "0"), id="nobody's"),
        pytest.param("budget", of_option("min_value", 7), id="least number", marks=open_fault(_NOT_COMPARED)),
        pytest.param("budget", of_option("max_value", 7), id="greatest number", marks=open_fault(_NOT_COMPARED)),
        pytest.param("branch", of_option("channel_types", [2]), id="types", marks=open_fault(_NOT_COMPARED)),
        pytest.param("thread", of_option("max_length", 7), id="length"),
    ],
)
async def test_a_changed_command_is_registered_again(settled: Scene, name: str, change: Callable[[Json], None]) -> None:
    """A registered command that differs in anything that is sent is registered anew at the next start."""
    scene = settled
    with given():
        await scene.stop()
        before = commands(scene)
        registered = next(one for one in scene.playground.state.commands.values() if one["name"] == name)
        change(registered)
        assert commands(scene) != before

    await scene.start()

    assert commands(scene) == before


@pytest.mark.parametrize("status", [403, 503])
@open_fault("any error of Discord's during the start is said to be one of the network")
async def test_a_start_that_discord_refuses_names_its_answer(unstarted: Scene, status: int) -> None:
    """When Discord answers the login with an error, that error is named, and not the network."""
    unstarted.playground.faults.plan("error", "GET", "/users/@me", status=status, times=ALWAYS)

    async with served(unstarted) as bot:
        words = await bot.failed()

    assert str(status) in words
    assert "network" not in words


@open_fault("a bug, or an event that cannot be read, during the start is said to be one of the network")
async def test_a_start_that_fails_by_a_bug_does_not_blame_the_network(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When discord.py cannot read the first event, that is named, and not the network."""
    tell = Session.dispatch

    def dispatch(session: Session, name: str, data: Json) -> None:
        tell(session, name, {"v": 10} if name == "READY" else data)

    monkeypatch.setattr(Session, "dispatch", dispatch)

    async def staying(bot: Bot, _token: str, stop: asyncio.Event) -> None:
        await stay(lambda: bot, unstarted.settings, stop)

    async with served(unstarted, by=staying) as bot:
        words = await bot.failed()

    assert "network" not in words
