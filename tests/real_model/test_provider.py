"""The provider and a real server: pieces as they are written, and refusals with the server's own numbers."""

import asyncio

import pytest

from llmgine.errors import ContextOverflowError
from llmgine.messages.chat_messages import ToolSchema
from llmgine.providers.base import Change
from tests.real_model.conftest import Provide
from tests.real_model.examples import RED_SQUARE, WINDOW, ask, words
from tests.real_model.llama import LlamaServer

BOTH_APIS = pytest.mark.parametrize("api", ["chat", "responses"])
CALCULATE = ToolSchema(
    name="calculate",
    description="Work out an expression.",
    parameters={"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]},
)


def nothing(piece: str) -> None:
    """For replies whose pieces do not matter."""


@BOTH_APIS
async def test_a_reply_streams(server: LlamaServer, provide: Provide, api: str) -> None:
    """The first piece is there well before the last, together they are the text, and the tokens are counted."""
    clock = asyncio.get_running_loop().time
    pieces: list[tuple[float, str]] = []

    reply = await provide(server, api=api).reply(
        ask("Tell me a long story about the sea."), lambda piece: pieces.append((clock(), piece))
    )

    assert pieces[-1][0] - pieces[0][0] > 0.05  # a token takes about 10 ms, and there are 24
    assert "".join(piece for _, piece in pieces).strip() == reply.text.strip()
    assert reply.usage is not None
    assert reply.usage.input_tokens > 10
    assert 2 < reply.usage.output_tokens <= 24


@BOTH_APIS
async def test_replies_come_side_by_side(server: LlamaServer, provide: Provide, api: str) -> None:
    """Two requests of one provider stream at the same time, as many as the server has slots."""
    provider = provide(server, api=api)
    order: list[int] = []

    async def stream(number: int) -> None:
        request = ask(f"Tell me a long story about {number} ships.", max_output_tokens=60)
        await provider.reply(request, lambda _: order.append(number))

    await asyncio.gather(stream(1), stream(2))

    assert order != sorted(order)
    assert order != sorted(order, reverse=True)


@BOTH_APIS
async def test_a_limit_of_the_answer_is_kept(server: LlamaServer, provide: Provide, api: str) -> None:
    """No more tokens come than were asked for, under whichever name the API has for the limit."""
    request = ask("Tell me a long story about the sea.", max_output_tokens=16)

    reply = await provide(server, api=api).reply(request, nothing)

    assert reply.text
    assert reply.usage is not None
    assert reply.usage.output_tokens <= 16


@BOTH_APIS
async def test_what_is_too_long_is_told_in_tokens(server: LlamaServer, provide: Provide, api: str) -> None:
    """The error has the window and the size of the request, by the server's count."""
    with pytest.raises(ContextOverflowError) as caught:
        await provide(server, api=api).reply(ask(words(3000)), nothing)

    assert caught.value.window == WINDOW
    assert caught.value.requested is not None
    assert caught.value.requested > 3000
    assert caught.value.lasting


@BOTH_APIS
async def test_a_picture_that_cannot_be_seen_is_left_out(server: LlamaServer, provide: Provide, api: str) -> None:
    """A server without eyes answers a picture with status 500; the text is answered, and the reply says so."""
    reply = await provide(server, api=api).reply(ask("What is this?", images=(RED_SQUARE,)), nothing)

    assert reply.text
    assert [one.change for one in reply.learnt] == [Change.NO_IMAGES]


@BOTH_APIS
async def test_a_model_that_calls_no_tools_answers(server: LlamaServer, provide: Provide, api: str) -> None:
    """Tools are offered; what the model writes instead of calling one is its answer."""
    request = ask("What is the capital of France?").model_copy(update={"tools": (CALCULATE,)})

    reply = await provide(server, api=api).reply(request, nothing)

    assert reply.text or reply.tool_calls


@BOTH_APIS
async def test_the_only_model_needs_no_name(server: LlamaServer, provide: Provide, api: str) -> None:
    """With an address alone, the one model that the server lists is asked, and the reply names it."""
    provider = provide(server, model=None, api=api)

    reply = await provider.reply(ask("What is the capital of France?"), nothing)

    assert reply.text
    assert reply.model == server.model
    assert [one.name for one in await provider.models()] == [server.model]
