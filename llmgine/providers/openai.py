"""The model behind any OpenAI-compatible service, by Chat Completions or the Responses API; all that knows `openai`."""

import re
from typing import Literal
from urllib.parse import urlsplit

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream, DefaultAioHttpClient, Omit

from llmgine.errors import ConfigurationError
from llmgine.providers import chat_completions, responses
from llmgine.providers.addresses import OPENAI_SETTINGS, checked_address
from llmgine.providers.base import Change, ChatRequest
from llmgine.providers.chat_completions import ChatReplyBuilder
from llmgine.providers.http_provider import HttpProvider
from llmgine.providers.repairs import applied
from llmgine.providers.reply_builder import ReplyBuilder
from llmgine.providers.responses import ResponsesReplyBuilder
from llmgine.providers.streams import Timeouts
from llmgine.settings import Settings

_OPENAI = "https://api.openai.com/v1"
_OPENAI_HOST = "api.openai.com"

Api = Literal["auto", "chat", "responses"]


class OpenAIProvider(HttpProvider):
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

    status_error = openai.APIStatusError
    connection_error = openai.APIConnectionError
    stream_class = AsyncStream[object]

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
        address = base_url or _OPENAI
        loopback = checked_address(address, with_key=bool(api_key))
        super().__init__(model, api_key, address, OPENAI_SETTINGS, timeouts)
        self._api = api
        self._client = AsyncOpenAI(
            api_key=api_key or "none",  # the client wants one, also when none is to be sent
            base_url=address,
            max_retries=0,
            http_client=DefaultAioHttpClient(
                # Reading has no limit of its own: ours tell the first piece from the later ones.
                timeout=httpx2.Timeout(None, connect=self._timeouts.connect),
                limits=httpx2.Limits(max_connections=max_connections),
                trust_env=not loopback,  # a proxy cannot reach this machine's own services
            ),
        )
        # The client fills these from the environment, which only programs read.
        self._headers = {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
        if not api_key:
            self._headers["Authorization"] = Omit()

    def _nothing(self) -> ReplyBuilder:
        return ChatReplyBuilder(ChatRequest(messages=()), model=self._model, service=self._service)

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
