"""What Anthropic's Messages API asks of the messages of a request."""

import base64
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NoReturn

Json = dict[str, Any]

_FIELDS = {
    "text": {"type", "text", "cache_control", "citations"},
    "image": {"type", "source", "cache_control"},
    "tool_use": {"type", "id", "name", "input", "cache_control"},
    "tool_result": {"type", "tool_use_id", "content", "is_error", "cache_control"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
}
_OF_USERS = {"text", "image", "tool_result"}
_OF_ASSISTANTS = {"text", "tool_use", "thinking", "redacted_thinking"}
_THINKING = {"thinking", "redacted_thinking"}
_MEDIA_TYPES = {"image/jpeg", "image/png", "image/gif", "image/webp"}


class InputProblem(Exception):  # noqa: N818  # what a service says, not an error of ours
    """A rule that is broken.

    Attributes:
        rule: A word for it.
        said: The service's words.
    """

    def __init__(self, rule: str, said: str) -> None:
        super().__init__(said)
        self.rule, self.said = rule, said


def check_messages(messages: Sequence[Json], written: Mapping[str, Json], *, thinks: bool) -> None:
    """Refuse what the API refuses.

    Args:
        messages: Those of the request.
        written: The blocks of thinking that the service has sent, by their signatures or data.
        thinks: Whether calls of the present turn must come back with their thinking.

    Raises:
        InputProblem: A rule is broken.
    """
    if not messages:
        _refuse("nothing", "messages: at least one message is required")
    for place, message in enumerate(messages):
        _check_message(f"messages.{place}", message, written)
    roles = [message["role"] for message in messages]
    twice = next((one for one, following in pairwise(roles) if one == following), None)
    if roles[0] != "user" or twice is not None:
        _refuse("alternation", f'messages: roles must alternate between "user" and "assistant", not "{twice}"')
    if roles[-1] != "user":
        _refuse("last role", "This model does not support assistant message prefill. The conversation must end with a "
                             "user message.")  # fmt: skip
    _check_results(messages)
    if thinks:
        _check_present_turn(messages)


def _refuse(rule: str, said: str) -> NoReturn:
    raise InputProblem(rule, said)


def _check_message(where: str, message: Json, written: Mapping[str, Json]) -> None:
    for name in message:
        if name not in {"role", "content"}:
            _refuse("unknown field", f"{where}.{name}: Extra inputs are not permitted")
    role, content = message.get("role"), message.get("content")
    if role not in {"user", "assistant"}:
        _refuse("unknown role", f'{where}: Unexpected role "{role}".')
    if not content:
        _refuse("nothing in it", f"{where}: {role} messages must have non-empty content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for place, block in enumerate(blocks):
        _check_block(f"{where}.content.{place}", block, _OF_USERS if role == "user" else _OF_ASSISTANTS, written)


def _check_block(where: str, block: Json, allowed: set[str], written: Mapping[str, Json]) -> None:
    kind = block.get("type", "")
    if kind not in allowed:
        _refuse("block", f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    for name in block:
        if name not in _FIELDS[kind]:
            _refuse("unknown field", f"{where}.{kind}.{name}: Extra inputs are not permitted")
    if kind == "text" and not block["text"].strip():
        _refuse("empty text", f"{where}: text content blocks must contain non-whitespace text")
    if kind == "image":
        _check_source(where, block["source"])
    if kind == "tool_use":
        _check_call(where, block)
    if kind in _THINKING and written.get(block.get("signature") or block.get("data") or "") != block:
        _refuse("thinking changed", f"{where}: Invalid `signature` in `thinking` block")


def _check_source(where: str, source: Json) -> None:
    if source.get("type") != "base64" or source.get("media_type") not in _MEDIA_TYPES:
        _refuse("image", f"{where}.source: media_type must be one of {', '.join(sorted(_MEDIA_TYPES))}")
    try:
        base64.b64decode(source["data"], validate=True)
    except ValueError:
        _refuse("image", f"{where}.source.base64: invalid base64 data")


def _check_call(where: str, block: Json) -> None:
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", block.get("name", "")):
        _refuse("function name", f"{where}.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
    if not re.fullmatch(r"[a-zA-Z0-9_-]+", block.get("id", "")):
        _refuse("id", f"{where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
    if not isinstance(block.get("input"), dict):
        _refuse("arguments", f"{where}.tool_use.input: Input should be an object")


def _check_results(messages: Sequence[Json]) -> None:
    """Each call has exactly one result at the beginning of the next message, and nothing else has one."""
    waiting: list[str] = []
    for place, message in enumerate(messages):
        blocks = message["content"] if isinstance(message["content"], list) else []
        kinds = [block["type"] for block in blocks]
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        orphans = [one for one in results if one not in waiting or results.count(one) > 1]
        if orphans:
            _refuse("orphan result", f"messages.{place}: unexpected `tool_use_id` found in `tool_result` blocks: "
                                     f"{orphans[0]}. Each `tool_result` block must have a corresponding `tool_use` "
                                     "block in the previous message.")  # fmt: skip
        if sorted(waiting) != sorted(results):
            _refuse("unanswered call", f"messages.{place - 1}: `tool_use` ids were found without `tool_result` blocks "
                                       f"immediately after: {', '.join(waiting)}.")  # fmt: skip
        if kinds[: len(results)] != ["tool_result"] * len(results):
            _refuse("results first", f"messages.{place}: `tool_result` blocks must come first")
        waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if len(set(waiting)) < len(waiting):
            _refuse("doubled call", f"messages.{place}: `tool_use` ids must be unique")


def _check_present_turn(messages: Sequence[Json]) -> None:
    for message in messages_since(messages):
        kinds = [block["type"] for block in message["content"]]
        if message["role"] == "assistant" and kinds[0] not in _THINKING:
            _refuse("thinking missing", f"Expected `thinking` or `redacted_thinking`, but found `{kinds[0]}`.")


def texts_of(message: Json) -> list[str]:
    """The texts of a message."""
    content = message["content"]
    if isinstance(content, str):
        return [content]
    return [block["text"] for block in content if block["type"] == "text"]


def said_in(messages: Sequence[Json]) -> list[str]:
    """What people said, the latest last."""
    return ["\n".join(texts) for one in messages if one["role"] == "user" and (texts := texts_of(one))] or [""]


def messages_since(messages: Sequence[Json]) -> list[Json]:
    """The messages after the last one in which somebody said something."""
    said = [place for place, one in enumerate(messages) if one["role"] == "user" and texts_of(one)]
    return list(messages[said[-1] + 1 :]) if said else []
