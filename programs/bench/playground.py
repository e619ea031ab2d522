"""How many messages a second go through one channel of the playground, over real sockets, with none lost or moved."""

import asyncio
import time
from dataclasses import dataclass

import aiohttp

from programs.playground.entities import ADA_ID, GENERAL_ID
from programs.playground.rules import Rules, Window
from programs.playground.server import Playground

_OPEN = Window(1_000_000, 1.0)
_PATIENCE = 60.0  # seconds for all that was said to be heard
_INTENTS = 1 | 1 << 9 | 1 << 15  # guilds, their messages, the content


@dataclass(frozen=True)
class Rate:
    """`messages` of a kind went through, in order, at `rate` a second."""

    name: str
    messages: int
    rate: float


async def rates(*, messages: int = 5_000) -> list[Rate]:
    """Measure people's messages on their way to a bot, and a bot's own on their way into the channel.

    Raises:
        RuntimeError: A message was lost, doubled or moved.
    """
    rules = Rules(create=_OPEN, other=_OPEN, everything=_OPEN)
    async with Playground(rules=rules) as playground, aiohttp.ClientSession() as session:
        async with session.ws_connect(playground.gateway_url) as socket:
            identity = {"token": playground.token, "intents": _INTENTS, "properties": {}}
            await socket.send_json({"op": 2, "d": identity})
            while (await socket.receive_json())["t"] != "READY":
                pass
            told = await _told(playground, socket, messages)
        posted = await _posted(playground, session, messages)
    return [told, posted]


async def _told(playground: Playground, socket: aiohttp.ClientWebSocketResponse, messages: int) -> Rate:
    expected = [f"told {n}" for n in range(messages)]
    begin = time.perf_counter()
    for n, text in enumerate(expected):
        playground.people.send(GENERAL_ID, ADA_ID, text)
        if n % 100 == 0:
            await asyncio.sleep(0)  # people do not hold the loop
    heard: list[str] = []
    async with asyncio.timeout(_PATIENCE):
        while len(heard) < messages:
            frame = await socket.receive_json()
            if frame["t"] == "MESSAGE_CREATE":
                heard.append(frame["d"]["content"])
    seconds = time.perf_counter() - begin
    return _rate("people's, heard by a bot", expected, heard, seconds)


async def _posted(playground: Playground, session: aiohttp.ClientSession, messages: int) -> Rate:
    expected = [f"posted {n}" for n in range(messages)]
    url = f"{playground.api_base}/channels/{GENERAL_ID}/messages"
    headers = {"Authorization": f"Bot {playground.token}"}
    begin = time.perf_counter()
    for text in expected:
        async with session.post(url, json={"content": text}, headers=headers) as answer:
            await answer.read()
    seconds = time.perf_counter() - begin
    there = [message.content for message in playground.state.channels[GENERAL_ID].messages.values()]
    return _rate("a bot's, posted one after another", expected, there[-messages:], seconds)


def _rate(name: str, expected: list[str], found: list[str], seconds: float) -> Rate:
    if found != expected:
        raise RuntimeError(f"Messages were lost, doubled or moved: {name}")
    return Rate(name, len(found), len(found) / seconds)
