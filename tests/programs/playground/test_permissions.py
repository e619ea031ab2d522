"""Permissions: computed as Discord does, and what is refused without them, through the real discord.py."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import discord
import pytest

from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    BOT_ROLE_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    NO_PERMISSION,
    Guild,
    Member,
    Overwrite,
    Permission,
    Role,
)
from programs.playground.errors import ApiError
from programs.playground.forms import ThreadChanges
from programs.playground.permissions import EVERYTHING, permissions
from programs.playground.rules import Rules, Window
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Connect, Raw

P = Permission
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEEN = P.VIEW_CHANNEL | P.READ_MESSAGE_HISTORY
ROLES = {
    GUILD_ID: Role(GUILD_ID, "@everyone", SEEN | P.SEND_MESSAGES),
    1: Role(1, "one", P.EMBED_LINKS),
    2: Role(2, "two", P.ATTACH_FILES),
    3: Role(3, "admin", P.ADMINISTRATOR),
}


def over(target: int, allow: P = NO_PERMISSION, deny: P = NO_PERMISSION) -> dict[int, Overwrite]:
    return {target: Overwrite(target, allow, deny)}


@pytest.mark.parametrize(
    ("roles", "overwrites", "expected"),
    [
        ([], {}, SEEN | P.SEND_MESSAGES),
        ([1, 2], {}, SEEN | P.SEND_MESSAGES | P.EMBED_LINKS | P.ATTACH_FILES),
        ([1], over(GUILD_ID, deny=P.SEND_MESSAGES | P.EMBED_LINKS), SEEN),
        ([1], over(GUILD_ID, deny=P.EMBED_LINKS) | over(1, allow=P.EMBED_LINKS),
         SEEN | P.SEND_MESSAGES | P.EMBED_LINKS),
        # Of several roles one that allows wins over one that denies.
        ([1, 2], over(1, allow=P.ADD_REACTIONS) | over(2, deny=P.ADD_REACTIONS | P.EMBED_LINKS | P.ATTACH_FILES),
         SEEN | P.SEND_MESSAGES | P.ADD_REACTIONS),
        # The member's own overwrite is the last word.
        ([1], over(1, deny=P.SEND_MESSAGES) | over(9, allow=P.SEND_MESSAGES), SEEN | P.SEND_MESSAGES | P.EMBED_LINKS),
        ([1], over(9, deny=P.SEND_MESSAGES), SEEN | P.EMBED_LINKS),
        ([1], over(9, deny=P.VIEW_CHANNEL), NO_PERMISSION),
        ([3], over(9, deny=P.VIEW_CHANNEL), EVERYTHING),
        ([77], {}, SEEN | P.SEND_MESSAGES),
    ],
)  # fmt: skip
def test_permissions_are_computed_level_by_level(
    roles: list[int], overwrites: dict[int, Overwrite], expected: P
) -> None:
    """@everyone, then the roles, then the overwrites of each, the member's own last."""
    assert permissions(Guild(), ROLES, Member(9, roles), overwrites, NOW) == expected


def test_the_owner_may_everything_and_a_timed_out_member_only_reads() -> None:
    """Neither overwrites nor a time-out touch the owner; a time-out ends by itself."""
    silenced = Member(9, [1], timed_out_until=NOW + timedelta(seconds=1))

    assert permissions(Guild(owner_id=9), ROLES, silenced, over(9, deny=EVERYTHING), NOW) == EVERYTHING
    assert permissions(Guild(), ROLES, silenced, {}, NOW) == SEEN
    assert permissions(Guild(), ROLES, silenced, {}, NOW + timedelta(seconds=1)) & P.SEND_MESSAGES


async def test_discord_py_computes_the_same(playground: Playground, bot: Bot) -> None:
    """What the client derives from the payloads is what the playground holds it to."""
    playground.admin.overwrite(GENERAL_ID, GUILD_ID, deny=P.SEND_MESSAGES)
    playground.admin.overwrite(GENERAL_ID, BOT_ROLE_ID, allow=P.MANAGE_MESSAGES, deny=P.EMBED_LINKS)
    await bot.heard("guild_channel_update", count=2)

    for user_id in (BOT_ID, GRACE_ID, ADA_ID):
        member = bot.general.guild.get_member(user_id)
        assert member is not None
        ours = playground.state.permissions(user_id, playground.state.channels[GENERAL_ID])
        assert bot.general.permissions_for(member).value & int(EVERYTHING) == int(ours)


