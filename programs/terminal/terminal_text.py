"""How things read in the terminal: hostile text made harmless, calls and results on one line, the footer."""

import json
import re
from collections.abc import Sequence

from llmgine.messages.chat_messages import Source, ToolCall, Usage
from llmgine.messages.text import collapse_spaces, escape, shorten
from llmgine.messages.visible_text import terminal_text
from llmgine.sessions.records import Session

LONGEST_RESULT = 200  # characters of a result on its line
LONGEST_CALL = 300  # characters of a call on its line

_MOST_SOURCES = 5  # of an answer that are named

clean = terminal_text  # what every text is passed through that goes to the terminal, or to a pipe that may end in one


def one_line(text: str, longest: int) -> str:
    """The text on one line, with nothing hidden in it, cut to `longest` characters."""
    return shorten(collapse_spaces(clean(text[: longest * 8])), longest)


def call_text(call: ToolCall) -> str:
    """A call with its exact arguments, whole, on one line: `get_weather(location="Paris")`."""
    arguments = call.parsed()
    if isinstance(arguments, dict):
        inside = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items())
    else:
        inside = call.arguments
    return escape(f"{call.name}({inside})")


def short_call(call: ToolCall) -> str:
    """A call on one line, cut where it is long."""
    return one_line(call_text(call), LONGEST_CALL)


def footer(model: str, usage: Usage, seconds: float, *, demo: bool) -> str:
    """The last line of an answer: model, tokens and how many of them were thinking (if counted), seconds."""
    name = f"{one_line(model, 80)} (offline demo)" if demo else one_line(model, 80)
    tokens = usage.input_tokens + usage.output_tokens
    thinking = f" ({usage.thinking_tokens:,} thinking)" if usage.thinking_tokens else ""
    counted = [f"{tokens:,} tokens{thinking}"] if tokens else []
    return re.sub(r"\s+", " ", " · ".join([name, *counted, f"{seconds:.1f} s"]))


def sources_lines(sources: Sequence[Source]) -> list[str]:
    """The pages that an answer was made of, each with its address, and how many more there are."""
    lines = [f"Source: {' '.join(filter(None, (one_line(one.name, 80), one.url)))}" for one in sources[:_MOST_SOURCES]]
    more = len(sources) - _MOST_SOURCES
    return [*lines, f"Sources: {more} more"] if more > 0 else lines


def label(session: Session) -> str:
    """What a session is called, on one line."""
    return one_line(session.title or session.name, 60)
