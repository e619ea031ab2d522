"""Claude, by Anthropic's Messages API; all that knows `anthropic`, which is optional."""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote

import httpx2

from llmgine.errors import ConfigurationError, ProviderError
from llmgine.providers.addresses import SettingNames, checked_address
from llmgine.providers.anthropic_messages import PATH, Abilities, request_body
from llmgine.providers.anthropic_reply import MessagesReplyBuilder
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.http_provider import HttpProvider, RefusedError
from llmgine.providers.repairs import applied
from llmgine.providers.reply_builder import ReplyBuilder, count, mapping
from llmgine.providers.streams import Timeouts
from llmgine.settings import Settings

try:
    import anthropic
    from anthropic import AsyncAnthropic, AsyncStream, DefaultAioHttpClient, Omit
except ImportError as error:
    raise ConfigurationError(
        "Models named anthropic:NAME need an extra; install it with `uv sync --extra anthropic`"
    ) from error

_ANTHROPIC = "https://api.anthropic.com"
_SETTINGS = SettingNames("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")
_LOOK_AGAIN = 300.0  # seconds until a service that did not tell about a model is asked again
_LOOK_SECONDS = 5.0  # that a question waits for that
# What is sent beside the body. Whatever else the client has from the environment, which only programs read, is not.
_OWN_HEADERS = frozenset({"accept", "content-type", "user-agent", "anthropic-version", "authorization"})

_log = logging.getLogger(__name__)


class AnthropicProvider(HttpProvider):
    """Replies from Anthropic, or from another service that speaks its streaming Messages API.

    Nothing is sent before the first request. One provider serves one event loop. What a model can do, such as how long
    its replies may be, is asked of the service once, before the model's first reply.

    Args:
        model: The model's name at the service; None or "" lets it be chosen from those the service lists.
        api_key: Sent as bearer token; None or "" sends no `Authorization` header, as local services like.
        base_url: The service's address, up to and without `/v1/messages`; None or "" is Anthropic's own.
        timeouts: How long to wait for what.
        max_connections: The bound on requests at once; more of them wait. Choose it above the engine's own bound.

    Raises:
        ConfigurationError: There is neither key nor address, or one of them cannot be used.
    """

    status_error = anthropic.APIStatusError
    connection_error = anthropic.APIConnectionError
    stream_class = AsyncStream[object]
    list_path = "/v1/models?limit=1000"

    def __init__(
        self,
        model: str | None,
        api_key: str | None,
        base_url: str | None = None,
        *,
        timeouts: Timeouts | None = None,
        max_connections: int = 1000,
    ) -> None:
        if not api_key and not base_url:
            raise ConfigurationError("Set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL for a service that needs no key.")
        if api_key and not re.fullmatch(r"[!-~]+", api_key):
            raise ConfigurationError("ANTHROPIC_API_KEY holds a character that no key has (a space, a quote mark?).")
        address = (base_url or _ANTHROPIC).rstrip("/").removesuffix("/v1")
        loopback = checked_address(address, with_key=bool(api_key), address=_SETTINGS.address, key=_SETTINGS.key)
        super().__init__(model, api_key, address, _SETTINGS, timeouts)
        self._abilities: dict[str, Abilities] = {}
        self._looked_at: dict[str, float] = {}
        self._looking = asyncio.Lock()
        self._client = AsyncAnthropic(
            api_key=api_key or "none",  # without one the client looks for keys in the environment and in files
            base_url=address,
            max_retries=0,
            open_telemetry=False,  # spans are the engine's
            http_client=DefaultAioHttpClient(
                # Reading has no limit of its own: ours tell the first piece from the later ones.
                timeout=httpx2.Timeout(None, connect=self._timeouts.connect),
                limits=httpx2.Limits(max_connections=max_connections),
                trust_env=not loopback,  # a proxy cannot reach this machine's own services
            ),
        )
        self._headers: dict[str, str | Omit] = {
            name: Omit() for name in self._client.default_headers if not _is_own(name.lower())
        }
        self._headers["Authorization"] = f"Bearer {api_key}" if api_key else Omit()

    async def reply(
        self, request: ChatRequest, on_text: Callable[[str], None], on_reset: Callable[[], None] | None = None
    ) -> ChatReply:
        """Ask the model; see `Provider.reply`."""
        await self._look_at(request.model or await self.choose_model())
        return await super().reply(request, on_text, on_reset)

    async def _look_at(self, model: str) -> None:
        """Ask what a model can do, unless that is known; a service that does not tell costs no answer."""
        if model in self._abilities:
            return
        async with self._looking:
            if model in self._abilities or time.monotonic() < self._looked_at.get(model, 0.0) + _LOOK_AGAIN:
                return
            self._looked_at[model] = time.monotonic()
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    self._abilities[model] = abilities_in(await self._asked(f"/v1/models/{quote(model, safe='')}"))
            except (ProviderError, RefusedError, TimeoutError) as error:
                _log.info("What the model %s can do is not known: %s", model, error)

    def _prepared(self, request: ChatRequest, model: str) -> tuple[str, dict[str, object], ReplyBuilder]:
        asked, abilities = applied(request), self._abilities.get(model, Abilities())
        builder = MessagesReplyBuilder(asked, model=model, service=self._service, trusted=model in self._trusted)
        return PATH, request_body(asked, model=model, service=self._service, abilities=abilities), builder

    def _nothing(self) -> ReplyBuilder:
        return MessagesReplyBuilder(ChatRequest(messages=()), model=self._model, service=self._service)


def from_settings(settings: Settings, *, model: str | None, max_connections: int) -> AnthropicProvider:
    """The service that the settings name.

    Raises:
        ConfigurationError: There is neither key nor address, or one of them cannot be used.
    """
    return AnthropicProvider(
        model,
        api_key=settings.anthropic_api_key,
        base_url=settings.anthropic_base_url,
        max_connections=max_connections,
    )


def abilities_in(document: object) -> Abilities:
    """What a service's description of a model says; nothing where it is no such description."""
    about = mapping(document)
    can = mapping(about.get("capabilities"))
    effort, thinking = can.get("effort"), can.get("thinking")
    return Abilities(
        most_tokens=count(about.get("max_tokens")) or None,
        efforts=_supported(effort) if isinstance(effort, Mapping) else None,
        thinking=_supported(mapping(thinking.get("types"))) if isinstance(thinking, Mapping) else None,
    )


def _supported(of: Mapping[str, object]) -> frozenset[str]:
    return frozenset(name for name, one in of.items() if mapping(one).get("supported") is True)


def _is_own(header: str) -> bool:
    return header in _OWN_HEADERS or header.startswith("x-stainless-")
