"""Tool calls that a model wrote carelessly, repaired where their meaning is certain.

Everything else stays as it came: the tool layer refuses it with an error that tells the model what to do differently.
"""

import json
import re
from collections.abc import Collection

from llmgine.messages.text import clean_text
from llmgine.providers.history_calls import refuse_constant

_JSON_BLANKS = " \t\r\n"
_BLANKS = _JSON_BLANKS + "\f\v\u00a0\u200b\u2060\ufeff"
_JSON_BLANK_RUN = re.compile(rf"[{_JSON_BLANKS}]*")
_PREFIX = re.compile(r"(?:functions?|tools?|default_api)[.:/]", re.IGNORECASE)
_FENCE_INFO = re.compile(r"\s*\w*")

_MOST_CALLS = 32  # a model that writes more objects in a row is repeating itself
_MOST_OBJECTS = 64  # with the empty ones: a megabyte of `{}` is given up early
_MOST_WRAPPINGS = 4  # fences and encodings around the objects


def repaired(name: str, arguments: str, offered: Collection[str]) -> list[tuple[str, str]]:
    """The calls that a model meant with one it wrote.

    Args:
        name: The tool's name as the model wrote it.
        arguments: The arguments as it wrote them: any text.
        offered: The names of the tools it was offered.

    Returns:
        The name and the arguments of each call, in order; at least one. What cannot be repaired is unchanged.
    """
    tool = _tool(name, offered)
    return [(tool, each) for each in _objects(arguments) or [arguments]]


def _tool(name: str, offered: Collection[str]) -> str:
    """The offered tool that the name means, or the name as it came."""
    bare = name.partition("<|")[0].strip(_BLANKS)  # gpt-oss may write its channel behind the name
    for candidate in (name, bare, _PREFIX.sub("", bare, count=1).strip(_BLANKS)):
        if candidate in offered:
            return candidate
    return name


def _objects(arguments: str) -> list[str]:
    """The JSON objects that the arguments mean, as texts; none when that is not certain."""
    text: str | None = arguments
    for _ in range(_MOST_WRAPPINGS + 1):
        if text is None:
            break
        text = text.strip(_BLANKS)
        if not text:
            return ["{}"]
        if text.startswith("{"):
            found = _in_a_row(text)
            return [arguments] if found == [arguments.strip(_JSON_BLANKS)] else found
        text = _unwrapped(text)
    return []


def _in_a_row(text: str) -> list[str]:
    """The objects that follow each other and make up the whole text; none when there is anything else in it.

    Empty objects are left out, unless there is nothing but them.
    """
    found: list[str] = []
    at = 0
    for _ in range(_MOST_OBJECTS):
        filled, end = _decode(text, at) if text.startswith("{", at) else (None, at)
        if filled is None:
            return []
        if filled:
            found.append(text[at:end])
        at = _after_blanks(text, end)
        if at == len(text):
            return (found or ["{}"]) if len(found) <= _MOST_CALLS else []
    return []


def _unwrapped(text: str) -> str | None:
    """What is inside a code fence or a JSON string; None when the text is neither."""
    if text.startswith("`"):
        return _FENCE_INFO.sub("", text.strip("`"), count=1)
    if text.startswith('"'):
        value, end = _decode(text, 0)
        if isinstance(value, str) and end == len(text):
            return clean_text(value)
    return None


def _decode(text: str, at: int) -> tuple[object, int]:
    """The JSON value that begins here and where it ends; None when there is no such value.

    An object is only whether it has anything in it.
    """
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):  # RecursionError: brackets nested by the thousand
        return None, at


def _after_blanks(text: str, at: int) -> int:
    run = _JSON_BLANK_RUN.match(text, at)
    return run.end() if run else at


# Objects that nobody looks at are not built: half of the time for a large one.
_DECODER = json.JSONDecoder(parse_constant=refuse_constant, object_pairs_hook=bool)
