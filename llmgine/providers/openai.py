"""The model behind any OpenAI-compatible service, by streaming Chat Completions; the only module that imports openai.

The client's raw `post` is used rather than its typed `create`: it sends the same request with the same
authentication and the same errors, without walking every message and building an object per chunk, which blocks the
loop for tens of milliseconds in long sessions. Retrying is not done here: that policy is one, and visible to people.
"""

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream, DefaultAioHttpClient, Omit

from llmgine.errors import (
    ConfigurationError,
    ProviderError,
    ProviderReplyError,
    ProviderUnavailableError,
    ReplyCutOffError,
)
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.chat_completions import ReplyBuilder, model_names, request_body, without_images
from llmgine.providers.server_sent_events import event_data
from llmgine.providers.service_errors import seconds_to_wait, service_error, status_of
from llmgine.settings import is_loopback

_OPENAI = "https://api.openai.com/v1"
_MAY_MEAN_IMAGES = {400, 413, 415, 422}  # statuses of services for a request with images that they cannot take
_SLACK = 0.05  # how much earlier than said, as a part of it, a wait between pieces may end
_AFTER_FINISH = 5.0  # seconds for the token count, once the reply itself is at its end

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long to wait for the service, in seconds.

    Attributes:
        connect: Until the connection stands.
        first: From the request until the reply begins; models that think first need minutes here.
        idle: Between two pieces of a reply.
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


