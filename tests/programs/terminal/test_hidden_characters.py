"""Nothing that models, tools and other people write controls the terminal, hides in it or reorders what is there."""

import io
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from llmgine.messages.chat_messages import ToolCall, ToolResult
from llmgine.messages.text import escape
from llmgine.messages.visible_text import terminal_text, visible_text
from llmgine.sessions.records import Session
from programs.logs.texts import one_line as log_line
from programs.terminal.piped_view import PipedView
from programs.terminal.plain_view import PlainView
from programs.terminal.rich_view import RichView
from programs.terminal.view import View

SEQUENCES = (
    "\x1b[31m",
    "\x1b[2J\x1b[H",
    "\x9b1;1H",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9d52;c;ZXZpbA==\x9c",
    "\x1bPq\x1b\\",
    "\x90q\x9c",
    "\x1b_G\x1b\\",
    "\x1b^x\x1b\\",
    "\x1b(0",
    "\x1bc",
)
HIDDEN = "\0\b\r\x7f\x85\u00ad\u061c\u115f\u180e\u200b\u200e\u202e\u2066\u2069\u3164\ufeff\ufe01\U000e0041\U000e0101"
# Markdown makes characters of entities only after the text was looked at.
ENTITIES = ("&#x202e;", "&#8203;", "&#xE0041;", "&ZeroWidthSpace;", "&#x1b;[31m", "&shy;")
PIECES = st.sampled_from([*SEQUENCES, *HIDDEN, *ENTITIES, *"aé名ب🙂\u200d\ufe0f\n `*[]()<>#|-1"])
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join))
# What RichView itself writes: colours, and what moves the cursor over what it has drawn.
_OURS = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|[0-9]*A|2K)|\r")


def is_harmless(shown: str) -> bool:
    """Whether a text has no control character but newline and tab, and nothing that people do not see."""
    return visible_text(shown) == shown and "\x1b" not in shown


def show_all(view: View, text: str) -> None:
    """Have a view show a text as everything that it may come as."""
    call = ToolCall(id="1", name=text, arguments=text)
    now = datetime.now(tz=UTC)
    session = Session(id=text, name=text, title=text, scopes=(), system_prompt=None, turns=1, updated_at=now)
    view.say(text)
    view.note(text)
    view.error(text)
    view.prompt(text)
    view.status(text)
    view.call(call)
    view.result(call, ToolResult(call_id="1", name=text, content=text), 0.1)
    view.result(ToolCall(id="2", name=text), ToolResult(call_id="2", name=text, content=text, ok=False), 0.1)
    for end in range(0, len(text), 7):
        view.answer(text[:end])
    view.end_answer(text)
    view.sessions([session], None)
    view.quiet()


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("one", [*SEQUENCES, *HIDDEN], ids=repr)
def test_a_sequence_is_removed_whole(one: str) -> None:
    """No part of an escape sequence is left to be read; other hidden characters are removed, too."""
    assert terminal_text(f"a{one}b") == ("a\nb" if one == "\r" else "ab")


@pytest.mark.parametrize("one", ["\x1b]8;;https://evil.example", "\x1b]52;c;", "\x1bP", "\x1b[", "\x9b", "\x1b"])
def test_an_unfinished_sequence_ends_with_its_line(one: str) -> None:
    """What nothing ends hides no more than the rest of its line."""
    assert terminal_text(f"a{one}\nb") == "a\nb"


@given(TEXTS, TEXTS)
def test_cleaning_is_stable_as_a_text_grows(text: str, more: str) -> None:
    """What was shown of a growing answer stays its beginning, also where it was cut within a sequence."""
    assert terminal_text(text + more).startswith(terminal_text(text))
    assert is_harmless(terminal_text(text))


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_a_plain_view_shows_nothing_hidden(text: str) -> None:
    """On a screen and in a pipe alike: what is piped may end in a terminal."""
    for out in (io.StringIO(), Screen()):
        err = io.StringIO()
        show_all(PlainView(out, err), text)
        assert is_harmless(out.getvalue())
        assert is_harmless(err.getvalue())


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_a_rich_view_shows_nothing_hidden(text: str) -> None:
    """Of what is written to the screen all but the view's own colours and cursor is harmless, Markdown included."""
    screen, out = Screen(), io.StringIO()
    console = Console(file=screen, force_terminal=True, width=60, height=12, highlight=False, _environ={})
    show_all(RichView(console), text)
    show_all(PipedView(console, out), text)

    assert is_harmless(_OURS.sub("", screen.getvalue()))
    assert is_harmless(out.getvalue())


@given(TEXTS)
def test_a_line_of_the_log_shows_what_is_hidden(text: str) -> None:
    """The log viewer escapes: there people want to see that it is there."""
    line = log_line(text, 200)

    assert "\n" not in line
    assert line.isprintable()
    assert not set(line) & set(HIDDEN)


@pytest.mark.parametrize("one", "\u034f\u115f\u3164\u17b4\ufe00\U000e0101\u202e\U000e0041")
def test_what_is_exact_is_in_escapes(one: str) -> None:
    """Where every character matters, as in a call that waits for approval, none is without a sign of it."""
    assert one not in escape(f"pay{one}pal")
    assert re.fullmatch(r"pay(\\u[0-9a-f]{4})+pal", escape(f"pay{one}pal"))
