"""Many people, one model: nobody starves, and nobody's queue grows without end."""

import asyncio

import pytest

from llmgine.engine.fair_slots import FairSlots
from llmgine.sessions.operations import turns
from programs.playground.entities import ADA_ID, GRACE_ID, RANDOM_ID
from tests.programs.discord.scene import Scene, people_said
from tests.waiting import patience


async def test_a_busy_session_does_not_starve_another(settled: Scene) -> None:
    """With one model call at a time, who asks in a quiet channel waits for one answer of the busy one, not for all."""
    scene, go_on = settled, asyncio.Event()
    scene.app.engine.model.slots = FairSlots(1)
    scene.model.hold(go_on)
    for number in range(5):
        scene.ask(f"busy {number}")
    await scene.model.until(lambda: scene.model.active == 1)
    scene.ask("quiet", by=GRACE_ID, channel=RANDOM_ID)
    async with patience("a turn that waits for the model"):
        while not scene.app.engine.model.slots._waiting:  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0.01)

    go_on.set()

    await scene.outcome(5)
    asked = [people_said(request)[-1] for request in scene.model.requests]
    assert asked[:2] == ["busy 0", "quiet"]
    assert [text for text in asked if text != "quiet"] == [f"busy {number}" for number in range(5)]


async def test_a_full_queue_is_said_to_be_full(settled: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is over the bound gets one reply that says so, and no answer later, whatever is read back or restarted."""
    monkeypatch.setattr(turns, "MAX_OPEN", 3)
    scene, go_on = settled, asyncio.Event()
    scene.model.hold(go_on, before="One ")
    asked = [scene.ask(f"question {number}", by=GRACE_ID if number % 2 else ADA_ID) for number in range(5)]
    full = await scene.until(lambda: _refusals(scene) if len(_refusals(scene)) == 2 else None)
    assert full is not None
    assert full == [asked[3].id, asked[4].id]
    go_on.set()
    await scene.outcome(3)

    await scene.bot.check()
    await scene.restart()
    async with patience("the bot to catch up"):
        await scene.bot.caught_up()
    scene.ask("there is room again")
    await scene.outcome(4)

    answered = [people_said(request)[-1] for request in scene.model.requests]
    assert answered == ["question 0", "question 1", "question 2", "there is room again"]
    assert _refusals(scene) == full
    for message in scene.shown():  # they came before the answers to what is above them, as they should
        if "are already waiting here" in message.content:
            scene.playground.state.delete_message(message)


def _refusals(scene: Scene) -> list[int | None]:
    """The messages that were told that the queue is full."""
    found = [message for message in scene.shown() if "are already waiting here" in message.content]
    return [message.reference.message_id if message.reference else None for message in found]
