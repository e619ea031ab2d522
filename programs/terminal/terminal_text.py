"""How things read in the terminal: hostile text made harmless, calls and results on one line, the footer."""

import json
import re
from collections.abc import Mapping

from llmgine.messages.chat_messages import ToolCall, Usage
from llmgine.messages.text import collapse_spaces, escape, shorten

LONGEST_RESULT = 200  # characters of a result on its line
LONGEST_CALL = 300  # characters of a call on its line

# Every control character but newline and tab: they move the cursor, change the title, or hide text.
_CONTROLS: Mapping[int, None] = dict.fromkeys(c for c in (*range(0x20), *range(0x7F, 0xA0)) if c not in {0x09, 0x0A})


def clean(text: str) -> str:
    """The text without control characters other than newline and tab, so that it cannot control the terminal."""
    return text.translate(_CONTROLS)


def one_line(text: str, longest: int) -> str:
    """The text on one line, without control characters, cut to `longest` characters."""
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
    """The last line of an answer: model, tokens (where the service counts them), seconds."""
    name = f"{one_line(model, 80)} (offline demo)" if demo else one_line(model, 80)
    tokens = usage.input_tokens + usage.output_tokens
    counted = [f"{tokens:,} tokens"] if tokens else []
    return re.sub(r"\s+", " ", " · ".join([name, *counted, f"{seconds:.1f} s"]))
