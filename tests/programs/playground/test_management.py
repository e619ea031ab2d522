"""What people change in the guild themselves: what bots and the others' pages hear of it, and who may not."""

from typing import Any

import aiohttp
import pytest

from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    BOT_ROLE_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    MEMBERS_ROLE_ID,
    NO_PERMISSION,
    RANDOM_ID,
    TEXT_CHANNELS_ID,
    Permission,
)
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Raw, within

ADA = {"as": str(ADA_ID)}
GRACE = {"as": str(GRACE_ID)}
VIEW = str(int(Permission.VIEW_CHANNEL))
WATCHED = {"CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE", "PERMISSIONS"}


async def test_a_role_is_made_changed_given_and_deleted(playground: Playground, bot: Bot, raw: Raw) -> None:
    """The bot hears of every step, as of any change of roles."""
    _, role = await raw.page("POST", "/roles", {**ADA, "name": "Readers"})
    assert (await bot.heard("guild_role_create")).name == "Readers"
    allowed = str(int(Permission.VIEW_CHANNEL | Permission.KICK_MEMBERS))
    await raw.page("PATCH", f"/roles/{role['id']}", {**ADA, "name": "Keepers", "permissions": allowed})
    _, changed = await bot.heard("guild_role_update")
    assert (changed.name, changed.permissions.kick_members) == ("Keepers", True)
    await raw.page("PATCH", f"/members/{GRACE_ID}", {**ADA, "roles": [role["id"]]})
    _, member = await bot.heard("member_update")
    assert [one.name for one in member.roles] == ["@everyone", "Keepers"]

    assert (await raw.page("DELETE", f"/roles/{role['id']}", ADA))[0] == 204

    assert (await bot.heard("guild_role_delete")).name == "Keepers"
    assert playground.state.members[GRACE_ID].roles == []


async def test_a_channel_is_made_described_closed_and_deleted(playground: Playground, bot: Bot, raw: Raw) -> None:
    """Name, topic, pace and overwrites reach the bot with the channel's update."""
    _, made = await raw.page("POST", "/channels", {**ADA, "name": "plans"})
    assert (await bot.heard("guild_channel_create")).name == "plans"
    path = f"/channels/{made['id']}"
    await raw.page("PATCH", path, {**ADA, "name": "secrets", "topic": "For few", "rate_limit_per_user": 30})
    _, described = await bot.heard("guild_channel_update")
    assert (described.name, described.topic, described.slowmode_delay) == ("secrets", "For few", 30)
    await raw.page("PUT", f"{path}/overwrites/{BOT_ID}", {**ADA, "deny": VIEW})
    _, closed = await bot.heard("guild_channel_update", count=2)
    assert not closed.permissions_for(closed.guild.me).view_channel
    await raw.page("PUT", f"{path}/overwrites/{BOT_ID}", {**ADA, "allow": "0", "deny": "0"})
    assert playground.state.channels[int(made["id"])].overwrites == {}

    assert (await raw.page("DELETE", path, ADA))[0] == 204

    assert (await bot.heard("guild_channel_delete")).name == "secrets"


async def test_somebody_joins_is_timed_out_and_leaves(playground: Playground, bot: Bot, raw: Raw) -> None:
    """People come by their name, may be made to be silent for a while, and go by themselves or are made to."""
    _, new = await raw.page("POST", "/members", {**GRACE, "name": "Linus"})
    linus = int(new["id"])
    assert (await bot.heard("member_join")).id == linus
    await raw.page("PATCH", f"/members/{linus}", {**ADA, "time_out": 600})
    _, silent = await bot.heard("member_update")
    assert silent.is_timed_out()
    status, error = await raw.page("POST", f"/channels/{GENERAL_ID}/messages", {"as": new["id"], "content": "But…"})
    assert (status, error["error"]["code"]) == (403, 50013)
    await raw.page("PATCH", f"/members/{linus}", {**ADA, "time_out": 0})
    assert (await raw.page("POST", f"/channels/{GENERAL_ID}/messages", {"as": new["id"], "content": "Now"}))[0] == 200

    assert (await raw.page("DELETE", f"/members/{linus}", {"as": new["id"]}))[0] == 204
    assert (await raw.page("DELETE", f"/members/{GRACE_ID}", ADA))[0] == 204

    assert [user.id for user in playground.state.people] == [ADA_ID]
    assert (await bot.heard("raw_member_remove", count=2)).user.id == GRACE_ID


