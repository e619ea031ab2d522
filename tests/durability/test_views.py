"""What happens to the showing of turns while something else happens to them: nothing is forgotten for it."""

import asyncio
from typing import Any

import pytest

from programs.playground.entities import GENERAL_ID, RANDOM_ID
from tests.durability.waiting import eventually
from tests.programs.discord.gate import Gate
from tests.programs.discord.scene import Scene, body_of, labels


async def test_views_come_and_go_while_one_is_told_of_a_wait(settled: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that waits is told to the turn before it, whatever begins elsewhere in the same moment."""
    scene = settled
    scene.model.reply(tool_calls=[("send_email", '{"to": "ada@example.com", "subject": "s", "body": "b"}')])
    scene.ask("first")
    card = await scene.until(lambda: next((one for one in scene.shown() if "Approve" in labels(one)), None))
    assert card is not None
    gate = Gate(scene, "turns.unfinished")
    gate.holds = True
    scene.ask("second")
    await gate.reached.wait()

    scene.ask("elsewhere", channel=RANDOM_ID)
    await scene.until(lambda: scene.outcomes(RANDOM_ID))
    gate.open.set()
    await scene.until(lambda: any("What was asked after that" in one.content for one in scene.shown()))
    scene.click(card, "Approve")

    await scene.outcome(2)


async def test_an_outcome_that_cannot_be_read_is_shown_later(
    settled: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When the store fails just as a turn ends, its outcome is found at the next look, above what is below it."""
    scene, go_on = settled, asyncio.Event()
    scene.model.hold(go_on, before="One ", after="two.")
    scene.model.reply("Three.")
    scene.ask("first")
    await scene.until(scene.shown)
    gate = Gate(scene, "deliveries.of_outcome")
    gate.failures = 1
    go_on.set()
    await eventually(lambda: gate.failures == 0)

    await scene.bot.check()
    scene.ask("second")

    await scene.outcome(2)
    assert [body_of(message.content) for message in scene.shown()] == ["One two.", "Three."]
    await scene.bot.all_delivered()
    assert scene.bot.active_turns == 0
    caplog.clear()  # it was logged, as it should be


async def test_what_is_owed_elsewhere_may_be_unreadable(
    settled: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When the store fails while an ended view looks for what is left, the view still goes; the rest comes later."""
    scene, go_on = settled, asyncio.Event()
    scene.model.hold(go_on, before="One ", after="two.")
    scene.ask("first")
    await scene.until(scene.shown)
    gate = Gate(scene, "deliveries.undelivered")
    views = scene.bot._views
    settle = views._settle

    async def settle_in_debt(view: Any) -> None:
        await settle(view)
        views._owing.add(GENERAL_ID)
        gate.failures = 1

    monkeypatch.setattr(views, "_settle", settle_in_debt)
    go_on.set()
    await eventually(lambda: scene.outcomes() and not views._closing)
    assert gate.failures == 0
    assert (views._views, views._tails) == ({}, {})
    monkeypatch.setattr(views, "_settle", settle)

    await scene.bot.check()
    scene.ask("second")

    await scene.outcome(2)
    caplog.clear()  # it was logged, as it should be
