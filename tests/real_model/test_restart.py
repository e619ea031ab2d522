"""A real server that is killed, is away, and loads its model again."""

import pytest

from llmgine.messages.commands import StopTurnCommand
from llmgine.messages.events import AnswerProgressEvent, ModelRetryEvent
from tests.llmgine.engine.chat import Chat
from tests.real_model.conftest import StartServer
from tests.real_model.llama import LlamaServer

pytestmark = pytest.mark.timeout(180)  # seconds; on a machine that is not busy the slowest takes half a minute

SLOWLY = ("--context", "16384", "--batch", "2048")  # makes loading take about two seconds


@pytest.fixture
def server(start_server: StartServer) -> LlamaServer:
    """One of each test's own, since it is killed."""
    return start_server()


async def test_a_turn_waits_for_a_server_that_is_away(server: LlamaServer, chat: Chat) -> None:
    """A question asked while nobody listens is answered once the server is back, and people see it retried."""
    before = await chat.say("What is the capital of France?")
    server.kill()
    admitted = await chat.admit("And of Italy?")
    await chat.told(ModelRetryEvent, admitted.turn_id)

    server.start(*SLOWLY, wait=False)
    after = await chat.outcome(admitted.turn_id)

    assert (before.state, after.state) == ("done", "done")
    assert after.text


async def test_a_turn_waits_for_a_server_that_loads(server: LlamaServer, chat: Chat) -> None:
    """A question asked while the server says "Loading model" is answered, and people see it retried."""
    server.kill()
    server.start(*SLOWLY, wait=False)
    await server.until_loading()

    outcome = await chat.say("What is the capital of France?")

    assert outcome.state == "done"
    assert outcome.text
    assert chat.of(ModelRetryEvent)


async def test_waiting_for_a_server_can_be_stopped(server: LlamaServer, chat: Chat) -> None:
    """Stop ends the wait at once; after the restart the next question is answered."""
    server.kill()
    admitted = await chat.admit("What is the capital of France?")
    await chat.told(ModelRetryEvent, admitted.turn_id)

    await chat.bus.execute(StopTurnCommand(session_id="s", turn_id=admitted.turn_id))
    stopped = await chat.outcome(admitted.turn_id)
    server.start()
    after = await chat.say("What is the capital of Italy?")

    assert (stopped.state, after.state) == ("stopped", "done")
    assert after.text


async def test_an_answer_that_breaks_off_is_followed_by_others(server: LlamaServer, chat: Chat) -> None:
    """A server killed in the middle of an answer fails that turn, which keeps its text; the next is answered."""
    server.kill()
    server.start("--answer", "-1", "--endless")
    admitted = await chat.admit("Tell me a long story about the sea.")
    await chat.told(AnswerProgressEvent, admitted.turn_id)

    server.kill()
    broken = await chat.outcome(admitted.turn_id)
    server.start()
    after = await chat.say("What is the capital of France?")

    assert broken.state == "failed"
    assert broken.text
    assert after.state == "done"
    assert after.text
