"""Several providers as one: who answers for a model is in its name, as in `anthropic:claude-sonnet-5`."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping

from llmgine.errors import ProviderError, ProviderRefusedError
from llmgine.messages.chat_messages import Usage
from llmgine.messages.translatable import tr
from llmgine.providers.base import ChatReply, ChatRequest, ListedModel, Provider
from llmgine.providers.prices import Prices
from llmgine.settings import split_name


class RoutingProvider:
    """Asks the provider that a model's name begins with; a name without one is the default provider's.

    Args:
        providers: By their names, as in `PROVIDERS`; the first is the default.
        named: The models with a provider's name that people may choose, as they are written.
    """

    def __init__(self, providers: Mapping[str, Provider], named: Iterable[str] = ()) -> None:
        self._providers = dict(providers)
        self._default = next(iter(providers.values()))
        self._named = tuple(named)

    @property
    def model(self) -> str:
        """The default provider's model."""
        return self._default.model

    @property
    def service(self) -> str:
        """The default provider's service; see `provider_of` for that of a model."""
        return self._default.service

    @property
    def providers(self) -> tuple[Provider, ...]:
        """All of them, the default first."""
        return tuple(self._providers.values())

    def route(self, model: str) -> tuple[Provider, str]:
        """Who answers for a model, and its name there.

        Raises:
            ProviderRefusedError: Its provider is not set up.
        """
        name, rest = split_name(model)
        if name is None:
            return self._default, model
        if name not in self._providers:
            raise ProviderRefusedError(
                tr(
                    "The model {model} cannot be asked: its provider is used only where OPENAI_MODEL, ALLOWED_MODELS "
                    "or FALLBACK_MODELS names one of its models.",
                    model=model,
                )
            )
        return self._providers[name], rest

    async def choose_model(self) -> str:
        """The default provider's choice; see `Provider.choose_model`."""
        return await self._default.choose_model()

    async def reply(
        self, request: ChatRequest, on_text: Callable[[str], None], on_reset: Callable[[], None] | None = None
    ) -> ChatReply:
        """Ask who answers for the model; the reply is under the name that was asked. See `Provider.reply`."""
        if request.model is None:
            return await self._default.reply(request, on_text, on_reset)
        provider, name = self.route(request.model)
        reply = await provider.reply(request.model_copy(update={"model": name}), on_text, on_reset)
        return reply.model_copy(update={"model": request.model}) if reply.model == name else reply

    async def models(self) -> tuple[ListedModel, ...]:
        """The default provider's models, and those with a provider's name that may be chosen and are there.

        Raises:
            ProviderError: The default provider could not be asked.
        """
        own = await self._default.models()
        return (*own, *await self._of_others()) if own else ()

    async def _of_others(self) -> list[ListedModel]:
        async def listed(name: str) -> ListedModel | None:
            provider, rest = self.route(name)
            try:
                there = lists[provider] = lists[provider] if provider in lists else await provider.models()
            except ProviderError:  # it may be there again when it is asked
                there = ()
            found = next((one for one in there if one.name == rest), None)
            return ListedModel(name, found.shutdown if found else None) if found or not there else None

        lists: dict[Provider, tuple[ListedModel, ...]] = {}
        return [one for one in await asyncio.gather(*map(listed, self._named)) if one is not None]

    async def aclose(self) -> None:
        """Let go of the connections of all."""
        for provider in self.providers:
            await provider.aclose()


class RoutedPrices(Prices):
    """The prices of several services; whose they are is in a model's name."""

    def __init__(self, provider: RoutingProvider) -> None:
        super().__init__(provider.service)
        self._provider = provider
        self._prices = {one.service: Prices(one.service) for one in provider.providers}

    @property
    def source(self) -> str | None:
        """The table, which is the same for all."""
        return next((one.source for one in self._prices.values() if one.source is not None), None)

    async def load(self) -> None:
        """Read the table, where one of the services has prices."""
        for one in self._prices.values():
            await one.load()

    def nanodollars(self, model: str, usage: Usage) -> int | None:
        """What these tokens cost; see `Prices.nanodollars`."""
        try:
            provider, name = self._provider.route(model)
        except ProviderRefusedError:
            return None
        return self._prices[provider.service].nanodollars(name, usage)


def provider_of(provider: Provider, model: str) -> Provider:
    """Who answers for a model: the provider itself, or the one of several that the model's name begins with.

    Raises:
        ProviderRefusedError: That one is not set up.
    """
    return provider.route(model)[0] if isinstance(provider, RoutingProvider) else provider


def service_of(provider: Provider, model: str) -> str:
    """Where a model is asked; where that is not set up, the service of the default."""
    return asked_at(provider, model)[0]


def asked_at(provider: Provider, model: str) -> tuple[str, str]:
    """Where a model is asked, and its name there; where that is not set up, the service of the default."""
    if isinstance(provider, RoutingProvider):
        with contextlib.suppress(ProviderRefusedError):
            there, name = provider.route(model)
            return there.service, name
    return provider.service, model


def prices_of(provider: Provider) -> Prices:
    """What the models of a provider cost."""
    return RoutedPrices(provider) if isinstance(provider, RoutingProvider) else Prices(provider.service)
