"""Discord's marks in a text, such as `<@1>`: which there are outside of code, and how those that name themselves read.

In code, and behind a backslash, a mark is only text: Discord shows it as it was typed, and it addresses nobody.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

# A pair of possessive runs of backticks is looked for only once from where it begins, so that no text takes long.
_TOKEN = re.compile(
    r"\\[^\w\s]"
    r"|```.+?```"
    r"|(?<!`)(?P<run>`++).*?(?<!`)(?P=run)(?!`)"
    r"|(?P<mark><(?:@[!&]?\d{1,20}|#\d{1,20}|/[^<>:\n]{1,100}:\d{1,20}|a?:\w{1,40}:\d{1,20}|t:-?\d{1,15}(?::[a-zA-Z])?)>)",
    re.DOTALL,
)
_COMMAND = re.compile(r"<(/[^:]+):\d+>")
_EMOJI = re.compile(r"<a?(:\w+:)\d+>")
_TIME = re.compile(r"<t:(-?\d+)(?::(\w))?>")
_LATEST = 253_402_300_799  # seconds since 1970 that a date can say


def marks_in(text: str) -> Iterator[str]:
    """The marks in a text that are not in code."""
    return (found["mark"] for found in _TOKEN.finditer(text) if found["mark"] is not None)


def rewritten(text: str, change: Callable[[str], str]) -> str:
    """The text with each of its marks that are not in code as `change` makes it."""
    return _TOKEN.sub(lambda found: found[0] if found["mark"] is None else change(found["mark"]), text)


def readable(text: str) -> str:
    """The text with slash commands, custom emoji and times as they read; people, roles and channels stay marks."""
    return rewritten(text, readable_mark)


def readable_mark(mark: str) -> str:
    """One mark as it reads; one of a person, role or channel stays as it is."""
    named = _COMMAND.fullmatch(mark) or _EMOJI.fullmatch(mark)
    if named is not None:
        return named[1]
    time = _TIME.fullmatch(mark)
    return mark if time is None else _time(int(time[1]), time[2]) or mark


def addressed_in(text: str) -> set[str]:
    """The marks of the people and roles that a text addresses; those of people without an exclamation mark."""
    return {mark.replace("!", "") for mark in marks_in(text) if mark.startswith("<@")}


def _time(seconds: int, style: str | None) -> str | None:
    if not 0 <= seconds <= _LATEST:
        return None
    when = datetime.fromtimestamp(seconds, UTC)
    if style in ("d", "D"):
        return f"{when:%Y-%m-%d}"
    return f"{when:%H:%M} UTC" if style in ("t", "T") else f"{when:%Y-%m-%d %H:%M} UTC"
