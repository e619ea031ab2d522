"""A real server for each file of tests, and chats that ask it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import pytest

from llmgine.providers.openai import OpenAIProvider
from tests.llmgine.engine.chat import Chat
from tests.llmgine.engine.conftest import StartChat, start_chat
from tests.real_model.llama import LlamaServer
from tests.real_model.server import missing

__all__ = ["start_chat"]

StartServer = Callable[..., LlamaServer]
Provide = Callable[..., OpenAIProvider]


@pytest.fixture(scope="module")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Starts servers, which end with the file's tests."""
    if reason := missing():
        pytest.skip(reason)
    with ExitStack() as stack:

        def start(*options: str) -> LlamaServer:
            server = LlamaServer(tmp_path_factory.mktemp("llama") / "server.log", *options)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> LlamaServer:
    """Two slots of 1,536 tokens each."""
    return start_server()


@pytest.fixture
async def provide() -> AsyncIterator[Provide]:
    """Makes providers that ask a server, and closes them."""
    async with AsyncExitStack() as stack:

        def make(server: LlamaServer, **options: Any) -> OpenAIProvider:
            provider = OpenAIProvider(options.pop("model", server.model), None, server.base_url, **options)
            stack.push_async_callback(provider.aclose)
            return provider

        yield make


@pytest.fixture
async def chat(server: LlamaServer, provide: Provide, start_chat: StartChat) -> Chat:
    """A chat with the server of the file."""
    return await start_chat(provide(server))
