"""Discord that limits, resets or ends at a bad moment: the bot neither falls silent nor leaves anything behind."""

import asyncio
import inspect

import discord
import pytest

from programs.discord import connection
from programs.discord.client import Bot
from programs.playground.entities import GENERAL_ID
from tests.programs.discord.scene import Scene
from tests.programs.discord.served import served
from tests.programs.discord.test_slash import told
from tests.waiting import eventually, patience

CALLBACK = ("POST", "/interactions/{interaction_id}/{token}/callback")


async def test_a_global_limit_ends_though_the_limited_request_was_given_up(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the longest limit has passed requests are made again, though nobody waits for the one that was limited."""
    monkeypatch.setattr(connection, "LONGEST_LIMIT", 0.1)
    scene = await unstarted.start()
    limit = ("GET", "/channels/{channel_id}")
    scene.playground.faults.plan("rate_limit", *limit, scope="global", retry_after=25)
    limited = asyncio.create_task(scene.bot.fetch_channel(GENERAL_ID))
    await eventually(lambda: not scene.bot.http._global_over.is_set())

    limited.cancel()
    await asyncio.gather(limited, return_exceptions=True)

    async with patience("a request to be made"):
        assert (await scene.bot.fetch_channel(GENERAL_ID)).id == GENERAL_ID


def test_it_is_back_within_a_minute_of_discord() -> None:
    """However long Discord was down, the next attempt to connect comes within a minute."""
    backoff = inspect.getclosurevars(discord.Client.connect).globals["ExponentialBackoff"]()

    waits = [backoff.delay() for _ in range(100)]

    assert max(waits) == 60
    assert len(set(waits)) > 2


async def test_a_login_that_ends_after_the_bot_was_closed_begins_nothing(unstarted: Scene) -> None:
    """A bot that is told to end while it logs in leaves no task."""
    left: set[asyncio.Task[object]] = set()

    async def end_while_logging_in(bot: Bot, _token: str, _stop: asyncio.Event) -> None:
        async with bot:
            await bot.close()
            before = asyncio.all_tasks()
            await bot.setup_hook()
            left.update(asyncio.all_tasks() - before)

    async with served(unstarted, by=end_while_logging_in) as bot, patience("the bot to end"):
        await bot.joined

    assert left == set()


async def test_a_press_that_discord_does_not_take_an_answer_to_is_no_fault_of_ours(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing can be told while the connection breaks; that is logged as what it is, and the next press is answered."""
    cut = scene.playground.faults.plan(
        "reset", *CALLBACK, committed=False, times=2
    )  # the answer, and why there is none
    scene.command("system", {"prompt": "Speak like a pirate."})
    await cut.reached(2)
    await eventually(lambda: "An interaction was not answered" in caplog.text)
    assert "Traceback" not in caplog.text

    scene.command("system", {"prompt": "Speak like a sailor."})

    await scene.until(lambda: any("sailor" in message.content for message in scene.shown()))


async def test_what_discord_did_not_answer_is_told_as_such(scene: Scene) -> None:
    """A person whose command failed because Discord was away is told that, and not to look into a log."""
    scene.playground.faults.plan("reset", *CALLBACK, committed=False)

    scene.command("system", {"prompt": "Speak like a pirate."})

    await told(scene, "Discord didn't answer me just now")
