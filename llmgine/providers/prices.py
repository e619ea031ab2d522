"""What calls of a model cost, by the table of genai-prices, which also says what cached tokens cost.

The table comes with that package, which is optional, and nothing is fetched. A service on this machine or in this
network has no prices; nor has a model that the table does not have.
"""

import asyncio
import ipaddress
import logging
import math
from importlib import import_module
from typing import TYPE_CHECKING

from llmgine.messages.chat_messages import Usage

if TYPE_CHECKING:
    from llmgine.providers.price_table import PriceTable

_NANO = 1_000_000_000
_log = logging.getLogger(__name__)


class Prices:
    """The prices of one service.

    Args:
        service: Its host, as in `Provider.service`.
    """

    def __init__(self, service: str) -> None:
        self._address = f"https://{service}/"
        self._has_prices = _is_public(service.rpartition("@")[2])
        self._table: PriceTable | None = None
        self._loading = asyncio.Lock()

    @property
    def source(self) -> str | None:
        """The table with the date of its newest price, for people; None where there is none."""
        return None if self._table is None else self._table.source

    async def load(self) -> None:
        """Read the table, once; it takes a fifth of a second and 70 MB, so services without prices do without it."""
        if not self._has_prices:
            return
        async with self._loading:
            if self._table is None:
                try:
                    self._table = await asyncio.to_thread(_read)
                except ImportError:
                    _log.info("genai-prices is not installed, so only tokens are counted")
                    self._has_prices = False

    def nanodollars(self, model: str, usage: Usage) -> int | None:
        """What these tokens cost, in billionths of a dollar, rounded up; None where the price is not known."""
        if self._table is None or not model:
            return None
        dollars = self._table.dollars(self._address, model, usage)
        return None if dollars is None else math.ceil(dollars * _NANO)

    def nanodollars_of_audio(
        self, model: str, *, seconds: float, input_tokens: int, audio_tokens: int, output_tokens: int
    ) -> int | None:
        """What a transcription costs, in the same way; see `PriceTable.dollars_of_audio`."""
        if self._table is None:
            return None
        dollars = self._table.dollars_of_audio(
            self._address,
            model,
            seconds=seconds,
            input_tokens=input_tokens,
            audio_tokens=audio_tokens,
            output_tokens=output_tokens,
        )
        return None if dollars is None else math.ceil(dollars * _NANO)


def _is_public(service: str) -> bool:
    """Whether it may be a service that takes money: what has no domain, such as a program or an address, is not."""
    host = service.partition(":")[0]
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host
    return False


def _read() -> "PriceTable":
    """Its package is optional, and takes its time."""
    table: PriceTable = import_module("llmgine.providers.price_table").PriceTable()
    return table
