"""What every provider offers: one method, from a request to a whole reply, telling the text as it grows."""

from collections.abc import Callable
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from llmgine.messages.chat import ChatMessage, ToolCall, ToolSchema, Usage
from llmgine.messages.text import CleanText


class ChatRequest(BaseModel):
    """One model call.

    `max_output_tokens` None leaves the length of the reply to the service, `model` None is the provider's own.
    """

    model_config = ConfigDict(frozen=True)

    messages: tuple[ChatMessage, ...]
    tools: tuple[ToolSchema, ...] = ()
    max_output_tokens: int | None = None
    model: str | None = None


class ChatReply(BaseModel):
    """A whole reply. `finish`: "length" when a limit cut it, "filtered" when content was withheld.

    `unseen`: the service takes no images, and was asked without those of the request.
    """

    model_config = ConfigDict(frozen=True)

    text: CleanText = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: Literal["stop", "tool_calls", "length", "filtered"] = "stop"
    usage: Usage | None = None
    model: str
    unseen: bool = False


class Provider(Protocol):
    """A source of replies. One provider serves all sessions at once."""

    @property
    def model(self) -> str:
        """The model's name, as people know it."""

    async def reply(self, request: ChatRequest, on_text: Callable[[str], None]) -> ChatReply:
        """Ask the model and return its whole reply.

        `on_text` is called with each new piece of answer text, in order, as it arrives; never with thinking.
        Cancelling the call ends the request.

        Raises:
            ProviderError: One of its subclasses; nothing else, whatever the service does.
        """

    async def models(self) -> tuple[str, ...]:
        """The names of the models there are; () where the service does not tell.

        Raises:
            ProviderError: The service could not be asked.
        """

    async def aclose(self) -> None:
        """Let go of connections. Calling it twice is harmless."""
