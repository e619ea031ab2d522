"""What the model sees and says: chat messages, tool calls and their results, token usage."""

import hashlib
import json
import secrets
import string
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from llmgine.messages.text import CleanText
from llmgine.messages.translatable import Text

_ALPHANUMERICS = string.ascii_letters + string.digits
_MAX_PARTS = 256_000  # bytes of JSON that are kept of one reply's parts
_UNSEEN = "[The images that came with this cannot be shown to you. Say so if they matter.]"


def new_call_id() -> str:
    """An id of ours for a tool call: nine alphanumerics, the only form every service accepts."""
    return "".join(secrets.choice(_ALPHANUMERICS) for _ in range(9))


class _Value(BaseModel):
    """A plain value: immutable, and strict about unknown fields so that a typo is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolCall(_Value):
    """One call the model asks for. `arguments` is the JSON text as the model wrote it, perhaps malformed."""

    id: str = Field(default_factory=new_call_id)
    name: CleanText
    arguments: CleanText = "{}"

    @property
    def fingerprint(self) -> str:
        """A hash of what is called with what, however it is written: what an approval is bound to."""
        parsed = self.parsed()
        canonical = self.arguments if parsed is None else json.dumps(parsed, sort_keys=True)
        return hashlib.sha256(json.dumps([self.name, canonical]).encode()).hexdigest()

    def parsed(self) -> object:
        """The arguments as the model meant them; None when they are not JSON."""
        try:
            return json.loads(self.arguments)
        except (ValueError, RecursionError):  # RecursionError: brackets nested by the thousand
            return None


class ResultFile(_Value):
    """A file that a tool gave to people. `size` is in bytes; `note` says why nobody gets it, if that is so.

    `data` are there until they are stored, and in no dump.
    """

    name: CleanText
    media_type: str
    size: int
    note: Text | None = None
    data: bytes = Field(default=b"", exclude=True, repr=False)


class Source(_Value):
    """A page that a result was taken from: what it is called, and its address."""

    title: CleanText
    url: str

    @property
    def name(self) -> str:
        """Its title; "" where that could be taken for an address, which may be another one than its own."""
        return "" if "://" in self.title else self.title


class ToolResult(_Value):
    """What a tool call gave. `content` is the text the model reads; `ok` is False for an error.

    `done` is False where the tool ran and says that it did not do what it was asked. `shown` is what people see in
    place of a content that is meant for the model alone. `outside`: it has text of other people or web pages in it.
    `files` are for people; the model is told their names. `sources` are the pages that it was taken from.
    """

    call_id: str
    name: CleanText
    content: CleanText
    ok: bool = True
    done: bool = True
    shown: Text | None = None
    outside: bool = False
    files: tuple[ResultFile, ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def for_people(self) -> str:
        """What people see of it, in English."""
        return self.content if self.shown is None else str(self.shown)


class Usage(_Value):
    """Tokens of one or more model calls.

    `cached_tokens` is the part of `input_tokens` read from a cache, `cache_written_tokens` the part that a service
    charges for writing into one, `reasoning_tokens` the part of `output_tokens` that is thinking.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_written_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def thinking_tokens(self) -> int:
        """The tokens that were thinking: never more than were put out, whatever a service says."""
        return min(self.reasoning_tokens, self.output_tokens)

    def __add__(self, other: "Usage") -> "Usage":
        """The tokens of both."""
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cache_written_tokens=self.cache_written_tokens + other.cache_written_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
        )


class OpaqueParts(_Value):
    """What a service sent beside its answer and wants back with it: reasoning, signatures.

    Only the same service and model are sent it again. It is for nobody else: not for logs, events, exports or people.
    """

    service: str
    model: str
    data: dict[str, JsonValue] = Field(repr=False)

    def bounded(self) -> "OpaqueParts | None":
        """The parts within 256 kB of JSON: a long text is cut, anything else that is too long is left out."""
        data = dict(self.data)
        while data:
            sizes = {name: len(json.dumps(value)) for name, value in data.items()}
            excess = len(json.dumps(data)) - _MAX_PARTS
            if excess <= 0:
                return self if data == self.data else self.model_copy(update={"data": data})
            largest = max(sizes, key=lambda name: sizes[name])
            value = data[largest]
            if isinstance(value, str) and sizes[largest] > excess:
                # A service may ask for the field itself, so a part of the text is better than none.
                data[largest] = value[: len(value) * (sizes[largest] - excess) // sizes[largest] - 1]
            else:
                del data[largest]
        return None


class ChatMessage(_Value):
    """One entry of the conversation sent to the model.

    `tool_calls` is set on assistant messages only; `tool_call_id` on tool messages only: the call answered; `images`,
    data URLs, on user messages only; `parts` on assistant messages only.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: CleanText = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    images: tuple[str, ...] = Field(default=(), repr=False)
    parts: OpaqueParts | None = Field(default=None, repr=False, exclude=True)

    def parts_of(self, service: str, model: str) -> dict[str, JsonValue]:
        """What came with the message and goes back with it to this service and model; nothing for any other."""
        parts = self.parts
        return parts.data if parts is not None and (parts.service, parts.model) == (service, model) else {}

    def without_images(self) -> "ChatMessage":
        """The message for a model that takes no images; it is told that there were some."""
        return self.model_copy(update={"images": (), "content": f"{self.content}\n{_UNSEEN}"})


class ToolSchema(_Value):
    """A tool as the model is told of it. `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: dict[str, object]
