"""Anthropic's OpenAI-compatible endpoint."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.services.conversation import alternation_problem
from tests.services.refusal import Kind, Refusal
from tests.services.service import Service

Json = dict[str, Any]

_NO_RESULT = (
    "messages: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block "
    "must have a corresponding `tool_result` block in the next message."
)


class Anthropic(Service):
    """Claude behind the compatible endpoint: what it does not know it ignores, but messages keep Anthropic's rules."""

    model = "claude-sonnet-5"
    moderates = True
    words: ClassVar[Mapping[str, str]] = {
        "unanswered call": _NO_RESULT,
        "orphan result": "messages: unexpected `tool_use_id` found in `tool_result` blocks: {}. Each `tool_result` "
        "block must have a corresponding `tool_use` block in the previous message.",
    }

    def error(self, message: str, status: int) -> object:
        """An error's body in the form of the service."""
        kind = "authentication_error" if status == 401 else "invalid_request_error"
        return {"error": {"code": kind, "message": message, "type": kind, "param": None}}

    def check(self, body: Json) -> None:
        """Refuse messages that Anthropic's own API would refuse.

        Raises:
            Refusal: A rule is broken.
        """
        for index, message in enumerate(body["messages"]):
            content = message.get("content")
            parts = [part.get("text") for part in content if part["type"] == "text"] if _is_list(content) else [content]
            if message["role"] != "tool" and any(text is not None and not text.strip() for text in parts):
                raise self.broke("empty text", f"messages.{index}: text content blocks must be non-empty")
        role = alternation_problem(body["messages"], tools_are_users=True)
        if role is not None:
            said = (
                'messages: roles must alternate between "user" and "assistant", but found multiple '
                f'"{role}" roles in a row'
            )
            raise self.broke("alternation", said)

    def prompt_refusal(self) -> Refusal:
        """The words for a content that is blocked."""
        body = self.error("Output blocked by content filtering policy", 400)
        return Refusal(Kind.PROMPT, "filtered", 400, body)

    def trip(self) -> Refusal:
        """It is overloaded for a moment."""
        error = {"type": "overloaded_error", "message": "Overloaded"}
        return Refusal(Kind.PASSING, "overloaded", 529, {"type": "error", "error": error})

    def overflow(self, window: int, requested: int) -> Refusal:
        """The words for a request that is too long."""
        body = self.error(f"prompt is too long: {requested} tokens > {window} maximum", 400)
        return Refusal(Kind.OVERFLOW, "overflow", 400, body)


def _is_list(content: object) -> bool:
    return isinstance(content, list)
