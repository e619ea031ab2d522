"""Welcome, presence and good manners."""

import discord

from programs.playground.entities import BOT_ID, GENERAL_ID, RANDOM_ID, Message, Permission
from tests.durability.waiting import eventually
from tests.programs.discord.scene import Scene


def welcomes(scene: Scene, channel: int = GENERAL_ID) -> list[Message]:
    return [m for m in scene.shown(channel) if any("I'm" in f["name"] for e in m.embeds for f in e.get("fields", []))]


async def recorded(scene: Scene) -> None:
    """Wait until the store knows of the welcome."""
    await eventually(lambda: scene.app.store.cursors.newest("discord welcome"))


async def test_a_server_is_welcomed_once(scene: Scene) -> None:
    """When the bot is added it says what it can do, with commands to click, and not again after a restart."""
    scene.playground.gateway.add_bot()
    await scene.until(lambda: welcomes(scene))
    await recorded(scene)

    await scene.restart()
    scene.playground.gateway.add_bot()
    scene.ask("hello")
    await scene.outcome()

    [welcome] = welcomes(scene)
    told = "\n".join(field["value"] for field in welcome.embeds[0]["fields"])
    for command in scene.playground.state.commands.values():
        if command["name"] in ("help", "doctor", "system"):
            assert f"</{command['name']}:{command['id']}>" in told
    assert welcome.mentions == []


async def test_a_server_that_was_joined_while_the_bot_was_away_is_welcomed(scene: Scene) -> None:
    """The bot may be added while it is not running: it says hello when it comes."""
    await scene.stop()
    scene.playground.gateway.add_bot()

    await scene.start()

    await scene.until(lambda: welcomes(scene))
    await recorded(scene)


async def test_an_outage_is_no_join(scene: Scene) -> None:
    """A server that is back after an outage is not greeted, nor is one the bot has long been in."""
    scene.playground.gateway.outage()
    scene.playground.gateway.restore()
    scene.ask("hello")

    await scene.outcome()

    assert welcomes(scene) == []


async def test_a_welcome_that_nobody_wrote_down_is_found(scene: Scene) -> None:
    """A process that died between the welcome and its note of it is no reason to say it twice."""
    scene.playground.gateway.add_bot()
    await scene.until(lambda: welcomes(scene))
    await recorded(scene)
    await scene.stop()
    scene.folder.joinpath("llmgine.db").unlink()

    await scene.start()
    await recorded(scene)

    assert len(welcomes(scene)) == 1


async def test_the_welcome_goes_where_the_bot_may_write(scene: Scene) -> None:
    """The first channel it may write in gets the welcome, in the server's language."""
    scene.playground.state.guild.locale = "de"
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.SEND_MESSAGES)
    await scene.restart()

    scene.playground.gateway.add_bot()

    [welcome] = await scene.until(lambda: [m for m in scene.shown(RANDOM_ID) if m.embeds])
    assert welcome.embeds[0]["fields"][0]["name"] == "Hallo, ich bin LLMgine"
    assert scene.shown() == []
    await recorded(scene)


async def test_the_presence_says_how_to_talk_to_the_bot(scene: Scene) -> None:
    """Under the bot's name people see what it listens to."""
    assert scene.playground.state.bot_activity == "Listening to @mentions · /help"

    await scene.bot.change_presence(activity=discord.CustomActivity("Busy"))

    await scene.until(lambda: scene.playground.state.bot_activity == "Busy")
