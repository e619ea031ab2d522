"""Anthropic's Messages API: what comes back, how it ends, and what its faults mean."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from aiohttp import web

from llmgine.errors import (
    ContextOverflowError,
    EmptyReplyError,
    PromptRefusedError,
    ProviderBusyError,
    ProviderError,
    ProviderRefusedError,
    ProviderUnavailableError,
    ReplyCutOffError,
)
from llmgine.messages.chat_messages import ToolSchema, Usage
from llmgine.providers.anthropic import AnthropicProvider
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.choosing import listed_models
from llmgine.providers.price_table import PriceTable
from tests.chat_completions import ChatCompletionsServer, Exchange, MessagesExchange
from tests.llmgine.providers.examples import HELLO, KEY

ROLL = ToolSchema(name="roll", description="Roll a die.", parameters={"type": "object", "properties": {}})
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


@pytest.fixture
async def claude(server: ChatCompletionsServer) -> AsyncIterator[AnthropicProvider]:
    provider = AnthropicProvider("claude-test", KEY, server.base_url)
    yield provider
    await provider.aclose()


async def ask(provider: AnthropicProvider, request: ChatRequest = HELLO) -> ChatReply:
    """One reply, whose streamed pieces are checked to be its text."""
    pieces: list[str] = []
    reply = await provider.reply(request, pieces.append)
    assert "".join(pieces) == reply.text
    return reply


def stream(
    *blocks: dict[str, Any], reason: str | None = "end_turn", usage: object = None, error: object = None
) -> list[dict[str, Any]]:
    """The events of a message with these blocks, each given by its beginning and `deltas`."""
    begun = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "usage": {"input_tokens": 10}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for index, block in enumerate(blocks):
        beginning = {name: value for name, value in block.items() if name != "deltas"}
        events.append({"type": "content_block_start", "index": index, "content_block": beginning})
        deltas = ({"type": "content_block_delta", "index": index, "delta": one} for one in block["deltas"])
        events += [*deltas, {"type": "content_block_stop", "index": index}]
    if error is not None:
        return [*events, {"type": "error", "error": error}]
    if reason is not None:
        events.append({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage or {}})
        events.append({"type": "message_stop"})
    return events


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": "", "deltas": [{"type": "text_delta", "text": words}]}


def call(arguments: str) -> dict[str, Any]:
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", arguments[:3], arguments[3:])]
    return {"type": "tool_use", "id": "toolu_1", "name": "roll", "input": {}, "deltas": deltas}


def thought(words: str, signature: str | None = "sig==") -> dict[str, Any]:
    deltas: list[dict[str, str]] = [{"type": "thinking_delta", "thinking": words}]
    if signature:
        deltas.append({"type": "signature_delta", "signature": signature})
    return {"type": "thinking", "thinking": "", "signature": "", "deltas": deltas}


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("something_new", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "length"),
        ("refusal", "filtered"),
    ],
)
async def test_why_a_reply_ended(
    server: ChatCompletionsServer, claude: AnthropicProvider, reason: str, finish: str
) -> None:
    """Every reason has a meaning here, also one that there is not yet."""
    server.chunks(stream(text("Well, "), text("then."), reason=reason), done=False)

    reply = await ask(claude)

    assert (reply.text, reply.finish) == ("Well, then.", finish)


@pytest.mark.parametrize("reason", ["max_tokens", "refusal"])
async def test_a_call_that_may_not_be_whole_is_not_made(
    server: ChatCompletionsServer, claude: AnthropicProvider, reason: str
) -> None:
    """Its arguments may be valid JSON by accident."""
    server.chunks(stream(call('{"sides": 6}'), reason=reason), done=False)

    assert (await ask(claude)).tool_calls == ()


@pytest.mark.parametrize(
    ("written", "arguments"),
    [('{"sides": 6}', '{"sides": 6}'), ("", "{}"), ('{"sides": ', '{"sides": '), ("[1]", "[1]"), ("six", "six")],
)
async def test_arguments_are_those_the_model_wrote(
    server: ChatCompletionsServer, claude: AnthropicProvider, written: str, arguments: str
) -> None:
    """Malformed ones reach the engine, which tells the model; none at all are an empty object."""
    server.chunks(stream(thought("Hm."), call(written), reason="tool_use"), done=False)

    reply = await ask(claude, HELLO.model_copy(update={"tools": (ROLL,)}))

    assert [(one.name, one.arguments) for one in reply.tool_calls] == [("roll", arguments)]


async def test_counts_what_was_read_from_the_cache_written_and_thought(
    server: ChatCompletionsServer, claude: AnthropicProvider
) -> None:
    """The service counts cached tokens apart; here they are part of the input, with their own prices."""
    told = {
        "input_tokens": 10,
        "cache_read_input_tokens": 200,
        "cache_creation_input_tokens": 30,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 20},
    }
    server.chunks(stream(text("Hi."), usage=told), done=False)

    usage = (await ask(claude)).usage

    assert usage == Usage(
        input_tokens=240, output_tokens=50, cached_tokens=200, cache_written_tokens=30, reasoning_tokens=20
    )
    dollars = PriceTable().dollars
    address, model = "https://api.anthropic.com/", "claude-sonnet-4-5"
    paid = dollars(address, model, usage)
    unwritten = dollars(address, model, usage.model_copy(update={"cache_written_tokens": 0}))
    uncached = dollars(address, model, usage.model_copy(update={"cached_tokens": 0, "cache_written_tokens": 0}))
    assert paid is not None
    assert unwritten is not None
    assert uncached is not None
    assert unwritten < paid < uncached


async def test_thinking_is_no_text_and_only_whole_thinking_is_kept(
    server: ChatCompletionsServer, claude: AnthropicProvider
) -> None:
    """A block whose signature did not come is refused when it is sent back."""
    server.chunks(stream(thought("Hm. "), text("Hi."), thought("Lost", None)), done=False)

    reply = await ask(claude)

    assert reply.text == "Hi."
    assert reply.parts is not None
    assert reply.parts.data == {
        "content": [{"type": "thinking", "thinking": "Hm. ", "signature": "sig=="}, "text"],
    }


async def test_more_thinking_than_is_kept_goes_back_not_at_all(
    server: ChatCompletionsServer, claude: AnthropicProvider
) -> None:
    """Half a block has no valid signature."""
    server.chunks(stream(thought("x" * 500), text("Hi.")), done=False)

    reply = await ask(claude, HELLO.model_copy(update={"max_characters": 100}))

    assert (reply.text, reply.parts) == ("Hi.", None)


async def test_a_whole_message_is_taken_too(server: ChatCompletionsServer, claude: AnthropicProvider) -> None:
    """Some clones do not stream."""
    content = [
        {"type": "thinking", "thinking": "Hm.", "signature": "sig=="},
        {"type": "text", "text": "Hi."},
        {"type": "tool_use", "id": "toolu_1", "name": "roll", "input": {"sides": 6}},
    ]
    about = {"id": "msg_1", "type": "message", "role": "assistant", "stop_reason": "tool_use"}
    server.json({**about, "content": content, "usage": {"input_tokens": 3, "output_tokens": 4}})

    reply = await ask(claude)

    assert (reply.text, reply.tool_calls[0].arguments, reply.finish) == ("Hi.", '{"sides": 6}', "tool_calls")
    assert reply.usage == Usage(input_tokens=3, output_tokens=4)
    assert reply.parts is not None


async def test_a_reply_that_is_all_thinking_is_said_to_be(
    server: ChatCompletionsServer, claude: AnthropicProvider
) -> None:
    """Asking again may not help, and costs."""
    server.chunks(stream(thought("Hm.")), done=False)

    with pytest.raises(EmptyReplyError) as caught:
        await ask(claude)

    assert caught.value.thought


REFUSALS: list[tuple[int, str, str, type[ProviderError], str]] = [
    (400, "invalid_request_error", "prompt is too long: 213462 tokens > 200000 maximum", ContextOverflowError, ""),
    (
        400,
        "invalid_request_error",
        "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length",
        ContextOverflowError,
        "",
    ),
    (413, "request_too_large", "Request exceeds the maximum size", ContextOverflowError, ""),
    (400, "invalid_request_error", "Output blocked by content filtering policy", PromptRefusedError, ""),
    (400, "invalid_request_error", "Your credit balance is too low", ProviderRefusedError, "credit"),
    (402, "billing_error", "Your payment failed", ProviderRefusedError, "credit"),
    (401, "authentication_error", "invalid x-api-key", ProviderRefusedError, "Check ANTHROPIC_API_KEY"),
    (403, "permission_error", "Not allowed", ProviderRefusedError, "Check ANTHROPIC_API_KEY"),
    (404, "not_found_error", "model: claude-test", ProviderRefusedError, "ANTHROPIC_BASE_URL"),
    (429, "rate_limit_error", "Number of request tokens has exceeded your rate limit", ProviderBusyError, ""),
    (500, "api_error", "Internal server error", ProviderUnavailableError, ""),
    (529, "overloaded_error", "Overloaded", ProviderUnavailableError, ""),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: f"{refusal[0]} {refusal[2][:20]}")
async def test_what_a_refusal_means(
    server: ChatCompletionsServer, claude: AnthropicProvider, refusal: tuple[int, str, str, type[ProviderError], str]
) -> None:
    """In the service's words, as an answer of its own or as an event of a stream; its settings are named."""
    status, kind, said, error, words = refusal
    server.fail(status, {"type": "error", "error": {"type": kind, "message": said}}, {"Retry-After": "7"})
    server.chunks(stream(error={"type": kind, "message": said}), done=False)

    for _ in range(2):
        with pytest.raises(error) as caught:
            await ask(claude)
        assert words in str(caught.value)
        assert "OPENAI_API_KEY" not in str(caught.value)


