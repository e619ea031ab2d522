"""Places in which nothing was said before the bot came: the first message there is as safe as any other."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from llmgine.sessions.database import Operation
from programs.playground.entities import ADA_ID, GENERAL_ID
from tests.programs.discord.gate import Gate
from tests.programs.discord.scene import Scene
from tests.waiting import eventually


@pytest.mark.parametrize("operation", ["settings.of", "cursors.move", "turns.admit"])
async def test_a_store_that_fails_at_the_first_message(
    scene: Scene, operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A DM whose first message could not be stored is answered, that message first, when somebody writes again."""
    await scene.bot.caught_up()
    dm = scene.playground.people.open_dm(ADA_ID).id
    gate = Gate(scene, operation)
    gate.failures = 1
    scene.say("one", channel=dm)
    await eventually(lambda: gate.failures == 0)
    await scene.bot.caught_up()

    scene.say("two", channel=dm)

    await scene.outcome(2, channel=dm)
    assert ["one" in answer.content for answer in scene.outcomes(dm)] == [True, False]
    caplog.clear()  # it was logged, as it should be


async def test_talk_in_a_new_thread_is_no_transaction(scene: Scene) -> None:
    """The cursor of a place is stored with the first question there, at what was said before it."""
    await scene.bot.caught_up()
    scene.ask("hello")
    await scene.outcome()
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "talk").id
    names: list[str] = []

    @contextlib.asynccontextmanager
    async def note(operation: Operation) -> AsyncIterator[None]:
        names.append(operation.name)
        yield

    scene.app.store.observe(note)
    heard = scene.bot.wait_for("message")
    first = scene.say("just talk", channel=thread)
    await heard
    await scene.bot.caught_up()

    scene.ask("and now?", channel=thread)

    await scene.outcome(channel=thread)
    assert (await scene.cursors())[str(thread)] == first.id - 1


async def test_a_place_with_talk_alone_loses_no_question(scene: Scene) -> None:
    """A question asked while the bot was away is answered also where only people had talked before."""
    await scene.bot.caught_up()
    scene.ask("hello")
    await scene.outcome()
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "talk").id
    heard = scene.bot.wait_for("message")
    scene.say("just talk", channel=thread)
    await heard
    await scene.stop()
    scene.ask("are you there?", channel=thread)

    await scene.start()

    await scene.outcome(channel=thread)
