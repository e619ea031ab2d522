"""The plain view on two streams: what was asked for on one, everything else on the other."""

import io

from llmgine.messages.chat_messages import ToolCall, ToolResult
from programs.terminal.plain_view import PlainView

CALL = ToolCall(id="1", name="look_up", arguments="{}")


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def show_turn(view: PlainView) -> None:
    """A turn with a call, whose answer took back its first words."""
    view.note("session 1")
    view.call(CALL)
    view.result(CALL, ToolResult(call_id="1", name="look_up", content="found"), 0.1)
    view.answer("Perh")
    view.end_answer("It is **so**.")
    view.end_turn("model · 1 s")
    view.error("too bad")


def test_answers_are_alone_on_their_stream() -> None:
    """Whole, and ending in a line break; what a model took back was never written."""
    out, err = io.StringIO(), io.StringIO()

    show_turn(PlainView(out, err))

    assert out.getvalue() == "It is **so**.\n"
    assert err.getvalue() == "note: session 1\ntool: look_up()\nresult: found\n-- model · 1 s\nerror: too bad\n"


def test_on_a_screen_answers_grow() -> None:
    """What is there is written at once; only if it was taken back is the answer written again."""
    out = Screen()
    view = PlainView(out, io.StringIO())

    view.answer("It is")
    assert out.getvalue() == "It is"
    view.end_answer("It is so.")

    assert out.getvalue() == "It is so.\n"


def test_what_is_shown_aside_is_no_answer() -> None:
    """It goes to the other stream, and the next answer to its own again."""
    out, err = io.StringIO(), io.StringIO()
    view = PlainView(out, err)

    with view.aside():
        view.end_answer("of yesterday")
    view.end_answer("of today")

    assert (out.getvalue(), err.getvalue()) == ("of today\n", "of yesterday\n")
