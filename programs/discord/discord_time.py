"""The time by Discord's clock, which the ids of messages tell; this machine's own may be set wrong, or jump."""

import time
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import aiohttp

_TOLERANCE = 2.0  # seconds; the header tells whole ones, and an answer takes its time


class DiscordTime:
    """What Discord's last answer said, and what has passed since; until the first one, this machine's time."""

    def __init__(self) -> None:
        self._told = time.time()
        self._at = time.monotonic()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._told + time.monotonic() - self._at

    def add_to(self, trace: aiohttp.TraceConfig) -> None:
        """Look at every answer of the session that has this trace."""
        trace.on_request_end.append(self._after)

    async def _after(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        try:
            told = parsedate_to_datetime(params.response.headers.get("Date", "")).timestamp()
        except ValueError:
            return
        if abs(told - self.now()) > _TOLERANCE:
            self._told, self._at = told, time.monotonic()