async def test_one_closes_the_own_direct_messages(playground: Playground, raw: Raw) -> None:
    """Whether the bot may write to somebody is for that person alone to say."""
    assert (await raw.page("PATCH", f"/members/{GRACE_ID}", {**ADA, "dms_closed": True}))[0] == 403
    assert (await raw.page("PATCH", f"/members/{GRACE_ID}", {**GRACE, "dms_closed": True}))[0] == 200

    dm = playground.people.open_dm(GRACE_ID)
    status, error = await raw.api("POST", f"/channels/{dm.id}/messages", {"content": "Hello?"})
    assert (status, error["code"]) == (403, 50007)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/roles", {"name": "x"}),
        ("PATCH", f"/roles/{MEMBERS_ROLE_ID}", {"permissions": "0"}),
        ("DELETE", f"/roles/{MEMBERS_ROLE_ID}", {}),
        ("PATCH", f"/members/{BOT_ID}", {"roles": []}),
        ("PATCH", f"/members/{BOT_ID}", {"time_out": 60}),
        ("DELETE", f"/members/{ADA_ID}", {}),
        ("POST", "/channels", {"name": "x"}),
        ("POST", "/channels", {"name": "x", "type": 4}),
        ("POST", "/channels", {"name": "x", "parent_id": str(TEXT_CHANNELS_ID)}),
        ("PATCH", f"/channels/{TEXT_CHANNELS_ID}", {"name": "x"}),
        ("DELETE", f"/channels/{TEXT_CHANNELS_ID}", {}),
        ("PATCH", f"/channels/{GENERAL_ID}", {"name": "x"}),
        ("DELETE", f"/channels/{GENERAL_ID}", {}),
        ("PUT", f"/channels/{GENERAL_ID}/overwrites/{BOT_ID}", {"deny": "1"}),
    ],
)
async def test_who_may_not_is_refused(
    playground: Playground, raw: Raw, method: str, path: str, body: dict[str, Any]
) -> None:
    """Without the permission nothing changes: 50013."""
    before = (list(playground.state.roles), list(playground.state.channels), list(playground.state.members))

    status, error = await raw.page(method, path, {**GRACE, **body})

    assert (status, error["error"]["code"]) == (403, 50013)
    after = (list(playground.state.roles), list(playground.state.channels), list(playground.state.members))
    assert after == before
    assert playground.state.roles[MEMBERS_ROLE_ID].permissions


async def test_nobody_rises_by_their_own_hand(playground: Playground, raw: Raw) -> None:
    """Who manages roles gives neither what they lack nor roles as high as their own, and touches nobody above them."""
    world = playground.admin
    keeper = world.add_role("Keeper", Permission.MANAGE_ROLES | Permission.MODERATE_MEMBERS | Permission.KICK_MEMBERS)
    world.give_roles(GRACE_ID, MEMBERS_ROLE_ID, keeper)

    async def refused(method: str, path: str, body: dict[str, Any]) -> bool:
        return (await raw.page(method, path, {**GRACE, **body}))[0] == 403

    assert await refused("PATCH", f"/roles/{keeper}", {"permissions": str(int(Permission.ADMINISTRATOR))})
    assert await refused("PATCH", f"/roles/{BOT_ROLE_ID}", {"permissions": str(int(Permission.ADMINISTRATOR))})
    assert await refused("PATCH", f"/members/{BOT_ID}", {"roles": [str(BOT_ROLE_ID), str(keeper)]})
    assert await refused("PATCH", f"/members/{ADA_ID}", {"time_out": 60})
    assert await refused("PUT", f"/channels/{GENERAL_ID}/overwrites/{GRACE_ID}", {"allow": str(1 << 4)})
    assert not await refused("PATCH", f"/roles/{MEMBERS_ROLE_ID}", {"name": "Folk"})
    assert not await refused("PATCH", f"/members/{BOT_ID}", {"time_out": 60})
    assert not await refused("PUT", f"/channels/{GENERAL_ID}/overwrites/{BOT_ID}", {"deny": VIEW})


