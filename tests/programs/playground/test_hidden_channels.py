"""Channels that the bot cannot see: it hears that they are there, and nothing else of them."""

from collections.abc import Callable

import discord
import pytest

from programs.playground.admin import Admin
from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    BOT_PERMISSIONS,
    BOT_ROLE_ID,
    GENERAL_ID,
    GUILD_ID,
    MEMBERS_ROLE_ID,
    RANDOM_ID,
    TEXT_CHANNELS_ID,
    ChannelType,
    Json,
    Permission,
)
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Connect, Raw, within

VIEW = Permission.VIEW_CHANNEL
OBFUSCATED = 1 << 17
NOBODY = {"id": str(GUILD_ID), "type": 0, "allow": "0", "deny": str(int(VIEW))}


def hide(playground: Playground, channel_id: int) -> None:
    """The bot cannot see the channel any more."""
    playground.admin.change_channel(channel_id, {"topic": "a secret", "rate_limit_per_user": 5})
    playground.admin.overwrite(channel_id, BOT_ID, deny=VIEW)


def assert_hidden(channel: Json) -> None:
    """Nothing is told of the channel but that it is there."""
    assert channel["name"] == "___hidden___"
    assert channel["flags"] & OBFUSCATED
    assert [channel.get(name) for name in ("topic", "last_message_id")] == [None, None]
    assert channel.get("rate_limit_per_user", 0) == 0
    assert channel["permission_overwrites"] == [NOBODY]


async def last_update(bot: Bot, channel_id: int, *, count: int) -> Json:
    """What the `count`-th update of a channel said, as soon as it came."""
    while len(told := [one for one in bot.frames("CHANNEL_UPDATE") if one["id"] == str(channel_id)]) < count:
        await bot.heard("guild_channel_update", count=len(bot.frames("CHANNEL_UPDATE")) + 1)
    return told[count - 1]


async def settled(playground: Playground, bot: Bot) -> None:
    """Wait until the bot has heard everything that was told so far."""
    playground.people.send(playground.people.open_dm(ADA_ID).id, ADA_ID, "the end")
    while not any(one["content"] == "the end" for one in bot.frames("MESSAGE_CREATE")):
        await bot.heard("message", count=len(bot.frames("MESSAGE_CREATE")) + 1)


class TestObfuscation:
    """What is told of them."""

    async def test_they_come_obfuscated_with_the_server(self, playground: Playground, start: Connect) -> None:
        """GUILD_CREATE has a hidden channel without its name, topic and overwrites."""
        playground.people.send(RANDOM_ID, ADA_ID, "between us")
        hide(playground, RANDOM_ID)
        bot = await start(playground, enable_debug_events=True)

        [server] = bot.frames("GUILD_CREATE")

        assert_hidden(next(one for one in server["channels"] if one["id"] == str(RANDOM_ID)))

    async def test_an_update_is_obfuscated(self, playground: Playground, listener: Bot) -> None:
        """When a channel is hidden from the bot, the update that says so has nothing else of it."""
        hide(playground, RANDOM_ID)
        await listener.heard("guild_channel_update", count=2)

        assert_hidden(listener.frames("CHANNEL_UPDATE")[-1])

    async def test_a_new_one_comes_obfuscated(self, playground: Playground, listener: Bot) -> None:
        """A channel that is made in a category which is hidden from the bot is told without what it is."""
        category = playground.admin.add_category("Secret")
        hide(playground, category.id)
        playground.admin.add_channel("secret", category_id=category.id)

        await listener.heard("guild_channel_create", count=2)

        assert_hidden(listener.frames("CHANNEL_CREATE")[-1])

    async def test_a_deletion_is_told(self, playground: Playground, listener: Bot) -> None:
        """A hidden channel that is deleted goes from the client too, and is not told whole then either."""
        hide(playground, RANDOM_ID)
        playground.admin.delete_channel(RANDOM_ID)

        assert (await listener.heard("guild_channel_delete")).id == RANDOM_ID

        assert_hidden(listener.frames("CHANNEL_DELETE")[-1])

    @pytest.mark.parametrize("kind", [ChannelType.TEXT, ChannelType.FORUM, ChannelType.CATEGORY])
    async def test_the_client_reads_them(self, playground: Playground, start: Connect, kind: ChannelType) -> None:
        """discord.py has a hidden channel of every type at its place, and knows that neither it nor others see it."""
        category_id = None if kind is ChannelType.CATEGORY else TEXT_CHANNELS_ID
        made = playground.admin.add_channel("secret", kind, category_id=category_id)
        playground.admin.overwrite(made.id, MEMBERS_ROLE_ID, deny=VIEW)
        hide(playground, made.id)
        bot = await start(playground)

        channel = bot.get_channel(made.id)

        assert isinstance(channel, discord.abc.GuildChannel)
        assert (channel.name, channel.type.value, channel.position) == ("___hidden___", kind, made.position)
        assert channel.category_id == category_id
        assert not channel.permissions_for(channel.guild.me).view_channel

    async def test_one_may_really_have_that_name(self, playground: Playground, listener: Bot) -> None:
        """The flag says that a channel is hidden, not its name."""
        made = playground.admin.add_channel("___hidden___")
        await listener.heard("guild_channel_create")

        assert listener.frames("CHANNEL_CREATE")[-1]["flags"] == 0
        assert playground.state.may_see(BOT_ID, made)

    async def test_an_interaction_is_told_whole(self, playground: Playground, listener: Bot) -> None:
        """Discord obfuscates no channel in the payload of an interaction."""

        @listener.tree.command(description="Look")
        async def look(_: discord.Interaction) -> None: ...

        await listener.tree.sync()
        hide(playground, GENERAL_ID)
        playground.people.command(GENERAL_ID, ADA_ID, "look")

        assert (await listener.heard("interaction")).channel.id == GENERAL_ID
        assert listener.frames("INTERACTION_CREATE")[-1]["channel"]["name"] == "general"


