"""The registration of slash commands: beside the start, and until Discord takes it."""

import asyncio
import logging
import time
from typing import Any

import pytest

from programs.discord.slash import registration
from programs.discord.slash.registration import Phase
from programs.playground.entities import ADA_ID, GENERAL_ID
from tests.durability.waiting import eventually
from tests.programs.discord.registrations import COMMANDS, answer, commands, outdate, refuse, registrations
from tests.programs.discord.scene import Scene
from tests.programs.discord.served import served


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first tries follow each other at once."""
    monkeypatch.setattr(registration, "_FIRST_WAIT", 0.01)


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
async def test_a_refused_registration_keeps_nobody_from_an_answer(unstarted: Scene, status: int, method: str) -> None:
    """Whatever Discord answers to the registration of commands, the bot comes in and answers."""
    refuse(unstarted, status, method)

    async with served(unstarted) as bot:
        await bot.is_in()
        unstarted.ask("hello")

        await unstarted.until(unstarted.outcomes)


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_a_registration_without_an_answer_keeps_nobody_from_one(unstarted: Scene, method: str) -> None:
    """While Discord is silent about the commands the bot comes in and answers, and it ends within a second."""
    silence = unstarted.playground.faults.plan("hang", method, COMMANDS)

    async with served(unstarted) as bot:
        await bot.is_in()
        await silence.reached()
        unstarted.ask("hello")
        await unstarted.until(unstarted.outcomes)
        assert bot.bot.commands.registration.status.phase is Phase.WAITING

        async with asyncio.timeout(1):
            await bot.bot.close()
        silence.release()


async def test_a_refused_registration_is_logged(unstarted: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """The log has one warning that names the commands and Discord's refusal, however often it is tried."""
    refuse(unstarted, 403)

    async with served(unstarted) as bot:
        await bot.is_in()
        await bot.bot.commands.registration.known()
        await bot.bot.check()
        await unstarted.until(lambda: registrations(unstarted) == 2)

    warnings = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert len([text for text in warnings if "command" in text and "403" in text]) == 1, warnings


@pytest.mark.parametrize(
    ("status", "words"),
    [(403, "applications.commands"), (400, "Discord refused"), (429, "Discord takes no registration for now")],
)
async def test_a_refused_registration_is_shown_by_the_doctor(scene: Scene, status: int, words: str) -> None:
    """/doctor, which is known from the version before, warns of the commands: what to do, and when it is tried."""
    await outdate(scene)
    refuse(scene, status)

    async with served(scene) as bot:
        await bot.is_in()
        await bot.bot.commands.registration.known()
        scene.command("doctor")
        shown = await scene.until(lambda: [one for one in scene.private(ADA_ID, GENERAL_ID) if one.embeds])

    lines = {line.split("**")[1]: line for line in shown[0].embeds[0]["description"].splitlines()}
    assert lines["Slash commands"].startswith("⚠️")
    assert words in lines["Slash commands"]
    assert "The next try is <t:" in lines["Slash commands"]


async def test_a_refused_registration_is_tried_again(unstarted: Scene) -> None:
    """What was refused once is registered later, while the bot runs."""
    refuse(unstarted, 403, times=1)

    async with served(unstarted) as bot:
        await bot.is_in()
        await bot.bot.check()

        await unstarted.until(lambda: "clear" in commands(unstarted))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("effect", "method"), [("error", "PUT"), ("error", "GET"), ("reset", "PUT"), ("reset", "GET")])
async def test_it_is_tried_until_discord_takes_it(unstarted: Scene, effect: Any, method: str) -> None:
    """By itself, whatever went wrong; then the ids are known, and nothing is left running."""
    status = {"status": 403} if effect == "error" else {}
    unstarted.playground.faults.plan(effect, method, COMMANDS, times=3, **status)

    async with served(unstarted) as bot:
        await bot.is_in()
        found = bot.bot.commands.registration
        await eventually(lambda: found.status.phase is Phase.REGISTERED)

        assert bot.bot.commands.mention("clear") == f"</clear:{commands(unstarted)['clear']['id']}>"
        assert found._task is not None
        await found._task


async def test_a_reconnection_tries_again(unstarted: Scene) -> None:
    """A connection that drops and comes back gives what was refused another try."""
    refuse(unstarted, 403, times=1)

    async with served(unstarted) as bot:
        await bot.is_in()
        await bot.bot.commands.registration.known()
        unstarted.playground.gateway.drop(4000)

        await unstarted.until(lambda: "clear" in commands(unstarted))