Attempt = Callable[[Bot, discord.Message], Awaitable[Any]]
FORBIDDEN: list[tuple[P, Attempt, int]] = [
    (P.SEND_MESSAGES, lambda bot, _: bot.general.send("x"), 50013),
    (P.SEND_MESSAGES, lambda bot, _: bot.general.typing().__aenter__(), 50013),
    (P.ATTACH_FILES, lambda bot, _: bot.general.send(file=discord.File(__file__)), 50013),
    (P.EMBED_LINKS, lambda bot, _: bot.general.send(embed=discord.Embed(title="t")), 50013),
    (P.READ_MESSAGE_HISTORY, lambda _, message: message.reply("x"), 160002),
    (P.READ_MESSAGE_HISTORY, lambda _, message: message.fetch(), 50013),
    (P.ADD_REACTIONS, lambda _, message: message.add_reaction("👍"), 50013),
    (P.MANAGE_MESSAGES, lambda _, message: message.delete(), 50013),
    (P.CREATE_PUBLIC_THREADS, lambda _, message: message.create_thread(name="t"), 50013),
    (P.CREATE_PRIVATE_THREADS, lambda bot, _: bot.general.create_thread(name="t"), 50013),
    (P.MANAGE_CHANNELS, lambda bot, _: bot.general.delete(), 50013),
    (P.VIEW_CHANNEL, lambda bot, _: bot.general.send("x"), 50001),
    (P.VIEW_CHANNEL, lambda bot, _: bot.fetch_channel(GENERAL_ID), 50001),
    (P.VIEW_CHANNEL, lambda _, message: message.fetch(), 50001),
]


@pytest.mark.parametrize(("denied", "attempt", "code"), FORBIDDEN)
async def test_without_the_permission_it_is_refused(
    playground: Playground, bot: Bot, denied: P, attempt: Attempt, code: int
) -> None:
    """Each act needs its permission, and 403 says which kind of refusal it is."""
    playground.people.send(GENERAL_ID, ADA_ID, "hello")
    message = await bot.heard("message")
    playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=denied)

    with pytest.raises(discord.Forbidden) as refused:
        await attempt(bot, message)

    assert refused.value.code == code


async def test_embeds_are_dropped_silently(playground: Playground, bot: Bot) -> None:
    """Without Embed Links the text is posted and the embed is not; an edit adds none either."""
    playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=P.EMBED_LINKS)

    posted = await bot.general.send("text", embed=discord.Embed(title="t"))
    edited = await posted.edit(embed=discord.Embed(title="t"))

    assert (posted.content, posted.embeds, edited.embeds) == ("text", [], [])


async def test_a_hidden_channel_is_silent(playground: Playground, bot: Bot) -> None:
    """What is said where the bot cannot look is not told, and its history is closed."""
    playground.admin.overwrite(GENERAL_ID, BOT_ROLE_ID, deny=P.VIEW_CHANNEL)
    playground.people.send(GENERAL_ID, ADA_ID, "secret")
    playground.admin.overwrite(GENERAL_ID, BOT_ROLE_ID)
    playground.people.send(GENERAL_ID, ADA_ID, "public")

    assert (await bot.heard("message")).content == "public"


async def test_without_history_a_channel_reads_empty(playground: Playground, bot: Bot) -> None:
    """Messages still come live, and none are listed."""
    playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=P.READ_MESSAGE_HISTORY)
    playground.people.send(GENERAL_ID, ADA_ID, "live")

    assert (await bot.heard("message")).content == "live"
    assert [one async for one in bot.general.history()] == []


async def test_a_timed_out_bot_may_only_read(playground: Playground, bot: Bot) -> None:
    """50013 while it lasts, nothing after it."""
    playground.admin.time_out(BOT_ID, 60)
    with pytest.raises(discord.Forbidden):
        await bot.general.send("x")

    playground.admin.time_out(BOT_ID, None)

    assert (await bot.general.send("y")).content == "y"
    assert (await bot.heard("member_update", count=2))[0].timed_out_until is not None


async def test_a_moderating_bot_may_more(playground: Playground, bot: Bot) -> None:
    """With the permissions it deletes others' messages, also many at once, and enters locked threads."""
    playground.admin.set_role(BOT_ROLE_ID, EVERYTHING & ~P.ADMINISTRATOR)
    sent = [playground.people.send(GENERAL_ID, ADA_ID, str(n)) for n in range(3)]
    message = await bot.heard("message")
    await message.delete()
    await bot.general.delete_messages([discord.Object(one.id) for one in sent[1:]])
    assert playground.state.channels[GENERAL_ID].messages == {}
    assert (await bot.heard("raw_bulk_message_delete")).message_ids == {one.id for one in sent[1:]}

    thread = await bot.general.create_thread(name="t", type=discord.ChannelType.public_thread)
    playground.people.change_thread(thread.id, ADA_ID, ThreadChanges(locked=True, archived=True))
    await thread.send("in")
    await thread.delete()
    assert (await bot.heard("thread_delete")).id == thread.id


