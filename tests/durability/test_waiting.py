"""Discord lets the bot wait: long rate limits, messages too old to be edited, and outages; the order holds."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator

import pytest

from llmgine.messages.commands import RegenerateTurnCommand
from programs.discord.delivery.notices import LATE
from programs.discord.ids import SOURCE, session_id
from programs.playground.entities import GENERAL_ID, Message
from programs.playground.rules import Window
from programs.playground.server import Playground
from tests.durability.waiting import eventually
from tests.programs.discord.scene import ROOMY, Scene, body_of

CREATE = ("POST", "/channels/{channel_id}/messages")


class Sleep:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.over.wait()


async def test_a_long_rate_limit_is_waited_out_and_told_once(unstarted: Scene) -> None:
    """Past half a minute: one request until it is over, then all answers in order, and one notice why they are late."""
    sleep = Sleep()
    scene = await unstarted.start(bot={"sleep": sleep})
    limited = scene.playground.faults.plan("rate_limit", *CREATE, retry_after=45)
    scene.ask("first")
    scene.ask("second")
    await eventually(lambda: sleep.asked)
    await scene.model.until(lambda: len(scene.model.requests) == 2 and not scene.model.active)
    await scene.app.bus.wait_until_idle()
    assert (len(sleep.asked), limited.hits, scene.shown()) == (1, 1, [])
    assert sleep.asked[0] == pytest.approx(45.0, abs=0.5)

    sleep.over.set()

    await scene.outcome(2)
    await scene.until(lambda: any(message.content == str(LATE) for message in scene.shown()))
    assert ["first" in message.content for message in scene.outcomes()] == [True, False]
    assert len(scene.shown()) == 3


async def test_a_long_rate_limit_survives_a_restart(unstarted: Scene) -> None:
    """Ended while it waits, the bot gives the answer after the restart, once."""
    scene = await unstarted.start(bot={"sleep": (sleep := Sleep())})
    scene.playground.faults.plan("rate_limit", *CREATE, retry_after=45)
    scene.ask("first")
    await eventually(lambda: sleep.asked)

    await scene.restart()

    await scene.outcome()
    assert len(scene.shown()) == 1


class TestOld:
    """With clocks that the test moves: the playground's, and the bot's."""

    @pytest.fixture
    def now(self) -> list[float]:
        return [time.time()]

    @pytest.fixture
    async def playground(self, now: list[float]) -> AsyncIterator[Playground]:
        rules = dataclasses.replace(ROOMY, old_edits=Window(1, 3600.0))
        async with Playground(rules=rules, clock=lambda: now[0]) as running:
            yield running

    @pytest.fixture(autouse=True)
    def _go_on(self) -> None:
        self.go_on = asyncio.Event()

    async def _answered_an_hour_ago(self, scene: Scene, now: list[float]) -> Message:
        """A question that is answered, and asked to be answered anew over an hour later."""
        scene.model.reply("Once.")
        asked = scene.ask("tell me")
        old = await scene.outcome()
        scene.model.hold(self.go_on, before="Once ", after="more.")
        await scene.bot.all_delivered()
        now[0] += 3_700.0
        turn_id = await scene.app.store.turns.of_message(SOURCE, str(asked.id))
        command = RegenerateTurnCommand(session_id=session_id(GENERAL_ID), turn_id=str(turn_id))
        (await scene.app.bus.execute(command)).unwrap()
        return old

    async def test_an_old_message_is_replaced(self, unstarted: Scene, now: list[float]) -> None:
        """Over an hour old it is not edited at all: a new message takes its place."""
        scene = await unstarted.start(bot={"clock": lambda: now[0]})
        old = await self._answered_an_hour_ago(scene, now)
        self.go_on.set()

        await scene.until(lambda: [message.id for message in scene.outcomes()] not in ([], [old.id]))
        await scene.delivered()

        assert [body_of(message.content) for message in scene.shown()] == ["Once more."]
        assert all(record.status < 400 for record in scene.playground.requests)

    async def test_a_refused_edit_is_a_new_message(self, unstarted: Scene, now: list[float]) -> None:
        """Where the clocks differ, Discord's refusal (30046) says that the message is too old."""
        scene = await unstarted.start()
        old = await self._answered_an_hour_ago(scene, now)
        await scene.until(lambda: not scene.outcomes())  # Discord takes one edit of it, and then no more
        self.go_on.set()

        await scene.until(lambda: [message.id for message in scene.outcomes()] not in ([], [old.id]))
        await scene.delivered()

        assert len(scene.shown()) == 1
        assert [r.response["code"] for r in scene.playground.requests if r.status == 429] == [30046]


async def test_later_parts_wait_for_earlier_ones(scene: Scene) -> None:
    """After an outage what could not be posted comes first: later parts, and later answers, stand below it."""
    parts = ["\n".join(f"{part}.{line} " + "word " * 20 for line in range(16)) for part in range(3)]
    scene.model.reply("\n\n".join(parts))
    failing = scene.playground.faults.plan("error", *CREATE, status=503, times=1_000)
    scene.ask("first")
    await eventually(lambda: scene.app.store.undelivered(SOURCE))
    scene.ask("second")
    await scene.model.until(lambda: len(scene.model.requests) == 2 and not scene.model.active)
    await eventually(lambda: failing.hits > 3)
    assert scene.shown() == []

    scene.playground.faults.clear()

    await scene.outcome(2)
    shown = [body_of(message.content) for message in scene.shown()]
    assert [text[:2] for text in shown[:-1]] == [f"{part}." for part in range(len(shown) - 1)]
    assert len(shown) > 3
    assert "second" in shown[-1]
