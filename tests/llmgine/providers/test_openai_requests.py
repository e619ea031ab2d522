"""What is sent to an OpenAI-compatible service, and where it may go."""

import json
import logging

import pytest

from llmgine.errors import ConfigurationError
from llmgine.messages.chat_messages import ChatMessage, ToolCall, ToolSchema
from llmgine.providers.base import ChatRequest
from llmgine.providers.openai import OpenAIProvider
from llmgine.providers.streams import Timeouts
from tests.chat_completions import ChatCompletionsServer
from tests.llmgine.providers.examples import HELLO, KEY, ask


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
                "content": None,
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

    async def test_continues_without_usage_where_asking_for_it_is_refused(
        self, server: ChatCompletionsServer, provider: OpenAIProvider
    ) -> None:
        """A service that knows no stream_options is asked once more without; the reply says what was learnt."""
        server.fail(400, {"error": {"message": "Unrecognized request argument supplied: stream_options"}})
        server.reply("first")
        server.reply("second")

        first = await ask(provider)
        changes = frozenset(learnt.change for learnt in first.learnt)
        second = await ask(provider, HELLO.model_copy(update={"changes": changes}))

        assert (first.text, second.text, second.learnt) == ("first", "second", ())
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
            (None, "https://ada:a-key-for-tests@localhost/v1", "OPENAI_BASE_URL"),
            (None, "https://localhost/v1?key=a-key-for-tests", "OPENAI_BASE_URL"),
        ],
    )
    def test_refuses_what_cannot_work(self, key: str | None, base_url: str | None, names: str) -> None:
        """A setting that cannot be used is named before anything is sent, and a key is not repeated."""
        with pytest.raises(ConfigurationError, match=names) as refused:
            OpenAIProvider("gpt-test", key, base_url)

        assert KEY not in str(refused.value)
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
        with caplog.at_level(logging.WARNING, "llmgine.providers.addresses"):
            await OpenAIProvider("gpt-test", key, base_url).aclose()

        assert len(caplog.records) == warned
        assert KEY not in caplog.text
