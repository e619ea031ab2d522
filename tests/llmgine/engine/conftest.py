"""Chats on one file, each as a process of its own would have it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from llmgine.providers.base import Provider
from llmgine.providers.scripted import ReplyFunction, ScriptedProvider, ScriptedReply
from tests.llmgine.deadline import deadline
from tests.llmgine.engine.chat import Chat

__all__ = ["deadline"]

StartChat = Callable[..., Awaitable[Chat]]


@pytest.fixture
async def start_chat(tmp_path: Path) -> AsyncIterator[StartChat]:
    """Starts a chat with a script, a function or a provider; all of a test share one database."""
    async with AsyncExitStack() as stack:

        async def start(script: list[ScriptedReply] | ReplyFunction | Provider, **options: object) -> Chat:
            provider = ScriptedProvider(script) if isinstance(script, list) or callable(script) else script
            chat = await Chat.start(tmp_path / "test.db", provider, **options)  # type: ignore[arg-type]  # as given
            stack.push_async_callback(chat.close)
            return chat

        yield start
