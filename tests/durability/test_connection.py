"""The connection to Discord: watched over, one per token, and quiet when Discord wants quiet."""

import asyncio
import dataclasses
import multiprocessing
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from llmgine.errors import AlreadyRunningError, ConfigurationError
from programs.application import Application
from programs.discord import bot as program
from programs.discord import connection
from programs.discord.bot import discord_at, stay
from programs.discord.client import Bot
from programs.discord.delivery.rendering import render_deliveries
from programs.discord.ids import SOURCE
from programs.discord.token_lock import only_one
from programs.playground.rules import Rules
from programs.playground.server import Playground
from programs.settings import ProgramConfig
from tests.programs.discord.scene import ROOMY, Scene
from tests.waiting import eventually, patience

CREATE = ("POST", "/channels/{channel_id}/messages")


@pytest.fixture
async def staying(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator["asyncio.Task[None]"]:
    """A bot that is watched over, as the program does it, until the test ends."""
    monkeypatch.setattr(program, "_FIRST_WAIT", 0.01)
    stop = asyncio.Event()
    async with Application(ProgramConfig(settings=unstarted.settings), renderers={SOURCE: render_deliveries}) as app:
        with discord_at(unstarted.settings):

            def make() -> Bot:
                return Bot(app, edit_interval=0.01, guild_ready_timeout=0.05, heartbeat_timeout=0.5, rate=1e6)

            task = asyncio.create_task(stay(make, unstarted.settings, stop))
            await unstarted.until(lambda: unstarted.playground.state.bot_online)
            yield task
            stop.set()
            await asyncio.gather(task, return_exceptions=True)


async def test_an_event_that_breaks_the_client_costs_no_message(
    unstarted: Scene, staying: "asyncio.Task[None]", caplog: pytest.LogCaptureFixture
) -> None:
    """A malformed event ends the client; a new one is made in the same process, and answers what was said meanwhile."""
    unstarted.ask("before")
    await unstarted.until(unstarted.outcomes)
    unstarted.playground.gateway.send_event("MESSAGE_CREATE", {"id": "nonsense"})
    unstarted.ask("after")

    await unstarted.until(lambda: len(unstarted.outcomes()) == 2)

    assert not staying.done()
    caplog.clear()  # it was logged, as it should be


class TestZombies:
    """With heartbeats so frequent that a dead connection is noticed soon."""

    @pytest.fixture
    async def playground(self) -> AsyncIterator[Playground]:
        async with Playground(rules=dataclasses.replace(ROOMY, heartbeat_seconds=0.2)) as running:
            yield running

    @pytest.mark.parametrize("fault", ["stop_acks", "freeze"])
    async def test_a_connection_that_only_seems_alive_is_left(
        self, unstarted: Scene, staying: "asyncio.Task[None]", fault: str
    ) -> None:
        """Without acknowledged heartbeats, or any frame at all, the bot connects anew and answers what it missed."""
        getattr(unstarted.playground.gateway, fault)()
        unstarted.ask("is anybody there?")

        await unstarted.until(unstarted.outcomes)

        assert len(unstarted.model.requests) == 1
        assert not staying.done()


async def test_a_token_that_is_refused_ends_the_program(unstarted: Scene, staying: "asyncio.Task[None]") -> None:
    """A 401 stops everything at once: no request is repeated, and one sentence says what to do."""
    unstarted.playground.faults.plan("error", *CREATE, status=401, times=100)
    unstarted.ask("hello")

    with pytest.raises(ConfigurationError, match="DISCORD_TOKEN"):
        async with patience("the program to end"):
            await asyncio.shield(staying)

    assert sum(record.status == 401 for record in unstarted.playground.requests) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [(4004, "DISCORD_TOKEN"), (4010, "shard"), (4011, "servers"), (4012, "update"), (4013, "intents")],
)
async def test_a_close_for_good_ends_the_program(
    unstarted: Scene, staying: "asyncio.Task[None]", code: int, words: str
) -> None:
    """What Discord ends for good is not tried again: the program ends, and one sentence says why."""
    unstarted.playground.gateway.drop(code)

    with pytest.raises(ConfigurationError, match=words):
        async with patience("the program to end"):
            await asyncio.shield(staying)

    assert unstarted.playground.gateway.start_limit()["remaining"] == Rules.session_starts - 1


async def test_logins_are_counted_over_restarts(
    unstarted: Scene, staying: "asyncio.Task[None]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before so many logins in a day that Discord would reset the token, the program ends and says why."""
    monkeypatch.setattr(connection, "_MOST_LOGINS", 2)
    unstarted.playground.gateway.invalidate()
    await unstarted.until(lambda: not unstarted.playground.state.bot_online)
    await unstarted.until(lambda: unstarted.playground.state.bot_online)

    unstarted.playground.gateway.invalidate()

    with pytest.raises(ConfigurationError, match="900 times"):
        async with patience("the program to end"):
            await asyncio.shield(staying)

    assert unstarted.playground.gateway.start_limit()["remaining"] == Rules.session_starts - 2


async def test_a_login_is_counted_before_it_is_made(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """When Discord hears of a login it is in the store, so that one counts which never succeeds, or is the last."""
    counted: list[int] = []
    identify = unstarted.playground.gateway._identify

    def counting(*args: Any) -> Any:
        with closing(sqlite3.connect(unstarted.folder / "llmgine.db")) as connection:
            counted.append(connection.execute("SELECT COUNT(*) FROM login").fetchone()[0])
        return identify(*args)

    monkeypatch.setattr(unstarted.playground.gateway, "_identify", counting)

    await unstarted.start()

    assert counted == [1]


async def test_a_ban_by_the_proxy_is_waited_out(settled: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """After Cloudflare's 429 no request at all is made until its time is over; then the answer is shown once."""
    scene = settled
    banned = scene.playground.faults.plan("html", *CREATE, status=429, retry_after=1, times=100)
    scene.ask("hello")
    await banned.reached()
    async with patience("an answer that is not delivered"):
        while not await scene.app.store.undelivered(SOURCE):  # noqa: ASYNC110  the store tells nobody
            await asyncio.sleep(0.01)
    await scene.app.bus.wait_until_idle()
    assert scene.bot.breaker.open
    assert banned.hits == 1
    scene.playground.faults.clear()
    scene.bot.breaker._closed_at = 0.0  # as if the time were over

    async with patience("the answer"):
        while not scene.outcomes():
            await scene.bot.check()
            await asyncio.sleep(0.01)

    assert len(scene.shown()) == 1
    caplog.clear()  # the ban was logged, as it should be


def _hold(token: str, folder: Path, held: "multiprocessing.synchronize.Event") -> None:
    with only_one(token, folder):
        held.set()
        threading.Event().wait(600)  # it is killed before


async def test_one_process_per_token(tmp_path: Path) -> None:
    """A second process with the same token is told which one to end; another token is free, and so is a dead one's."""
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    other = context.Process(target=_hold, args=("the token", tmp_path, held), daemon=True)
    try:
        other.start()
        await eventually(held.is_set, "the other process, which has much to import", seconds=30.0)

        with pytest.raises(AlreadyRunningError, match=f"process {other.pid}"), only_one("the token", tmp_path):
            pass
        with only_one("another token", tmp_path):
            pass
    finally:
        other.kill()
        await asyncio.to_thread(other.join)
    with only_one("the token", tmp_path):
        pass
