"""People, roles and channels come, change and go, and the real discord.py hears of it."""

from collections.abc import Callable

import aiohttp
import discord
import pytest

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID, MEMBERS_ROLE_ID, ChannelType, Permission
from programs.playground.errors import ApiError
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Connect, Raw


async def test_people_join_talk_and_leave(playground: Playground, bot: Bot) -> None:
    """Somebody new is heard of and can talk, until they leave; what was said stays, and they may come back."""
    linus = playground.admin.join("Linus T")
    assert (await bot.heard("member_join")).display_name == "Linus T"
    playground.people.send(GENERAL_ID, linus, "hello")
    assert (await bot.heard("message")).author.name == "linus_t"

    playground.admin.leave(linus)

    assert (await bot.heard("raw_member_remove")).user.id == linus
    with pytest.raises(ApiError) as refused:
        playground.people.send(GENERAL_ID, linus, "still there?")
    assert refused.value.code == 50001
    assert [one.author.id async for one in bot.general.history()] == [linus]
    with pytest.raises(discord.NotFound):
        await bot.general.guild.fetch_member(linus)
    assert playground.admin.join("Linus T") == linus


async def test_a_leaver_takes_no_part_in_threads(playground: Playground, bot: Bot) -> None:
    """Leaving the guild is leaving its threads."""
    thread = playground.people.create_thread(GENERAL_ID, GRACE_ID, "t")

    playground.admin.leave(GRACE_ID)

    assert thread.thread is not None
    assert thread.thread.members == {}


async def test_without_the_intent_nobody_comes_or_goes(playground: Playground, start: Connect) -> None:
    """Members are told only to those who asked for them; the bot hears of itself all the same."""
    intents = discord.Intents.default()
    bot = await start(playground, intents=intents)
    playground.admin.join("Linus")
    playground.admin.give_roles(GRACE_ID)
    playground.admin.give_roles(BOT_ID)

    before, after = await bot.heard("member_update")
    assert (before.id, len(after.roles)) == (BOT_ID, 1)
    assert not [name for name, _ in bot.told if name == "member_join"]


async def test_more_people_from_the_start() -> None:
    """The constructor names further people; the page and the guild know them."""
    async with Playground(people=["Linus", "Margaret"]) as playground, aiohttp.ClientSession() as session:
        _, state = await Raw(session, playground).page("GET", "/state")

    assert [person["global_name"] for person in state["people"]] == ["Ada", "Grace", "Linus", "Margaret"]


async def test_roles_change_while_the_bot_looks(playground: Playground, bot: Bot) -> None:
    """A role is made, changed, given and taken away."""
    role_id = playground.admin.add_role("Helpers", Permission.MANAGE_MESSAGES)
    playground.admin.give_roles(GRACE_ID, MEMBERS_ROLE_ID, role_id)
    playground.admin.set_role(role_id, Permission.KICK_MEMBERS)
    assert (await bot.heard("guild_role_create")).name == "Helpers"
    assert (await bot.heard("guild_role_update"))[1].permissions.kick_members

    playground.admin.remove_role(role_id)

    assert (await bot.heard("guild_role_delete")).id == role_id
    grace = bot.general.guild.get_member(GRACE_ID)
    assert grace is not None
    assert [role.name for role in grace.roles] == ["@everyone", "Members"]
    assert [role.name for role in await bot.general.guild.fetch_roles()] == ["@everyone", "LLMgine", "Members"]


async def test_a_forum_has_posts(playground: Playground, bot: Bot) -> None:
    """A post is a thread with a first message of the same id, whoever writes it; a forum itself takes no messages."""
    forum = playground.admin.add_channel("questions", ChannelType.FORUM)
    heard = await bot.heard("guild_channel_create")
    assert isinstance(heard, discord.ForumChannel)

    made = await heard.create_thread(name="How?", content="Like this.")
    post = playground.people.create_post(forum.id, ADA_ID, "Why?", f"<@{BOT_ID}> tell me")

    assert made.thread.id == made.message.id
    assert made.message.content == "Like this."
    message = await bot.heard("message", count=2)
    assert (message.id, message.channel.id, message.channel.name) == (post.id, post.id, "Why?")
    assert message.channel.parent == heard
    with pytest.raises(ApiError) as refused:
        playground.people.send(forum.id, ADA_ID, "no post")
    assert refused.value.code == 50008


async def test_a_refused_post_leaves_nothing(playground: Playground, raw: Raw) -> None:
    """A post whose message is refused is no thread either."""
    forum = playground.admin.add_channel("questions", ChannelType.FORUM)

    status, _ = await raw.api("POST", f"/channels/{forum.id}/threads", {"name": "x", "message": {"content": ""}})

    assert status == 400
    assert playground.state.threads() == []


async def test_channels_come_and_go(playground: Playground, bot: Bot) -> None:
    """A new channel is talked in, and deleted with its threads."""
    channel = playground.admin.add_channel("new")
    thread = playground.people.create_thread(channel.id, ADA_ID, "inside")
    playground.people.send(channel.id, ADA_ID, "hello")
    assert (await bot.heard("message", count=2)).channel.name == "new"

    playground.admin.delete_channel(channel.id)

    assert (await bot.heard("guild_channel_delete")).id == channel.id
    assert {channel.id, thread.id}.isdisjoint(playground.state.channels)


async def test_what_does_not_exist_cannot_be_changed(playground: Playground) -> None:
    """Unknown people, roles and channels are told by their codes."""
    world = playground.admin
    changes: list[tuple[Callable[[], object], int]] = [
        (lambda: world.leave(1), 10007),
        (lambda: world.set_role(1, Permission.KICK_MEMBERS), 10011),
        (lambda: world.give_roles(ADA_ID, 1), 10011),
        (lambda: world.overwrite(1, ADA_ID), 10003),
        (lambda: world.overwrite(GENERAL_ID, 1), 10007),
        (lambda: world.close_dms(1), 10013),
    ]
    for change, code in changes:
        with pytest.raises(ApiError) as refused:
            change()
        assert refused.value.code == code
