"""The rich view on a small screen: what is drawn while an answer grows, and what stands there at the end."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from llmgine.messages.chat_messages import ToolCall, ToolResult
from llmgine.messages.translatable import tr
from programs.demo_texts import HELP, LONG_ANSWER
from programs.terminal.rich_view import RichView
from tests.programs.terminal.screen import Screen

WIDTH, HEIGHT = 60, 12


class Terminal:
    """A rich view and the screen it draws on."""

    def __init__(self) -> None:
        self._out = io.StringIO()
        self.screen = Screen(WIDTH, HEIGHT)
        self.view = RichView(
            Console(file=self._out, force_terminal=True, width=WIDTH, height=HEIGHT, highlight=False, _environ={})
        )

    @property
    def text(self) -> str:
        """What stands on the screen now, and above it."""
        self.screen.write(self._out.getvalue())
        self._out.seek(0)
        self._out.truncate()
        return self.screen.text


def rows(text: str) -> list[str]:
    """The rows that are not blank: how many of those part two blocks depends on where the text was cut."""
    return [row for row in text.split("\n") if row]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, len(LONG_ANSWER)), max_size=12))
def test_an_answer_that_grew_looks_like_one_that_came_whole(cuts: list[int]) -> None:
    """However it streamed, nothing is cut, doubled or left over, though it is much higher than the screen."""
    grown, whole = Terminal(), Terminal()

    for cut in sorted(cuts):
        grown.view.answer(LONG_ANSWER[:cut])
    grown.view.end_answer(LONG_ANSWER)
    whole.view.end_answer(LONG_ANSWER)

    assert rows(grown.text) == rows(whole.text)


def test_an_answer_that_was_taken_back_is_gone() -> None:
    """What looked like an answer and was thinking is not on the screen any more, and the next one is shown alone."""
    terminal = Terminal()
    terminal.view.answer("Let me see")
    assert "Let me see" in terminal.text

    terminal.view.answer("")
    assert "Let me see" not in terminal.text

    terminal.view.end_answer("It is so.")
    assert rows(terminal.text) == ["It is so."]


def test_the_newest_text_is_always_on_the_screen() -> None:
    """Of a block higher than the screen the end is drawn, and nothing of it goes beyond the screen."""
    terminal = Terminal()

    for number in range(40):
        terminal.view.answer("```python\n" + "".join(f"line_{n}\n" for n in range(number + 1)))
        assert rows(terminal.text)[-1].strip() == f"line_{number}"
        assert len(rows(terminal.text)) <= HEIGHT


def test_finished_blocks_are_not_drawn_again() -> None:
    """What was printed for good stays as it is while the rest grows."""
    terminal = Terminal()
    terminal.view.answer("one\n\ntwo\n\nthr")
    before = rows(terminal.text)

    terminal.view.answer("one\n\ntwo\n\nthree")

    assert before == ["one", "two", "thr"]
    assert rows(terminal.text) == ["one", "two", "three"]


def test_blocks_are_parted_by_one_blank_row() -> None:
    """Also where they were printed one by one."""
    terminal = Terminal()

    for text in ("one\n\n", "one\n\n- a\n- b\n\n", "one\n\n- a\n- b\n\nthree\n"):
        terminal.view.answer(text)
    terminal.view.end_answer("one\n\n- a\n- b\n\nthree\n")

    assert terminal.text == "one\n\n • a\n • b\n\nthree\n"


def test_a_status_leaves_no_trace() -> None:
    """What is waited for is gone as soon as something has come."""
    terminal = Terminal()

    terminal.view.status("thinking …")
    waiting = terminal.text
    terminal.view.answer("Hello")
    terminal.view.end_answer("Hello")
    terminal.view.end_turn("demo · 0.1 s")

    assert waiting == "thinking …"
    assert terminal.text == "Hello\ndemo · 0.1 s\n\n"


def test_a_line_break_is_one() -> None:
    """Chat models write one line under the other and mean it."""
    terminal = Terminal()

    terminal.view.end_answer("first\nsecond")

    assert terminal.text == "first\nsecond\n"


def test_an_address_is_shown_not_hidden() -> None:
    """A link shows where it goes."""
    terminal = Terminal()

    terminal.view.end_answer("[your bank](https://elsewhere.example)")

    assert "your bank (https://elsewhere.example)" in terminal.text


def test_results_name_their_call_where_others_stand_between() -> None:
    """Calls that run side by side can be told apart."""
    terminal = Terminal()
    calls = [ToolCall(id=f"c{n}", name="calculate", arguments=f'{{"expression": "{n}+1"}}') for n in range(2)]

    for call in calls:
        terminal.view.call(call)
    for call in calls:
        terminal.view.result(call, ToolResult(call_id=call.id, name=call.name, content=f"is {call.id}"), 0.1)

    assert terminal.text == (
        '⚙ calculate(expression="0+1")\n'
        '⚙ calculate(expression="1+1")\n'
        '  ✓ calculate(expression="0+1") 0.1 s  is c0\n'
        '  ✓ calculate(expression="1+1") 0.1 s  is c1\n'
    )


def test_a_long_result_takes_one_row_and_a_long_error_all_it_needs() -> None:
    """What went well can be short; what went wrong is to be read."""
    terminal = Terminal()
    call = ToolCall(id="c", name="calculate")

    terminal.view.call(call)
    terminal.view.result(call, ToolResult(call_id="c", name="calculate", content="long " * 100), 0.1)
    terminal.view.call(call)
    terminal.view.result(call, ToolResult(call_id="c", name="calculate", content="long " * 30, ok=False), 0.1)

    assert [row[:3] for row in rows(terminal.text)][:3] == ["⚙ c", "  ✓", "⚙ c"]
    assert terminal.text.count("long") == pytest.approx(40, abs=3)


def test_what_was_not_done_has_no_check_mark_and_people_read_words_of_their_own() -> None:
    """A call that did not do what it was asked is not ticked off; what is meant for the model is not shown."""
    terminal = Terminal()
    call = ToolCall(id="c", name="send")
    undone = ToolResult(call_id="c", name="send", content="not sent", done=False)
    denied = ToolResult(call_id="c", name="send", content="Do not try it again", ok=False, shown=tr("Ada denied this."))

    for result in (undone, denied):
        terminal.view.call(call)
        terminal.view.result(call, result, 0.1)

    assert [line.strip() for line in terminal.text.splitlines()[1::2]] == [
        "! 0.1 s  not sent",
        "✗ 0.1 s  Ada denied this.",
    ]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "   ", "\x1b[2J\x07", HELP, "[bold]x[/bold] [/] :smile: `", "a\r\nb\x08\x08"]
)
def test_any_text_is_harmless(text: str) -> None:
    """No text moves the cursor, wipes the screen or is taken for markup."""
    terminal = Terminal()
    call = ToolCall(id="c", name=text or "x", arguments=text)

    for show in (terminal.view.say, terminal.view.note, terminal.view.error, terminal.view.prompt):
        show(text)
    terminal.view.answer(text)
    terminal.view.end_answer(text)
    terminal.view.call(call)
    terminal.view.result(call, ToolResult(call_id="c", name="x", content=text), 0.1)

    assert "\x07" not in terminal.text


def test_what_turns_out_to_be_thinking_hides_nothing_of_the_answer() -> None:
    """An answer that begins again is shown whole, also where what was printed before was longer."""
    terminal = Terminal()
    terminal.view.answer("The user asks for a city.\n\nI think of Paris, and of much more.\n\nSo I will say it.")

    terminal.view.answer("")
    terminal.view.answer("Par")
    terminal.view.end_answer("Paris.\n\nIt has two million people.")

    assert rows(terminal.text)[-2:] == ["Paris.", "It has two million people."]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("The area is $\\pi r^2$.", "The area is πr²."),
        ("$$\\int_0^1 x\\,dx = \\frac{1}{2}$$", "∫₀¹ x dx = 1/2"),
        ("<details><summary>More</summary>\n\nHidden.\n\n</details>", "More\nHidden."),
        ("Tea &amp; cake, H<sub>2</sub>O", "Tea & cake, H₂O"),
        ("It costs $5 and $6.", "It costs $5 and $6."),
        ("`$x^2$ <b>`", "$x^2$ <b>"),
    ],
)
def test_what_no_terminal_renders_is_readable(written: str, shown: str) -> None:
    """Formulas, HTML and entities are shown as they are in Discord; prices and code stay as they are."""
    terminal = Terminal()

    terminal.view.end_answer(written)

    assert [row.strip() for row in rows(terminal.text)] == shown.split("\n")
