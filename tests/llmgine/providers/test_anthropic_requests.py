"""Anthropic's Messages API: what is sent, to a strict stand-in over real HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from llmgine.errors import ConfigurationError
from llmgine.messages.chat_messages import ChatMessage, ToolCall, ToolSchema
from llmgine.providers.anthropic import AnthropicProvider
from llmgine.providers.base import Change, ChatReply, ChatRequest
from llmgine.providers.repairs import MESSAGES_REPAIRS, repairs
from tests.chat_completions import ChatCompletionsServer
from tests.llmgine.providers.examples import HELLO, KEY
from tests.services.anthropic_messages import AnthropicClone, AnthropicMessages, AnthropicOlder
from tests.services.service import KEY as SERVICE_KEY

PIXEL = "data:image/png;base64,iVBORw0KGgo="
ROLL = ToolSchema(name="roll", description="Roll a die.", parameters={"type": "object", "properties": {}})
LOOK = ROLL.model_copy(update={"name": "look"})
MARK = {"type": "ephemeral"}


@pytest.fixture
async def claude(server: ChatCompletionsServer) -> AsyncIterator[AnthropicProvider]:
    provider = AnthropicProvider("claude-test", KEY, server.base_url)
    yield provider
    await provider.aclose()


async def ask(provider: AnthropicProvider, request: ChatRequest = HELLO) -> ChatReply:
    return await provider.reply(request, lambda _: None)


async def asked(kind: type[AnthropicMessages], request: ChatRequest) -> tuple[AnthropicMessages, dict[str, Any]]:
    """A stand-in that has answered a request, and the last body it was sent."""
    async with kind() as service:
        provider = AnthropicProvider(service.model, SERVICE_KEY, service.base_url)
        try:
            await ask(provider, request)
        finally:
            await provider.aclose()
    return service, service.requests[-1]


def said(role: str, content: str = "", **facts: object) -> ChatMessage:
    return ChatMessage.model_validate({"role": role, "content": content, **facts})


async def test_sends_only_what_is_set(server: ChatCompletionsServer, claude: AnthropicProvider) -> None:
    """Beside the question there is the bound on the reply, which the API asks for."""
    await ask(claude)

    assert server.requests == [
        {
            "model": "claude-test",
            "max_tokens": 8_192,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
            "stream": True,
        }
    ]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert server.headers[0]["anthropic-version"]


async def test_sends_nothing_of_the_environment(server: ChatCompletionsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only programs read it: neither a key nor headers from there go to a service that gets none."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "of-the-environment")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "of-the-environment")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Environment: of-the-environment\nAuthorization: Bearer x")
    provider = AnthropicProvider("claude-test", None, server.base_url)
    try:
        await ask(provider)
    finally:
        await provider.aclose()

    sent = server.headers[0]
    assert not {"authorization", "x-api-key", "x-environment"} & set(sent)
    assert "of-the-environment" not in str(sent)


@pytest.mark.parametrize(
    ("key", "address", "words"),
    [
        (None, None, "Set ANTHROPIC_API_KEY"),
        ("two words", None, "ANTHROPIC_API_KEY"),
        ("kéy", None, "ANTHROPIC_API_KEY"),
        (KEY, "no address", "ANTHROPIC_BASE_URL"),
        (None, "http://user:password@host", "ANTHROPIC_BASE_URL"),
    ],
)
def test_settings_that_cannot_be_used_are_named(key: str | None, address: str | None, words: str) -> None:
    """The texts name this provider's settings."""
    with pytest.raises(ConfigurationError, match=words):
        AnthropicProvider("claude-test", key, address)


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
async def test_an_address_may_end_as_other_services_do(server: ChatCompletionsServer, ending: str) -> None:
    """With or without the version's path."""
    provider = AnthropicProvider("claude-test", KEY, server.base_url.removesuffix("/v1") + ending)
    try:
        assert (await ask(provider)).text
    finally:
        await provider.aclose()


async def test_sends_the_whole_conversation_as_blocks(server: ChatCompletionsServer, claude: AnthropicProvider) -> None:
    """The results of a round are in one message with what follows, first; no text is of blanks; roles alternate."""
    calls = (
        ToolCall(id="aaaaaaaaa", name="roll", arguments='{"sides": 6}'),
        ToolCall(id="bbbbbbbbb", name="roll the dice", arguments="no json"),
    )
    messages = (
        said("system", "Be brief."),
        said("user", "Look", images=(PIXEL,)),
        said("assistant", " \n", tool_calls=calls),
        said("tool", "4", tool_call_id="aaaaaaaaa"),
        said("tool", "", tool_call_id="bbbbbbbbb"),
        said("user", "And now?"),
    )
    server.reply("Hi.")

    await ask(claude, ChatRequest(messages=messages, changes=frozenset({Change.NO_CACHE})))

    body = server.requests[0]
    assert body["system"] == [{"type": "text", "text": "Be brief."}]
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    malformed = {"malformed_arguments": "no json"}
    assert body["messages"] == [
        {"role": "user", "content": [image, {"type": "text", "text": "Look"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "aaaaaaaaa", "name": "roll", "input": {"sides": 6}},
                {"type": "tool_use", "id": "bbbbbbbbb", "name": "roll_the_dice", "input": malformed},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "aaaaaaaaa", "content": "4"},
                {"type": "tool_result", "tool_use_id": "bbbbbbbbb"},
                {"type": "text", "text": "And now?"},
            ],
        },
    ]


