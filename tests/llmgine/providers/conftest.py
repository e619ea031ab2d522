"""A service on loopback, and a provider that asks it."""

from collections.abc import AsyncIterator

import pytest

from llmgine.providers.openai import OpenAIProvider
from tests.chat_completions import ChatCompletionsServer
from tests.llmgine.providers.examples import KEY


@pytest.fixture
async def server() -> AsyncIterator[ChatCompletionsServer]:
    async with ChatCompletionsServer() as server:
        yield server


@pytest.fixture
async def provider(server: ChatCompletionsServer) -> AsyncIterator[OpenAIProvider]:
    provider = OpenAIProvider("gpt-test", KEY, server.base_url)
    yield provider
    await provider.aclose()
