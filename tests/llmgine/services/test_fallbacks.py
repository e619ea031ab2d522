"""Fallbacks between strict services: what one of them wrote for itself alone is never sent to another."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from llmgine.messages.events import LLMResponseEvent
from llmgine.providers.base import Provider
from llmgine.providers.routing import RoutingProvider
from tests.llmgine.engine.chat import Chat
from tests.llmgine.services.talk import Tools, provider_for
from tests.services.anthropic_messages import AnthropicMessages
from tests.services.catalogue import Api
from tests.services.openai_responses import OpenAIByResponses
from tests.services.refusal import Kind, Refusal
from tests.services.service import Service
from tests.services.thinking import DeepSeek

OVERLOADED = Refusal(Kind.PASSING, "overloaded", 503, {"error": {"message": "The server is overloaded."}})


class Pair:
    """Two services, the second of which is the fallback of the first."""

    def __init__(self, stack: AsyncExitStack, path: Path) -> None:
        self._stack, self._path = stack, path
        self.first: Service
        self.second: Service

    async def start(self, first: type[Service], second: type[Service], api: Api) -> Chat:
        self.first = await self._stack.enter_async_context(first())
        self.second = await self._stack.enter_async_context(second())
        names: dict[type[Service], Api] = {AnthropicMessages: "messages"}
        providers: dict[str, Provider] = {
            "openai": provider_for(self.first, names.get(first, api)),
            "anthropic": provider_for(self.second, names.get(second, api)),
        }
        for provider in providers.values():
            self._stack.push_async_callback(provider.aclose)
        chat = await Chat.start(self._path, RoutingProvider(providers), fallbacks=(f"anthropic:{self.second.model}",))
        self._stack.push_async_callback(chat.close)
        tools = Tools()
        await chat.engine.register_tool(tools.roll)
        await chat.engine.register_tool(tools.look)
        return chat


def values_of(value: object, name: str) -> Iterator[str]:
    """The texts that go by a name, wherever they are in a request."""
    if isinstance(value, dict):
        yield from (one for key, one in value.items() if key == name and isinstance(one, str) and one)
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from values_of(one, name)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        yield Pair(stack, tmp_path / "test.db")


@pytest.mark.parametrize(
    ("first", "second", "api", "own"),
    [
        (OpenAIByResponses, AnthropicMessages, "responses", "encrypted_content"),
        (AnthropicMessages, OpenAIByResponses, "responses", "signature"),
        (DeepSeek, AnthropicMessages, "chat", "reasoning_content"),
        (AnthropicMessages, DeepSeek, "chat", "signature"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
async def test_thinking_stays_with_its_service(
    pair: Pair, first: type[Service], second: type[Service], api: Api, own: str
) -> None:
    """A conversation with tools and thinking goes on at the other service, which breaks none of its rules, and back."""
    chat = await pair.start(first, second, api)
    pair.first._thoughts = 100  # no two services think the same
    began = await chat.say("use tools")
    for _ in range(2):
        pair.first.refuse_next(OVERLOADED)

    fell_back = await chat.say("use tools")
    chat.engine.model.rests.succeeded(chat.engine.model.asked_at(pair.first.model))
    back = await chat.say("use tools")

    assert [one.state for one in (began, fell_back, back)] == ["done"] * 3
    second_name = f"anthropic:{pair.second.model}"
    assert [one.model for one in (began, fell_back, back)] == [pair.first.model, second_name, pair.first.model]
    assert [str(one) for one in (*pair.first.broken, *pair.second.broken)] == []
    thoughts, elsewhere = set(values_of(pair.first.requests, own)), json.dumps(pair.second.requests)
    assert thoughts
    assert not [one for one in thoughts if json.dumps(one) in elsewhere]
    replies = chat.of(LLMResponseEvent, fell_back.turn_id)
    assert [one.fallback.model for one in replies if one.fallback] == [second_name] * len(replies)
    assert len(replies) == 3
