"""The gateway's own rules on sessions and shards, and its faults on request."""

import ctypes
import ctypes.util
import json
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest

from programs.playground.compression import stream
from programs.playground.entities import ADA_ID, GENERAL_ID, GUILD_ID
from programs.playground.rules import Rules
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Connect, Raw, within
from tests.waiting import patience

Socket = aiohttp.ClientWebSocketResponse
ALL = discord.Intents.all().value


@asynccontextmanager
async def connected(raw: Raw, query: str = "", **identity: Any) -> AsyncIterator[Socket]:
    """A connection that has identified."""
    async with raw.session.ws_connect(raw.playground.gateway_url + query) as socket:
        await identify(raw, socket, **identity)
        yield socket


async def identify(raw: Raw, socket: Socket, **identity: Any) -> None:
    data = {"token": raw.playground.token, "intents": ALL, "properties": {}, **identity}
    await socket.send_json({"op": 2, "d": data})


async def told(socket: Socket, name: str) -> Any:
    """The data of the next event of that name."""
    while (frame := await within(socket.receive_json()))["t"] != name:
        pass
    return frame["d"]


async def closed(socket: Socket) -> int | None:
    while (await within(socket.receive())).type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
        pass
    return socket.close_code


def contents(bot: Bot) -> list[str]:
    return [args[0].content for name, args in bot.told if name == "message"]


async def test_a_refused_resume_identifies_again(playground: Playground, bot: Bot) -> None:
    """A session Discord no longer knows is begun anew."""
    playground.gateway.refuse_resume()
    playground.gateway.drop()

    await bot.heard("ready", count=2)


async def test_a_resumable_session_is_resumed(playground: Playground, bot: Bot) -> None:
    """Opcode 9 with true asks for a RESUME, not for an IDENTIFY."""
    playground.gateway.invalidate(resumable=True)

    await bot.heard("resumed")


async def test_an_event_may_be_lost(playground: Playground, bot: Bot) -> None:
    """What Discord never sends is in the history all the same."""
    playground.gateway.lose("MESSAGE_CREATE")
    for text in ("never told", "told"):
        playground.people.send(GENERAL_ID, ADA_ID, text)

    await bot.heard("message")
    assert contents(bot) == ["told"]
    assert [one.content async for one in bot.general.history(oldest_first=True)] == ["never told", "told"]


async def test_events_may_come_out_of_order(playground: Playground, bot: Bot) -> None:
    """Three events are told in reverse, and the next one in its place."""
    playground.gateway.reverse(3)
    for n in range(4):
        playground.people.send(GENERAL_ID, ADA_ID, str(n))

    await bot.heard("message", count=4)
    assert contents(bot) == ["2", "1", "0", "3"]


async def test_a_malformed_event_ends_discord_py(playground: Playground, bot: Bot) -> None:
    """An event without its fields is more than discord.py survives: whoever runs it must start it again."""
    playground.gateway.send_event("MESSAGE_CREATE", {})

    assert bot.running is not None
    with pytest.raises(KeyError):
        await within(bot.running)


async def test_a_zombie_takes_heartbeats_and_says_nothing(playground: Playground, raw: Raw) -> None:
    """Without acknowledgements the connection is as open as ever, and events still come."""
    async with connected(raw) as socket:
        await told(socket, "GUILD_CREATE")
        await socket.send_json({"op": 1, "d": None})
        assert (await within(socket.receive_json()))["op"] == 11
        playground.gateway.stop_acks()
        await socket.send_json({"op": 1, "d": None})
        playground.people.send(GENERAL_ID, ADA_ID, "still here")

        frame = await within(socket.receive_json())
    assert (frame["op"], frame["d"]["content"]) == (0, "still here")


async def test_a_frozen_connection_is_left_and_resumed(playground: Playground, start: Connect) -> None:
    """When nothing comes any more discord.py gives the connection up, and gets by RESUME what it missed."""
    bot = await start(playground, heartbeat_timeout=0.3)
    playground.gateway.freeze()
    playground.people.send(GENERAL_ID, ADA_ID, "into the void")

    await bot.heard("resumed")
    assert (await bot.heard("message")).content == "into the void"


async def test_a_guild_goes_and_comes_back(playground: Playground, bot: Bot) -> None:
    """In an outage the guild is unavailable, not left."""
    playground.gateway.outage()
    await bot.heard("guild_unavailable")

    playground.gateway.restore()

    assert (await bot.heard("guild_available")).id == GUILD_ID


@pytest.mark.parametrize("of", [2, 3])
async def test_a_shard_hears_its_guilds_and_the_first_one_dms(playground: Playground, raw: Raw, of: int) -> None:
    """The guild is told to one shard, a DM to shard 0."""
    mine = (GUILD_ID >> 22) % of
    dm = playground.people.open_dm(ADA_ID)
    async with connected(raw, shard=[0, of]) as first, connected(raw, shard=[mine, of]) as home:
        assert (await told(first, "READY"))["guilds"] == ([{"id": str(GUILD_ID), "unavailable": True}] * (mine == 0))
        assert (await told(home, "READY"))["shard"] == [mine, of]
        playground.people.send(GENERAL_ID, ADA_ID, "guild")
        playground.people.send(dm.id, ADA_ID, "dm")

        heard = [(await told(socket, "MESSAGE_CREATE"))["content"] for socket in (home, first)]
    assert heard == (["guild", "dm"] if mine else ["guild", "guild"])


