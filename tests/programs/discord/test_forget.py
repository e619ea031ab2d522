"""Forgetting a turn takes its answer away."""

import asyncio

from llmgine.messages.commands import ForgetTurnCommand
from programs.playground.entities import BOT_ID, GENERAL_ID, Message, Permission
from tests.programs.discord.scene import Scene

SESSION = f"discord:{GENERAL_ID}"


async def turn_of(scene: Scene, message: Message) -> str:
    """The turn a person's message was admitted to."""
    turn_id = await scene.app.store.turns.of_message("discord", str(message.id))
    assert turn_id is not None
    return turn_id


async def test_the_answer_is_taken_away(scene: Scene) -> None:
    """Every part of a forgotten turn's answer goes from the channel; the answers beside it stay."""
    scene.model.reply("first")
    scene.ask("one")
    await scene.outcome()
    scene.model.reply("word " * 900)
    asked = scene.ask("two")
    await scene.outcome(2)
    assert len(scene.shown()) == 4

    command = ForgetTurnCommand(session_id=SESSION, turn_id=await turn_of(scene, asked))
    (await scene.app.bus.execute(command)).unwrap()

    await scene.until(lambda: len(scene.shown()) == 1)
    await scene.delivered()
    assert scene.shown()[0].content.startswith("first")


async def test_an_answer_on_its_way_is_taken_away(scene: Scene) -> None:
    """A turn forgotten while its answer streams leaves nothing behind."""
    never = asyncio.Event()
    scene.model.hold(never, before="I was about to ")
    asked = scene.ask("tell me")
    await scene.until(scene.shown)

    command = ForgetTurnCommand(session_id=SESSION, turn_id=await turn_of(scene, asked))
    (await scene.app.bus.execute(command)).unwrap()

    never.set()
    await scene.until(lambda: not scene.shown())
    await scene.delivered()


async def test_what_could_not_be_taken_away_goes_after_the_restart(scene: Scene) -> None:
    """Forgotten and then ended before Discord was told: the messages go when the bot is back."""
    asked = scene.ask("one")
    await scene.outcome()
    turn_id = await turn_of(scene, asked)
    # As a crash between the commit and the request leaves it.
    assert await scene.app.store.forget(SESSION, turn_id)
    assert len(scene.shown()) == 1

    await scene.restart()

    await scene.until(lambda: not scene.shown())
    await scene.delivered()


async def test_a_post_that_was_done_without_an_answer_is_taken_away(scene: Scene) -> None:
    """discord.py repeats a post that got no answer and hears that it may not write there: the first one counts."""
    scene.playground.faults.plan("error", "POST", "/channels/{channel_id}/messages", status=500, committed=True)
    asked = scene.ask("tell me")
    await scene.until(scene.shown)

    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.VIEW_CHANNEL)
    command = ForgetTurnCommand(session_id=SESSION, turn_id=await turn_of(scene, asked))
    (await scene.app.bus.execute(command)).unwrap()
    await scene.until(lambda: len(scene.sends()) == 2)
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, allow=Permission(0))

    await scene.until(lambda: not scene.shown())
    await scene.delivered()
