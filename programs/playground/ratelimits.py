"""Rate limits as Discord counts them: a bucket per route and major parameter, and one over everything."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from programs.playground.entities import Json
from programs.playground.rules import Rules, Window

MAX_COUNTS = 1000  # past it those that ended are dropped: every interaction brings a bucket of its own
MAJOR_PARAMETERS = ("channel_id", "guild_id", "webhook_id", "token")
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
    """`clock` gives seconds since 1970, since the headers tell when a window ends."""

    def __init__(self, rules: Rules, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._clock = clock
        self._counts: dict[tuple[str, ...], _Count] = {}

    def take(self, method: str, route: str, ids: dict[str, str], *, counts_globally: bool) -> Verdict:
        """Count one request. `route` is the template, `ids` the values in it."""
        now = self._clock()
        if counts_globally and self._over((), self._rules.everything, now):
            left = self._left((), self._rules.everything, now)
            return Verdict({**_refused(left, "global"), "X-RateLimit-Global": "true"}, _body(left, is_global=True))
        window = self._window(method, route)
        key = (method, route, *(ids[name] for name in MAJOR_PARAMETERS if name in ids))
        refused = self._over(key, window, now)
        left = self._left(key, window, now)
        headers = {
            "X-RateLimit-Limit": str(window.limit),
            "X-RateLimit-Remaining": str(max(0, window.limit - self._counts[key].used)),
            "X-RateLimit-Reset": f"{now + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(f"{method} {route}".encode()).hexdigest()[:32],
        }
        if refused:
            return Verdict(headers | _refused(left, "user"), _body(left, is_global=False))
        return Verdict(headers)

    def _window(self, method: str, route: str) -> Window:
        if (method, route) == _CREATE:
            return self._rules.create
        return self._rules.edit if (method, route) == _EDIT else self._rules.other

    def _over(self, key: tuple[str, ...], window: Window, now: float) -> bool:
        if len(self._counts) > MAX_COUNTS:
            longest = max(window.seconds, self._rules.create.seconds, self._rules.edit.seconds)
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


def _refused(left: float, scope: str) -> dict[str, str]:
    # Clients take a 429 without Via for a ban by the proxy in front of Discord.
    return {"Retry-After": str(max(1, round(left + 0.5))), "X-RateLimit-Scope": scope, "Via": "1.1 playground"}


def _body(left: float, *, is_global: bool) -> Json:
    return {"message": "You are being rate limited.", "retry_after": round(left, 3), "global": is_global}