@pytest.mark.parametrize("shard", [[1, 1], [-1, 2], [0], "0", [0, 0], [True, 2], [0, 10**9]])
async def test_an_impossible_shard_is_refused(raw: Raw, shard: Any) -> None:
    """4010 for a shard that cannot be."""
    async with connected(raw, shard=shard) as socket:
        assert await closed(socket) == 4010


async def test_shards_identify_one_after_another() -> None:
    """Of one turnstile only one may identify at a time; the other is told to try again, and may later."""
    now = [0.0]
    rules = Rules(identify_seconds=5.0, max_concurrency=2)
    async with Playground(rules=rules, monotonic=lambda: now[0]) as playground, aiohttp.ClientSession() as session:
        raw = Raw(session, playground)
        async with connected(raw, shard=[0, 4]) as first, connected(raw, shard=[1, 4]) as second:
            await told(first, "READY")
            await told(second, "READY")
        async with connected(raw, shard=[2, 4]) as third:
            assert (await within(third.receive_json()))["op"] == 10
            refused = await within(third.receive_json())
            assert (refused["op"], refused["d"]) == (9, False)
            now[0] += 5
            await identify(raw, third, shard=[2, 4])
            await told(third, "READY")


async def test_too_many_sessions_cost_the_token(start: Connect) -> None:
    """The budget of a day counts down; one IDENTIFY more ends every session and takes the token back."""
    async with Playground(rules=Rules(session_starts=2)) as playground, aiohttp.ClientSession() as session:
        raw = Raw(session, playground)
        async with connected(raw) as one, connected(raw):
            await told(one, "READY")
            limit = (await raw.api("GET", "/gateway/bot"))[1]["session_start_limit"]
            assert (limit["total"], limit["remaining"], limit["max_concurrency"]) == (2, 0, 1)
            async with connected(raw) as excess:
                assert (await closed(excess), await closed(one)) == (4004, 4004)
        assert (await raw.api("GET", "/users/@me"))[0] == 401


def inflate() -> Callable[[bytes], bytes]:
    return zlib.decompressobj().decompress


def unzstd() -> Callable[[bytes], bytes]:
    """The real Zstandard library, where this machine has one."""
    name = ctypes.util.find_library("zstd")
    if name is None:
        pytest.skip("there is no libzstd to read the stream with")
    library = ctypes.CDLL(name)

    class Buffer(ctypes.Structure):
        _fields_ = (("at", ctypes.c_void_p), ("size", ctypes.c_size_t), ("pos", ctypes.c_size_t))

    library.ZSTD_createDStream.restype = ctypes.c_void_p
    library.ZSTD_decompressStream.restype = ctypes.c_size_t
    library.ZSTD_decompressStream.argtypes = [ctypes.c_void_p, ctypes.POINTER(Buffer), ctypes.POINTER(Buffer)]
    decompressor = library.ZSTD_createDStream()

    def read(data: bytes) -> bytes:
        room = ctypes.create_string_buffer(len(data) * 4 + 1024)
        given = ctypes.create_string_buffer(data, len(data))
        taken = Buffer(ctypes.addressof(given), len(data), 0)
        made = Buffer(ctypes.addressof(room), len(room), 0)
        while taken.pos < taken.size:
            assert not library.ZSTD_isError(library.ZSTD_decompressStream(decompressor, made, taken))
        return room.raw[: made.pos]

    return read


@pytest.mark.parametrize(("kind", "reader"), [("zlib-stream", inflate), ("zstd-stream", unzstd)])
async def test_a_compressed_transport_is_one_stream(
    playground: Playground, raw: Raw, kind: str, reader: Callable[[], Callable[[bytes], bytes]]
) -> None:
    """Every frame is binary, and all of them together are one stream that is flushed after each."""
    read = reader()
    async with connected(raw, f"?compress={kind}") as socket:
        names = [json.loads(read(await within(socket.receive_bytes())))["t"] for _ in range(3)]

    assert names == [None, "READY", "GUILD_CREATE"]


def test_a_large_zstd_frame_is_many_blocks() -> None:
    """A frame past the window is cut, and read back whole."""
    compress, read = stream("zstd-stream"), unzstd()
    assert compress is not None

    for data in (b"a" * 300_000, b"", b"b"):
        assert read(compress(data)) == data


async def test_large_payloads_are_compressed_alone(playground: Playground, raw: Raw) -> None:
    """IDENTIFY with compress makes the large frames binary, each for itself, and leaves the small ones."""
    async with connected(raw, compress=True) as socket:
        kinds: list[tuple[aiohttp.WSMsgType, str | None]] = []
        while len(kinds) < 3:
            message = await within(socket.receive())
            text = zlib.decompress(message.data) if isinstance(message.data, bytes) else message.data
            kinds.append((message.type, json.loads(text)["t"]))

    binary, text = aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT
    assert (kinds[0], kinds[2]) == ((text, None), (binary, "GUILD_CREATE"))


async def test_a_message_is_told_after_what_made_it_visible(playground: Playground, raw: Raw) -> None:
    """A thread is told before the first message in it."""
    async with connected(raw) as socket:
        await told(socket, "GUILD_CREATE")
        thread = playground.people.create_thread(GENERAL_ID, ADA_ID, "t")
        playground.people.send(thread.id, ADA_ID, "inside")
        names: list[str] = []
        async with patience("the message in the thread"):
            while names[-1:] != ["inside"]:
                frame = await socket.receive_json()
                names.append(frame["d"].get("content", frame["t"]) if frame["t"] == "MESSAGE_CREATE" else frame["t"])

    assert names[0] == "THREAD_CREATE"
