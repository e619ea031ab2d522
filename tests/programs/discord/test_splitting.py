"""Cutting answers into messages, by properties."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.demo_texts import LONG_ANSWER
from programs.discord.delivery.lengths import units
from programs.discord.delivery.splitting import LIMIT, split

PIECES = st.sampled_from(
    [
        "word ", "a", "\n", "\n\n", "```", "```python\n", "\n```\n", "~~~\n", "````", "`x`", "- item\n", "> quote\n",
        "| a | b |\n|---|---|\n", "| 1 | 2 |\n", "# Title\n", "https://example.com/a_b ", "**bold** ", "é", "🙂",
        "\r\n", "   ", "\t", "x" * 70, " " * 50, "    indented\n", "```" + "i" * 60 + "\n", "1. one\n", ". ", "\u2028",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=80).map("".join)
LIMITS = st.integers(40, 200)
THOROUGH = settings(max_examples=300, deadline=None)


@THOROUGH
@given(TEXTS, TEXTS, LIMITS)
def test_parts_stay_as_the_text_grows(text: str, more: str, limit: int) -> None:
    """All parts of a text but the last are the first parts of any text that begins with it."""
    finished = split(text, limit)[:-1]

    assert split(text + more, limit)[: len(finished)] == finished


@THOROUGH
@given(TEXTS, LIMITS)
def test_parts_fit_and_say_something(text: str, limit: int) -> None:
    """No part is longer than the limit, what closes its code and its spans aside, and none is blank."""
    parts = split(text, limit)

    assert all(part.strip() for part in parts)
    assert all(units(part) <= limit + len("\n```||**__~~**_") for part in parts)


@THOROUGH
@given(TEXTS, LIMITS)
def test_no_text_is_lost(text: str, limit: int) -> None:
    """The words are all there, in their order; only the language of code may be repeated, in each of its parts."""

    def words(of: str) -> list[str]:
        letters = re.sub(r"[\s`>]|python", "", of)  # a word may be cut through where a message has no room for one
        return re.findall(r"word|item|quote|Title|bold|nted|one|example|x|é|🙂", letters)

    parts = split(text, limit)
    said, wanted = words("\n".join(parts)), words(text)
    rest = iter(said)

    assert all(word in rest for word in wanted)
    assert len(said) - len(wanted) < max(1, len(parts)) * 8


@THOROUGH
@given(TEXTS, LIMITS)
def test_every_part_closes_its_code(text: str, limit: int) -> None:
    """Three backticks open a code block and three close it: in every part they come in pairs."""
    assert all(part.count("```") % 2 == 0 for part in split(text, limit))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), LIMITS)
def test_any_text_can_be_cut(text: str, limit: int) -> None:
    """No text whatsoever keeps the splitter from ending within the limits."""
    assert all(len(part) <= limit + 4 and part.strip() for part in split(text, limit))


@pytest.mark.parametrize(
    "text",
    [
        "`" * 5_000,
        "```" + "x" * 5_000,
        "```" + "x" * 1_900 + "\n" + "y" * 3_000,
        "`" * 1_500 + "\n" + "y" * 3_000,
        " " * 5_000,
        "a" + " " * 5_000 + "b",
        "\n" * 5_000 + "b",
        "> " * 2_500,
        "-" * 5_000,
        "🙂" * 3_000,
        "```\n" + "```" * 2_000,
    ],
)
def test_odd_texts_fit_too(text: str) -> None:
    """The texts that break splitters."""
    parts = split(text)

    assert all(part.strip() and len(part) <= LIMIT + 4 for part in parts)


def test_a_text_that_fits_is_left_whole() -> None:
    """One message is enough for a short answer."""
    assert split("Hello.\n\n```\ncode\n```") == ["Hello.\n\n```\ncode\n```"]
    assert split("") == split(" \n ") == []


def test_code_that_fits_into_a_message_is_kept_whole() -> None:
    """Rather than cut through a code block, the part before it ends early."""
    code = "```python\n" + "x = 1\n" * 200 + "```"

    assert split("word " * 200 + "\n\n" + code) == [("word " * 200).strip(), code]


def test_long_code_is_cut_between_its_lines() -> None:
    """A block too long for a message is closed after a whole line and opened again with its language."""
    code = "".join(f"line {number}\n" for number in range(500))

    parts = split(f"```text\n{code}```")

    assert len(parts) > 2
    assert all(part.startswith("```text\n") and part.endswith("\n```") for part in parts)
    assert "".join(part.removeprefix("```text\n").removesuffix("```") for part in parts) == code


def test_code_inside_a_list_is_opened_again() -> None:
    """Models indent code under a list item; Discord takes it for code all the same."""
    code = "".join(f"   line {number}\n" for number in range(400))

    parts = split(f"1. First:\n   ```python\n{code}   ```\n2. Second")

    assert len(parts) > 2
    assert all(part.startswith("```python\n") for part in parts[1:])
    assert all(part.count("```") == 2 for part in parts)


@pytest.mark.parametrize(
    "block",
    [
        "- an item",
        "12. an item",
        "  * an item",
        "> a quote\n> and more",
        "## Title\nText",
    ],
)
def test_the_last_block_is_kept_whole(block: str) -> None:
    """The part before it ends early, whatever begins the block, also without a blank line before it."""
    before = ("word " * 20 + "\n") * 16

    assert split(f"{before}{block} and {'more ' * 60}") == [before.strip(), f"{block} and {'more ' * 60}".rstrip()]


def test_what_begins_a_block_begins_none_in_code() -> None:
    """Code is cut between its lines only where it does not fit; otherwise its lines are never taken for items."""
    code = "```yaml\n" + "- a: 1\n\n# b\n" * 40 + "```"

    assert split("word " * 250 + f"\n{code}\n" + "word " * 100)[1].startswith(code)


def test_a_table_is_not_cut_where_it_fits() -> None:
    """A table keeps its head: the part before it ends early."""
    table = "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 60

    parts = split("word " * 300 + "\n\n" + table)

    assert parts[1:] == ["```\na  b\n─  ─\n" + "1  2\n" * 60 + "```"]


def test_the_long_demo_answer_is_cut_well() -> None:
    """The demo's long answer, which exists to show this, becomes parts of which each stands for itself."""
    parts = split(LONG_ANSWER)

    assert len(parts) == 3
    assert all(part.count("```") % 2 == 0 for part in parts)