class OpenAIProvider:
    """Replies from a service that speaks streaming Chat Completions.

    Nothing is sent before the first request. One provider serves one event loop.

    Args:
        model: The model's name at the service.
        api_key: Sent as bearer token; None or "" sends no `Authorization` header, as local services like.
        base_url: The service's address, up to and without `/chat/completions`; None or "" is OpenAI's own.
        timeouts: How long to wait for what.
        max_connections: The bound on requests at once; more of them wait. Choose it above the engine's own bound.

    Raises:
        ConfigurationError: There is neither key nor address, or one of them cannot be used.
    """

    def __init__(
        self,
        model: str,
        api_key: str | None,
        base_url: str | None = None,
        *,
        timeouts: Timeouts | None = None,
        max_connections: int = 1000,
    ) -> None:
        if not api_key and not base_url:
            raise ConfigurationError("Set OPENAI_API_KEY, or OPENAI_BASE_URL for a service that needs no key.")
        if api_key and not re.fullmatch(r"[!-~]+", api_key):
            raise ConfigurationError("OPENAI_API_KEY holds a character that no key has (a space, a quote mark?).")
        self._model = model
        self._key = api_key or ""
        self._base_url = base_url or _OPENAI
        loopback = _check_base_url(self._base_url, with_key=bool(api_key))
        self._timeouts = timeouts or Timeouts()
        # OpenAI's reasoning models refuse the name that everybody else understands.
        self._limit_field = "max_tokens" if base_url else "max_completion_tokens"
        self._asks_for_usage = True
        self._client = AsyncOpenAI(
            api_key=self._key or "none",  # the client wants one, also when none is to be sent
            base_url=self._base_url,
            max_retries=0,
            http_client=DefaultAioHttpClient(
                # Reading has no limit of its own: ours tell the first piece from the later ones.
                timeout=httpx2.Timeout(None, connect=self._timeouts.connect),
                limits=httpx2.Limits(max_connections=max_connections),
                trust_env=not loopback,  # a proxy cannot reach this machine's own services
            ),
        )
        # The client fills these from the environment, which only programs read.
        self._headers: dict[str, str | Omit] = {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
        if not api_key:
            self._headers["Authorization"] = Omit()

    @property
    def model(self) -> str:
        """The model's name at the service."""
        return self._model

    async def reply(self, request: ChatRequest, on_text: Callable[[str], None]) -> ChatReply:
        """Ask the model; see `Provider.reply`."""
        builder = ReplyBuilder(request.model or self._model)
        async with contextlib.aclosing(self._pieces(request, builder)) as pieces:
            async for piece in pieces:
                on_text(piece)
        return builder.whole()

    async def models(self) -> tuple[str, ...]:
        """The models the service lists, sorted."""
        nothing = ReplyBuilder(self._model)
        with self._errors_as_ours(nothing):
            async with asyncio.timeout(self._timeouts.connect):
                listed = await self._client.get("/models", cast_to=object, options={"headers": self._headers})
        return model_names(listed)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.close()

    async def _pieces(self, request: ChatRequest, builder: ReplyBuilder) -> AsyncGenerator[str, None]:
        """Fill the builder and yield the answer text as it comes, within the time limits, raising only our errors.

        A generator, so that what `on_text` raises is not taken for a fault of the service.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + self._timeouts.total
        with self._errors_as_ours(builder):
            async with asyncio.timeout_at(min(clock() + self._timeouts.first, end)) as limit:
                async with await self._open_at_all(request, builder) as stream:
                    async for piece in _read(stream, builder):
                        if builder.begun or builder.finished:
                            wait = _AFTER_FINISH if builder.finished else self._timeouts.idle
                            _put_off(limit, min(clock() + wait, end), slack=wait * _SLACK)
                        if piece:
                            yield piece

    async def _open_at_all(self, request: ChatRequest, builder: ReplyBuilder) -> AsyncStream[object]:
        """Ask with the images of the conversation, and once without them where the service refuses that."""
        try:
            return await self._open(request)
        except openai.APIStatusError as exc:
            blind = without_images(request)
            if exc.status_code not in _MAY_MEAN_IMAGES or blind == request:
                raise
        builder.unseen = True
        return await self._open(blind)

    async def _open(self, request: ChatRequest) -> AsyncStream[object]:
        body = request_body(request, request.model or self._model, limit_field=self._limit_field)
        if not self._asks_for_usage:
            del body["stream_options"]
        try:
            return await self._post(body)
        except openai.APIStatusError as exc:
            # A few services know no `stream_options` and refuse what they do not know.
            if exc.status_code not in {400, 422} or "stream_options" not in exc.response.text:
                raise
        self._asks_for_usage = False
        del body["stream_options"]
        return await self._post(body)

    async def _post(self, body: dict[str, object]) -> AsyncStream[object]:
        return await self._client.post(
            "/chat/completions",
            cast_to=object,
            body=body,
            options={"headers": self._headers},
            stream=True,
            stream_cls=AsyncStream[object],
        )

    @contextlib.contextmanager
    def _errors_as_ours(self, builder: ReplyBuilder) -> Iterator[None]:
        """Turn whatever the client or its transport raises into a `ProviderError`.

        The catch is wide because the client lets errors of its parts through: JSON, text decoding, HTTP parsing.
        """
        try:
            yield
        except ProviderError:
            raise
        except Exception as exc:
            if builder.finished:
                return  # what breaks behind the last word costs the token count, not the reply
            self._redact(exc)
            error = self._error(exc, builder.model)
            if builder.begun:
                raise ReplyCutOffError(f"The answer broke off. {error}", partial=builder.text) from exc
            raise error from exc

    def _error(self, exc: Exception, model: str) -> ProviderError:
        service = f"The model service at {urlsplit(self._base_url).hostname}"
        match exc:
            case openai.APIStatusError():
                wait = seconds_to_wait(exc.response.headers)
                return service_error(exc.status_code, exc.body, model=model, retry_after=wait)
            case openai.APIConnectionError():
                return ProviderUnavailableError(f"{service} cannot be reached, or the connection broke.")
            case openai.APIError():
                return service_error(status_of(exc.body), exc.body, model=model)
            case TimeoutError():
                return ProviderUnavailableError(f"{service} took too long.")
            case ValueError():
                return ProviderReplyError(f"{service} sent broken JSON or text.")
        return ProviderReplyError(f"{service} gave no readable answer ({type(exc).__name__}).")

    def _redact(self, exc: Exception) -> None:
        """Take the key out of an error's own text: a service may repeat it, and a traceback would print it."""
        if self._key and isinstance(exc, openai.APIError):
            exc.args = tuple(str(arg).replace(self._key, "[key]") for arg in exc.args)
            key_in_json = json.dumps(self._key)[1:-1]
            exc.body = json.loads(json.dumps(exc.body).replace(key_in_json, "[key]"))


def _put_off(limit: asyncio.Timeout, deadline: float, *, slack: float) -> None:
    """Move the limit to the deadline, or leave it where it is hardly earlier: moving it costs more than a piece."""
    when = limit.when()
    if when is None or not 0 <= deadline - when <= slack:
        limit.reschedule(deadline)


async def _read(stream: AsyncStream[object], builder: ReplyBuilder) -> AsyncGenerator[str, None]:
    """The answer text piece by piece ("" for a chunk without any), in whichever form the service sends it."""
    kind = stream.response.headers.get("content-type", "")
    if "html" in kind:
        raise ProviderReplyError("The model service answered with a web page. Check OPENAI_BASE_URL.")
    if "json" in kind:
        document = json.loads(await stream.response.aread())
        if isinstance(document, dict) and document.get("error"):
            raise openai.APIError("error document", stream.response.request, body=document["error"])
        yield builder.add_document(document)
        return
    async with contextlib.aclosing(event_data(stream.response.aiter_bytes())) as events:
        async for data in events:
            if data.startswith(b"[DONE]"):
                return
            chunk = json.loads(data)
            if isinstance(chunk, dict) and chunk.get("error"):
                raise openai.APIError("error in the stream", stream.response.request, body=chunk["error"])
            yield builder.add(chunk)


def _check_base_url(base_url: str, *, with_key: bool) -> bool:
    """Refuse an address that cannot be used and warn of a key in plain sight; True for this machine's own."""
    try:
        url = urlsplit(base_url)
        host = url.hostname if url.port != 0 else None
    except ValueError:  # a port that is no number, a bracket without its other half
        host = None
    if not host or url.scheme not in {"http", "https"}:
        raise ConfigurationError("OPENAI_BASE_URL must look like http://localhost:11434/v1 or https://host/v1.")
    loopback = is_loopback(host)
    if with_key and url.scheme == "http" and not loopback:
        log.warning("The key for %s travels over plain http, where others can read it.", host)
    return loopback
