"""Markdown as models write it, shown as Discord renders it: through the real bot, by examples and by properties."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import wcswidth

from programs.application import NOTES
from programs.bench.safety.discord_markdown import findings, without_spoilers
from programs.discord.delivery.bodies import bodies_of, file_of, preview_of
from programs.discord.delivery.discord_markdown import COLUMNS, discord_markdown
from programs.discord.delivery.lengths import shortened, units
from programs.discord.delivery.splitting import parts_of, split
from programs.markdown.formulas import readable
from tests.programs.discord.scene import Scene, body_of

MOST = 2_000  # UTF-16 units of a message
INPUTS = {
    one["id"]: one["input"]
    for one in json.loads((Path(__file__).parent / "data" / "markdown.json").read_text(encoding="utf-8"))
}
FAMILY = "👨\u200d👩\u200d👧"


def shown(text: str) -> str:
    """A short text as it is shown."""
    return discord_markdown(text, MOST)


def code_of(content: str) -> list[str]:
    """The lines of the one block of code that a message is."""
    found = re.fullmatch(r"```\w*\n([\s\S]*)\n```", content)
    assert found is not None, content
    return found[1].split("\n")


def _narrow(parts: list[str]) -> None:
    assert code_of(parts[0]) == ["Fruit  Price", "─────  ─────", "apple   1.20", "fig     0.40"]


def _wide(parts: list[str]) -> None:
    assert "- **alpha** · What it does: reads the sensor" in parts[0]
    assert "```" not in parts[0]
    assert "|" not in parts[0]


def _empty_cell(parts: list[str]) -> None:
    assert "||" not in parts[0]
    assert code_of(parts[0])[2:] == ["1     3", "4     6"]


def _wide_characters(parts: list[str]) -> None:
    lines = code_of(parts[0])
    assert all(wcswidth(line[: line.index(sign)]) == 6 for line, sign in zip(lines[2:], "12", strict=True))
    assert wcswidth(lines[0].partition("値")[0]) == 6


def _four_backticks(parts: list[str]) -> None:
    assert parts[0].count("```") == 2
    assert "ˋˋˋpython\nprint(1)\nˋˋˋ" in parts[0]
    assert parts[0].endswith("```\nAfter.")


def _all_in(mark: str) -> Callable[[list[str]], None]:
    def check(parts: list[str]) -> None:
        assert len(parts) > 1
        assert all(part.startswith(mark) and part.endswith(mark) for part in parts)

    return check


def _quoted(parts: list[str]) -> None:
    assert len(parts) > 1
    assert all(line.startswith("> ") for part in parts for line in part.split("\n"))


def _whole_families(parts: list[str]) -> None:
    assert all(part.replace(FAMILY, "").strip("x") == "" for part in parts)


def _accepted(parts: list[str]) -> None:
    assert all(units(part) <= MOST and part.count("🇩") == part.count("🇪") for part in parts)


def _is(text: str) -> Callable[[list[str]], None]:
    def check(parts: list[str]) -> None:
        assert parts == [text]

    return check


RIGHT: dict[str, Callable[[list[str]], None]] = {
    "table-narrow": _narrow,
    "table-wide": _wide,
    "table-empty-cell": _empty_cell,
    "table-wide-chars": _wide_characters,
    "four-backticks": _four_backticks,
    "lone-fence": _is("Write ˋˋˋ on a line of its own. Then go on."),
    "tilde-fence": _is("```python\nprint(1)\n```"),
    "long-spoiler": _all_in("||"),
    "long-bold": _all_in("**"),
    "block-quote-to-end": _quoted,
    "zwj-at-the-cut": _whole_families,
    "flags": _accepted,
    "heading-five": _is("**Small heading**\ntext"),
    "formula": _is("The area is πr² and ∫₀¹ x dx = 1/2"),
    "task-list": _is("- ☐ buy milk\n- ☑ call Bo"),
    "image-syntax": _is("a chart (<https://example.org/c.png>)"),
}


@pytest.mark.parametrize("name", INPUTS)
async def test_what_failed_once_is_shown_right(scene: Scene, name: str) -> None:
    """Each input is shown by the real bot as it should be, and no message is refused."""
    scene.model.reply(INPUTS[name])
    scene.ask("tell me")

    await scene.outcome()

    parts = [body_of(message.content) for message in scene.shown()]
    assert all(units(message.content) <= MOST for message in scene.shown())
    RIGHT[name](parts)


async def test_the_model_is_told_what_discord_renders(scene: Scene) -> None:
    """One line of the system text says it, whatever else is in there."""
    scene.model.reply("Hi.")
    scene.ask("hello")
    await scene.outcome()

    system = scene.model.requests[-1]["messages"][0]["content"]
    assert system.count(NOTES["discord"]) == 1
    assert "\n" not in NOTES["discord"]


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("Title\n=====\ntext", "# Title\ntext"),
        ("Title\n---\ntext", "## Title\ntext"),
        ("a\n\n---\n\nb", "a\n\n──────────\n\nb"),
        ("a\n\n* * *\n\nb", "a\n\n──────────\n\nb"),
        ("#### A **bold** one ##", "**A bold one**"),
        ("> ###### Deep", "> **Deep**"),
        ("# One\n## Two\n### Three", "# One\n## Two\n### Three"),
        ("+ a\n1) b\n* [X] c", "- a\n1. b\n* ☑ c"),
        (">no space\n>> nested", "> no space\n> nested"),
        (">>> one\ntwo", "> one\n> two"),
        ("see[^1] and[^why]\n\n[^1]: Because.", "see¹ and[why]\n\n¹ Because."),
        ("Tea &amp; &lt;b&gt; &#42;x&#42; &copy;", "Tea & \\<b\\> \\*x\\* ©"),
        ("a&#x202e;b&#8203;c", "abc"),
        ("one<br>two<br/>\nthree", "one\ntwo\nthree"),
        ("<b>bold</b> <em>it</em> <kbd>Esc</kbd> H<sub>2</sub>O 10<sup>-3</sup>", "**bold** *it* `Esc` H₂O 10⁻³"),
        ("<details>\n<summary>More</summary>\n\nHidden.\n\n</details>", "**More**\n\nHidden.\n"),
        ('<a href="https://e.example/a">words</a> <img src="https://e.example/b" alt="cat">',
         "[words](https://e.example/a) [cat](https://e.example/b)"),
        ("List<int>, Vec<u>, a<b and c>d, <T>", "List<int>, Vec<u>, a<b and c>d, <T>"),
        ("a <!-- note --> b", "a  b"),
        ("It costs $5 and $6, or $10-$20, or US$ 3.", "It costs $5 and $6, or $10-$20, or US$ 3."),
        ("$HOME and $PATH, `$x$`", "$HOME and $PATH, `$x$`"),
        (r"\(a^2\) \[\sqrt{2}\] $\alpha_1$ $x$", "a² √2 α₁ x"),
        (r"$\begin{matrix}1&2\end{matrix}$", r"`\begin{matrix}1&2\end{matrix}`"),
        ("```math\n\\frac{1}{2}\n```", "> 1/2\n"),
        ("```latex\n\\begin{a}\n```", "```latex\n\\begin{a}\n```"),
        ("a ```code``` b", "a `code` b"),
        ("Here: ```py\nx\n```\nend", "Here: \n```py\nx\n```\nend"),
        ("1. a\n   ```py\n   x\n     y\n   ```\n2. b", "1. a\n```py\nx\n  y\n```\n2. b"),
        ("> ```py\n> a\n> ```\n> b", "```py\na\n```\n> b"),
        ("p\n\n    code\n    more\n\nend", "p\n\n```\ncode\nmore\n```\n\nend"),
        ("- item\n\n    more of it", "- item\n\n    more of it"),
        ("Term\n: meaning", "**Term**\n- meaning"),
        ("the [docs][1]\n\n[1]: https://e.example", "the [docs] [1]\n\n[1]: https://e.example"),
        ("```\n| a | b |\n|---|---|\n```", "```\n| a | b |\n|---|---|\n```"),
        ("a | b\n--|--:\n1 | 22\n\nend", "```\na   b\n─  ──\n1  22\n```\n\nend"),
        ("| a |\n|---|\n| 1 |", "```\na\n─\n1\n```"),
        ("| a\n|---\n| 1", "```\na\n─\n1\n```"),
        ("a | b\n---\ntext", "## a | b\ntext"),
        ("> | a | b |\n> |---|---|\n> | 1 | 2 |", "```\na  b\n─  ─\n1  2\n```"),
        ("| a | b |\n|---|---|\n| `x|y` | p\\|q |\n| 1 |\n| 1 | 2 | 3 |",
         "```\na    b\n───  ───\nx|y  p|q\n1\n1    2    3\n```"),
        ("| a | b |\n|:-:|---|\n| long | **x** [y](https://e.example) |",
         "```\n a    b\n────  ───────────────────────\nlong  x y (https://e.example)\n```"),
    ],
)  # fmt: skip
def test_how_it_is_shown(written: str, made: str) -> None:
    """Each kind of markup in the form that Discord renders."""
    assert shown(written) == made


def test_a_wide_table_with_two_columns_is_a_list_of_names_and_values() -> None:
    """The head is said once; bars in a cell hide nothing."""
    written = f"| Name | Value |\n|---|---|\n| a | {'long ' * 12}|\n| b | x \\|\\| y \\|\\| z |"

    assert shown(written) == f"__Name · Value__\n- **a** · {('long ' * 12).strip()}\n- **b** · x \\|\\| y \\|\\| z"
    assert "y" in without_spoilers(shown(written))


@pytest.mark.parametrize("cell", ["1", "a word " * 6])
def test_a_table_in_several_messages_has_its_head_in_each(cell: str) -> None:
    """As code or as a list: every message says what the columns are, and every row is there once."""
    table = "| Row | Value |\n|---|---|\n" + "".join(f"| r{number}. | {cell} |\n" for number in range(150))

    parts = split(table)

    assert len(parts) > 1
    assert all("Row" in part.split("\n")[min(1, part.startswith("```"))] and "Value" in part for part in parts)
    assert re.findall(r"r\d+\.", "".join(parts)) == [f"r{number}." for number in range(150)]
    assert all("|" not in part for part in parts)


@pytest.mark.parametrize(
    "token",
    [
        "<:name:123456789>",
        "<t:1700000000:R>",
        "<@123456789>",
        "[some words](https://e.example/a)",
        FAMILY,
        "👍🏽",
        "🇩🇪",
        "e\u0301",
        "❤️",
        "1️⃣",
        "$a^2$",
        "`some code`",
        "&amp;",
        "**some words**",
        "~~some words~~",
        "||some words||",
    ],
)
def test_what_is_one_is_not_cut(token: str) -> None:
    """Wherever it is when the message is full, it is in one message as a whole, or closed and opened again."""
    whole = split(token)[0]
    for before in range(1_700, 1_790):
        parts = split("x" * (before - 100) + " " + "y" * 99 + token + " " + "z" * 300)
        assert any(whole in part for part in parts), (before, [part[-40:] for part in parts])


PIECES = st.sampled_from(
    [
        "word ", "a", "\n", "\n\n", "```python\nx = 1\n```\n", "````md\n```\ny\n```\n````\n", "~~~\ncode\n~~~\n", "`x`",
        "- item\n", "> quote\n", ">>> all\n", "| a | b |\n|---|---|\n| 1 | 2 |\n", "| 1 || 3 |\n", "# Title\n",
        "##### Small\n", "https://example.com/a_b ", "**bold** ", "**", "__", "~~", "*it* ", "_it_ ", "é", "🙂", FAMILY,
        "🇩🇪", "<:n:123>", "<@1>", "[t](https://e.example)", "![i](https://e.example)", "$x^2$", "$5 ", "\\(a\\)",
        "&amp;", "<br>", "<b>", "</b>", "---\n", "===\n", "    indented\n", "\t", "1) one\n", "- [x] done\n", "x" * 70,
        "[^1]", "\\", "```", "``` ", "|", ": term\n", "<details>\n", "[r][1]", "<!--",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=80).map("".join)
LONG_TEXTS = st.lists(PIECES, min_size=100, max_size=700).map("".join)
THOROUGH = settings(max_examples=200, deadline=None)


@THOROUGH
@given(TEXTS, st.integers(40, 300))
def test_every_part_fits_and_closes_what_it_opens(text: str, limit: int) -> None:
    """Whatever was written and wherever it was cut; Discord takes every part, and nothing in one is more than text."""
    closing = len("\n```||**__~~**_")
    for part in split(text, limit):
        assert units(part) <= limit + closing
        assert part.count("```") % 2 == 0
        assert part.strip()


@THOROUGH
@given(LONG_TEXTS)
def test_messages_are_taken_safe_and_final(text: str) -> None:
    """No message is too long by any count, none is unsafe, and no finished one changes while the text grows."""
    whole = [str(body["content"]) for body in bodies_of(text) if file_of(body) is None]

    assert all(units(part) <= 1_900 for part in whole)
    assert [one for part in whole for one in findings(part)] == []
    for length in range(0, len(text), 173):
        before = [body["content"] for body in preview_of(text[:length])][:-1]
        assert before == whole[: len(before)]


@THOROUGH
@given(TEXTS, TEXTS, st.integers(40, 300))
def test_parts_stay_as_the_text_grows(text: str, more: str, limit: int) -> None:
    """All parts of a text but the last are the first parts of any text that begins with it."""
    finished = split(text, limit)[:-1]

    assert split(text + more, limit)[: len(finished)] == finished


WORDS = st.lists(
    st.sampled_from(["- {}\n", "> {}\n", "{} ", "**{}** ", "\n\n{}\n\n", "##### {}\n",
                     "| {} | x |\n|---|---|\n| y | z |\n\n",
                     "\n```py\n{}\n```\n", "\n~~~\n{}\n~~~\n", "\n````\n```\n{}\n```\n````\n", "||{}|| ", "🙂{} "]),
    max_size=120,
)  # fmt: skip


@THOROUGH
@given(WORDS, st.integers(60, 400))
def test_no_word_is_lost(kinds: list[str], limit: int) -> None:
    """Every word of a text is shown, in its order; only the head of a table may be said again."""
    text = "".join(kind.format(f"w{number}w") for number, kind in enumerate(kinds))

    said = re.findall(r"w\d+w", "\n".join(split(text, limit)))

    assert list(dict.fromkeys(said)) == [f"w{number}w" for number in range(len(kinds))]


@THOROUGH
@given(
    st.lists(
        st.sampled_from(["secret ", "secret\n", "secret\n\n", "**secret** ", "secret. ", "🙂", "- secret\n"]),
        min_size=1,
        max_size=200,
    ),
    st.lists(st.sampled_from(["open ", "open\n\n", "- open\n"]), max_size=60),
    st.sampled_from(["||", "|| ", "a || ", "||\n\n", "a ||\n"]),
    st.integers(60, 300),
)
def test_a_spoiler_is_never_revealed(inside: list[str], before: list[str], bars: str, limit: int) -> None:
    """Wherever it is cut, and while it is written: what it hides is read in no part without a click."""
    text = f"{''.join(before)}{bars}{''.join(inside).strip()}|| open"

    for length in (*range(len("".join(before)) + 3, len(text), 37), len(text)):
        for part in parts_of(text[:length], limit, unfinished=length < len(text)):
            assert "secret" not in without_spoilers(part)
    assert "open" in without_spoilers(split(text, limit)[-1])


@pytest.mark.parametrize(
    ("formula", "made"),
    [
        (r"x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}", "x = (-b ± √(b² - 4ac))/2a"),
        (r"\sum_{i=1}^{n} x_i^{2}", "∑ᵢ₌₁ⁿ xᵢ²"),
        (r"\mathbb{R}^n \to \text{if } x", "ℝⁿ → if x"),
        (r"e^{i\pi}+1=0", "e^(iπ)+1=0"),
        (r"90^\circ", "90°"),
        (r"\hat{x} \le \vec{v}", "x̂ ≤ v⃗"),
        (r"\unknown{x}", None),
        ("{" * 300, None),
        ("x^", None),
        ("", None),
    ],
)
def test_formulas(formula: str, made: str | None) -> None:
    """In Unicode where it says them on one line."""
    assert readable(formula) == made


def test_tables_fit_a_phone() -> None:
    """A table of 42 columns is code, and one of 43 a list."""
    for width in range(30, 50):
        content = shown(f"| a | b |\n|---|---|\n| {'x' * 10} | {'y' * width} |")
        assert content.startswith("```") == (10 + 2 + width <= COLUMNS)


@given(st.text(st.sampled_from("a🙂é…"), max_size=30), st.integers(1, 30))
def test_a_notice_is_shortened_as_discord_counts(text: str, most: int) -> None:
    """An emoji counts two and is not cut in half; what fits stays as it is."""
    short = shortened(text, most)

    assert units(short) <= most
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]) and units(short) >= most - 1)