async def test_what_does_not_exist_is_told(raw: Raw) -> None:
    """Unknown roles, members and channels have their codes."""
    for path, code in (("/roles/1", 10011), ("/members/1", 10007), ("/channels/1", 10003)):
        status, error = await raw.page("PATCH", path, ADA)
        assert (status, error["error"]["code"]) == (404, code)


class Watch:
    """What the page of one person hears of channels and of what it may do."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def next(self) -> tuple[str, dict[str, Any]]:
        while True:
            event = await within(self._socket.receive_json())
            if event["t"] in WATCHED:
                return event["t"], event["d"]


async def test_a_channel_comes_into_sight_and_goes(playground: Playground, raw: Raw) -> None:
    """By overwrites, by roles and by the members who hold them, the page hears of exactly what its person sees."""
    url = f"{playground.url}/playground/events?as={GRACE_ID}"
    async with raw.session.ws_connect(url) as socket:
        watch = Watch(socket)
        playground.admin.overwrite(RANDOM_ID, GUILD_ID, deny=Permission.VIEW_CHANNEL)
        assert (await within(watch.next()))[1]["id"] == str(RANDOM_ID)
        playground.admin.slow_down(RANDOM_ID, 5)  # out of sight, so nothing is told
        playground.admin.overwrite(RANDOM_ID, GRACE_ID, allow=Permission.VIEW_CHANNEL)
        name, channel = await within(watch.next())
        assert (name, channel["name"], channel["rate_limit_per_user"]) == ("CHANNEL_CREATE", "random", 5)

        role = playground.state.roles[MEMBERS_ROLE_ID]
        playground.admin.set_role(MEMBERS_ROLE_ID, role.permissions & ~Permission.SEND_MESSAGES)
        told = [await within(watch.next()) for _ in range(4)]

    assert [name for name, _ in told] == [*["CHANNEL_UPDATE"] * 3, "PERMISSIONS"]
    assert all(not int(data["permissions"]) & Permission.SEND_MESSAGES for _, data in told)


async def test_who_leaves_sees_nothing_more(playground: Playground, raw: Raw) -> None:
    """A person who is no longer in the guild loses all its channels, and gets them back on coming back."""
    url = f"{playground.url}/playground/events?as={GRACE_ID}"
    async with raw.session.ws_connect(url) as socket:
        watch = Watch(socket)
        playground.admin.leave(GRACE_ID)
        gone = [await within(watch.next()) for _ in range(4)]
        playground.admin.join("Grace")
        back = [await within(watch.next()) for _ in range(4)]

    channels = {str(TEXT_CHANNELS_ID), str(GENERAL_ID), str(RANDOM_ID)}
    assert {data["id"] for name, data in gone if name == "CHANNEL_DELETE"} == channels
    assert gone[-1] == ("PERMISSIONS", {"permissions": str(int(NO_PERMISSION))})
    assert {data["id"] for name, data in back if name == "CHANNEL_CREATE"} == channels


async def test_who_is_added_to_a_private_thread_sees_it(playground: Playground, raw: Raw) -> None:
    """It comes into the page's list at once, and goes when its person is taken out."""
    thread = playground.people.create_thread(GENERAL_ID, ADA_ID, "Between two", private=True)
    url = f"{playground.url}/playground/events?as={GRACE_ID}"
    async with raw.session.ws_connect(url) as socket:
        watch = Watch(socket)
        playground.state.join_thread(thread, GRACE_ID)
        come = await within(watch.next())
        playground.state.leave_thread(thread, GRACE_ID)
        gone = await within(watch.next())

    assert (come[0], come[1]["name"]) == ("CHANNEL_CREATE", "Between two")
    assert gone == ("CHANNEL_DELETE", {"id": str(thread.id)})
