"""The model behind any OpenAI-compatible service, by Chat Completions or the Responses API; all that knows `openai`.

The client's raw `post` is used rather than its typed `create`: it sends the same request with the same
authentication and the same errors, without walking every message and building an object per chunk, which blocks the
loop for tens of milliseconds in long sessions. Retrying is not done here: that policy is one, and visible to people.
What a refusal says to change about the request is changed here, at once.
"""

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream, DefaultAioHttpClient, Omit

from llmgine.errors import (
    ConfigurationError,
    ProviderError,
    ProviderReplyError,
    ReplyCutOffError,
)
from llmgine.messages.translatable import joined, tr, words_of
from llmgine.providers import chat_completions, responses
from llmgine.providers.addresses import checked_address
from llmgine.providers.base import Change, ChatReply, ChatRequest, Learnt, ListedModel
from llmgine.providers.chat_completions import ChatReplyBuilder
from llmgine.providers.choosing import chosen, listed_models
from llmgine.providers.connection_errors import unconnected, unreadable
from llmgine.providers.quoting import redactor
from llmgine.providers.repairing import Repairing
from llmgine.providers.repairs import STATUSES, applied
from llmgine.providers.reply_builder import ReplyBuilder
from llmgine.providers.responses import ResponsesReplyBuilder
from llmgine.providers.service_errors import service_error, status_of
from llmgine.providers.streams import SLACK, StreamError, Timeouts, pieces_of, put_off
from llmgine.settings import Settings

_OPENAI = "https://api.openai.com/v1"
_OPENAI_HOST = "api.openai.com"
_NO_LIST = {404, 405, 501}  # statuses of services that list no models

Api = Literal["auto", "chat", "responses"]

log = logging.getLogger(__name__)


class _RefusedError(Exception):
    """A request was refused before any of the reply had come.

    Attributes:
        status: The HTTP status, 0 where there was none.
        body: What the service said.
        error: What it means for us.
    """

    def __init__(self, status: int, body: object, error: ProviderError) -> None:
        super().__init__(str(error))
        self.status, self.body, self.error = status, body, error


