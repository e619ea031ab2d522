"""Many messages through one channel: all, once, in order; `python -m programs.bench playground` says how fast.

Here time is what the process itself worked, the bot's part included: a busy machine does not change it.
"""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID
from programs.playground.rules import Rules, Window
from programs.playground.server import Playground
from tests.cpu import moment
from tests.programs.playground.conftest import Connect, Raw

OPEN = Window(1_000_000, 1.0)
COUNT = 1000


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with Playground(rules=Rules(create=OPEN, edit=OPEN, other=OPEN, everything=OPEN)) as running:
        yield running


async def test_a_thousand_messages_reach_the_bot_in_order(playground: Playground, start: Connect) -> None:
    """What two people say in a burst arrives whole and in its order, over the real gateway, in a second of work."""
    bot = await start(playground)
    began = time.process_time()

    for n in range(COUNT):
        playground.people.send(GENERAL_ID, ADA_ID if n % 2 else GRACE_ID, str(n))
        if n % 100 == 0:
            await asyncio.sleep(0)  # lets what was said so far go out in between

    await bot.heard("message", count=COUNT)
    took = time.process_time() - began
    heard = [args[0] for name, args in bot.told if name == "message"]
    assert [message.content for message in heard] == [str(n) for n in range(COUNT)]
    assert [message.id for message in heard] == sorted({message.id for message in heard})
    assert took < 50 * moment()  # about a second for a thousand


async def test_a_thousand_requests_are_carried_out_in_order(playground: Playground, raw: Raw, start: Connect) -> None:
    """What the bot posts one after another stands so in the channel, and is told so; posts at once are all there."""
    bot = await start(playground)
    path = f"/channels/{GENERAL_ID}/messages"

    for n in range(COUNT // 2):
        assert (await raw.api("POST", path, {"content": str(n)}))[0] == 200
    await asyncio.gather(*(raw.api("POST", path, {"content": "at once"}) for _ in range(COUNT // 2)))

    posted = [message.content for message in playground.state.channels[GENERAL_ID].messages.values()]
    assert posted == [*map(str, range(COUNT // 2)), *["at once"] * (COUNT // 2)]
    await bot.heard("message", count=COUNT)
    assert [args[0].content for name, args in bot.told if name == "message"] == posted
