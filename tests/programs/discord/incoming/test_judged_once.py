"""What was heard and found to be for others stays so, whatever the bot does later."""

from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID
from programs.playground.server import Playground
from tests.programs.discord.answers import asked
from tests.programs.discord.scene import Scene
from tests.waiting import patience


async def test_talk_from_before_the_bot_joined_a_thread_is_not_answered(
    unstarted: Scene, playground: Playground
) -> None:
    """People talk in a thread, then ask the bot, which joins; the next look answers nothing of the talk before."""
    scene = await unstarted.start()
    thread = playground.people.create_thread(GENERAL_ID, ADA_ID, "Ours")
    scene.say("hi", channel=thread.id)
    said = scene.say("hi back", by=GRACE_ID, channel=thread.id)
    async with patience("the talk to be heard"):
        await scene.bot.wait_for("message", check=lambda message: message.id == said.id)
        await scene.bot.caught_up()
    scene.ask("hello", channel=thread.id)
    await scene.outcome(channel=thread.id)

    await scene.bot.check()

    await scene.bot.caught_up()
    scene.ask("bye", channel=thread.id)
    await scene.outcome(2, channel=thread.id)
    assert asked(scene) == ["hello", "bye"]
