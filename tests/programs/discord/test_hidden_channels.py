"""Channels that the bot cannot see: Discord tells it neither their names nor their rights, and it uses neither."""

import json

import discord
import pytest

from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.ids import channel_name
from programs.discord.visibility import everyone_reads, is_hidden
from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    GENERAL_ID,
    GUILD_ID,
    RANDOM_ID,
    TEXT_CHANNELS_ID,
    ChannelType,
    Permission,
)
from tests.programs.discord.scene import Scene
from tests.programs.discord.test_settings import change
from tests.programs.discord.test_slash import said, told
from tests.waiting import eventually

VIEW = Permission.VIEW_CHANNEL
NAME = "___hidden___"
HERE, AROUND = f"discord:{RANDOM_ID}", f"discord:category:{TEXT_CHANNELS_ID}"


async def hide(scene: Scene, channel_id: int = RANDOM_ID) -> None:
    """Hide a channel from the bot, and wait until it has heard of that."""
    scene.playground.admin.overwrite(channel_id, BOT_ID, deny=VIEW)
    await eventually(lambda: name_of(scene, channel_id) == NAME)


def name_of(scene: Scene, channel_id: int) -> str:
    """What discord.py knows a channel by."""
    channel = scene.bot.get_channel(channel_id)
    assert isinstance(channel, discord.abc.GuildChannel)
    return channel.name


async def everything_stored(scene: Scene) -> str:
    """What the database has of conversations and settings, and what the model was sent."""
    page = await scene.app.store.sessions.page(None, most=100, under=[f"discord:server:{GUILD_ID}"])
    settings = await scene.app.store.settings.of([HERE, AROUND, f"discord:server:{GUILD_ID}"])
    found = [*page.sessions, *settings]
    return "\n".join([*(one.model_dump_json() for one in found), json.dumps(scene.model.requests)])


class TestWhichAreHidden:
    """The one function that decides."""

    @pytest.mark.parametrize("kind", [ChannelType.TEXT, ChannelType.FORUM, ChannelType.CATEGORY])
    async def test_of_every_kind(self, unstarted: Scene, kind: ChannelType) -> None:
        """A channel of any kind that the bot cannot view is hidden; one that is only called so is not."""
        world = unstarted.playground.admin
        secret, called_so = world.add_channel("secret", kind), world.add_channel(NAME, kind)
        world.overwrite(secret.id, BOT_ID, deny=VIEW)
        scene = await unstarted.start()

        found = [scene.bot.get_channel(one.id) for one in (secret, called_so)]

        assert [is_hidden(one) for one in found] == [True, False]
        assert [everyone_reads(one) for one in found] == [False, True]

    async def test_one_that_becomes_hidden_while_it_is_known(self, scene: Scene) -> None:
        """As soon as the bot cannot view it, though Discord's update may not have come; and back again."""
        channel = scene.bot.get_channel(RANDOM_ID)
        assert not is_hidden(channel)
        await hide(scene)
        assert is_hidden(scene.bot.get_channel(RANDOM_ID))

        scene.playground.admin.overwrite(RANDOM_ID, BOT_ID)
        await eventually(lambda: name_of(scene, RANDOM_ID) == "random")

        assert not is_hidden(scene.bot.get_channel(RANDOM_ID))

    async def test_a_thread_is_as_its_channel(self, scene: Scene) -> None:
        """The threads of a hidden channel are hidden, too."""
        thread = scene.playground.people.create_thread(RANDOM_ID, ADA_ID, "Ours")
        await eventually(lambda: scene.bot.get_channel(thread.id) is not None)
        known = scene.bot.get_channel(thread.id)
        assert (is_hidden(known), everyone_reads(known)) == (False, True)

        await hide(scene)

        assert (is_hidden(known), everyone_reads(known)) == (True, False)

    async def test_a_private_thread_is_not_for_everyone(self, scene: Scene) -> None:
        """Whoever may read its channel, a private thread is for its members."""
        thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Ours", private=True)
        scene.playground.state.join_thread(scene.playground.state.channels[thread.id], BOT_ID)
        scene.playground.state.update_thread(scene.playground.state.channels[thread.id])
        await eventually(lambda: scene.bot.get_channel(thread.id) is not None)

        assert not everyone_reads(scene.bot.get_channel(thread.id))

    async def test_it_has_no_name(self, scene: Scene) -> None:
        """Nothing is called by the name of a hidden channel, or by what Discord says in its place."""
        user = scene.bot.user
        assert user is not None
        known = scene.bot.get_channel(RANDOM_ID)
        assert channel_name(known, user) == "#random in Playground"

        await hide(scene)

        assert channel_name(scene.bot.get_channel(RANDOM_ID), user) == "a channel"


class TestNothingIsMadeOfThem:
    """What the bot is asked for in a hidden channel, where commands still work."""

    @pytest.mark.parametrize(
        ("command", "given"),
        [
            ("style", {"value": "brief"}),
            ("style", {"value": "brief", "where": "category"}),
            ("listen", {"webhooks": "466378653216014359"}),
            ("budget", {"tokens": "1000"}),
            ("pause", {}),
        ],
    )
    async def test_nothing_is_set_for_it(self, scene: Scene, command: str, given: dict[str, str]) -> None:
        """Neither for the channel nor for a category that is hidden: who may do that there is not known."""
        await hide(scene, TEXT_CHANNELS_ID)  # with the channels in it
        await eventually(lambda: name_of(scene, RANDOM_ID) == NAME)

        scene.command(command, given, channel=RANDOM_ID)

        await told(scene, "I can't see that channel", channel=RANDOM_ID)
        stored = await everything_stored(scene)
        assert f'"scope":"{HERE}"' not in stored
        assert f'"scope":"{AROUND}"' not in stored

    async def test_what_is_set_for_the_server_holds(self, scene: Scene) -> None:
        """The server is no secret: it can still be set from there."""
        await hide(scene)

        await change(scene, "style", {"value": "brief", "where": "server"}, channel=RANDOM_ID)

        assert '"style"' in await everything_stored(scene)

    async def test_a_conversation_that_is_resumed_there(self, scene: Scene) -> None:
        """The copy of a conversation is called neither by the channel's name nor by what Discord says in its place."""
        scene.ask("hello")
        await scene.outcome()
        await hide(scene)
        scene.command("sessions", channel=RANDOM_ID)  # without its cards, which take a permission there
        message = (await scene.until(lambda: [one for one in scene.private(ADA_ID, RANDOM_ID) if one.components]))[0]
        choice = str(ComponentId(Action.SESSION_OPEN))
        scene.playground.people.click(RANDOM_ID, ADA_ID, message.id, choice, [f"discord:{GENERAL_ID}"])
        await scene.until(lambda: "Resume here" in json.dumps(message.components))
        scene.click(message, "Resume here")
        await said(scene, "Ada resumed the conversation", channel=RANDOM_ID)

        stored = await everything_stored(scene)

        assert f'"discord:{RANDOM_ID}"' in stored
        assert NAME not in stored
        assert "#random" not in stored

    async def test_a_mention_of_it_has_no_name(self, scene: Scene) -> None:
        """The model is told no name of a hidden channel that somebody mentions."""
        await hide(scene)

        scene.ask(f"what happens in <#{RANDOM_ID}>?")
        await scene.outcome()

        assert f"<#{RANDOM_ID}>" in await everything_stored(scene)
        assert NAME not in await everything_stored(scene)
