"""What every provider offers: from a request to a whole reply, telling the text as it grows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from llmgine.messages.chat_messages import ChatMessage, OpaqueParts, ToolCall, ToolSchema, Usage
from llmgine.messages.text import CleanText

MAX_CHARACTERS = 100_000  # of a reply, where nothing else is said


class Change(StrEnum):
    """A change to requests that a service's refusal asked for."""

    NO_STREAM_OPTIONS = "no_stream_options"  # the token count is not asked for
    MAX_COMPLETION_TOKENS = "max_completion_tokens"  # the bound on a reply goes by this name
    MAX_TOKENS = "max_tokens"  # the bound on a reply goes by this name
    NO_LIMIT = "no_limit"  # a reply has no bound
    NO_IMAGES = "no_images"  # images are left out, and the model is told so
    NO_TOOLS = "no_tools"  # no tools are offered; earlier calls are told in words
    NO_REASONING = "no_reasoning"  # reasoning_effort "none"
    NO_EFFORT = "no_effort"  # no reasoning effort is asked for
    NO_TEMPERATURE = "no_temperature"  # the model's own temperature
    SYSTEM_IN_USER = "system_in_user"  # the system text begins the first user message
    EMPTY_REASONING = "empty_reasoning"  # replies without reasoning get an empty one
    SKIP_SIGNATURE = "skip_signature"  # calls without a signature say that it is not to be checked
    NO_PARTS = "no_parts"  # what the service sent beside its answers is not sent back
    NO_INCLUDE = "no_include"  # encrypted reasoning is not asked for
    RESPONSES = "responses"  # the Responses API
    CHAT = "chat"  # Chat Completions, where the Responses API is not there
    NO_CACHE = "no_cache"  # nothing is marked for the service's cache
    OPENED_THINKING = "opened_thinking"  # replies begin in the middle of the model's thinking


class ChatRequest(BaseModel):
    """One model call.

    `max_output_tokens` None leaves the length of the reply to the service, `model` None is the provider's own. `effort`
    and `temperature` are sent only where they are set. `changes` are those that the service is known to need.
    `max_characters` is for the provider, and is not sent: where a reply gets longer, the provider ends it.
    """

    model_config = ConfigDict(frozen=True)

    messages: tuple[ChatMessage, ...]
    tools: tuple[ToolSchema, ...] = ()
    max_output_tokens: int | None = None
    max_characters: int | None = None
    model: str | None = None
    effort: str | None = None
    temperature: float | None = None
    changes: frozenset[Change] = frozenset()


@dataclass(frozen=True)
class Learnt:
    """A change that made a refused request succeed, and what the service had said, for people.

    `lasts`: the words spoke of the model or the service, not of this one request.
    """

    change: Change
    said: str
    lasts: bool = True


class ChatReply(BaseModel):
    """A whole reply. `finish`: "length" when a limit cut it, "filtered" when content was withheld.

    `bounded`: the provider ended it, because it was longer than `ChatRequest.max_characters`; `dropped` characters of
    it came and were not kept. `parts` go back to the service with the reply; `learnt` are the changes that this request
    needed beyond those it was given.
    """

    model_config = ConfigDict(frozen=True)

    text: CleanText = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: Literal["stop", "tool_calls", "length", "filtered"] = "stop"
    bounded: bool = False
    dropped: int = 0
    usage: Usage | None = None
    model: str
    parts: OpaqueParts | None = Field(default=None, exclude=True, repr=False)
    learnt: tuple[Learnt, ...] = ()


@dataclass(frozen=True)
class ListedModel:
    """A model that a service lists. `shutdown` is the day from which it is gone, where the service says so."""

    name: str
    shutdown: date | None = None


class Provider(Protocol):
    """A source of replies. One provider serves all sessions at once."""

    @property
    def model(self) -> str:
        """The model asked where a request names none, as people know it; "" until one was chosen."""

    @property
    def service(self) -> str:
        """Who answers: a host, or a name. What is learnt about a model is kept under it."""

    async def choose_model(self) -> str:
        """The model asked where a request names none; where none is configured, it is chosen on the first call.

        Raises:
            ProviderError: The service could not be asked which models it has, or none of them can be chosen.
        """

    async def reply(
        self, request: ChatRequest, on_text: Callable[[str], None], on_reset: Callable[[], None] | None = None
    ) -> ChatReply:
        """Ask the model and return its whole reply.

        `on_text` is called with each new piece of answer text, in order, as it arrives; not with thinking. Where a
        service shows only later that what it sent was thinking, `on_reset` is called: the answer begins after that.
        Cancelling the call ends the request. So does a reply that grows beyond `max_characters`: of its text that
        many are told and returned; a call whose arguments are longer than that is returned with them cut, see
        `bounding.is_cut`; and thinking that goes on for ten times as long ends it, too.

        Raises:
            ProviderError: One of its subclasses; nothing else, whatever the service does.
        """

    async def models(self) -> tuple[ListedModel, ...]:
        """The models there are, by name; () where the service does not tell.

        Raises:
            ProviderError: The service could not be asked.
        """

    async def aclose(self) -> None:
        """Let go of connections. Calling it twice is harmless."""
