"""A request to send and a key to send it with."""

from llmgine.messages.chat import ChatMessage
from llmgine.providers.base import ChatRequest

HELLO = ChatRequest(messages=(ChatMessage(role="user", content="Hello"),))
KEY = "a-key-for-tests"
