"""What the providers that ask a service over HTTP share: one request, changed by refusals, read within time limits.

The raw `post` of a vendor's client is used rather than its typed methods: it sends the same request with the same
authentication and the same errors, without walking every message and building an object per chunk, which blocks the
loop for tens of milliseconds in long sessions. Retrying is not done here: that policy is one, and visible to people.
What a refusal says to change about the request is changed here, at once.
"""

import asyncio
import contextlib
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import httpx2

from llmgine.errors import ProviderError, ProviderRefusedError, ProviderReplyError, ReplyCutOffError
from llmgine.messages.translatable import joined, tr, words_of
from llmgine.providers.addresses import SettingNames
from llmgine.providers.base import Change, ChatReply, ChatRequest, Learnt, ListedModel
from llmgine.providers.choosing import chosen, listed_models
from llmgine.providers.connection_errors import unconnected, unreadable
from llmgine.providers.quoting import redactor
from llmgine.providers.repairing import Repairing
from llmgine.providers.repairs import STATUSES
from llmgine.providers.reply_builder import ReplyBuilder
from llmgine.providers.service_errors import service_error, status_of
from llmgine.providers.streams import SLACK, StreamError, Timeouts, pieces_of, put_off

_NO_LIST = {404, 405, 501}  # statuses of services that list no models

log = logging.getLogger(__name__)


class Stream(Protocol):
    """A streamed response, as the clients of the vendors have it."""

    response: httpx2.Response


class StatusError(Protocol):
    """An answer that is no reply, as the clients of the vendors raise it."""

    status_code: int
    response: httpx2.Response
    body: object | None


class Client(Protocol):
    """The raw requests of a client, as the vendors have them."""

    async def get(self, path: str, *, cast_to: Any, options: Any) -> Any:
        """What the service answers, as parsed JSON."""

    async def post(self, path: str, *, cast_to: Any, body: Any, options: Any, stream: Any, stream_cls: Any) -> Any:
        """The stream of what the service answers."""

    async def close(self) -> None:
        """Let go of connections."""


class RefusedError(Exception):
    """A request was refused before any of the reply had come.

    Attributes:
        status: The HTTP status, 0 where there was none.
        body: What the service said.
        error: What it means for us.
    """

    def __init__(self, status: int, body: object, error: ProviderError) -> None:
        super().__init__(str(error))
        self.status, self.body, self.error = status, body, error


class HttpProvider(ABC):
    """A provider of a service over HTTP. One provider serves one event loop.

    Args:
        model: The model's name at the service; None or "" lets it be chosen from those the service lists.
        api_key: Taken out of every error.
        base_url: The service's address.
        settings: The settings that people are told to check.
        timeouts: How long to wait for what.
    """

    status_error: type[Exception]
    """What the client raises for an answer that is no reply: a `StatusError`."""
    connection_error: type[Exception]
    """What the client raises for a connection that was not made, or broke."""
    stream_class: type
    """What the client makes of a streamed response: a `Stream`."""
    list_path = "/models"
    """Where the service lists its models."""
    _client: Client
    _headers: Mapping[str, object]

    def __init__(
        self, model: str | None, api_key: str | None, base_url: str, settings: SettingNames, timeouts: Timeouts | None
    ) -> None:
        self._model = model or ""
        self._choosing = asyncio.Lock()
        self._redact = redactor(api_key or "")
        self._base_url = base_url
        self._service = urlsplit(base_url).netloc
        self._settings = settings
        self._timeouts = timeouts or Timeouts()
        self._trusted: set[str] = set()  # models whose replies begin with their answer

    # What an API has of its own.

    @abstractmethod
    def _prepared(self, request: ChatRequest, model: str) -> tuple[str, dict[str, object], ReplyBuilder]:
        """The path and body of a request, and what its reply grows in."""

    @abstractmethod
    def _nothing(self) -> ReplyBuilder:
        """A builder for an answer that is no reply."""

    # What they share.

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.close()

    async def _post(self, path: str, body: dict[str, object]) -> AbstractAsyncContextManager[Stream]:
        """Send a request; its reply is read from the stream."""
        options = {"headers": self._headers}
        sent = await self._client.post(
            path, cast_to=object, body=body, options=options, stream=True, stream_cls=self.stream_class
        )
        return cast("AbstractAsyncContextManager[Stream]", sent)

    async def _get(self, path: str) -> object:
        """What the service answers to a GET, as parsed JSON."""
        answer: object = await self._client.get(path, cast_to=object, options={"headers": self._headers})
        return answer

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
            except RefusedError as refused:
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
        except RefusedError as refused:
            raise refused.error from refused.__cause__

    async def _listed_if_any(self) -> tuple[ListedModel, ...]:
        """The models the service lists; none where it has no such list."""
        try:
            return await self._list()
        except RefusedError as refused:
            if refused.status not in _NO_LIST:
                raise refused.error from refused.__cause__
        except ProviderReplyError:
            pass
        return ()

    async def _list(self) -> tuple[ListedModel, ...]:
        return listed_models(await self._asked(self.list_path))

    async def _asked(self, path: str) -> object:
        """What the service answers to a GET; raises only our errors, or a `RefusedError` around one."""
        with self._errors_as_ours(self._nothing(), images=False):
            async with asyncio.timeout(self._timeouts.connect):
                return await self._get(path)

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
                    async for piece in pieces_of(stream.response, builder, self._settings):
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

    @contextlib.contextmanager
    def _errors_as_ours(self, builder: ReplyBuilder, *, images: bool) -> Iterator[None]:
        """Turn whatever the client or its transport raises into a `ProviderError`, or a `RefusedError` around one.

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
            status, body = self._status_and_body(exc)
            error = self._error(exc, status, body, model=builder.model, images=images)
            if builder.begun:
                is_refused = isinstance(error, ProviderRefusedError) and error.may_be_prompt
                raise ReplyCutOffError(
                    joined(" ", tr("The answer broke off."), words_of(error)),
                    partial=builder.text,
                    only_thinking=builder.only_thinking and not is_refused,
                ) from exc
            if status in STATUSES:
                raise RefusedError(status, body, error) from exc
            raise error from exc

    def _error(self, exc: Exception, status: int | None, body: object, *, model: str, images: bool) -> ProviderError:
        host = urlsplit(self._base_url).hostname
        if status is not None:
            is_answer = isinstance(exc, self.status_error)
            headers: Mapping[str, str] = cast("StatusError", exc).response.headers if is_answer else {}
            return service_error(
                status,
                body,
                model=model,
                headers=headers,
                redact=self._redact,
                host=host,
                images=images,
                settings=self._settings,
            )
        if isinstance(exc, self.connection_error) and not isinstance(exc, TimeoutError):
            return unconnected(exc, host, self._service, settings=self._settings)
        return unreadable(exc, host)

    def _status_and_body(self, exc: Exception) -> tuple[int | None, object]:
        """What a service said when it refused; no status at all where it is not the service that said it."""
        if isinstance(exc, StreamError):
            return status_of(exc.body), exc.body
        if not isinstance(exc, self.status_error):
            return None, None
        answer = cast("StatusError", exc)
        try:
            return answer.status_code, json.loads(answer.response.content)
        except (ValueError, RecursionError, httpx2.ResponseNotRead):
            return answer.status_code, answer.body
