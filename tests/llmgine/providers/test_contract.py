"""What every provider promises; the real one, against a service on loopback, and the scripted one alike."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Protocol

import pytest

from llmgine.errors import ProviderError, ProviderUnavailableError
from llmgine.messages.chat import ChatMessage, ToolCall, ToolSchema
from llmgine.providers.base import ChatReply, ChatRequest, Provider
from llmgine.providers.openai import Api, OpenAIProvider
from llmgine.providers.scripted import ScriptedProvider, ScriptedReply
from tests.chat_completions import ChatCompletionsServer
from tests.waiting import patience

REQUEST = ChatRequest(
    messages=(ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content="Hi")),
    tools=(ToolSchema(name="roll", description="Roll dice.", parameters={"type": "object", "properties": {}}),),
)


class Backstage(Protocol):
    """The provider under test, and what its model is made to do next."""

    provider: Provider

    def says(self, text: str) -> None: ...
    def calls(self, *calls: tuple[str, str]) -> None: ...
    def fails(self) -> None: ...
    def hangs_after(self, text: str) -> None: ...
    async def until_idle(self) -> None: ...


class OpenAIBackstage:
    def __init__(self, server: ChatCompletionsServer, api: Api) -> None:
        self._server = server
        self._never = asyncio.Event()
        self.provider: Provider = OpenAIProvider("some-model", "some-key", server.base_url, api=api)

    def says(self, text: str) -> None:
        self._server.reply(text)

    def calls(self, *calls: tuple[str, str]) -> None:
        self._server.reply(tool_calls=calls)

    def fails(self) -> None:
        self._server.fail(503)

    def hangs_after(self, text: str) -> None:
        self._server.hold(self._never, before=text)

    async def until_idle(self) -> None:
        await self._server.until(lambda: self._server.active == 0)


class ScriptedBackstage:
    def __init__(self) -> None:
        self._script: list[ScriptedReply] = []
        self._active = 0
        self.provider: Provider = ScriptedProvider(self._replies())

    def _replies(self) -> Iterator[ScriptedReply]:
        while self._script:
            yield self._script.pop(0)

    def says(self, text: str) -> None:
        self._script.append(text)

    def calls(self, *calls: tuple[str, str]) -> None:
        made = tuple(ToolCall(name=name, arguments=arguments) for name, arguments in calls)
        self._script.append(ChatReply(tool_calls=made, finish="tool_calls", model="scripted"))

    def fails(self) -> None:
        self._script.append(ProviderUnavailableError("made to fail"))

    def hangs_after(self, text: str) -> None:
        async def hang(_: ChatRequest, on_text: Callable[[str], None]) -> ChatReply:
            self._active += 1
            try:
                on_text(text)
                await asyncio.Event().wait()
            finally:
                self._active -= 1
            raise AssertionError

        self._script.append(hang)

    async def until_idle(self) -> None:
        assert self._active == 0


@pytest.fixture(params=["openai", "openai, responses", "scripted"])
async def backstage(request: pytest.FixtureRequest) -> AsyncIterator[Backstage]:
    if request.param == "scripted":
        yield ScriptedBackstage()
        return
    async with ChatCompletionsServer() as server:
        backstage = OpenAIBackstage(server, "responses" if "responses" in request.param else "chat")
        yield backstage
        await backstage.provider.aclose()


class TestProvider:
    async def test_streams_the_text_in_order_and_returns_the_whole(self, backstage: Backstage) -> None:
        """The pieces come as they are made, and put together they are the reply's text."""
        pieces: list[str] = []
        text = "Zwölf Boxkämpfer\njagen  Viktor 🐕 quer über den großen Deich."
        backstage.says(text)

        reply = await backstage.provider.reply(REQUEST, pieces.append)

        assert len(pieces) > 1
        assert "".join(pieces) == reply.text == text
        assert reply.finish == "stop"
        assert reply.tool_calls == ()
        assert reply.model == backstage.provider.model

    async def test_returns_tool_calls_as_the_model_wrote_them(self, backstage: Backstage) -> None:
        """Calls keep their order and arguments, and every one has an id of its own."""
        backstage.calls(("roll", '{"sides": 6}'), ("roll", '{"sides": 20}'), ("look", "{}"))

        reply = await backstage.provider.reply(REQUEST, _ignore)

        assert [(call.name, call.arguments) for call in reply.tool_calls] == [
            ("roll", '{"sides": 6}'),
            ("roll", '{"sides": 20}'),
            ("look", "{}"),
        ]
        assert len({call.id for call in reply.tool_calls}) == 3
        assert reply.finish == "tool_calls"
        assert reply.text == ""

    async def test_serves_many_sessions_at_once(self, backstage: Backstage) -> None:
        """Requests side by side do not mix their texts."""
        texts = [f"reply {number} of this test" for number in range(20)]
        for text in texts:
            backstage.says(text)
        pieces: list[list[str]] = [[] for _ in texts]

        replies = await asyncio.gather(
            *(backstage.provider.reply(REQUEST, pieces[number].append) for number in range(20))
        )

        assert sorted(reply.text for reply in replies) == sorted(texts)
        assert ["".join(each) for each in pieces] == [reply.text for reply in replies]

    async def test_cancelling_the_call_ends_the_request(self, backstage: Backstage) -> None:
        """A stopped answer costs no more, and the provider serves the next request."""
        seen = asyncio.Event()
        backstage.hangs_after("half an ")
        backstage.says("whole")

        async with patience("the request to end"):
            call = asyncio.create_task(backstage.provider.reply(REQUEST, lambda _: seen.set()))
            await seen.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await backstage.until_idle()

        assert (await backstage.provider.reply(REQUEST, _ignore)).text == "whole"

    async def test_fails_with_a_provider_error(self, backstage: Backstage) -> None:
        """The engine needs to know one family of errors, and the next request works."""
        backstage.fails()
        backstage.says("fine again")

        with pytest.raises(ProviderError):
            await backstage.provider.reply(REQUEST, _ignore)

        assert (await backstage.provider.reply(REQUEST, _ignore)).text == "fine again"

    async def test_does_not_hide_what_the_listener_raises(self, backstage: Backstage) -> None:
        """A mistake in the caller's own code is not taken for a fault of the service."""
        backstage.says("some words")

        def broken(_: str) -> None:
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            await backstage.provider.reply(REQUEST, broken)

    async def test_closing_twice_is_harmless(self, backstage: Backstage) -> None:
        """Whoever tidies up need not know whether somebody did already."""
        await backstage.provider.aclose()
        await backstage.provider.aclose()


def _ignore(_: str) -> None:
    pass
