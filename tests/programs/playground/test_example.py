"""A bot that was not written for the playground runs in it, as a program of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, Message
from programs.playground.invariants import Invariants
from programs.playground.openapi import Document
from programs.playground.posting import Upload
from programs.playground.server import Playground
from programs.playground.state import Dispatch
from tests.processes import ending
from tests.programs.playground.conftest import Clock, within
from tests.waiting import computing, noted, patience

EXAMPLE = Path(__file__).parent / "example"


@pytest.fixture
async def playground(document: Document | None) -> AsyncIterator[Playground]:
    """One whose deadlines do not pass: on a busy machine another process may need longer than Discord gives it."""
    async with Playground(openapi=document, monotonic=Clock()) as running:
        running.state.subscribe(noted)
        yield running


@pytest.fixture
async def example(playground: Playground) -> AsyncIterator[Playground]:
    """A playground with the example bot in it, ready, its command registered."""
    bot = await asyncio.create_subprocess_exec(
        sys.executable,
        EXAMPLE / "elsewhere.py",
        playground.api_base,
        playground.gateway_url,
        EXAMPLE / "bot.py",
        env={**os.environ, "DISCORD_TOKEN": playground.token},
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with ending(bot):
        await within(playground.wait_for(lambda state: state.bot_online and state.commands), computing(bot.pid))
        yield playground
        bot.terminate()
        async with patience("the end of the bot", computing(bot.pid)):
            await bot.wait()
    Invariants(playground, addressed=lambda message: message.content == "!file").require()


async def said(playground: Playground, content: str, channel_id: int = GENERAL_ID) -> Message:
    """The bot's message of that text, once it is there."""
    messages = playground.state.channels[channel_id].messages
    found = await within(
        playground.wait_for(lambda _: [m for m in messages.values() if (m.author_id, m.content) == (BOT_ID, content)])
    )
    return found[0]


async def test_the_examples_command_button_and_modal(example: Playground) -> None:
    """A command is deferred and filled in, a button opens a modal whose answer is private, another ends the choice."""
    modals: list[Dispatch] = []
    example.state.subscribe(lambda told: modals.append(told) if told.name == "MODAL_OPEN" else None)
    example.people.command(GENERAL_ID, ADA_ID, "order", [{"name": "sugar", "value": 2}])
    offer = await said(example, "With 2 pieces of sugar. What will it be?")
    # discord.py knows buttons, and modals, only once it has read the answer to the request that made them, as the
    # next follow-up shows: whoever uses one before that, as no person could, is not answered.
    await said(example, "Press a button.")
    tea, tell = offer.components[0]["components"]

    example.people.click(GENERAL_ID, ADA_ID, offer.id, tell["custom_id"])
    modal = (await within(example.wait_for(lambda _: modals)))[0].render(ADA_ID)
    await said(example, "Take your time.")
    fields = [row["components"][0]["custom_id"] for row in modal["components"]]
    example.people.submit_modal(ADA_ID, int(modal["modal_id"]), dict(zip(fields, ["Ada", "Good."], strict=True)))
    thanks = await said(example, "Thank you, Ada!")
    example.people.click(GENERAL_ID, ADA_ID, offer.id, tea["custom_id"])

    await within(example.wait_for(lambda _: offer.content == "Tea it is."))
    assert (offer.components, thanks.ephemeral_to) == ([], ADA_ID)


async def test_the_examples_thread_and_files(example: Playground) -> None:
    """It opens a thread on a message, sends a file, and reads one."""
    topic = example.people.send(GENERAL_ID, ADA_ID, "!thread")
    await within(example.wait_for(lambda state: topic.id in state.channels))
    await said(example, "Here we are.", topic.id)

    example.people.send(GENERAL_ID, ADA_ID, "!file")
    report = (await said(example, "As you wished.")).attachments[0]
    example.people.send(GENERAL_ID, ADA_ID, "!echo", uploads=(Upload(0, "in.txt", b"read back"),))

    await said(example, "read back")
    assert (report.filename, report.content) == ("report.csv", b"a,b\n1,2\n")
