"""Reading a reply as it comes, in whichever form a service sends it, and how long to wait for that."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, fields
from typing import cast

import httpx2
from pydantic_core import from_json

from llmgine.errors import ConfigurationError, ProviderReplyError
from llmgine.messages.translatable import tr
from llmgine.providers import responses
from llmgine.providers.addresses import OPENAI_SETTINGS, SettingNames
from llmgine.providers.reply_builder import ReplyBuilder
from llmgine.providers.server_sent_events import EventReader

SLACK = 0.05  # how much earlier than said, as a part of it, a wait between pieces may end

_REASONS = ("detail", "errors", "message", "msg")
_OF_REPLIES = ("choices", "output", "usage", "delta")
_PARTS_OF_REPLIES = ("response.", "message_", "content_block_")  # how the types of such events begin
_FAILURES = frozenset({"error", "response.failed"})
_NOTHING = (b"",)  # for bytes that end no event, such as comments that keep a connection alive
_LARGE = 2**18  # bytes of one document or event; more are read in a thread, so that nobody has to wait for that
_LARGEST = 64 * 2**20  # bytes of one document or event; it is held in memory as a whole
_AFTER_FINISH = 5.0  # seconds for the token count, once the reply itself is at its end


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long to wait for the service, in seconds. Any byte counts as a sign of life.

    Attributes:
        connect: Until the connection is made.
        first: For the next byte, until the reply begins; models that think first need minutes here.
        idle: For the next byte of a reply.
        total: For the whole reply.
    """

    connect: float = 10.0
    first: float = 180.0
    idle: float = 60.0
    total: float = 900.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise ConfigurationError(f"The model's {field.name} timeout must be more than 0 seconds.")

    def next_byte(self, *, begun: bool, finished: bool) -> float:
        """Seconds to wait for the next byte: of a reply, or of what follows one that is at its end."""
        if finished:
            return _AFTER_FINISH
        return self.idle if begun else self.first


class StreamError(Exception):
    """The service told of an error inside a stream, or in a document with status 200."""

    def __init__(self, body: object) -> None:
        super().__init__("an error inside a successful answer")
        self.body = body


def put_off(limit: asyncio.Timeout, deadline: float, *, slack: float) -> None:
    """Move the limit to the deadline, or leave it where it is hardly earlier: moving it costs more than a piece."""
    when = limit.when()
    if when is None or not 0 <= deadline - when <= slack:
        limit.reschedule(deadline)


async def pieces_of(
    response: httpx2.Response, builder: ReplyBuilder, settings: SettingNames = OPENAI_SETTINGS
) -> AsyncGenerator[str, None]:
    """The answer text piece by piece ("" for what has none), in whichever form the service sends it.

    It ends with the reply, or as soon as the builder has enough.
    """
    kind = response.headers.get("content-type", "")
    if "html" in kind:
        raise ProviderReplyError(
            tr("The model service answered with a web page. Check {setting}.", setting=settings.address)
        )
    if "json" in kind:
        data = await _whole(response)
        small = len(data) <= _LARGE
        yield _added_document(data, builder) if small else await asyncio.to_thread(_added_document, data, builder)
        return
    # Only what is packed needs the client's decoder; each layer between is a twentieth of all the work.
    packed = "content-encoding" in response.headers
    chunks = response.aiter_bytes() if packed else cast("httpx2.AsyncByteStream", response.stream)
    reader, waiting = EventReader(), 0
    async for chunk in chunks:
        events = reader.feed(chunk)
        waiting = 0 if events else _bounded(waiting + len(chunk))
        for data in events or _NOTHING:
            small = len(data) <= _LARGE
            new = _added(data, builder) if small else await asyncio.to_thread(_added, data, builder)
            if new is None:
                return
            yield new
            if builder.enough:
                return
    for data in reader.feed(b"\n\n"):  # some services end without a line
        yield _added(data, builder) or ""


async def _whole(response: httpx2.Response) -> bytes:
    """The body of a response."""
    chunks, size = list[bytes](), 0
    async for chunk in response.aiter_bytes():
        size = _bounded(size + len(chunk))
        chunks.append(chunk)
    return b"".join(chunks)


def _added_document(data: bytes, builder: ReplyBuilder) -> str:
    """The answer text of a whole, unstreamed reply."""
    document = _parsed(data)
    _raise_error(document)
    return builder.add_document(document)


def _bounded(size: int) -> int:
    """The size, of what is held until it is whole.

    Raises:
        ProviderReplyError: It is too large.
    """
    if size > _LARGEST:
        raise ProviderReplyError(tr("The model service sent more than {size} MB at once.", size=_LARGEST >> 20))
    return size


def _added(data: bytes, builder: ReplyBuilder) -> str | None:
    """The answer text that is new with an event; None where it says that nothing follows."""
    if not data:
        return ""
    if data.startswith(b"[DONE]"):
        builder.done()
        return None
    event = _parsed(data)
    _raise_error(event)
    return builder.add(event)


def _parsed(data: bytes) -> object:
    """An event's JSON. The fast parser refuses halves of characters and deep nesting, which the other one reads."""
    try:
        return from_json(data, cache_strings="keys")
    except ValueError:
        return json.loads(data)


def _raise_error(document: object) -> None:
    """Raise what a document or an event says went wrong, in any of the forms that services have for it."""
    if isinstance(document, dict):
        if document.get("type") == "response.output_text.delta":  # by far the most of all events
            return
        choices = document.get("choices")
        if choices and "error" not in document:
            if isinstance(choices, list) and isinstance(choices[0], dict) and choices[0].get("error"):
                raise StreamError(choices[0])
            return
        if document.get("error") or document.get("object") == "error" or _tells_an_error(document):
            raise StreamError(document)
        if document.get("type") in _FAILURES or "status" in document:
            failed = responses.failure(document)
            if failed is not None:
                raise StreamError({"error": failed})
    elif isinstance(document, list) and document and isinstance(document[0], dict) and document[0].get("error"):
        raise StreamError(document)


def _tells_an_error(document: dict[str, object]) -> bool:
    """Whether a document without any part of a reply gives a reason; services have many forms for it."""
    kind = document.get("type")
    if (isinstance(kind, str) and kind.startswith(_PARTS_OF_REPLIES)) or any(
        document.get(name) for name in _OF_REPLIES
    ):
        return False
    return any(document.get(name) for name in _REASONS)
