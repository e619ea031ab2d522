"""The gateway under the real discord.py, and under frames no client sends."""

import json
from typing import Any

import aiohttp
import discord
import pytest

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID
from programs.playground.rules import Rules
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Connect, Raw, within
from tests.waiting import patience


async def test_login_shows_the_fixed_world(playground: Playground, bot: Bot) -> None:
    """After READY the client knows the guild, its channels, its people and itself."""
    guild = bot.general.guild

    assert guild.name == "Playground"
    assert {channel.name for channel in guild.text_channels} == {"general", "random"}
    assert {member.display_name for member in guild.members} == {"Ada", "Grace", "LLMgine"}
    assert bot.user is not None
    assert (bot.user.id, bot.application_id) == (BOT_ID, BOT_ID)
    assert guild.owner_id == ADA_ID
    assert bot.general.permissions_for(guild.me).embed_links
    assert playground.state.bot_online


async def test_the_bot_goes_offline(playground: Playground, bot: Bot) -> None:
    """A closed client is offline at once."""
    await bot.close()

    await within(playground.wait_for(lambda state: not state.bot_online))


async def test_a_dropped_connection_resumes_without_a_gap(playground: Playground, bot: Bot) -> None:
    """What happens while the connection is away is told after RESUME, once and in order."""
    playground.gateway.drop()
    await within(playground.wait_for(lambda state: not state.bot_online))
    for n in range(3):
        playground.people.send(GENERAL_ID, ADA_ID, str(n))

    await bot.heard("resumed")
    playground.people.send(GENERAL_ID, ADA_ID, "3")
    await bot.heard("message", count=4)

    assert [args[0].content for name, args in bot.told if name == "message"] == ["0", "1", "2", "3"]


async def test_an_event_may_come_twice(playground: Playground, bot: Bot) -> None:
    """Discord tells an event "0, 1 or N times"; a repeated message reaches the client again."""
    playground.people.send(GENERAL_ID, ADA_ID, "hello")

    playground.gateway.repeat("MESSAGE_CREATE")

    assert (await bot.heard("message", count=2)).id == (await bot.heard("message")).id


async def test_a_request_to_reconnect_resumes(playground: Playground, bot: Bot) -> None:
    """Opcode 7 brings the client back by RESUME."""
    playground.gateway.ask_to_reconnect()

    await bot.heard("resumed")


async def test_an_invalid_session_identifies_again(playground: Playground, bot: Bot) -> None:
    """Opcode 9 makes the client start a new session, which is ready again."""
    playground.gateway.invalidate()

    await bot.heard("ready", count=2)


async def test_a_replay_that_was_outrun_is_refused(start: Connect) -> None:
    """When more was missed than is kept, RESUME is answered by opcode 9 and the client identifies."""
    async with Playground(rules=Rules(replay=2)) as playground:
        bot = await start(playground)
        playground.gateway.drop()
        await within(playground.wait_for(lambda state: not state.bot_online))
        for n in range(3):
            playground.people.send(GENERAL_ID, ADA_ID, str(n))

        await bot.heard("ready", count=2)
        await bot.close()


async def test_a_wrong_token_is_refused(playground: Playground, start: Connect) -> None:
    """discord.py reports the refusal as its own LoginFailure."""
    bot = await start(playground, ready=False, token="not-the-token")

    assert bot.running is not None
    with pytest.raises(discord.LoginFailure):
        await within(bot.running)


async def test_a_disallowed_intent_is_refused(start: Connect) -> None:
    """Without the toggle for message content the client ends with PrivilegedIntentsRequired."""
    async with Playground(rules=Rules(message_content=False)) as playground:
        bot = await start(playground, ready=False)
        assert bot.running is not None
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await within(bot.running)


async def test_without_message_content_only_mentions_are_readable(playground: Playground, start: Connect) -> None:
    """A bot without the intent sees the words that mention it, and no others."""
    intents = discord.Intents.default()
    bot = await start(playground, intents=intents)
    playground.people.send(GENERAL_ID, ADA_ID, "among us")
    playground.people.send(GENERAL_ID, ADA_ID, f"<@{BOT_ID}> you")

    await bot.heard("message", count=2)
    assert [args[0].content for name, args in bot.told if name == "message"] == ["", f"<@{BOT_ID}> you"]


