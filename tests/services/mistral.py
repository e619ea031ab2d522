"""Mistral, its reasoning models, and a deployment that is stricter still."""

import re
import secrets
import string
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar

from tests.chat_completions import Exchange
from tests.services.refusal import Kind, Refusal
from tests.services.script import Move
from tests.services.service import Service, names

Json = dict[str, Any]

_FIELDS = names(
    "model messages stream stream_options tools tool_choice parallel_tool_calls max_tokens temperature top_p stop "
    "random_seed response_format n presence_penalty frequency_penalty prediction prompt_mode safe_prompt "
    "metadata"
)


class Mistral(Service):
    """Ids of nine alphanumerics, no field it does not know, no user message right behind a tool's."""

    model = "mistral-medium-latest"
    body_fields = _FIELDS
    message_fields = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "prefix"})
    words: ClassVar[Mapping[str, str]] = {
        "unanswered call": "Not the same number of function calls and responses",
        "orphan result": "Unexpected tool call id {} in tool results",
        "last role": "Expected last role User or Tool (or Assistant with prefix True) for serving but got {}",
        "nothing in it": "Assistant message must have either content or tool_calls, but not none.",
    }

    def error(self, message: str, status: int) -> object:
        """An error's body in the form of the service."""
        kind = "unauthorized" if status == 401 else "invalid_request_message_order"
        return {"object": "error", "message": message, "type": kind, "param": None, "code": "3230"}

    def call_id(self, index: int) -> str:
        """An id as its models give them."""
        return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(9))

    def unknown_field(self, where: str, value: object) -> Refusal:
        """What is said of a field that the service does not know."""
        return Refusal(Kind.BROKEN, "unknown field", 422, extra_forbidden(where, value))

    def check(self, body: Json) -> None:
        """Refuse the order of messages and the ids that Mistral refuses.

        Raises:
            Refusal: A rule is broken.
        """
        for before, message in pairwise(body["messages"]):
            if (before["role"], message["role"]) == ("tool", "user"):
                raise self.broke("order", "Unexpected role 'user' after role 'tool'")
        for message in body["messages"]:
            calls = message.get("tool_calls") or ()
            for call_id in [*(call["id"] for call in calls), message.get("tool_call_id", "a" * 9)]:
                if not re.fullmatch(r"[a-zA-Z0-9]{9}", call_id):
                    said = f"Tool call id was {call_id} but must be a-z, A-Z, 0-9, with a length of 9."
                    raise self.broke("call id", said)
            if message["role"] == "assistant" and not message.get("content") and not calls:
                raise self.broke("nothing in it", self.words["nothing in it"])

    def overflow(self, window: int, requested: int) -> Refusal:
        """The words for a request that is too long."""
        said = f"Prompt contains {requested} tokens, too large for model with {window} maximum context length"
        return Refusal(Kind.OVERFLOW, "overflow", 400, self.error(said, 400))

    def trip(self) -> Refusal:
        """It has no room for a moment."""
        body = {"object": "error", "message": "Service tier capacity exceeded for this model.", "code": "3505"}
        return Refusal(Kind.PASSING, "capacity", 429, body, {"Retry-After": "0"})


class MistralDeployment(Mistral):
    """A deployment that does not know `stream_options`, of a model without eyes."""

    model = "mistral-large-deployed"
    body_fields = _FIELDS - {"stream_options"}
    takes_images = False

    def unknown_field(self, where: str, value: object) -> Refusal:
        """What is said of a field that the service does not know."""
        if where != "stream_options":
            return super().unknown_field(where, value)
        return Refusal(Kind.LEARN, "stream_options", 422, extra_forbidden(where, value))

    def no_images(self) -> Refusal:
        """The words for an image."""
        return self.learn("images", "Image inputs are not supported for this model.")


class Magistral(Mistral):
    """A model that thinks: its content is a list, with what it thinks in parts of their own."""

    model = "magistral-medium-latest"

    async def think(self, exchange: Exchange, move: Move) -> None:
        """Send thinking in pieces, each a part of a list."""
        for piece in (self.thought(), "Then I answer."):
            parts = [{"type": "text", "text": piece}]
            await exchange.chunk({"content": [{"type": "thinking", "thinking": parts}]})
        if move.text:
            await exchange.chunk({"content": [{"type": "text", "text": ""}]})


def extra_forbidden(where: str, value: object) -> Json:
    """The list of what is wrong with a request."""
    place = ["body", *re.findall(r"\w+", where)]
    return {
        "detail": [{"type": "extra_forbidden", "loc": place, "msg": "Extra inputs are not permitted", "input": value}]
    }
