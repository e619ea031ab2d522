"""Pinned messages: through the real discord.py, by people, and past what is allowed."""

import discord
import pytest

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID, MessageType, Permission
from programs.playground.errors import ApiError
from programs.playground.forms import ThreadChanges
from programs.playground.pins import MAX_PINS
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Raw

PINS = f"/channels/{GENERAL_ID}/messages/pins"


async def test_a_bot_pins_lists_and_unpins(playground: Playground, bot: Bot) -> None:
    """What it pins is listed, the last first, and noted in the channel; what it unpins is listed no more."""
    playground.admin.overwrite(GENERAL_ID, BOT_ID, allow=Permission.PIN_MESSAGES)
    first, second = await bot.general.send("first"), await bot.general.send("second")

    await first.pin()
    await second.pin()
    await first.pin()  # twice is once

    assert [message.content async for message in bot.general.pins()] == ["second", "first"]
    assert [message.content async for message in bot.general.pins(limit=1)] == ["second"]
    newest = await anext(bot.general.history(limit=1))
    assert newest.type is discord.MessageType.pins_add
    assert newest.reference is not None
    assert newest.reference.message_id == second.id
    channel, at = await bot.heard("guild_channel_pins_update", count=2)
    assert (channel.id, at is not None) == (GENERAL_ID, True)
    await second.unpin()
    await first.unpin()
    assert [message async for message in bot.general.pins()] == []
    assert (await bot.heard("guild_channel_pins_update", count=4))[1] is None


async def test_people_pin_for_all(playground: Playground, raw: Raw) -> None:
    """What one person pins the others find, and the bot."""
    message = playground.people.send(GENERAL_ID, GRACE_ID, "Remember")
    path = f"/channels/{GENERAL_ID}/messages/{message.id}/pin"
    assert (await raw.page("PUT", path, {"as": str(GRACE_ID)}))[0] == 204

    found = (await raw.page("GET", f"/channels/{GENERAL_ID}/pins?as={ADA_ID}"))[1]
    assert [(one["content"], one["pinned"]) for one in found] == [("Remember", True)]
    assert [one["message"]["content"] for one in (await raw.api("GET", PINS))[1]["items"]] == ["Remember"]
    assert (await raw.page("DELETE", path, {"as": str(ADA_ID)}))[0] == 204
    assert playground.people.pins(GENERAL_ID, ADA_ID) == []


async def test_pinning_has_its_limits(playground: Playground, raw: Raw) -> None:
    """Without the permission, in an archived thread, of a note and past the limit nothing is pinned."""
    people = playground.people
    message = people.send(GENERAL_ID, ADA_ID, "x")
    status, error = await raw.api("PUT", f"{PINS}/{message.id}")
    assert (status, error["code"]) == (403, 50013)
    people.pin(GENERAL_ID, message.id, ADA_ID)
    note = next(
        one for one in playground.state.channels[GENERAL_ID].messages.values() if one.type == MessageType.PINNED
    )
    thread = people.create_thread(GENERAL_ID, ADA_ID, "old")
    inside = people.send(thread.id, ADA_ID, "y")
    people.change_thread(thread.id, ADA_ID, ThreadChanges(archived=True))
    for _ in range(MAX_PINS - 1):
        people.pin(GENERAL_ID, people.send(GENERAL_ID, ADA_ID, "more").id, ADA_ID)
    last = people.send(GENERAL_ID, ADA_ID, "one too many")

    for channel, what, code in ((GENERAL_ID, note, 50021), (thread.id, inside, 50083), (GENERAL_ID, last, 30003)):
        with pytest.raises(ApiError) as refused:
            people.pin(channel, what.id, ADA_ID)
        assert refused.value.code == code


async def test_a_long_list_comes_in_pages(playground: Playground, raw: Raw) -> None:
    """Fifty at a time, and on from the time of the last; a page that is none is refused."""
    for number in range(60):
        playground.people.pin(GENERAL_ID, playground.people.send(GENERAL_ID, ADA_ID, str(number)).id, ADA_ID)
    first = (await raw.api("GET", PINS))[1]
    rest = (await raw.api("GET", PINS, params={"before": first["items"][-1]["pinned_at"]}))[1]

    assert [len(first["items"]), first["has_more"], len(rest["items"]), rest["has_more"]] == [50, True, 10, False]
    for query in ("?limit=0", "?limit=51", "?before=soon"):
        assert (await raw.api("GET", PINS + query))[1]["code"] == 50035