async def test_old_messages_are_not_deleted_in_bulk(playground: Playground, raw: Raw) -> None:
    """50034 for a message older than two weeks."""
    playground.admin.set_role(BOT_ROLE_ID, P.MANAGE_MESSAGES | SEEN)
    path = f"/channels/{GENERAL_ID}/messages/bulk-delete"

    status, error = await raw.api("POST", path, {"messages": ["1", "2"]})

    assert (status, error["code"]) == (400, 50034)


async def test_a_closed_dm_is_50007(playground: Playground, bot: Bot) -> None:
    """A person who takes no messages from the bot still reads what is there, and may open again."""
    user = await bot.fetch_user(GRACE_ID)
    await user.send("before")
    playground.admin.close_dms(GRACE_ID)

    with pytest.raises(discord.Forbidden) as refused:
        await user.send("after")
    assert refused.value.code == 50007
    playground.admin.close_dms(GRACE_ID, closed=False)
    await user.send("again")


async def test_slowmode_holds_the_bot_back() -> None:
    """Within the seconds a second message is 429 with 20016 and the time left; who may bypass it is not held."""
    now = [1_800_000_000.0]
    async with Playground(clock=lambda: now[0]) as playground, aiohttp.ClientSession() as session:
        raw = Raw(session, playground)
        playground.admin.slow_down(GENERAL_ID, 10)
        path = f"/channels/{GENERAL_ID}/messages"
        assert (await raw.api("POST", path, {"content": "1"}))[0] == 200
        now[0] += 4
        status, error = await raw.api("POST", path, {"content": "2"})
        assert (status, error["code"], error["retry_after"]) == (429, 20016, 6.0)
        playground.people.send(GENERAL_ID, GRACE_ID, "me too")
        with pytest.raises(ApiError):
            playground.people.send(GENERAL_ID, GRACE_ID, "and again")
        now[0] += 6
        assert (await raw.api("POST", path, {"content": "3"}))[0] == 200
        playground.admin.set_role(BOT_ROLE_ID, P.BYPASS_SLOWMODE | P.SEND_MESSAGES)
        assert (await raw.api("POST", path, {"content": "4"}))[0] == 200


async def test_old_messages_are_edited_a_few_times_only() -> None:
    """Past the hour edits are counted, and one too many is 30046; young messages are not touched by that."""
    now = [1_800_000_000.0]
    rules = Rules(old_edits=Window(2, 3600.0))
    async with Playground(rules=rules, clock=lambda: now[0]) as playground, aiohttp.ClientSession() as session:
        raw = Raw(session, playground)
        path = f"/channels/{GENERAL_ID}/messages"
        _, old = await raw.api("POST", path, {"content": "old"})
        now[0] += 3601
        _, young = await raw.api("POST", path, {"content": "young"})

        answers = [await raw.api("PATCH", f"{path}/{old['id']}", {"content": str(n)}) for n in range(3)]

        assert [status for status, _ in answers] == [200, 200, 429]
        assert answers[2][1]["code"] == 30046
        assert (await raw.api("PATCH", f"{path}/{young['id']}", {"content": "x"}))[0] == 200


async def test_an_idle_thread_archives_itself(start: Connect) -> None:
    """After its time without a word a thread is archived, and told so; a word starts the time anew."""
    now = [1_800_000_000.0]
    async with Playground(clock=lambda: now[0]) as playground:
        bot = await start(playground)
        starter = playground.people.create_thread(GENERAL_ID, ADA_ID, "t")
        assert starter.thread is not None
        starter.thread.auto_archive_duration = 60
        now[0] += 3000
        playground.people.send(starter.id, ADA_ID, "still talking")
        now[0] += 3000
        playground.tick()
        assert not starter.thread.archived

        now[0] += 600
        playground.tick()

        assert starter.thread.archived
        assert (await bot.heard("raw_thread_update")).data["thread_metadata"]["archived"]
        await bot.close()


async def test_a_command_for_moderators_is_not_for_all(playground: Playground, raw: Raw) -> None:
    """A command's default permissions keep it from people without them; the owner has them all."""
    command = {"name": "purge", "type": 1, "description": "d", "default_member_permissions": str(int(P.MANAGE_GUILD))}
    await raw.api("PUT", f"/applications/{BOT_ID}/commands", [command])

    playground.people.command(GENERAL_ID, ADA_ID, "purge")
    with pytest.raises(ApiError) as refused:
        playground.people.command(GENERAL_ID, GRACE_ID, "purge")

    assert refused.value.code == 50013
