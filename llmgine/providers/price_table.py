"""The table of genai-prices; all that knows that package, which is optional."""

import contextlib
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import version

import genai_prices
from genai_prices.data_snapshot import get_snapshot

from llmgine.messages.chat_messages import Usage

_log = logging.getLogger(__name__)


class PriceTable:
    """The prices of models, by the addresses of their services.

    Attributes:
        source: Which table it is, with the date of its newest price, for people: the package itself has no date.
    """

    def __init__(self) -> None:
        today = datetime.now(UTC).date()
        models = (model for provider in get_snapshot().providers for model in provider.models)
        newest = max((one for model in models for one in _dates(model.prices) if one <= today), default=None)
        self.source = f"genai-prices {version('genai-prices')}" + (f", {newest.isoformat()}" if newest else "")

    def dollars(self, address: str, model: str, usage: Usage) -> Decimal | None:
        """What these tokens of a model cost at the service with this address; None where the price is not known."""
        counted = genai_prices.Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=min(usage.cached_tokens, usage.input_tokens),
            cache_write_tokens=max(0, min(usage.cache_written_tokens, usage.input_tokens - usage.cached_tokens)),
            output_reasoning_tokens=min(usage.reasoning_tokens, usage.output_tokens),
        )
        try:
            return genai_prices.calc_price(counted, model, provider_api_url=address).total_price
        except (LookupError, ValueError) as error:
            _log.debug("The price of %s is not known: %s", model, error)
            return None

    def dollars_of_audio(
        self, address: str, model: str, *, seconds: float, input_tokens: int, audio_tokens: int, output_tokens: int
    ) -> Decimal | None:
        """What a transcription costs, by tokens or by time, whichever the model is paid by; None where that is unknown.

        Args:
            address: The service's.
            model: The model.
            seconds: How long the audio plays.
            input_tokens: Those of the audio and of all else that was sent.
            audio_tokens: Those of the audio alone.
            output_tokens: Those of the text.
        """
        tokens = genai_prices.Usage(
            input_tokens=input_tokens, input_audio_tokens=min(audio_tokens, input_tokens), output_tokens=output_tokens
        )
        dollars: list[Decimal] = []
        for usage in (genai_prices.Usage(audio_seconds=Decimal(str(round(seconds, 3)))), tokens):
            with contextlib.suppress(LookupError, ValueError):
                dollars.append(genai_prices.calc_price(usage, model, provider_api_url=address).total_price)
        return max(dollars, default=None)


def _dates(prices: object) -> Iterator[date]:
    """The dates from which prices of a model are valid."""
    for price in prices if isinstance(prices, list) else ():
        begun = getattr(price.constraint, "start_date", None)
        if isinstance(begun, date):
            yield begun
