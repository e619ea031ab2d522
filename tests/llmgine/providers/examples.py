"""A request to send, a key to send it with, and the pieces of replies."""

from typing import Any

from llmgine.messages.chat_messages import ChatMessage
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.openai import OpenAIProvider

HELLO = ChatRequest(messages=(ChatMessage(role="user", content="Hello"),))
KEY = "a-key-for-tests"


async def ask(provider: OpenAIProvider, request: ChatRequest = HELLO) -> ChatReply:
    """One reply, whose streamed pieces are checked to be its text."""
    pieces: list[str] = []
    reply = await provider.reply(request, pieces.append)
    assert "".join(pieces) == reply.text
    return reply


def delta(delta: object, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
