"""The arguments of a call as people decide on them: each for itself, short ones first, and nothing that hides another.

Both programs show them; what is longer than there is room for is cut where it is shown, and whole in a file.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.text import clean_text, escape
from llmgine.tools.arguments import has_doubles
from llmgine.tools.encodings import UnclearTextError, decoded

FILE_NAME = "arguments.txt"
_MOST = 100  # values that are shown by themselves
_DEEPEST = 6  # objects and lists within each other that are taken apart


@dataclass(frozen=True)
class ShownArgument:
    """One value of a call's arguments.

    Attributes:
        name: What it is called, with the names it is in: `to`, `options.copies[0]`. Plain ASCII.
        value: The value. Only line ends are not escaped of what does not print.
        decoded: What it says once it is decoded; None where that is the same.
    """

    name: str
    value: str
    decoded: str | None = None

    @property
    def has_lines(self) -> bool:
        """Whether it has more than one line."""
        return "\n" in self.value


def shown_arguments(call: ToolCall) -> list[ShownArgument]:
    """The arguments of a call: those on one line first, and of these the shortest.

    What is no JSON object, or has a name twice, is one argument without a name.
    """
    parsed = call.parsed()
    try:
        values = list(_values("", parsed, 0)) if isinstance(parsed, dict) and not has_doubles(call.arguments) else []
    except RecursionError:
        values = []
    if isinstance(parsed, dict) and not parsed:
        return []
    if not values or len(values) > _MOST:
        values = [("", call.arguments)]
    shown = [_shown(name, value) for name, value in values]
    return sorted(shown, key=lambda one: (one.has_lines, len(one.value)))


def as_file(call: ToolCall) -> str:
    """All arguments of a call in full, for a file."""
    parts = [f"{escape(call.name)}\n"]
    for one in shown_arguments(call):
        parts.append(f"--- {one.name or 'arguments'} ({len(one.value)} characters)\n{one.value}\n")
        if one.decoded is not None:
            parts.append(f"--- {one.name or 'arguments'}, decoded\n{one.decoded}\n")
    return "\n".join(parts)


def _values(name: str, value: object, depth: int) -> Iterator[tuple[str, object]]:
    """The plain values in a value, with their names."""
    if depth < _DEEPEST and value and isinstance(value, dict):
        for key, inside in value.items():
            yield from _values(_joined(name, key), inside, depth + 1)
    elif depth < _DEEPEST and value and isinstance(value, list):
        for number, inside in enumerate(value):
            yield from _values(f"{name}[{number}]", inside, depth + 1)
    else:
        yield name, value


def _joined(name: str, key: str) -> str:
    """The name of a part. A key that is no plain word is quoted and in ASCII: it may look like another one."""
    if key.isascii() and key.isidentifier():
        return f"{name}.{key}" if name else key
    return f"{name}[{json.dumps(key)}]"


def _shown(name: str, value: object) -> ShownArgument:
    if not isinstance(value, str):
        return ShownArgument(name, escape(clean_text(json.dumps(value, ensure_ascii=False))))
    text = value.replace("\r\n", "\n")
    return ShownArgument(name, _plain(text), _decoded(text))


def _plain(text: str) -> str:
    """A text as it is, or in quotation marks where it may be read as something else or has blanks at its ends."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        if text and text == text.strip():
            return escape(clean_text(text), keep="\n")
    return escape(json.dumps(clean_text(text), ensure_ascii=False))


def _decoded(text: str) -> str | None:
    try:
        told = decoded(text)
    except UnclearTextError as error:
        return f"? ({error})"
    return None if told is None else escape(clean_text(told))
