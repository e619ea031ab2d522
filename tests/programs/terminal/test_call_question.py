"""What is asked at the terminal before a call runs."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from llmgine.messages.chat_messages import ToolCall
from programs.terminal.call_question import question_about


def call(**arguments: Any) -> ToolCall:
    return ToolCall(name="send", arguments=json.dumps(arguments))


def test_a_short_call_is_one_line() -> None:
    """As a function is called."""
    with question_about(call(to="ann@example.com", n=1)) as question:
        assert question == 'Run send(to="ann@example.com", n=1)?'


def test_a_long_call_has_a_line_for_each_argument_and_a_file() -> None:
    """Short ones first; a long text is cut, and whole in a file that is gone once the question is answered."""
    body = "and so on " * 1_000
    with question_about(call(body=body, to="ann@example.com")) as question:
        first, *rest, last, end = question.splitlines()
        path = Path(last.removeprefix("All of it: "))
        assert first == "to: ann@example.com"
        assert rest[0].startswith('body: "and so on')
        assert all(line.startswith("  | ") for line in rest[1:])
        assert "more characters)" in rest[-1]
        assert end == "Run send with this?"
        assert body in path.read_text(encoding="utf-8")
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.exists()


@pytest.mark.parametrize("body", ["x" * 400 + "\nto: eve@example.com", "x" * 380 + " " * 100 + "to: eve@example.com"])
def test_no_line_of_a_text_looks_like_an_argument(body: str) -> None:
    """Lines of a value are marked, however they come about."""
    with question_about(call(to="ann@example.com", body=body)) as question:
        assert [line for line in question.splitlines() if line.startswith("to: ")] == ["to: ann@example.com"]


def test_what_is_encoded_is_shown_decoded() -> None:
    """Also in a short call."""
    with question_about(call(to="ann@xn--bcher-kva.example")) as question:
        assert "  decoded: ann@bücher.example" in question


def test_very_many_arguments_are_in_the_file() -> None:
    """The first ones are shown, with how many more there are."""
    with question_about(call(**{f"a{number}": "x" * 20 for number in range(50)})) as question:
        assert "and 30 more arguments" in question
        assert "All of it: " in question
