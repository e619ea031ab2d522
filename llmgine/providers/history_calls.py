"""Tool calls of the history, as every service takes them back.

Many services refuse a history with a malformed call in it, also one their own model wrote, and would then refuse every
later turn of the session. So what is malformed is put into a form that is not.
"""

import json
import re
from collections.abc import Sequence
from functools import lru_cache

from pydantic import JsonValue

from llmgine.messages.chat_messages import ToolCall

_SHORT = 1_000  # characters of arguments that are remembered
_LONGEST_MALFORMED = 500  # characters of malformed arguments that the model is reminded of


def valid_name(call: ToolCall) -> str:
    """The call's name, in the characters that are allowed in one."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", call.name)[:64] or "unnamed"


def valid_arguments(call: ToolCall) -> str:
    """The call's arguments, as a JSON object."""
    # The calls of a history are looked at for each request that sends it.
    is_valid = _is_json_object_again if len(call.arguments) <= _SHORT else is_json_object
    if is_valid(call.arguments):
        return call.arguments
    return json.dumps({"malformed_arguments": call.arguments[:_LONGEST_MALFORMED]})


def in_order(order: Sequence[JsonValue], text: list[object], calls: list[object]) -> list[object]:
    """The items of a reply in the order in which the service sent them.

    Args:
        order: What was where: an object is thinking and goes back as it came; "text" and "call" are places.
        text: The text, as items of the service.
        calls: The calls, as items of the service.

    Returns:
        The thinking where it was among text and calls, whatever of these is left.
    """
    items: list[object] = []
    for entry in order:
        if isinstance(entry, dict):
            items.append(entry)
        elif entry == "text":
            items, text = [*items, *text], []
        elif calls:
            items.append(calls[0])
            calls = calls[1:]
    return [*items, *text, *calls]


def is_json_object(text: str) -> bool:
    """Whether a text is one JSON object, as services understand it: without Python's NaN and Infinity."""
    try:
        return isinstance(json.loads(text, parse_constant=refuse_constant), dict)
    except (ValueError, RecursionError):  # RecursionError: brackets nested by the thousand
        return False


_is_json_object_again = lru_cache(maxsize=1_024)(is_json_object)


def refuse_constant(constant: str) -> None:
    """For a JSON parser: Python reads NaN and Infinity, which JSON does not have.

    Raises:
        ValueError: Always.
    """
    raise ValueError(constant)
