"""The breaker: when Discord wants no more requests of ours it gets none, or it would shut us out for longer."""

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace

import aiohttp

from programs.discord.delivery.refusals import BreakerOpenError

_CLOUDFLARE_SECONDS = 600.0  # how long requests stop when Cloudflare does not say
_LATELY = 3600.0  # seconds
_COUNTED = 1000  # requests over a limit that are counted in that time
_OWN_TOKENS = {"webhooks", "interactions"}  # routes with a token of their own, which runs out all the time

_log = logging.getLogger(__name__)


class Breaker:
    """Sees every answer and stops every request: for good after a 401, for a while after a 429 of Cloudflare's.

    Args:
        on_refused: Called when Discord no longer takes the token.
        clock: Seconds that never go back.
    """

    def __init__(self, on_refused: Callable[[], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._on_refused = on_refused
        self._clock = clock
        self._closed_at = 0.0
        self._refused = False
        self._limited: deque[float] = deque()  # when requests were over a limit

    @property
    def limited_lately(self) -> int:
        """How many requests of the last hour were over one of Discord's limits."""
        while self._limited and self._limited[0] < self._clock() - _LATELY:
            self._limited.popleft()
        return len(self._limited)

    @property
    def open(self) -> bool:
        """Whether requests are stopped."""
        return self._refused or self._clock() < self._closed_at

    def add_to(self, trace: aiohttp.TraceConfig) -> None:
        """Stand around every request of the session that has this trace."""
        trace.on_request_start.append(self._before)
        trace.on_request_end.append(self._after)

    async def _before(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, _params: aiohttp.TraceRequestStartParams
    ) -> None:
        if self.open:
            raise BreakerOpenError(math.inf if self._refused else self._closed_at - self._clock())

    async def _after(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        response = params.response
        if response.status == 429 and self.limited_lately < _COUNTED:
            self._limited.append(self._clock())
        if response.status == 401 and not _OWN_TOKENS & set(params.url.path.split("/")):
            self._refused = True
            self._on_refused()
        elif response.status == 429 and "Via" not in response.headers:  # Discord's own name the proxy they came through
            seconds = _seconds(response.headers.get("Retry-After"))
            self._closed_at = max(self._closed_at, self._clock() + seconds)
            _log.error("Cloudflare refuses our requests: none is made for %.0f s", seconds)


def _seconds(told: str | None) -> float:
    try:
        return float(told or _CLOUDFLARE_SECONDS)
    except ValueError:
        return _CLOUDFLARE_SECONDS
