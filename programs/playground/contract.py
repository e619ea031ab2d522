"""What all traffic is checked against: the rules written here, and Discord's own document if there is a copy."""

from collections.abc import Iterable
from typing import Protocol

from programs.playground.errors import ApiError
from programs.playground.log import DispatchRecord, RequestRecord, Violation
from programs.playground.wire import Call

UNKNOWN_ROUTE = "(unknown)"
# A careful client never meets these: its form was wrong, or too large, or empty, or no JSON at all.
_CARELESS = {40005, 50006, 50035, 50109}


class Contract(Protocol):
    """Discord's document, asked about single exchanges."""

    def refusal(self, method: str, route: str, call: Call) -> ApiError | None:
        """The error Discord would answer this request with, judged by its form alone."""

    def violations(self, record: RequestRecord) -> Iterable[Violation]:
        """What is wrong with an exchange, on either side."""

    def event_violations(self, record: DispatchRecord) -> Iterable[Violation]:
        """What is wrong with an event; always the playground's."""


def refused_by_rules(record: RequestRecord) -> str | None:
    """Why Discord refused a request that nobody should have sent; None for any other answer."""
    if record.route == UNKNOWN_ROUTE:
        return f"{record.method} {record.path}: there is no such route"
    code = record.response.get("code") if isinstance(record.response, dict) else None
    if record.status >= 400 and code in _CARELESS:
        return f"{record.method} {record.path}: {record.status} {record.response}"
    return None
