"""The question whether a call may run: with all its arguments on the screen, or in a file where they are too long."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.text import shorten
from programs.shown_arguments import FILE_NAME, ShownArgument, as_file, shown_arguments
from programs.terminal.terminal_text import LONGEST_CALL, call_text, one_line

_MOST = 600  # characters of a value
_MOST_LINES = 12  # of a value
_WIDTH = 60  # characters of a line
_MOST_ARGUMENTS = 20
_MOST_NAME = 60


@contextlib.contextmanager
def question_about(call: ToolCall) -> Iterator[str]:
    """The question. A file that it names is there inside the block, for its owner only.

    A short call is one line. The arguments of a longer one have lines of their own, the short ones first.

    Raises:
        OSError: The file cannot be written.
    """
    text = call_text(call)
    shown = shown_arguments(call)
    if len(text) <= LONGEST_CALL and all(one.decoded is None for one in shown):
        yield f"Run {text}?"
        return
    lines = [line for one in shown[:_MOST_ARGUMENTS] for line in _lines(one)]
    if len(shown) > _MOST_ARGUMENTS:
        lines.append(f"and {len(shown) - _MOST_ARGUMENTS} more arguments")
    with _file(call) if len(shown) > _MOST_ARGUMENTS or any(map(_is_cut, shown)) else contextlib.nullcontext() as path:
        lines += [f"All of it: {path}"] if path else []
        yield "\n".join([*lines, f"Run {one_line(call.name, 64)} with this?"])


@contextlib.contextmanager
def _file(call: ToolCall) -> Iterator[Path]:
    """A file with all arguments, in a new folder that only its owner may open."""
    with tempfile.TemporaryDirectory(prefix="llmgine-") as folder:
        path = Path(folder, FILE_NAME)
        path.write_text(as_file(call), encoding="utf-8")
        yield path


def _lines(argument: ShownArgument) -> Iterator[str]:
    """An argument: its name and value, and the value decoded."""
    value = _start(argument)
    missing = len(argument.value) - len(value)
    more = f" (and {missing:,} more characters)" if missing else ""
    yield f"{shorten(argument.name, _MOST_NAME) or 'arguments'}: {_marked(value)}{more}"
    if argument.decoded is not None:
        yield f"  decoded: {_marked(shorten(argument.decoded, _MOST))}"


def _is_cut(argument: ShownArgument) -> bool:
    return len(_start(argument)) < len(argument.value) or len(argument.decoded or "") > _MOST


def _start(argument: ShownArgument) -> str:
    return "\n".join(argument.value[:_MOST].split("\n")[:_MOST_LINES])


def _marked(value: str) -> str:
    """A value in lines that fit the screen; those after the first are marked, so that none looks like an argument."""
    pieces = [line[at : at + _WIDTH] for line in value.split("\n") for at in range(0, max(1, len(line)), _WIDTH)]
    return "\n  | ".join(pieces)
