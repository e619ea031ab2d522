"""What happens to the showing of turns while something else happens to them: nothing is forgotten for it."""

import pytest

from programs.discord.ids import SOURCE
from programs.playground.entities import GENERAL_ID, RANDOM_ID
from tests.durability.waiting import eventually
from tests.programs.discord.gate import Gate
from tests.programs.discord.scene import Scene, labels


async def test_a_question_that_waits_is_told_of_whatever_begins_elsewhere(settled: Scene) -> None:
    """A question that waits is told to the turn before it, and the notice goes when nobody waits any more."""
    scene = settled
    scene.model.reply(tool_calls=[("send_email", '{"to": "ada@example.com", "subject": "s", "body": "b"}')])
    scene.ask("first")
    card = await scene.until(lambda: next((one for one in scene.shown() if "Approve" in labels(one)), None))
    assert card is not None
    asked = scene.ask("second")
    scene.ask("elsewhere", channel=RANDOM_ID)
    await scene.until(lambda: scene.outcomes(RANDOM_ID))
    await scene.until(lambda: any("Later questions are answered" in one.content for one in scene.shown()))
    scene.playground.people.delete(GENERAL_ID, asked.id, asked.author_id)
    await scene.until(lambda: not any("Later questions are answered" in one.content for one in scene.shown()))

    scene.click(card, "Approve")

    await scene.outcome()


async def test_an_outcome_that_cannot_be_stored_as_shown_is_shown_once(
    settled: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """When the store fails over where the parts are, they are shown once and in order, and all is stored in the end."""
    scene = settled
    placed, settled_ = Gate(scene, "deliveries.place"), Gate(scene, "deliveries.settle")
    placed.failures = settled_.failures = 2
    scene.ask("first")
    scene.ask("second")

    await scene.outcome(2)

    await eventually(lambda: scene.app.store.undelivered(SOURCE), empty=True)
    assert ["first" in message.content for message in scene.shown()] == [True, False]
    await scene.bot.all_delivered()
    assert scene.bot.active_turns == 0
    caplog.clear()  # it was logged, as it should be
