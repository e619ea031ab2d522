"""Stop, and a real server that would write for minutes."""

import asyncio

import pytest

from llmgine.messages.commands import StopTurnCommand
from llmgine.messages.events import AnswerProgressEvent
from tests.llmgine.engine.conftest import StartChat
from tests.real_model.conftest import Provide, StartServer
from tests.real_model.examples import ask, words
from tests.real_model.llama import LlamaServer

pytestmark = pytest.mark.timeout(180)  # seconds; on a machine that is not busy the slowest takes half a minute

SOON = 20.0  # seconds; what is stopped would take more than a minute


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> LlamaServer:
    """One slot, and a model that writes until its 8,192 tokens are full."""
    return start_server("--slots", "1", "--context", "8192", "--answer", "-1", "--endless")


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_stop_frees_the_slot(server: LlamaServer, provide: Provide, start_chat: StartChat, api: str) -> None:
    """The only slot answers somebody else soon after a turn was stopped in the middle of its answer."""
    provider = provide(server, api=api)
    chat = await start_chat(provider)
    admitted = await chat.admit("Tell me a long story about the sea.")
    await chat.told(AnswerProgressEvent)

    await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=admitted.turn_id))
    stopped = await chat.outcome(admitted.turn_id)
    async with asyncio.timeout(SOON):
        await server.until_idle()
        reply = await provider.reply(ask("What is the capital of France?", max_output_tokens=8), lambda _: None)

    assert stopped.state == "stopped"
    assert stopped.text
    assert reply.text


async def test_stop_frees_a_slot_that_still_reads(server: LlamaServer, provide: Provide, start_chat: StartChat) -> None:
    """The same while the server reads a long prompt and has not written anything."""
    provider = provide(server)
    chat = await start_chat(provider)
    admitted = await chat.admit(words(6000))
    await server.until_busy()

    await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=admitted.turn_id))
    stopped = await chat.outcome(admitted.turn_id)
    async with asyncio.timeout(SOON):
        await server.until_idle()
        reply = await provider.reply(ask("What is the capital of France?", max_output_tokens=8), lambda _: None)

    assert (stopped.state, stopped.text) == ("stopped", "")
    assert reply.text
