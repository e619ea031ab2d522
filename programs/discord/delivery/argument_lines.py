"""The arguments of a call that waits for approval, as lines of its card."""

import re

from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.text import shorten
from llmgine.messages.translatable import Language, Text, tr, tr_many
from programs.shown_arguments import ShownArgument, shown_arguments

_LEAST = 20  # characters of a value that say anything
_MOST_LINES = 12  # of one value
_MOST_NAME = 60
_PLAIN_NAME = re.compile(r"[\w.\[\]]+", re.ASCII)  # of which Discord makes nothing else but for `_`


def argument_lines(call: ToolCall, room: int, language: Language) -> tuple[str, bool]:
    """The arguments in at most `room` characters, and whether that is all of them.

    Each has its share of the room, and what a short one does not need is for the longer ones after it. Names are bold
    and values are code, so that no value can look like another argument.
    """
    shown = shown_arguments(call)
    lines: list[str] = []
    whole = True
    room -= len(language.say(_beyond(len(shown)))) + 1
    for number, argument in enumerate(shown):
        share = room // (len(shown) - number) - 1
        line, all_of_it = _whole(argument, language), True
        if len(line) > share or argument.value.count("\n") >= _MOST_LINES:
            line, all_of_it = _cut(argument, share, language), False
        if not line:
            lines.append(language.say(_beyond(len(shown) - number)))
            return "\n".join(lines), False
        lines.append(line)
        whole = whole and all_of_it
        room -= len(line) + 1
    return "\n".join(lines), whole


def _beyond(arguments: int) -> Text:
    return tr_many("… and {count} more argument", "… and {count} more arguments", arguments)


def _more(characters: int) -> Text:
    return tr("… and {characters} more characters", characters=characters)


def _whole(argument: ShownArgument, language: Language) -> str:
    """An argument in full."""
    return _line(argument, argument.name, argument.value, *_notes(argument.decoded, language))


def _cut(argument: ShownArgument, room: int, language: Language) -> str:
    """As much of an argument as fits, and how much is missing; "" where there is no room for that."""
    name = shorten(argument.name, _MOST_NAME)
    decoded = argument.decoded and shorten(argument.decoded, max(10, room // 3))
    notes = [language.say(_more(len(argument.value))), *_notes(decoded, language)]
    left = room - len(_line(argument, name, "", *notes))
    if left < _LEAST:
        return ""
    value = "\n".join(argument.value[:left].split("\n")[:_MOST_LINES])
    missing = len(argument.value) - len(value)
    return _line(argument, name, value, *([language.say(_more(missing))] if missing else []), *notes[1:])


def _notes(decoded: str | None, language: Language) -> list[str]:
    return [] if decoded is None else [language.say(tr("decoded: {text}", text=_code(decoded)))]


def _line(argument: ShownArgument, name: str, value: str, *notes: str) -> str:
    if argument.has_lines:
        block = value.replace("```", "ˋˋˋ")
        return "\n".join([f"{_head(name)}```\n{block}\n```", *([" ".join(notes)] if notes else [])])
    return " ".join([f"{_head(name)}{_code(value)}", *notes])


def _head(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name):
        return "**{}** ".format(name.replace("_", "\\_"))
    return f"**{_code(name)}** " if name else ""


def _code(text: str) -> str:
    return "`{}`".format(text.replace("`", "ˋ"))
