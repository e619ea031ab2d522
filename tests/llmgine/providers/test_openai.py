"""What is sent to an OpenAI-compatible service, and what is made of its healthy replies in all their dialects."""

import json
import logging
from typing import Any

import pytest

from llmgine.errors import ConfigurationError
from llmgine.messages.chat import ChatMessage, ToolCall, ToolSchema, Usage
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.openai import OpenAIProvider, Timeouts
from tests.chat_completions import ChatCompletionsServer
from tests.llmgine.providers.examples import HELLO, KEY


async def ask(provider: OpenAIProvider, request: ChatRequest = HELLO) -> ChatReply:
    """One reply, whose streamed pieces are checked to be its text."""
    pieces: list[str] = []
    reply = await provider.reply(request, pieces.append)
    assert "".join(pieces) == reply.text
    return reply


def delta(delta: object, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def fragment(arguments: object, **rest: object) -> dict[str, Any]:
    """One piece of a tool call; `name` goes where services put it."""
    function = {"arguments": arguments} | ({"name": rest.pop("name")} if "name" in rest else {})
    return delta({"tool_calls": [{**rest, "function": function}]})


async def calls_of(server: ChatCompletionsServer, provider: OpenAIProvider, *chunks: object) -> list[tuple[str, str]]:
    """The calls made of these chunks, checked to have ids of ours."""
    server.chunks([*chunks, delta({}, "tool_calls")])
    reply = await ask(provider)
    assert all(call.id.isalnum() and len(call.id) == 9 for call in reply.tool_calls)
    assert len({call.id for call in reply.tool_calls}) == len(reply.tool_calls)
    return [(call.name, call.arguments) for call in reply.tool_calls]


class TestRequest:
    async def test_sends_only_what_is_set(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """A plain request has no empty fields, which some services refuse."""
        await ask(provider)

        assert server.requests == [
            {
                "model": "gpt-test",
                "messages": [{"role": "user", "content": "Hello"}],
                "stream": True,
                "stream_options": {"include_usage": True},
            }
        ]
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"

    async def test_sends_tools_calls_and_results_in_the_services_form(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """The whole neutral history has its place in the format."""
        schema: dict[str, object] = {"type": "object", "properties": {"sides": {"type": "integer"}}}
        call = ToolCall(id="abcdefghi", name="roll", arguments='{"sides": 6}')
        request = ChatRequest(
            messages=(
                ChatMessage(role="user", content="Roll"),
                ChatMessage(role="assistant", tool_calls=(call,)),
                ChatMessage(role="tool", content="4", tool_call_id="abcdefghi"),
            ),
            tools=(ToolSchema(name="roll", description="Roll a die.", parameters=schema),),
            max_output_tokens=99,
        )

        await ask(provider, request)

        body = server.requests[0]
        function = {"name": "roll", "arguments": '{"sides": 6}'}
        assert body["messages"][1:] == [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "abcdefghi", "type": "function", "function": function}],
            },
            {"role": "tool", "content": "4", "tool_call_id": "abcdefghi"},
        ]
        described = {"name": "roll", "description": "Roll a die.", "parameters": schema}
        assert body["tools"] == [{"type": "function", "function": described}]
        assert body["max_tokens"] == 99

    @pytest.mark.parametrize("arguments", ['{"sides": ', "six", "[6]", "", "[" * 100_000, '{"sides": NaN}'])
    async def test_a_malformed_call_in_the_history_is_sent_well_formed(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, arguments: str
    ) -> None:
        """One bad call of the model does not make services refuse the session from then on."""
        call = ToolCall(id="abcdefghi", name="roll the/dice", arguments=arguments)
        request = ChatRequest(messages=(ChatMessage(role="assistant", tool_calls=(call,)),))

        await ask(provider, request)

        sent = server.requests[0]["messages"][0]["tool_calls"][0]["function"]
        assert sent["name"] == "roll_the_dice"
        assert json.loads(sent["arguments"]) == {"malformed_arguments": arguments[:500]}

    async def test_without_a_key_sends_no_authorization(
        self, server: ChatCompletionsServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A local service needs no key, and the environment's never goes there by accident."""
        monkeypatch.setenv("OPENAI_API_KEY", "of-the-environment")
        monkeypatch.setenv("OPENAI_ORG_ID", "of-the-environment")
        provider = OpenAIProvider("llama", None, server.base_url)

        await ask(provider)
        await provider.aclose()

        assert "authorization" not in server.headers[0]
        assert "of-the-environment" not in server.headers[0].values()

    async def test_goes_on_without_usage_where_asking_for_it_is_refused(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """A service that knows no stream_options is asked once more without, and only without from then on."""
        server.fail(400, {"error": {"message": "Unrecognized request argument supplied: stream_options"}})
        server.reply("first")
        server.reply("second")

        assert (await ask(provider)).text == "first"
        assert (await ask(provider)).text == "second"
        assert ["stream_options" in request for request in server.requests] == [True, False, False]

    async def test_a_loopback_service_is_not_asked_through_a_proxy(
        self, server: ChatCompletionsServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A proxy cannot reach this machine's own model."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "")
        provider = OpenAIProvider("llama", None, server.base_url)

        assert (await ask(provider)).text == "You said: Hello"
        await provider.aclose()

    async def test_more_requests_than_connections_wait_their_turn(self, server: ChatCompletionsServer) -> None:
        """The bound holds, and nobody is refused because of it."""
        provider = OpenAIProvider("gpt-test", KEY, server.base_url, max_connections=1)

        first, second = ask(provider), ask(provider)

        assert [(await first).text, (await second).text] == ["You said: Hello"] * 2
        await provider.aclose()


class TestConstruction:
    @pytest.mark.parametrize(
        ("key", "base_url", "names"),
        [
            (None, None, "OPENAI_API_KEY"),
            ("", "", "OPENAI_BASE_URL"),
            ("two words", None, "OPENAI_API_KEY"),
            ("kéy", None, "OPENAI_API_KEY"),
            ("line\nbreak", None, "OPENAI_API_KEY"),
            (KEY, "localhost:11434/v1", "OPENAI_BASE_URL"),
            (KEY, "ftp://localhost/v1", "OPENAI_BASE_URL"),
            (KEY, "http://", "OPENAI_BASE_URL"),
            (KEY, "http://host:port/v1", "OPENAI_BASE_URL"),
            (KEY, "http://[::1/v1", "OPENAI_BASE_URL"),
        ],
    )
    def test_refuses_what_cannot_work(self, key: str | None, base_url: str | None, names: str) -> None:
        """A setting that cannot be used is named before anything is sent, and a key is not repeated."""
        with pytest.raises(ConfigurationError, match=names) as refused:
            OpenAIProvider("gpt-test", key, base_url)

        assert not key or key not in str(refused.value)

    def test_refuses_a_timeout_that_is_not_positive(self) -> None:
        """A limit of 0 would fail every request."""
        with pytest.raises(ConfigurationError, match="idle"):
            Timeouts(idle=0)

    @pytest.mark.parametrize(
        ("key", "base_url", "warned"),
        [
            (KEY, "http://models.example.com/v1", True),
            (KEY, "http://192.168.1.7:8000/v1", True),
            (KEY, "https://models.example.com/v1", False),
            (KEY, "http://127.0.0.1:8000/v1", False),
            (KEY, "http://[::1]:8000/v1", False),
            (KEY, "http://localhost:8000/v1", False),
            (None, "http://models.example.com/v1", False),
        ],
    )
    async def test_warns_once_of_a_key_in_plain_sight(
        self, caplog: pytest.LogCaptureFixture, key: str | None, base_url: str, warned: bool
    ) -> None:
        """A key over plain http to another machine is worth one warning, without the key."""
        with caplog.at_level(logging.WARNING, "llmgine.providers.openai"):
            await OpenAIProvider("gpt-test", key, base_url).aclose()

        assert len(caplog.records) == warned
        assert KEY not in caplog.text


class TestReply:
    async def test_reports_usage(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """Tokens are the service's own count, with the part that came from a cache."""
        server.reply("Hi", usage=(120, 7), cached=100)

        reply = await ask(provider)

        assert reply.usage == Usage(input_tokens=120, output_tokens=7, cached_tokens=100)

    @pytest.mark.parametrize(
        ("usage", "expected"),
        [
            (None, None),
            ("many", None),
            ({}, Usage()),
            (
                {"prompt_tokens": None, "completion_tokens": 3, "prompt_tokens_details": None},
                Usage(output_tokens=3),
            ),
            ({"prompt_tokens": -4, "completion_tokens": "9"}, Usage()),
        ],
    )
    async def test_odd_usage_harms_no_reply(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, usage: object, expected: Usage | None
    ) -> None:
        """What is not a count counts nothing."""
        server.chunks([delta({"content": "Hi"}, "stop"), {"choices": [], "usage": usage}])

        reply = await ask(provider)

        assert reply.text == "Hi"
        assert reply.usage == expected

    async def test_leaves_thinking_out(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """Reasoning is not answer text, in whichever field a service sends it."""
        thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
        server.chunks(
            [
                delta({"role": "assistant", "reasoning_content": "The user greets."}),
                delta({"reasoning": "So will I.", "content": None}),
                delta({"content": [thinking, {"type": "text", "text": "Hel"}]}),
                delta({"content": "lo"}, "stop"),
            ]
        )

        assert (await ask(provider)).text == "Hello"

    async def test_skips_chunks_that_say_nothing(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """Empty, missing and odd choices between the good ones are passed over."""
        odd: list[object] = [
            {"choices": []},
            {"choices": None},
            {},
            [],
            "null",
            "17",
            {"choices": "?"},
            {"choices": [7]},
        ]
        server.chunks([*odd, delta(None), delta({"content": 5}), delta({"content": "Hi"}, "stop"), *odd])

        assert (await ask(provider)).text == "Hi"

    async def test_accepts_a_reply_that_is_not_streamed(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """A service that ignores `stream` answers with one document, which holds the same."""
        function = {"name": "roll", "arguments": "{}"}
        message = {"role": "assistant", "content": "Rolling.", "tool_calls": [{"id": "1", "function": function}]}
        server.json({"choices": [{"message": message}], "usage": {"prompt_tokens": 3, "completion_tokens": 4}})

        reply = await ask(provider)

        assert (reply.text, reply.finish) == ("Rolling.", "tool_calls")
        assert [call.name for call in reply.tool_calls] == ["roll"]
        assert reply.usage == Usage(input_tokens=3, output_tokens=4)

    async def test_says_when_a_limit_cut_the_reply(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """The text so far is kept, and the reason with it."""
        server.reply("Once upon a", finish="length")

        reply = await ask(provider)

        assert (reply.text, reply.finish) == ("Once upon a", "length")

    async def test_drops_tool_calls_that_a_limit_cut(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """Half a call is never run."""
        server.reply(tool_calls=[("delete", '{"path": "/tmp/x"}'), ("delete", '{"path": "/')], finish="length")

        reply = await ask(provider)

        assert (reply.tool_calls, reply.finish) == ((), "length")

    async def test_says_when_content_was_withheld(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """A filtered reply is neither empty nor a fault."""
        server.reply("", finish="content_filter")

        assert (await ask(provider)).finish == "filtered"

    async def test_passes_on_the_words_of_a_refusal(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """People read why the model will not, and the reply is marked."""
        server.chunks([delta({"refusal": "I can't "}), delta({"refusal": "do that."}), delta({}, "stop")])

        reply = await ask(provider)

        assert (reply.text, reply.finish) == ("I can't do that.", "filtered")

    async def test_text_is_fit_for_every_store(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """No NUL and no lone surrogate comes through, and a pair becomes its character."""
        server.chunks([delta({"content": "a\0b \ud83d c \ud83d\ude00"}, "stop")])

        assert (await ask(provider)).text == "ab \ufffd c 😀"


class TestToolCalls:
    async def test_come_beside_text_and_under_a_wrong_finish(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """`stop` beside tool calls still means tool calls."""
        server.reply("Let me look.", tool_calls=[("look", "{}")], finish="stop")

        reply = await ask(provider)

        assert (reply.text, reply.finish, len(reply.tool_calls)) == ("Let me look.", "tool_calls", 1)

    @pytest.mark.parametrize("arguments", ['{"a": ', "not json", '"text"', "[1]"])
    async def test_malformed_arguments_are_passed_on(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, arguments: str
    ) -> None:
        """Whoever runs the tool tells the model what is wrong with them."""
        server.reply(tool_calls=[("look", arguments)])

        assert (await ask(provider)).tool_calls[0].arguments == arguments

    async def test_no_arguments_are_an_empty_object(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """A tool without parameters is often called with an empty text."""
        made = await calls_of(server, provider, fragment("", index=0, id="1", name="look"))

        assert made == [("look", "{}")]

    async def test_arguments_may_be_an_object(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """Some local services send parsed arguments."""
        made = await calls_of(server, provider, fragment({"x": 1}, index=0, id="1", name="look"))

        assert made == [("look", '{"x": 1}')]

    @pytest.mark.parametrize("ids", [("same", "same"), ("", ""), (None, None)])
    async def test_doubled_and_empty_ids_become_ours(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, ids: tuple[str | None, str | None]
    ) -> None:
        """Calls are told apart whatever the service named them."""
        made = await calls_of(
            server,
            provider,
            fragment('{"n": 1}', index=0, id=ids[0], name="look"),
            fragment('{"n": 2}', index=1, id=ids[1], name="look"),
        )

        assert made == [("look", '{"n": 1}'), ("look", '{"n": 2}')]

    async def test_interleaved_calls_are_put_together_by_index(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """Fragments of two calls may alternate."""
        made = await calls_of(
            server,
            provider,
            fragment("", index=0, id="1", name="look"),
            fragment("", index=1, id="2", name="roll"),
            fragment('{"a"', index=0),
            fragment('{"b"', index=1),
            fragment(": 1}", index=0),
            fragment(": 2}", index=1),
        )

        assert made == [("look", '{"a": 1}'), ("roll", '{"b": 2}')]

    async def test_calls_all_numbered_0_are_told_apart_by_id(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """Some services number every parallel call 0."""
        made = await calls_of(
            server,
            provider,
            fragment('{"a": 1}', index=0, id="1", name="look"),
            fragment('{"b": ', index=0, id="2", name="look"),
            fragment("2}", index=0, id="2"),
        )

        assert made == [("look", '{"a": 1}'), ("look", '{"b": 2}')]

    @pytest.mark.parametrize("ids", [("1", "2"), ("same", "same"), ("", "")])
    async def test_without_an_index_ids_names_and_order_decide(
        self, server: ChatCompletionsServer, provider: OpenAIProvider, ids: tuple[str, str]
    ) -> None:
        """A missing index loses no call and mixes no arguments."""
        made = await calls_of(
            server,
            provider,
            fragment('{"a"', id=ids[0], name="look"),
            fragment(": 1}"),
            fragment('{"b"', id=ids[1], name="look"),
            fragment(": 2}"),
            fragment("", id=ids[1], name="roll"),
        )

        assert made == [("look", '{"a": 1}'), ("look", '{"b": 2}'), ("roll", "{}")]

    async def test_a_name_in_every_fragment_is_one_name(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """Repeated names are not strung together, split ones are."""
        made = await calls_of(
            server,
            provider,
            fragment('{"a"', index=0, id="1", name="look"),
            fragment(": 1}", index=0, id="1", name="look"),
            fragment("", index=1, id="2", name="ro"),
            fragment("{}", index=1, name="ll"),
        )

        assert made == [("look", '{"a": 1}'), ("roll", "{}")]

    async def test_odd_fragments_harm_nothing(self, server: ChatCompletionsServer, provider: OpenAIProvider) -> None:
        """Whatever stands where a call should be, the good call comes through."""
        made = await calls_of(
            server,
            provider,
            delta({"tool_calls": None}),
            delta({"tool_calls": "look"}),
            delta({"tool_calls": [None, 3]}),
            fragment('{"a": 1}', index=0, id="1", name="look"),
            delta({"tool_calls": [{"index": 0, "function": None}]}),
            delta({"tool_calls": [{"index": 0, "id": 5, "function": {"name": 5, "arguments": 5}}]}),
        )

        assert made == [("look", '{"a": 1}')]
