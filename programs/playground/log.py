"""What the playground saw: the bot's requests, the events it was sent, and what Discord would not have accepted."""

from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

from programs.playground.entities import Json

KEPT_REQUESTS = 5000
KEPT_DISPATCHES = 5000
KEPT_VIOLATIONS = 1000
NO_ANSWER = 0  # the status of a request whose connection was cut


@dataclass(frozen=True)
class RequestRecord:
    """One request of the bot, as it came and was answered. `route` is the template, without the base.

    `status` is 0 when a fault cut the connection before the answer; `response` is then what was not sent.
    """

    method: str
    route: str
    path: str
    status: int
    ms: float
    at: str
    request: Any = None
    response: Any = None
    shared: bool = False  # a 429 that is not the bot's own doing

    def shown(self) -> Json:
        """As the page lists it: without the bodies."""
        return {name: getattr(self, name) for name in ("method", "route", "path", "status", "ms", "at")}


@dataclass(frozen=True)
class DispatchRecord:
    """One event the bot may get, whole: what a session gets of it depends on its intents and shard."""

    name: str
    data: Json


@dataclass(frozen=True)
class Violation:
    """Something Discord would refuse (`by` the bot) or would not have answered (`by` the playground)."""

    by: Literal["bot", "playground"]
    text: str


class Log:
    """The last of everything, oldest first. `complete` says whether nothing has been dropped yet."""

    def __init__(self) -> None:
        self.requests: deque[RequestRecord] = deque(maxlen=KEPT_REQUESTS)
        self.dispatches: deque[DispatchRecord] = deque(maxlen=KEPT_DISPATCHES)
        self.violations: deque[Violation] = deque(maxlen=KEPT_VIOLATIONS)

    @property
    def complete(self) -> bool:
        """Whether nothing was dropped of it yet."""
        return len(self.requests) < KEPT_REQUESTS and len(self.dispatches) < KEPT_DISPATCHES
