"""Answered anew in Discord: the messages that are there are edited, and none is left over."""

import asyncio

from llmgine.messages.commands import RegenerateTurnCommand
from programs.discord.ids import SOURCE, session_id
from programs.playground.entities import GENERAL_ID
from tests.programs.discord.scene import Scene, body_of, is_outcome
from tests.waiting import patience

LONG = "\n\n".join(f"Paragraph {number}. " + "word " * 60 for number in range(14))


async def test_a_new_answer_takes_the_place_of_the_old_one(settled: Scene) -> None:
    """A long answer becomes a short one: its first message is edited, the others go; a crash in between is mended."""
    scene, never = settled, asyncio.Event()
    scene.model.reply(LONG)
    asked = scene.ask("tell me")
    old = await scene.outcome()
    parts = [message.id for message in scene.shown()]
    assert len(parts) > 1
    assert old.id == parts[-1]
    turn_id = await scene.app.store.turns.of_message(SOURCE, str(asked.id))
    scene.model.hold(never, before="Shorter")
    command = RegenerateTurnCommand(session_id=session_id(GENERAL_ID), turn_id=str(turn_id))
    (await scene.app.bus.execute(command)).unwrap()
    await scene.until(lambda: scene.shown()[0].content == "Shorter")

    await scene.stop()
    never.set()
    scene.model.reply("Shorter.")
    await scene.start()

    # The preview already has all of the text; only the outcome takes the other messages away.
    await scene.until(lambda: is_outcome(scene.shown()[0].content) and body_of(scene.shown()[0].content) == "Shorter.")
    async with patience("everything to be delivered"):
        while await scene.app.store.undelivered(SOURCE):  # noqa: ASYNC110  the store tells nobody
            await asyncio.sleep(0.01)
    assert [message.id for message in scene.shown()] == parts[:1]
