"""Categories: what is in them, who may do what there, and what becomes of their channels, through the real discord.py.

Every payload is held against Discord's document by the playground itself, where there is a copy of it.
"""

import discord
import pytest

from programs.playground.admin import MAX_IN_CATEGORY
from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    MEMBERS_ROLE_ID,
    RANDOM_ID,
    TEXT_CHANNELS_ID,
    ChannelType,
    Permission,
)
from programs.playground.errors import ApiError
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Raw, within
from tests.programs.playground.test_management import ADA, GRACE, VIEW, Watch


async def test_the_client_sees_what_is_in_a_category(playground: Playground, bot: Bot) -> None:
    """Channels know their category, and threads that of their channel; a channel outside of all has none."""
    guild = bot.general.guild
    thread = playground.people.create_thread(GENERAL_ID, ADA_ID, "inside")
    playground.admin.add_channel("loose")
    await bot.heard("guild_channel_create")

    seen = await bot.heard("thread_create")

    assert [category.name for category in guild.categories] == ["Text Channels"]
    assert [channel.name for channel in guild.categories[0].text_channels] == ["general", "random"]
    assert (bot.general.category, bot.general.category_id) == (guild.categories[0], TEXT_CHANNELS_ID)
    assert (seen.id, seen.parent_id, seen.category_id) == (thread.id, GENERAL_ID, TEXT_CHANNELS_ID)
    assert [(category and category.name, len(inside)) for category, inside in guild.by_category()] == [
        (None, 1),
        ("Text Channels", 2),
    ]


async def test_categories_are_fetched(playground: Playground, bot: Bot) -> None:
    """Alone and among the channels of the guild, a category is one, with its place and its overwrites."""
    playground.admin.overwrite(TEXT_CHANNELS_ID, GRACE_ID, deny=Permission.SEND_MESSAGES)

    alone = await bot.fetch_channel(TEXT_CHANNELS_ID)
    listed = await bot.general.guild.fetch_channels()

    assert isinstance(alone, discord.CategoryChannel)
    assert (alone.name, alone.position, alone.category) == ("Text Channels", 0, None)
    assert [overwrite.send_messages for overwrite in alone.overwrites.values()] == [False]
    assert [channel.id for channel in listed] == [TEXT_CHANNELS_ID, GENERAL_ID, RANDOM_ID]


async def test_a_category_is_made_filled_and_deleted(playground: Playground, bot: Bot) -> None:
    """The bot hears of a category, of a channel's move into it, and that its channels are in none when it goes."""
    made = playground.admin.add_category("Projects")
    category = await bot.heard("guild_channel_create")
    playground.admin.move_channel(GENERAL_ID, made.id)
    before, after = await bot.heard("guild_channel_update")
    assert (category.type, category.position) == (discord.ChannelType.category, 1)
    assert (before.category_id, after.category_id, after.category) == (TEXT_CHANNELS_ID, made.id, category)

    playground.admin.delete_channel(made.id)

    assert (await bot.heard("guild_channel_delete")).id == made.id
    _, left = await bot.heard("guild_channel_update", count=2)
    assert (left.id, left.category_id, left.category) == (GENERAL_ID, None, None)
    assert playground.state.channels[RANDOM_ID].parent_id == TEXT_CHANNELS_ID


async def test_a_channel_keeps_its_overwrites_until_it_is_synced(playground: Playground, bot: Bot) -> None:
    """Overwrites of a category hold in its channels only where they were copied: when made there, or when asked for."""
    category = playground.admin.add_category("Closed")
    playground.admin.overwrite(category.id, MEMBERS_ROLE_ID, deny=Permission.SEND_MESSAGES)
    made = playground.admin.add_channel("made there", category_id=category.id)
    playground.admin.move_channel(GENERAL_ID, category.id)
    playground.admin.move_channel(RANDOM_ID, category.id, sync=True)

    def may_write(channel_id: int) -> bool:
        return bool(playground.state.permissions(GRACE_ID, playground.state.channels[channel_id]) & Permission(1 << 11))

    assert [may_write(one) for one in (made.id, GENERAL_ID, RANDOM_ID)] == [False, True, False]
    _, synced = await bot.heard("guild_channel_update", count=3)
    assert (synced.id, synced.permissions_synced) == (RANDOM_ID, True)


async def test_channels_in_sync_follow_their_category(playground: Playground) -> None:
    """What is set in a category is set in the channels that have its overwrites, and in no other."""
    playground.admin.overwrite(RANDOM_ID, GRACE_ID, deny=Permission.ADD_REACTIONS)

    playground.admin.overwrite(TEXT_CHANNELS_ID, BOT_ID, deny=Permission.EMBED_LINKS)

    channels = playground.state.channels
    assert channels[GENERAL_ID].overwrites == channels[TEXT_CHANNELS_ID].overwrites
    assert list(channels[RANDOM_ID].overwrites) == [GRACE_ID]
    playground.admin.overwrite(TEXT_CHANNELS_ID, BOT_ID)
    assert channels[GENERAL_ID].overwrites == {}


