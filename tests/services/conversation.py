"""What every Chat Completions service asks of the messages of a request."""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

Json = dict[str, Any]

OPENAI_WORDS: Mapping[str, str] = {
    "unanswered call": "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
    "'tool_call_id'. The following tool_call_ids did not have response messages: {}",
    "orphan result": "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
    "'tool_calls'. (tool_call_id {})",
    "last role": "The last message must have role 'user' or 'tool', not '{}'.",
    "arguments": "Invalid value: the arguments of a function call must be a JSON object, not {}.",
    "doubled call": "Duplicate value for 'tool_call_id' of '{}' in message.",
    "function name": "Invalid 'function.name': string does not match pattern '^[a-zA-Z0-9_-]+$': {}",
    "nothing in it": "Invalid value for 'content': expected a string, got null. {}",
    "unknown role": "Invalid value: '{}'. Supported values are: 'system', 'assistant', 'user', 'tool' and 'developer'.",
}


class Problem(NamedTuple):
    """A rule that is broken, and by what."""

    rule: str
    detail: str


def find_problem(messages: Sequence[Json]) -> Problem | None:
    """The first rule that these messages break; None when all is well."""
    waiting: list[str] = []
    for message in messages:
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in waiting:
                return Problem("orphan result", str(message.get("tool_call_id")))
            waiting.remove(message["tool_call_id"])
            continue
        problem = Problem("unanswered call", ", ".join(waiting)) if waiting else _message_problem(message)
        if problem is not None:
            return problem
        waiting = [call["id"] for call in message.get("tool_calls") or ()]
    if waiting:
        return Problem("unanswered call", ", ".join(waiting))
    last = messages[-1]["role"] if messages else "nothing"
    return None if last in {"user", "tool"} else Problem("last role", last)


def _message_problem(message: Json) -> Problem | None:
    role, calls = message.get("role"), message.get("tool_calls") or []
    if role not in {"system", "developer", "user", "assistant"}:
        return Problem("unknown role", str(role))
    if message.get("content") is None and not calls:
        return Problem("nothing in it", str(role))
    return _call_problem(calls)


def _call_problem(calls: Sequence[Json]) -> Problem | None:
    ids = [call.get("id") for call in calls]
    for call in calls:
        if not call.get("id") or ids.count(call["id"]) > 1:
            return Problem("doubled call", str(call.get("id")))
        function = call["function"]
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", function.get("name", "")):
            return Problem("function name", str(function.get("name")))
        if not is_json_object(function.get("arguments")):
            return Problem("arguments", str(function.get("arguments"))[:100])
    return None


def is_json_object(text: object) -> bool:
    """Whether this is the JSON text of an object."""
    try:
        return isinstance(text, str) and isinstance(json.loads(text), dict)
    except ValueError:
        return False


def text_of(message: Json) -> str:
    """The text of a message, also when it comes in parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text") or "" for part in content)


def image_count(messages: Sequence[Json]) -> int:
    """How many images these messages have."""
    parts = [part for one in messages if isinstance(one.get("content"), list) for part in one["content"]]
    return sum("image" in part.get("type", "") for part in parts)


def last_said(messages: Sequence[Json]) -> list[str]:
    """What people said, the latest last."""
    return [text_of(message) for message in messages if message.get("role") == "user"] or [""]


def present_turn(messages: Sequence[Json]) -> list[Json]:
    """The messages after the last user message."""
    users = [index for index, message in enumerate(messages) if message.get("role") == "user"]
    return list(messages[users[-1] + 1 :]) if users else []


def rounds_since(messages: Sequence[Json]) -> int:
    """How often the model has called tools since somebody last said something."""
    return sum(bool(message.get("tool_calls")) for message in present_turn(messages))


def alternation_problem(messages: Sequence[Json], *, tools_are_users: bool = False) -> str | None:
    """The role that comes twice in a row, or first where it may not; None when user and assistant alternate.

    Args:
        messages: The conversation; its system messages are left out.
        tools_are_users: Whether the results of a round are a message of the user's side, so that no user message may
            follow them. Otherwise calls and results are left out too.
    """
    sides: list[str] = []
    before = ""
    for message in messages:
        role = message["role"]
        if role in {"user", "assistant"} and (tools_are_users or not message.get("tool_calls")):
            sides.append(role)
        elif role == "tool" and tools_are_users and before != "tool":
            sides.append("user")
        before = role
    twice = [side for side, following in pairwise(sides) if side == following]
    if sides and sides[0] != "user":
        return sides[0]
    return twice[0] if twice else None