async def test_never_sends_a_temperature(server: ChatCompletionsServer, claude: AnthropicProvider) -> None:
    """The API has none since its version of October 2026, and refuses it."""
    await ask(claude, HELLO.model_copy(update={"temperature": 0.2}))

    assert "temperature" not in server.requests[0]


class TestCaching:
    async def test_what_later_requests_repeat_is_marked(
        self, server: ChatCompletionsServer, claude: AnthropicProvider
    ) -> None:
        """The system text with the tools before it, the conversation before the question, and the whole request."""
        messages = (said("system", "Be brief."), said("user", "One"), said("assistant", "Two"), said("user", "Three"))

        await ask(claude, ChatRequest(messages=messages, tools=(ROLL, LOOK)))

        body = server.requests[0]
        assert body["system"][0]["cache_control"] == MARK
        assert not any("cache_control" in tool for tool in body["tools"])
        assert ["cache_control" in one["content"][-1] for one in body["messages"]] == [False, True, True]

    async def test_without_a_system_text_the_tools_are_marked(
        self, server: ChatCompletionsServer, claude: AnthropicProvider
    ) -> None:
        """Only the last of them, which ends what is repeated."""
        await ask(claude, HELLO.model_copy(update={"tools": (ROLL, LOOK)}))

        assert ["cache_control" in tool for tool in server.requests[0]["tools"]] == [False, True]

    async def test_a_question_without_tools_is_not_written_to_the_cache(
        self, server: ChatCompletionsServer, claude: AnthropicProvider
    ) -> None:
        """Writing costs more than reading, and nothing repeats it."""
        await ask(claude)

        assert "cache_control" not in str(server.requests[0]["messages"])

    async def test_a_round_of_tools_keeps_the_marks_of_the_round_before(
        self, server: ChatCompletionsServer, claude: AnthropicProvider
    ) -> None:
        """The conversation before the question is marked at the same place, and thinking never is."""
        call = ToolCall(id="aaaaaaaaa", name="roll")
        before = (said("user", "One"), said("assistant", "Two"), said("user", "Three"))
        after = (*before, said("assistant", tool_calls=(call,)), said("tool", "4", tool_call_id=call.id))
        for messages in (before, after):
            await ask(claude, ChatRequest(messages=messages, tools=(ROLL,)))

        marked = [
            [place for place, one in enumerate(body["messages"]) if "cache_control" in str(one)]
            for body in server.requests
        ]
        assert marked == [[1, 2], [1, 4]]


class TestThinking:
    async def test_goes_back_unchanged_with_its_signatures(self) -> None:
        """Also what only the service can read, in its place before the call; the stand-in refuses anything else."""
        async with AnthropicMessages() as service:
            provider = AnthropicProvider(service.model, SERVICE_KEY, service.base_url)
            question = said("user", "use tools")
            first = await ask(provider, ChatRequest(messages=(question,), tools=(ROLL, LOOK)))
            reply = said("assistant", first.text, tool_calls=first.tool_calls, parts=first.parts)
            results = [said("tool", "4", tool_call_id=call.id) for call in first.tool_calls]
            again = ChatRequest(messages=(question, reply, *results), tools=(ROLL, LOOK))

            await ask(provider, again)
            other = again.model_copy(update={"messages": (question, _of_another_model(reply), *results)})
            service.thoughts.clear()  # another model has not written any
            await ask(provider, other)
            await provider.aclose()

        assert service.broken == []
        assert [block["type"] for block in service.requests[1]["messages"][1]["content"]] == [
            "thinking",
            "redacted_thinking",
            "tool_use",
            "tool_use",
        ]
        assert "signature" not in str(service.requests[2])

    @pytest.mark.parametrize(
        ("effort", "thinking", "config"),
        [
            (None, None, None),
            ("none", None, {"effort": "low"}),
            ("minimal", {"type": "adaptive"}, {"effort": "low"}),
            ("medium", {"type": "adaptive"}, {"effort": "medium"}),
            ("xhigh", {"type": "adaptive"}, {"effort": "xhigh"}),
        ],
    )
    async def test_models_of_today_take_a_level(self, effort: str | None, thinking: object, config: object) -> None:
        """Those whose thinking cannot be off think as little as they can."""
        service, body = await asked(AnthropicMessages, HELLO.model_copy(update={"effort": effort}))

        assert (body.get("thinking"), body.get("output_config")) == (thinking, config)
        assert service.refusals == []

    @pytest.mark.parametrize(
        ("effort", "thinking"),
        [
            (None, None),
            ("none", {"type": "disabled"}),
            ("minimal", {"type": "enabled", "budget_tokens": 1_024}),
            ("medium", {"type": "enabled", "budget_tokens": 8_192}),
            ("xhigh", {"type": "enabled", "budget_tokens": 24_576}),
        ],
    )
    async def test_older_models_take_a_budget(self, effort: str | None, thinking: object) -> None:
        """It is within the bound on the reply."""
        service, body = await asked(AnthropicOlder, HELLO.model_copy(update={"effort": effort}))

        assert (body.get("thinking"), body.get("output_config")) == (thinking, None)
        assert service.refusals == []

    async def test_a_short_reply_has_no_room_for_a_budget(self) -> None:
        """The least budget is more than the whole reply may have."""
        _, body = await asked(AnthropicOlder, HELLO.model_copy(update={"effort": "low", "max_output_tokens": 400}))

        assert (body.get("thinking"), body["max_tokens"]) == (None, 400)

    async def test_calls_made_without_thinking_go_on_without_it(self) -> None:
        """The service refuses a budget in the middle of calls of another model, or of one that did not think."""
        call = ToolCall(id="aaaaaaaaa", name="roll")
        messages = (*HELLO.messages, said("assistant", tool_calls=(call,)), said("tool", "4", tool_call_id=call.id))
        request = ChatRequest(messages=messages, tools=(ROLL,), effort="high")

        _, body = await asked(AnthropicOlder, request)

        assert "thinking" not in body

    async def test_what_is_not_known_of_a_model_is_learnt_from_its_refusals(self) -> None:
        """A service without a description of its models, and without marks and effort, is answered at once."""
        async with AnthropicClone() as service:
            provider = AnthropicProvider(service.model, SERVICE_KEY, service.base_url)
            reply = await ask(provider, HELLO.model_copy(update={"effort": "high", "tools": (ROLL,)}))
            await provider.aclose()

        assert reply.text
        assert {one.change for one in reply.learnt} == {Change.NO_EFFORT, Change.NO_CACHE}
        assert service.broken == []


