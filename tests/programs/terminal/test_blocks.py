"""Where growing Markdown is finished."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.demo_texts import LONG_ANSWER
from programs.terminal.blocks import finished


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("", ""),
        ("one", ""),
        ("one\n", ""),
        ("one\n\n", ""),
        ("one\n\ntwo", ""),
        ("one\n\ntwo\n", "one\n\n"),
        ("one\n# two\n", "one\n"),
        ("one\n#two\n", ""),
        ("- a\n- b\n\n", ""),
        ("- a\n\n  more of a\n", ""),
        ("- a\n\nno more of a\n", "- a\n\n"),
        ("```\none\n\ntwo\n", ""),
        ("```\none\n```\n\ntwo\n", "```\none\n```\n\n"),
        ("a | b\n--|--\n1 | 2\n", ""),
        ("a | b\n--|--\n1 | 2\n\nend\n", "a | b\n--|--\n1 | 2\n\n"),
        ("> one\ntwo\n", ""),
        ("one\n\n---\n", "one\n\n"),
        ("one\n---\n", ""),
    ],
)
def test_all_but_the_last_block_are_finished(text: str, done: str) -> None:
    """The last one may still grow, and so may a line without an end."""
    assert text[: finished(text)] == done


@given(st.integers(0, len(LONG_ANSWER)), st.integers(0, len(LONG_ANSWER)))
def test_what_is_finished_stays_finished(first: int, second: int) -> None:
    """More text never takes a finished block back."""
    shorter, longer = sorted((first, second))

    assert finished(LONG_ANSWER[:shorter]) <= finished(LONG_ANSWER[:longer])