@pytest.mark.usefixtures("impatient")
async def test_a_time_that_discord_names_is_kept(unstarted: Scene) -> None:
    """After a 429 for an hour nothing asks again within it."""
    refuse(unstarted, 429)

    async with served(unstarted) as bot:
        await bot.is_in()
        await bot.bot.commands.registration.known()
        await bot.bot.check()
        unstarted.ask("hello")
        await unstarted.until(unstarted.outcomes)

        status = bot.bot.commands.registration.status
        assert status.phase is Phase.LIMITED
        assert status.again_at is not None
        assert 3500 < status.again_at - time.time() <= 3600
        assert registrations(unstarted) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_block_by_cloudflare_is_waited_for(unstarted: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """The bot comes in while Cloudflare takes no requests, and registers its commands after that."""
    unstarted.playground.faults.plan("html", "PUT", COMMANDS, status=429, retry_after=1)

    async with served(unstarted) as bot:
        await bot.is_in()
        await bot.bot.commands.registration.known()
        assert bot.bot.commands.registration.status.phase is Phase.LIMITED

        await unstarted.until(lambda: "clear" in commands(unstarted))
    assert "Cloudflare refuses our requests" in caplog.text
    caplog.clear()  # it was logged, as it should be


async def test_a_refused_token_ends_the_bot(unstarted: Scene) -> None:
    """A 401 to the registration is what it is anywhere: Discord no longer takes the token."""
    refuse(unstarted, 401)

    async with served(unstarted) as bot:
        assert "DISCORD_TOKEN" in await bot.failed()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("answered_with", [{"commands": []}, "nothing", None], ids=["object", "text", "nothing"])
async def test_an_answer_that_is_no_list_is_asked_for_again(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch, answered_with: object
) -> None:
    """An answer that cannot be read is none, and is no error of ours."""
    answers = [answered_with, answered_with]
    answer(unstarted, monkeypatch, lambda right: answers.pop() if answers else right)

    async with served(unstarted) as bot:
        await bot.is_in()

        await unstarted.until(lambda: "clear" in commands(unstarted))


@pytest.mark.parametrize(
    "nonsense", [None, 7, "text", [], {}, {"name": ["a"], "type": {}}, {"name": "clear", "type": 1, "options": 3}]
)
async def test_nonsense_in_the_list_is_overwritten(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch, nonsense: object
) -> None:
    """Whatever Discord lists, the commands are registered in its place."""
    answer(unstarted, monkeypatch, lambda right: [nonsense, *right])

    async with served(unstarted) as bot:
        await bot.is_in()

        await unstarted.until(lambda: "clear" in commands(unstarted))
        await eventually(lambda: bot.bot.commands.registration.status.phase is Phase.REGISTERED)


async def test_two_bots_at_once_register_the_same(unstarted: Scene) -> None:
    """Two that start at the same time end with one set of commands, which both know."""
    async with served(unstarted) as one, served(unstarted) as other:
        for bot in (one, other):
            await bot.is_in()
            await bot.bot.commands.registration.known()

        known = [bot.bot.commands.mention("clear") for bot in (one, other)]
        assert known == [f"</clear:{commands(unstarted)['clear']['id']}>"] * 2


async def test_a_bug_of_ours_is_logged_and_ends_nothing(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A command that cannot even be sent is logged with its traceback; the bot comes in and answers."""

    async def fail(_tree: object) -> None:
        raise ZeroDivisionError("in a test")

    monkeypatch.setattr(registration, "payloads", fail)

    async with served(unstarted) as bot:
        await bot.is_in()
        unstarted.ask("hello")
        await unstarted.until(unstarted.outcomes)
        await bot.bot.commands.registration.known()
        assert bot.bot.commands.registration.status.phase is Phase.FAILED
    assert "ZeroDivisionError" in caplog.text
    caplog.clear()  # as it should be


async def test_after_the_end_nothing_begins(unstarted: Scene) -> None:
    """A login that is over only after the bot was closed begins no registration."""
    async with served(unstarted) as bot:
        await bot.is_in()
        await bot.bot.close()
        found = registration.Registration(bot.bot.commands)
        await found.close()
        found.start()

        assert found._task is None