async def test_nothing_is_written_into_a_category(playground: Playground, bot: Bot, raw: Raw) -> None:
    """Messages are refused with 50008, threads with 50024; its list of messages is empty."""
    path = f"/channels/{TEXT_CHANNELS_ID}"

    message = await raw.api("POST", path + "/messages", {"content": "x"})
    thread = await raw.api("POST", path + "/threads", {"name": "x", "type": 11})
    listed = await raw.api("GET", path + "/messages")

    assert (message[0], message[1]["code"]) == (400, 50008)
    assert (thread[0], thread[1]["code"]) == (400, 50024)
    assert listed == (200, [])
    with pytest.raises(ApiError) as refused:
        playground.people.send(TEXT_CHANNELS_ID, ADA_ID, "x")
    assert refused.value.code == 50008


async def test_only_a_category_takes_channels(playground: Playground) -> None:
    """A channel goes into no other channel, a category into none, and a full one takes no more: 50035 says why."""
    world = playground.admin
    full = world.add_category("Full")
    for number in range(MAX_IN_CATEGORY):
        world.add_channel(f"c{number}", category_id=full.id)
    refusals = []

    for act in (
        lambda: world.add_channel("x", category_id=1),
        lambda: world.add_channel("x", category_id=GENERAL_ID),
        lambda: world.add_channel("x", ChannelType.CATEGORY, category_id=TEXT_CHANNELS_ID),
        lambda: world.move_channel(TEXT_CHANNELS_ID, full.id),
        lambda: world.move_channel(GENERAL_ID, full.id),
    ):
        with pytest.raises(ApiError) as refused:
            act()
        assert (refused.value.code, refused.value.errors is not None) == (50035, True)
        refusals.append(str(refused.value.errors))

    assert [words.count("INVALID") for words in refusals] == [1, 1, 1, 1, 0]
    assert "reached (50)" in refusals[-1]
    assert len(playground.state.channels_in(full.id)) == MAX_IN_CATEGORY


async def test_people_make_categories_and_move_channels(playground: Playground, raw: Raw) -> None:
    """On the page a category is made, a channel made in it and moved out of it again, and it is deleted."""
    _, category = await raw.page("POST", "/channels", {**ADA, "name": "Projects", "type": 4})
    _, channel = await raw.page("POST", "/channels", {**ADA, "name": "plans", "parent_id": category["id"]})
    assert (category["type"], channel["parent_id"]) == (4, category["id"])
    _, moved = await raw.page("PATCH", f"/channels/{channel['id']}", {**ADA, "parent_id": None})
    assert moved["parent_id"] is None
    _, named = await raw.page("PATCH", f"/channels/{channel['id']}", {**ADA, "parent_id": category["id"], "name": "x"})
    assert (named["parent_id"], named["name"]) == (category["id"], "x")

    assert (await raw.page("DELETE", f"/channels/{category['id']}", ADA))[0] == 204

    assert playground.state.channels[int(channel["id"])].parent_id is None


async def test_who_manages_one_category_manages_channels_in_that_one(playground: Playground, raw: Raw) -> None:
    """With the permission in a category alone one makes channels there, and neither elsewhere nor moves them there."""
    other = playground.admin.add_category("Other")
    playground.admin.overwrite(other.id, GRACE_ID, allow=Permission.MANAGE_CHANNELS)

    there = await raw.page("POST", "/channels", {**GRACE, "name": "mine", "parent_id": str(other.id)})
    nowhere = await raw.page("POST", "/channels", {**GRACE, "name": "x"})
    elsewhere = await raw.page("POST", "/channels", {**GRACE, "name": "x", "parent_id": str(TEXT_CHANNELS_ID)})
    taken = await raw.page("PATCH", f"/channels/{GENERAL_ID}", {**GRACE, "parent_id": str(other.id)})
    given = await raw.page("PATCH", f"/channels/{there[1]['id']}", {**GRACE, "parent_id": str(TEXT_CHANNELS_ID)})

    assert there[0] == 201
    assert [status for status, _ in (nowhere, elsewhere, taken, given)] == [403] * 4
    assert playground.state.channels[GENERAL_ID].parent_id == TEXT_CHANNELS_ID


async def test_a_category_is_in_sight_with_its_channels(playground: Playground, raw: Raw) -> None:
    """The page knows a category that one may not see oneself, as long as one sees a channel in it."""
    hidden = playground.admin.add_category("Hidden")
    playground.admin.overwrite(hidden.id, GUILD_ID, deny=Permission.VIEW_CHANNEL)
    assert "Hidden" not in await names(raw)
    url = f"{playground.url}/playground/events?as={GRACE_ID}"
    async with raw.session.ws_connect(url) as socket:
        watch = Watch(socket)
        inside = playground.admin.add_channel("inside", category_id=hidden.id)  # in sync: out of sight too
        playground.admin.overwrite(inside.id, GRACE_ID, allow=Permission(int(VIEW)))
        come = [await within(watch.next()) for _ in range(2)]
        assert "Hidden" in await names(raw)
        playground.admin.delete_channel(inside.id)
        gone = [await within(watch.next()) for _ in range(2)]

    both = {str(hidden.id), str(inside.id)}
    assert {(name, data["id"]) for name, data in come} == {("CHANNEL_CREATE", one) for one in both}
    assert {(name, data["id"]) for name, data in gone} == {("CHANNEL_DELETE", one) for one in both}


async def names(raw: Raw) -> list[str]:
    """The categories on Grace's page."""
    _, state = await raw.page("GET", f"/state?as={GRACE_ID}")
    return [category["name"] for category in state["categories"]]