class OpenAIProvider:
    """Replies from a service that speaks streaming Chat Completions or the Responses API.

    Nothing is sent before the first request. One provider serves one event loop.

    Args:
        model: The model's name at the service; None or "" lets it be chosen from those the service lists.
        api_key: Sent as bearer token; None or "" sends no `Authorization` header, as local services like.
        base_url: The service's address, up to and without `/chat/completions`; None or "" is OpenAI's own.
        api: The API to speak; "auto" is the Responses API at OpenAI and where a service asks for it, else Chat
            Completions.
        timeouts: How long to wait for what.
        max_connections: The bound on requests at once; more of them wait. Choose it above the engine's own bound.

    Raises:
        ConfigurationError: There is neither key nor address, or one of them cannot be used.
    """

    def __init__(
        self,
        model: str | None,
        api_key: str | None,
        base_url: str | None = None,
        *,
        api: Api = "auto",
        timeouts: Timeouts | None = None,
        max_connections: int = 1000,
    ) -> None:
        if not api_key and not base_url:
            raise ConfigurationError("Set OPENAI_API_KEY, or OPENAI_BASE_URL for a service that needs no key.")
        if api_key and not re.fullmatch(r"[!-~]+", api_key):
            raise ConfigurationError("OPENAI_API_KEY holds a character that no key has (a space, a quote mark?).")
        self._model = model or ""
        self._choosing = asyncio.Lock()
        self._key = api_key or ""
        self._redact = redactor(self._key)
        self._base_url = base_url or _OPENAI
        loopback = checked_address(self._base_url, with_key=bool(api_key))
        self._service = urlsplit(self._base_url).netloc
        self._api = api
        self._timeouts = timeouts or Timeouts()
        self._trusted: set[str] = set()  # models whose replies begin with their answer
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
        """The model's name at the service; "" until one was chosen."""
        return self._model

    @property
    def service(self) -> str:
        """The service's host and port."""
        return self._service

    async def choose_model(self) -> str:
        """The model that is asked; see `Provider.choose_model`."""
        async with self._choosing:
            if not self._model:
                self._model = chosen(await self._listed_if_any(), datetime.now(UTC).date())
                log.info("No model is configured (OPENAI_MODEL): %s answers", self._model)
        return self._model

    async def reply(
        self, request: ChatRequest, on_text: Callable[[str], None], on_reset: Callable[[], None] | None = None
    ) -> ChatReply:
        """Ask the model; see `Provider.reply`."""
        model = request.model or await self.choose_model()
        repairing = Repairing(request)
        while True:
            path, body, builder = self._prepared(repairing.request, model)
            try:
                async with contextlib.aclosing(self._pieces(path, body, builder, repairing.request)) as pieces:
                    async for piece in pieces:
                        if piece is not None:
                            on_text(piece)
                        elif on_reset is not None:
                            on_reset()
            except _RefusedError as refused:
                if not repairing.change(
                    refused.status,
                    refused.body,
                    refused.error,
                    differs=lambda one, other: self._prepared(one, model)[:2] != self._prepared(other, model)[:2],
                    redact=self._redact,
                ):
                    raise refused.error from refused.__cause__
            else:
                learnt = (*repairing.learnt, *self._learnt_of_thinking(builder, request))
                return builder.whole().model_copy(update={"learnt": learnt})

    async def models(self) -> tuple[ListedModel, ...]:
        """The models the service lists, by name."""
        try:
            return await self._list()
        except _RefusedError as refused:
            raise refused.error from refused.__cause__

    async def _listed_if_any(self) -> tuple[ListedModel, ...]:
        """The models the service lists; none where it has no such list."""
        try:
            return await self._list()
        except _RefusedError as refused:
            if refused.status not in _NO_LIST:
                raise refused.error from refused.__cause__
        except ProviderReplyError:
            pass
        return ()

    async def _list(self) -> tuple[ListedModel, ...]:
        nothing = ChatReplyBuilder(ChatRequest(messages=()), model=self._model, service=self._service)
        with self._errors_as_ours(nothing, images=False):
            async with asyncio.timeout(self._timeouts.connect):
                listed = await self._client.get("/models", cast_to=object, options={"headers": self._headers})
        return listed_models(listed)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.close()

    def _speaks_responses(self, changes: frozenset[Change]) -> bool:
        if self._api != "auto":
            return self._api == "responses"
        at_openai = urlsplit(self._base_url).hostname == _OPENAI_HOST
        return Change.CHAT not in changes and (at_openai or Change.RESPONSES in changes)

    def _prepared(self, request: ChatRequest, model: str) -> tuple[str, dict[str, object], ReplyBuilder]:
        """The path and body of a request, and what its reply grows in."""
        asked, where = applied(request), {"model": model, "service": self._service}
        trusted = model in self._trusted
        if self._speaks_responses(request.changes):
            builder: ReplyBuilder = ResponsesReplyBuilder(asked, trusted=trusted, **where)
            return responses.PATH, responses.request_body(asked, **where), builder
        builder = ChatReplyBuilder(asked, trusted=trusted, **where)
        return chat_completions.PATH, chat_completions.request_body(asked, **where), builder

    def _learnt_of_thinking(self, builder: ReplyBuilder, request: ChatRequest) -> Iterator[Learnt]:
        """Whether the model's replies begin with their answer is seen from its first one."""
        if builder.closed_unopened:
            # A model that answered at once before may only have talked about a tag.
            was_trusted = builder.model in self._trusted
            self._trusted.discard(builder.model)
            if Change.OPENED_THINKING not in request.changes and not was_trusted:
                yield Learnt(Change.OPENED_THINKING, "A reply began in the middle of the model's thinking.")
        elif builder.answers_first:
            self._trusted.add(builder.model)

    async def _pieces(
        self, path: str, body: dict[str, object], builder: ReplyBuilder, request: ChatRequest
    ) -> AsyncGenerator[str | None, None]:
        """Fill the builder and yield the answer text as it comes, within the time limits, raising only our errors.

        None takes back what was yielded before. A generator, so that what `on_text` raises is not taken for a fault
        of the service.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + self._timeouts.total
        images = any(message.images for message in request.messages)
        with self._errors_as_ours(builder, images=images):
            async with asyncio.timeout_at(min(clock() + self._timeouts.first, end)) as limit:
                async with await self._post(path, body) as stream:
                    async for piece in pieces_of(stream.response, builder):
                        wait = self._timeouts.next_byte(begun=builder.begun, finished=builder.finished)
                        put_off(limit, min(clock() + wait, end), slack=wait * SLACK)
                        if builder.taken_back:
                            builder.taken_back = False
                            yield None
                        if piece:
                            yield piece
        rest = builder.rest()
        if builder.taken_back:
            yield None
        if rest:
            yield rest

    async def _post(self, path: str, body: dict[str, object]) -> AsyncStream[object]:
        return await self._client.post(
            path,
            cast_to=object,
            body=body,
            options={"headers": self._headers},
            stream=True,
            stream_cls=AsyncStream[object],
        )

    @contextlib.contextmanager
    def _errors_as_ours(self, builder: ReplyBuilder, *, images: bool) -> Iterator[None]:
        """Turn whatever the client or its transport raises into a `ProviderError`, or a `_RefusedError` around one.

        The catch is wide because the client lets errors of its parts through: JSON, text decoding, HTTP parsing.
        """
        try:
            yield
        except ProviderError:
            raise
        except Exception as exc:
            if builder.finished:
                return  # what breaks behind the last word costs the token count, not the reply
            exc.args = tuple(self._redact(arg) if isinstance(arg, str) else arg for arg in exc.args)
            status, body = _status_and_body(exc)
            error = self._error(exc, status, body, model=builder.model, images=images)
            if builder.begun:
                raise ReplyCutOffError(
                    joined(" ", tr("The answer broke off."), words_of(error)), partial=builder.text
                ) from exc
            if status in STATUSES:
                raise _RefusedError(status, body, error) from exc
            raise error from exc

    def _error(self, exc: Exception, status: int | None, body: object, *, model: str, images: bool) -> ProviderError:
        host = urlsplit(self._base_url).hostname
        if status is not None:
            headers: Mapping[str, str] = exc.response.headers if isinstance(exc, openai.APIStatusError) else {}
            return service_error(
                status, body, model=model, headers=headers, redact=self._redact, host=host, images=images
            )
        if isinstance(exc, openai.APIConnectionError) and not isinstance(exc, TimeoutError):
            return unconnected(exc, host, self._service)
        return unreadable(exc, host)


def from_settings(settings: Settings, *, model: str | None, max_connections: int) -> OpenAIProvider:
    """The service that the settings name.

    Raises:
        ConfigurationError: There is neither key nor address, or one of them cannot be used.
    """
    return OpenAIProvider(
        model,
        api_key=settings.openai_api_key,
        base_url=settings.openai_base_url,
        api=settings.openai_api,
        max_connections=max_connections,
    )


def _status_and_body(exc: Exception) -> tuple[int | None, object]:
    """What a service said when it refused; no status at all where it is not the service that said it."""
    if isinstance(exc, StreamError):
        return status_of(exc.body), exc.body
    if not isinstance(exc, openai.APIStatusError):
        return None, None
    try:
        return exc.status_code, json.loads(exc.response.content)
    except (ValueError, RecursionError, httpx2.ResponseNotRead):
        return exc.status_code, exc.body