async def test_two_sessions_hear_everything(playground: Playground, start: Connect) -> None:
    """Two connections of one bot each get every event, as on Discord."""
    bots = [await start(playground), await start(playground)]

    playground.people.send(GENERAL_ID, ADA_ID, "both")

    assert [(await bot.heard("message")).content for bot in bots] == ["both", "both"]


async def test_a_dm_is_heard_of_by_its_first_message(playground: Playground, listener: Bot) -> None:
    """When a person opens a DM and writes, the bot hears of the message and not of the channel."""
    dm = playground.people.open_dm(ADA_ID)
    playground.people.send(dm.id, ADA_ID, "hello")

    message = await listener.heard("message")

    assert (message.channel.id, message.channel.type) == (dm.id, discord.ChannelType.private)
    assert listener.frames("CHANNEL_CREATE") == []
    assert listener.get_channel(dm.id) is None


async def test_the_page_hears_of_a_new_dm(playground: Playground, raw: Raw) -> None:
    """The person's page has the channel as soon as it is opened; that of nobody else hears of it."""
    watched = f"{playground.url}/playground/events?as="
    async with (
        raw.session.ws_connect(f"{watched}{GRACE_ID}") as grace,
        raw.session.ws_connect(f"{watched}{ADA_ID}") as ada,
    ):
        dm = playground.people.open_dm(ADA_ID)
        playground.people.send(GENERAL_ID, ADA_ID, "hello")
        heard = [[(await within(socket.receive_json()))["t"]] for socket in (ada, grace)]
        opened = await within(ada.receive_json())

    assert heard == [["CHANNEL_CREATE"], ["MESSAGE_CREATE"]]
    assert opened["t"] == "MESSAGE_CREATE"
    assert dm.recipient_id == ADA_ID


IDENTIFY: dict[str, Any] = {"op": 2, "d": {"token": "?", "intents": 0, "properties": {}}}


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["no json"], 4002),
        (["[]"], 4002),
        ([{"op": 42}], 4001),
        ([{"op": 3, "d": {}}], 4003),
        ([IDENTIFY], 4004),
        ([{"op": 2, "d": "text"}], 4002),
        ([{"op": 2, "d": {"token": True, "intents": "all"}}], 4013),
        ([{"op": 2, "d": {"token": True, "intents": 0}}, {"op": 2, "d": {}}], 4005),
        ([{"op": 1, "d": None}] * 121, 4008),
    ],
)
async def test_bad_frames_close_with_discords_code(
    playground: Playground, raw: Raw, frames: list[Any], code: int
) -> None:
    """Each mistake of a client has its close code. True stands for the right token."""
    async with raw.session.ws_connect(playground.gateway_url + "?v=10&encoding=json") as socket:
        for frame in frames:
            if isinstance(frame, dict) and isinstance(frame.get("d"), dict) and frame["d"].get("token") is True:
                frame["d"]["token"] = playground.token
            await socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))
        async with patience("the end of the connection"):
            while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass

        assert socket.close_code == code


async def test_a_frame_past_the_limit_closes(playground: Playground, raw: Raw) -> None:
    """More than 4096 bytes in a frame end the connection."""
    async with raw.session.ws_connect(playground.gateway_url) as socket:
        await socket.receive()
        await socket.send_str("x" * 5000)

        assert (await within(socket.receive())).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_a_stranger_cannot_resume(playground: Playground, raw: Raw) -> None:
    """An unknown session is answered by opcode 9, not resumable."""
    async with raw.session.ws_connect(playground.gateway_url) as socket:
        await socket.receive()
        await socket.send_json({"op": 6, "d": {"token": playground.token, "session_id": "x", "seq": 1}})

        answer = await within(socket.receive_json())
    assert (answer["op"], answer["d"]) == (9, False)
