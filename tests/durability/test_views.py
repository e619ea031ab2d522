"""What happens to the showing of turns while something else happens to them: nothing is forgotten for it."""

import asyncio
from typing import Any

import pytest

from programs.discord.ids import SOURCE
from programs.playground.entities import GENERAL_ID, RANDOM_ID
from tests.durability.waiting import eventually
from tests.programs.discord.gate import Gate
from tests.programs.discord.scene import Scene, body_of


async def test_views_come_and_go_while_one_is_told_of_a_wait(settled: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that waits is told to the turn before it, whatever begins elsewhere in the same moment."""
    scene, go_on = settled, asyncio.Event()
    scene.model.hold(go_on, before="One ")
    first = scene.ask("first")
    await scene.until(scene.shown)
    turn_id = str(await scene.app.store.turn_of(SOURCE, str(first.id)))
    gate = Gate(scene, monkeypatch, "turn")
    gate.held = turn_id
    scene.ask("second")
    await gate.reached.wait()

    scene.ask("elsewhere", channel=RANDOM_ID)
    await scene.until(lambda: scene.outcomes(RANDOM_ID))
    gate.open.set()
    go_on.set()

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
    gate = Gate(scene, monkeypatch, "outcome_parts")
    gate.failures = 1
    go_on.set()
    await eventually(lambda: gate.failures == 0)

    await scene.bot.check()
    scene.ask("second")

    await scene.outcome(2)
    assert [body_of(message.content) for message in scene.shown()] == ["One two.", "Three."]
    assert scene.bot._views._views == {}
    caplog.clear()  # it was logged, as it should be


async def test_what_is_owed_elsewhere_may_be_unreadable(
    settled: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When the store fails while an ended view looks for what is left, the view still goes; the rest comes later."""
    scene, go_on = settled, asyncio.Event()
    scene.model.hold(go_on, before="One ", after="two.")
    scene.ask("first")
    await scene.until(scene.shown)
    gate = Gate(scene, monkeypatch, "undelivered")
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