async def test_the_window_and_the_wait_are_read(server: ChatCompletionsServer, claude: AnthropicProvider) -> None:
    """The next request fits, and comes when it is wanted."""
    said = "prompt is too long: 213462 tokens > 200000 maximum"
    server.fail(400, {"type": "error", "error": {"type": "invalid_request_error", "message": said}})
    server.fail(429, {"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}, {"Retry-After": "7"})

    with pytest.raises(ContextOverflowError) as overflow:
        await ask(claude)
    with pytest.raises(ProviderBusyError) as busy:
        await ask(claude)

    assert (overflow.value.window, overflow.value.requested) == (200_000, 213_462)
    assert busy.value.retry_after == 7


async def test_an_error_behind_the_first_words_keeps_them(
    server: ChatCompletionsServer, claude: AnthropicProvider
) -> None:
    """What people have read is theirs; the rest is not asked for without them."""
    server.chunks(stream(text("Half an "), error=OVERLOADED["error"]), done=False)

    with pytest.raises(ReplyCutOffError) as caught:
        await ask(claude)

    assert caught.value.partial == "Half an "


@pytest.mark.parametrize("blocks", [(), (text("Half an "),), (thought("Hm."),)])
async def test_a_stream_without_an_end_is_no_reply(
    server: ChatCompletionsServer, claude: AnthropicProvider, blocks: tuple[dict[str, Any], ...]
) -> None:
    """The service says why a message ends, or it did not."""
    server.chunks(stream(*blocks, reason=None), done=False)

    with pytest.raises(ProviderError):
        await ask(claude)


async def test_odd_events_are_passed_over(server: ChatCompletionsServer, claude: AnthropicProvider) -> None:
    """New kinds of events, blocks and deltas may come at any time, and nothing in them is trusted to have a form."""
    odd = [
        {"type": "new_event", "delta": 3},
        {"type": "content_block_start", "index": None, "content_block": {"type": "new_block", "data": [1]}},
        {"type": "content_block_delta", "index": "x", "delta": {"type": "new_delta"}},
        {"type": "content_block_delta", "index": 99, "delta": {"type": "input_json_delta", "partial_json": "{"}},
        {"type": "content_block_delta", "index": 98, "delta": {"type": "signature_delta", "signature": 7}},
        {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": "many"}},
    ]
    server.chunks([*odd, *stream(text("Hi."))], done=False)

    assert (await ask(claude)).text == "Hi."


async def test_models_are_listed_with_the_day_of_their_retirement(server: ChatCompletionsServer) -> None:
    """As for other services, people are told before."""
    entries = [{"type": "model", "id": "claude-a", "retires_at": "2027-01-22T00:00:00Z"}, {"id": "claude-b"}]

    assert [(one.name, one.shutdown) for one in listed_models({"data": entries})] == [
        ("claude-a", date(2027, 1, 22)),
        ("claude-b", None),
    ]
    server.models = ["claude-b", "claude-a"]
    provider = AnthropicProvider(None, KEY, server.base_url)
    try:
        assert [one.name for one in await provider.models()] == ["claude-a", "claude-b"]
        with pytest.raises(ProviderRefusedError, match="OPENAI_MODEL"):
            await provider.choose_model()
    finally:
        await provider.aclose()


async def test_a_service_that_does_not_describe_its_models_costs_one_look() -> None:
    """Many questions at once ask it once, and wait for that no longer than a few seconds."""
    looks: list[str] = []

    async def describe(request: web.Request) -> web.Response:
        looks.append(request.match_info["name"])
        return web.json_response({"max_tokens": 4_096, "capabilities": {"effort": None}})

    async def answer(request: web.Request) -> web.StreamResponse:
        exchange: Exchange = MessagesExchange(request, json.loads(await request.read()))
        await exchange.text(f"at most {exchange.body['max_tokens']}")
        return await exchange.end()

    app = web.Application()
    app.router.add_get("/v1/models/{name}", describe)
    app.router.add_post("/v1/messages", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider = AnthropicProvider("claude/odd name", KEY, f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        replies = await asyncio.gather(*(ask(provider) for _ in range(5)))
    finally:
        await provider.aclose()
        await runner.cleanup()

    assert {reply.text for reply in replies} == {"at most 4096"}
    assert looks == ["claude/odd name"]
