"""What a service answers instead of a reply."""

import json
from collections.abc import Mapping
from enum import Enum


class Kind(Enum):
    """Why a request was refused."""

    BROKEN = "broken"  # it breaks a rule that a client has to know; never right
    LEARN = "learn"  # the model or service has no such thing, which a client learns once from the refusal
    PROMPT = "prompt"  # what somebody said is refused, not the request
    OVERFLOW = "overflow"  # it is longer than the model takes
    PASSING = "passing"  # the same request is accepted later


class Refusal(Exception):  # noqa: N818  # what a service answers, not an error of ours
    """An answer that is no reply.

    Attributes:
        kind: Why.
        rule: A word for the rule, to tell refusals apart.
        status: The HTTP status; 200 means that the body comes as an event of a stream.
        body: Sent as JSON.
        headers: Sent with it.
    """

    def __init__(
        self, kind: Kind, rule: str, status: int, body: object, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(rule)
        self.kind, self.rule, self.status, self.body = kind, rule, status, body
        self.headers = headers or {}

    def __repr__(self) -> str:
        return f"<{self.kind.value} {self.rule}: {self.status} {json.dumps(self.body)[:300]}>"
