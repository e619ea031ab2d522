"""Text made fit for a line, for little room and for a terminal."""

import json

from hypothesis import given
from hypothesis import strategies as st

from llmgine.messages.text import collapse_spaces, escape, shorten


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3))
def test_escaped_json_says_the_same(data: dict[str, str]) -> None:
    """Escapes change how JSON looks, not what it says, and all of it prints."""
    text = escape(json.dumps(data, ensure_ascii=False, indent=1), keep="\n")

    assert json.loads(text) == data
    assert all(c.isprintable() or c == "\n" for c in text)


@given(st.text())
def test_escaped_text_is_one_line_that_prints(text: str) -> None:
    """No character is left that could break the line or command a terminal."""
    assert escape(text).isprintable()


def test_shortened_text_says_so() -> None:
    """What fits stays as it is; what does not ends in an ellipsis, which counts."""
    assert shorten("x" * 10, 10) == "x" * 10
    assert shorten("x" * 11, 10) == "x" * 9 + "…"


def test_white_space_collapses() -> None:
    """Words are a space apart, whatever stood between them."""
    assert collapse_spaces(" a\n b\t\r\n\u2028c ") == "a b c"
