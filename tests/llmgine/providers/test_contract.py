"""What every provider promises; the real one, against a service on loopback, and the scripted one alike."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Protocol

import pytest
from aiohttp import web

from llmgine.errors import ProviderError, ProviderUnavailableError
from llmgine.messages.chat_messages import ChatMessage, ToolCall, ToolSchema
from llmgine.providers.anthropic import AnthropicProvider
from llmgine.providers.base import ChatReply, ChatRequest, Provider
from llmgine.providers.bounding import is_cut
from llmgine.providers.openai import Api, OpenAIProvider
from llmgine.providers.routing import RoutingProvider
from llmgine.providers.scripted import ScriptedProvider, ScriptedReply
from tests.chat_completions import ChatCompletionsServer, Exchange
from tests.waiting import patience

REQUEST = ChatRequest(
    messages=(ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content="Hi")),
    tools=(ToolSchema(name="roll", description="Roll dice.", parameters={"type": "object", "properties": {}}),),
)

MOST = 99
BOUNDED = REQUEST.model_copy(update={"max_characters": MOST})


class Backstage(Protocol):
    """The provider under test, and what its model is made to do next."""

    provider: Provider

    def says(self, text: str) -> None: ...
    def calls(self, *calls: tuple[str, str]) -> None: ...
    def fails(self) -> None: ...
    def hangs_after(self, text: str) -> None: ...
    def goes_on(self, text: str) -> None: ...
    async def until_idle(self) -> None: ...


class HttpBackstage:
    def __init__(self, server: ChatCompletionsServer, provider: Provider) -> None:
        self._server = server
        self._never = asyncio.Event()
        self.provider = provider

    def says(self, text: str) -> None:
        self._server.reply(text)

    def calls(self, *calls: tuple[str, str]) -> None:
        self._server.reply(tool_calls=calls)

    def fails(self) -> None:
        self._server.fail(503)

    def hangs_after(self, text: str) -> None:
        self._server.hold(self._never, before=text)

    def goes_on(self, text: str) -> None:
        async def endless(exchange: Exchange) -> web.StreamResponse:
            while True:
                await exchange.chunk({"content": text})

        self._server.answer(endless)

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

    def goes_on(self, text: str) -> None:
        async def endless(_: ChatRequest, on_text: Callable[[str], None]) -> ChatReply:
            self._active += 1
            try:
                while True:
                    on_text(text)
                    await asyncio.sleep(0)
            finally:
                self._active -= 1

        self._script.append(endless)

    async def until_idle(self) -> None:
        assert self._active == 0


def provider_named(name: str, base_url: str) -> Provider:
    if name == "anthropic":
        return AnthropicProvider("some-model", "some-key", base_url)
    api: Api = "responses" if "responses" in name else "chat"
    provider = OpenAIProvider("some-model", "some-key", base_url, api=api)
    return RoutingProvider({"openai": provider}) if name == "routing" else provider


@pytest.fixture(params=["openai", "openai, responses", "anthropic", "routing", "scripted"])
async def backstage(request: pytest.FixtureRequest) -> AsyncIterator[Backstage]:
    if request.param == "scripted":
        yield ScriptedBackstage()
        return
    async with ChatCompletionsServer() as server:
        backstage = HttpBackstage(server, provider_named(request.param, server.base_url))
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

    async def test_ends_a_reply_that_is_too_long(self, backstage: Backstage) -> None:
        """So much is told and returned, the request ends so that it costs no more, and the next one is served."""
        pieces: list[str] = []
        backstage.goes_on("four")
        backstage.says("short")

        async with patience("the reply to end"):
            reply = await backstage.provider.reply(BOUNDED, pieces.append)
            await backstage.until_idle()

        assert "".join(pieces) == reply.text == ("four" * MOST)[:MOST]
        assert (reply.finish, reply.bounded) == ("length", True)
        assert (await backstage.provider.reply(BOUNDED, _ignore)).text == "short"

    async def test_leaves_a_reply_of_just_the_length_as_it_is(self, backstage: Backstage) -> None:
        """What is as long as it may be is not too long."""
        backstage.says("x" * MOST)

        reply = await backstage.provider.reply(BOUNDED, _ignore)

        assert (reply.text, reply.finish, reply.bounded) == ("x" * MOST, "stop", False)

    async def test_cuts_arguments_that_are_too_long(self, backstage: Backstage) -> None:
        """The calls before are whole; nobody can take what was cut for what the model meant."""
        backstage.calls(("roll", '{"sides": 6}'), ("roll", f'{{"sides": "{"6" * 10_000}"}}'))

        async with patience("the reply to end"):
            reply = await backstage.provider.reply(BOUNDED, _ignore)
            await backstage.until_idle()

        whole, too_long = reply.tool_calls
        assert (whole.arguments, is_cut(whole.arguments)) == ('{"sides": 6}', False)
        assert (too_long.name, is_cut(too_long.arguments), too_long.parsed()) == ("roll", True, None)
        assert len(too_long.arguments) < 2_000
        assert (reply.finish, reply.bounded) == ("tool_calls", True)

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