def deny_everyone(world: Admin) -> None:
    world.overwrite(RANDOM_ID, GUILD_ID, deny=VIEW)


def deny_the_role(world: Admin) -> None:
    world.overwrite(RANDOM_ID, BOT_ROLE_ID, deny=VIEW)


def deny_the_bot(world: Admin) -> None:
    world.overwrite(RANDOM_ID, BOT_ID, deny=VIEW)


def take_the_role(world: Admin) -> None:
    """The bot saw it only by its role."""
    world.overwrite(RANDOM_ID, GUILD_ID, deny=VIEW)
    world.overwrite(RANDOM_ID, BOT_ROLE_ID, allow=VIEW)
    world.give_roles(BOT_ID)


def sync_with_its_category(world: Admin) -> None:
    secret = world.add_category("Secret")
    world.overwrite(secret.id, BOT_ID, deny=VIEW)
    world.move_channel(RANDOM_ID, secret.id, sync=True)


def deny_by_the_category(world: Admin) -> None:
    """The channel is in sync with its category."""
    world.overwrite(TEXT_CHANNELS_ID, BOT_ID, deny=VIEW)


def deny_by_roles(world: Admin) -> None:
    """No role allows to see anything any more."""
    world.set_role(GUILD_ID, Permission.READ_MESSAGE_HISTORY)
    world.set_role(BOT_ROLE_ID, BOT_PERMISSIONS & ~VIEW)


def delete_the_role(world: Admin) -> None:
    """The bot saw it only by a role that is deleted."""
    seers = world.add_role("Seers")
    world.overwrite(RANDOM_ID, GUILD_ID, deny=VIEW)
    world.overwrite(RANDOM_ID, seers, allow=VIEW)
    world.give_roles(BOT_ID, BOT_ROLE_ID, seers)
    world.remove_role(seers)


def allow_the_bot(world: Admin) -> None:
    world.overwrite(RANDOM_ID, BOT_ID, allow=VIEW)


def make_it_an_administrator(world: Admin) -> None:
    world.set_role(BOT_ROLE_ID, Permission.ADMINISTRATOR)


def give_a_role(world: Admin) -> None:
    world.give_roles(BOT_ID, BOT_ROLE_ID, world.add_role("Heads", Permission.ADMINISTRATOR))