@pytest.mark.parametrize(
    ("kind", "most", "sent"),
    [(AnthropicMessages, None, 32_000), (AnthropicMessages, 500, 500), (AnthropicMessages, 99_000, 64_000)],
)
async def test_the_bound_on_a_reply_is_one_the_model_takes(
    kind: type[AnthropicMessages], most: int | None, sent: int
) -> None:
    """What is asked for, or as much as an answer with its thinking needs, but never more than the model may write."""
    service, body = await asked(kind, HELLO.model_copy(update={"max_output_tokens": most}))

    assert body["max_tokens"] == sent
    assert service.refusals == []


LEARNT = (
    ("system.0.cache_control: Extra inputs are not permitted", Change.NO_CACHE, True),
    ("thinking: Extra inputs are not permitted", Change.NO_EFFORT, True),
    ("output_config: Extra inputs are not permitted", Change.NO_EFFORT, True),
    ("This model does not support the effort parameter.", Change.NO_EFFORT, True),
    ('"thinking.type.disabled" is not supported for this model.', Change.NO_EFFORT, True),
    ("Expected `thinking`, but found `tool_use`. When `thinking` is enabled, …", Change.NO_EFFORT, False),
    ("`thinking` blocks in the latest assistant message cannot be modified.", Change.NO_PARTS, False),
    ("messages.1.content.0: Invalid `signature` in `thinking` block", Change.NO_PARTS, False),
)


@pytest.mark.parametrize(("words", "change", "lasts"), LEARNT, ids=lambda value: str(value)[:30])
async def test_words_from_which_is_learnt(
    server: ChatCompletionsServer, claude: AnthropicProvider, words: str, change: Change, *, lasts: bool
) -> None:
    """One change helps, at once; what says nothing of the model is not remembered."""
    data = {"content": [{"type": "thinking", "thinking": "Hm.", "signature": "sig=="}, "text"]}
    parts = {"service": claude.service, "model": "claude-test", "data": data}
    question = said("user", "Hello")
    request = ChatRequest(
        messages=(question, said("assistant", "Hi.", parts=parts), question), tools=(ROLL,), effort="none"
    )
    server.fail(400, {"type": "error", "error": {"type": "invalid_request_error", "message": words}})
    server.reply("Fine.")

    reply = await ask(claude, request)

    assert [(one.change, one.lasts) for one in reply.learnt] == [(change, lasts)]
    kept = {Change.NO_CACHE: "cache_control", Change.NO_EFFORT: "'thinking': {", Change.NO_PARTS: "signature"}[change]
    assert [kept in str(body) for body in server.requests] == [True, False]


def test_every_line_of_the_table_has_words() -> None:
    """A line that no known words reach would be a guess."""
    reached = {repair for words, _, _ in LEARNT for repair in repairs(400, words)}

    assert set(MESSAGES_REPAIRS) - reached == set()


def _of_another_model(reply: ChatMessage) -> ChatMessage:
    assert reply.parts is not None
    return reply.model_copy(update={"parts": reply.parts.model_copy(update={"model": "claude-other"})})
