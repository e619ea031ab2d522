"""How texts, calls and footers read in the terminal."""

import json

import pytest

from llmgine.messages.chat_messages import ToolCall, Usage
from programs.terminal.terminal_text import call_text, footer, one_line, short_call


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"location": "San Francisco"}', 'f(location="San Francisco")'),
        ('{"a": 1, "b": [true, null], "c": "é"}', 'f(a=1, b=[true, null], c="é")'),
        ("{}", "f()"),
        ('{"a": "x\\ny\\u202e\\ud800"}', r'f(a="x\ny\u202e\ud800")'),
        ("[1]", "f([1])"),
        ("{broken\n\x1b", r"f({broken\n\u001b)"),
        ("[" * 100_000, f"f({'[' * 100_000})"),
    ],
)
def test_a_call_is_shown_with_its_exact_arguments(arguments: str, text: str) -> None:
    """Whole and on one line, also what is malformed; what could deceive is in escapes."""
    assert call_text(ToolCall(name="f", arguments=arguments)) == text


def test_short_texts_fit() -> None:
    """One line of at most so many characters, with a sign that something is missing."""
    assert one_line("a\n b\t\tc", 10) == "a b c"
    assert one_line("x" * 11, 10) == "x" * 9 + "…"
    assert len(short_call(ToolCall(name="f", arguments=json.dumps({"x": "y" * 10_000})))) == 300


def test_the_footer_leaves_out_what_is_not_known() -> None:
    """Model, tokens where they were counted, seconds; the demo model is named as what it is."""
    assert footer("gpt", Usage(input_tokens=1000, output_tokens=234), 1.26, demo=False) == "gpt · 1,234 tokens · 1.3 s"
    thought = Usage(input_tokens=1000, output_tokens=234, reasoning_tokens=200)
    assert footer("gpt", thought, 1.26, demo=False) == "gpt · 1,234 tokens (200 thinking) · 1.3 s"
    assert footer("demo", Usage(), 0, demo=True) == "demo (offline demo) · 0.0 s"