class TestTurns:
    """Whatever the reason, a channel that the bot begins or ceases to see is told once more."""

    @pytest.mark.parametrize(
        "change",
        [
            deny_everyone,
            deny_the_role,
            deny_the_bot,
            take_the_role,
            sync_with_its_category,
            deny_by_the_category,
            deny_by_roles,
            delete_the_role,
        ],
    )
    async def test_one_goes_out_of_sight(
        self, playground: Playground, listener: Bot, change: Callable[[Admin], None]
    ) -> None:
        """The last that the bot hears of it is obfuscated."""
        change(playground.admin)
        await settled(playground, listener)

        told = [one for one in listener.frames("CHANNEL_UPDATE") if one["id"] == str(RANDOM_ID)]
        assert_hidden(told[-1])
        random = listener.get_channel(RANDOM_ID)
        assert isinstance(random, discord.TextChannel)
        assert not random.permissions_for(random.guild.me).view_channel

    @pytest.mark.parametrize("change", [allow_the_bot, make_it_an_administrator, give_a_role])
    async def test_one_comes_into_sight(
        self, playground: Playground, start: Connect, change: Callable[[Admin], None]
    ) -> None:
        """It is told whole, once, and with its open threads."""
        playground.admin.overwrite(RANDOM_ID, GUILD_ID, deny=VIEW)
        playground.admin.overwrite(RANDOM_ID, MEMBERS_ROLE_ID, allow=VIEW)
        thread = playground.people.create_thread(RANDOM_ID, ADA_ID, "Plans")
        bot = await start(playground, enable_debug_events=True)

        change(playground.admin)
        await settled(playground, bot)

        [told] = [one for one in bot.frames("CHANNEL_UPDATE") if one["id"] == str(RANDOM_ID)]
        assert (told["name"], told["flags"]) == ("random", 0)
        [synced] = bot.frames("THREAD_LIST_SYNC")
        assert (synced["channel_ids"], [one["id"] for one in synced["threads"]]) == ([str(RANDOM_ID)], [str(thread.id)])
        known = bot.get_channel(thread.id)
        assert isinstance(known, discord.Thread)
        assert known.parent is not None
        assert known.parent.name == "random"

    async def test_a_category_is_seen_for_the_sake_of_its_channels(self, playground: Playground, listener: Bot) -> None:
        """It is told whole while the bot sees a channel in it, and obfuscated when the last one is gone from there."""
        world = playground.admin
        secret = world.add_category("Secret")
        world.overwrite(secret.id, BOT_ID, deny=VIEW)
        inside = world.add_channel("inside", category_id=secret.id)
        world.overwrite(inside.id, BOT_ID, allow=VIEW)
        world.move_channel(inside.id, None)
        await settled(playground, listener)

        told = [one["name"] for one in listener.frames("CHANNEL_UPDATE") if one["id"] == str(secret.id)]
        assert told == ["___hidden___", "Secret", "___hidden___"]

    async def test_others_do_not_matter(self, playground: Playground, listener: Bot) -> None:
        """When what somebody else sees changes, the bot is told no channel again."""
        playground.admin.give_roles(ADA_ID)
        playground.admin.add_role("Idle")
        playground.admin.leave(playground.admin.join("Linus"))
        await settled(playground, listener)

        assert listener.frames("CHANNEL_UPDATE") == []


async def test_nothing_inside_is_told(playground: Playground, listener: Bot) -> None:
    """Of messages, reactions, pins, typing and threads in a hidden channel the bot hears nothing."""
    hide(playground, RANDOM_ID)
    before = len(listener.frames("CHANNEL_UPDATE"))
    people = playground.people
    message = people.send(RANDOM_ID, ADA_ID, "between us")
    people.edit(RANDOM_ID, message.id, ADA_ID, "just between us")
    people.react(RANDOM_ID, message.id, ADA_ID, "👍")
    people.pin(RANDOM_ID, message.id, ADA_ID)
    people.typing(RANDOM_ID, ADA_ID)
    thread = people.create_thread(RANDOM_ID, ADA_ID, "Plans")
    people.send(thread.id, ADA_ID, "inside")
    people.delete_thread(thread.id, ADA_ID)
    people.delete(RANDOM_ID, message.id, ADA_ID)
    await settled(playground, listener)

    names = ("MESSAGE_REACTION_ADD", "CHANNEL_PINS_UPDATE", "TYPING_START", "THREAD_CREATE", "THREAD_MEMBERS_UPDATE")
    assert [listener.frames(name) for name in (*names, "MESSAGE_UPDATE", "MESSAGE_DELETE", "THREAD_DELETE")] == [[]] * 8
    assert [one["content"] for one in listener.frames("MESSAGE_CREATE")] == ["the end"]
    assert len(listener.frames("CHANNEL_UPDATE")) >= before


async def test_the_list_leaves_them_out(playground: Playground, listener: Bot) -> None:
    """Over REST Discord leaves the hidden ones out of a server's channels, and refuses to tell of one alone."""
    hide(playground, RANDOM_ID)

    found = await listener.guilds[0].fetch_channels()

    assert [channel.id for channel in found] == [TEXT_CHANNELS_ID, GENERAL_ID]
    with pytest.raises(discord.Forbidden) as refused:
        await listener.fetch_channel(RANDOM_ID)
    assert refused.value.code == 50001


async def test_people_see_them_by_their_own_permissions(playground: Playground, raw: Raw) -> None:
    """The page shows a channel that is hidden from the bot as before, and hears of its changes."""
    async with raw.session.ws_connect(f"{playground.url}/playground/events?as={ADA_ID}") as socket:
        hide(playground, RANDOM_ID)
        told = [await within(socket.receive_json()) for _ in range(2)]
    _, state = await raw.page("GET", f"/state?as={ADA_ID}")

    assert [(event["t"], event["d"]["name"], event["d"]["topic"]) for event in told] == [
        ("CHANNEL_UPDATE", "random", "a secret")
    ] * 2
    assert [channel["name"] for channel in state["channels"]] == ["general", "random"]
