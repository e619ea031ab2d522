"""Rate limits as Discord counts them: a bucket per route and major parameter, and one over everything."""

import hashlib
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from programs.playground.entities import Json
from programs.playground.rules import Rules, Window

MAX_COUNTS = 1000  # past it those that ended are dropped: every interaction brings a bucket of its own
MAJOR_PARAMETERS = ("channel_id", "guild_id", "webhook_id", "token")
Scope = Literal["user", "global", "shared"]
_INVALID = (401, 403, 429)
_WEBHOOK = "/webhooks/{webhook_id}/{token}"
_CREATE = ("POST", "/channels/{channel_id}/messages")
_EDIT = ("PATCH", "/channels/{channel_id}/messages/{message_id}")


@dataclass
class _Count:
    began: float
    used: int = 0


@dataclass(frozen=True)
class Verdict:
    """What the answer's headers say, and, when the request is refused, the 429's body."""

    headers: dict[str, str]
    refusal: Json | None = None


class RateLimits:
    """`clock` gives seconds since 1970, since the headers say when a window ends."""

    def __init__(self, rules: Rules, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._clock = clock
        self._counts: dict[tuple[str, ...], _Count] = {}
        self._invalid: deque[float] = deque()

    def take(self, method: str, route: str, ids: dict[str, str] | None, *, counts_globally: bool) -> Verdict:
        """Count one request, and tell what its answer says of limits.

        Args:
            method: Of the request.
            route: The template.
            ids: The values in it; None where there is no such route, and so no bucket.
            counts_globally: Whether it counts towards the limit over everything.
        """
        now = self._clock()
        if counts_globally and self._over((), self._rules.everything, now):
            left = self._left((), self._rules.everything, now)
            return Verdict(*refusal(left, "global"))
        if ids is None:
            return Verdict({})
        window = self._window(method, route)
        bucket = (_WEBHOOK,) if route.startswith(_WEBHOOK) else (method, route)
        key = (*bucket, *(ids[name] for name in MAJOR_PARAMETERS if name in ids))
        refused = self._over(key, window, now)
        left = self._left(key, window, now)
        headers = {
            "X-RateLimit-Limit": str(window.limit),
            "X-RateLimit-Remaining": str(max(0, window.limit - self._counts[key].used)),
            "X-RateLimit-Reset": f"{now + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(" ".join(bucket).encode()).hexdigest()[:32],
        }
        if refused:
            more, body = refusal(left, "user")
            return Verdict(headers | more, body)
        return Verdict(headers)

    def banned(self) -> float:
        """Seconds for which every request is still turned away: too many were answered 401, 403 or 429."""
        window, now = self._rules.invalid, self._clock()
        while self._invalid and now - self._invalid[0] >= window.seconds:
            self._invalid.popleft()
        return self._invalid[0] + window.seconds - now if len(self._invalid) >= window.limit else 0.0

    def answered(self, status: int, *, shared: bool) -> None:
        """Count an answer towards the ban; a 429 of a shared limit is not the bot's fault."""
        if status in _INVALID and not shared:
            self._invalid.append(self._clock())

    def _window(self, method: str, route: str) -> Window:
        if route.startswith(_WEBHOOK):
            return self._rules.webhook
        if (method, route) == _CREATE:
            return self._rules.create
        return self._rules.edit if (method, route) == _EDIT else self._rules.other

    def _over(self, key: tuple[str, ...], window: Window, now: float) -> bool:
        if len(self._counts) > MAX_COUNTS:
            rules = self._rules
            longest = max(one.seconds for one in (window, rules.create, rules.edit, rules.webhook))
            self._counts = {key: count for key, count in self._counts.items() if now < count.began + longest}
        count = self._counts.get(key)
        if count is None or now >= count.began + window.seconds:
            count = self._counts[key] = _Count(now)
        if count.used >= window.limit:
            return True
        count.used += 1
        return False

    def _left(self, key: tuple[str, ...], window: Window, now: float) -> float:
        return max(0.0, self._counts[key].began + window.seconds - now)


def refusal(left: float, scope: Scope) -> tuple[dict[str, str], Json]:
    """The headers and the body of a 429 that asks to wait `left` seconds."""
    # Clients take a 429 without Via for a ban by the proxy in front of Discord.
    headers = {"Retry-After": str(math.ceil(left)), "X-RateLimit-Scope": scope, "Via": "1.1 playground"}
    if scope == "global":
        headers["X-RateLimit-Global"] = "true"
    body = {"message": "You are being rate limited.", "retry_after": round(left, 3), "global": scope == "global"}
    return headers, body
