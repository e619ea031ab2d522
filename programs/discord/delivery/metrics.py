"""What showing turns in Discord takes: time to the first message, edits sent and spared, requests over the rate."""

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace

import aiohttp

from llmgine.bus import MessageBus
from llmgine.observability import Metric, MetricEvent
from llmgine.observability.families import Family, Kind

FIRST_MESSAGE = "llmgine.discord.time_to_first_message"
EDITS = "llmgine.discord.edits"
RATE_LIMITED = "llmgine.discord.rate_limited"
_OUTCOME, _METHOD = "llmgine.edit.outcome", "http.request.method"
_ROUTE, _SCOPE = "llmgine.discord.route", "llmgine.discord.scope"

FAMILIES = (
    Family(
        FIRST_MESSAGE,
        "llmgine_discord_first_message_seconds",
        Kind.HISTOGRAM,
        "How long people waited for the first message of an answer.",
    ),
    Family(
        EDITS,
        "llmgine_discord_edits",
        Kind.SUM,
        "Edits of messages: sent, or coalesced with a later one.",
        {"outcome": (_OUTCOME, "")},
    ),
    Family(
        RATE_LIMITED,
        "llmgine_discord_rate_limited",
        Kind.SUM,
        "Requests that Discord answered with 429.",
        {"method": (_METHOD, ""), "route": (_ROUTE, ""), "scope": (_SCOPE, "")},
    ),
)

_ROUTES = {"applications", "channels", "gateway", "guilds", "interactions", "users", "webhooks"}


@dataclass
class TurnCounts:
    """What was done to show one turn; all its editors count here. `coalesced`: bodies that a newer one replaced."""

    edits: int = 0
    coalesced: int = 0
    first_message_at: datetime | None = None

    def count_post(self) -> None:
        """A message of the turn was posted."""
        self.first_message_at = self.first_message_at or datetime.now(UTC)

    def metrics(self, since: datetime) -> list[Metric]:
        """The counts, and how long people waited for the first message; nothing where nothing was done."""
        found = [
            Metric(name=EDITS, value=count, unit="{edit}", tags={_OUTCOME: outcome})
            for outcome, count in (("sent", self.edits), ("coalesced", self.coalesced))
            if count
        ]
        if self.first_message_at is not None:
            waited = max(0.0, (self.first_message_at - since).total_seconds())
            found.append(Metric(name=FIRST_MESSAGE, value=waited, unit="s"))
        return found


def rate_limit_trace(bus: MessageBus) -> aiohttp.TraceConfig:
    """Publishes a metric for each 429, which discord.py answers by itself and tells nobody about.

    Tags say the method, the kind of route (not the path: those of interactions hold a token) and whose limit it was.
    """

    async def look(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        response = params.response
        if response.status == 429:
            kinds = [part for part in params.url.path.split("/") if part in _ROUTES]
            tags = {
                _METHOD: params.method,
                _ROUTE: kinds[0] if kinds else "other",
                _SCOPE: response.headers.get("X-RateLimit-Scope", "unknown"),
            }
            limited = Metric(name=RATE_LIMITED, value=1, unit="{request}", tags=tags)
            await bus.publish(MetricEvent(metrics=[limited]))

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(look)
    return trace
