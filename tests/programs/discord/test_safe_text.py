"""The words of others are text when they are posted, whatever they are made of, and read as they were meant."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.bench.safety.discord_markdown import findings
from programs.discord.delivery.bodies import bodies_of, file_of, preview_of
from programs.discord.delivery.safe_text import (
    MOST_ADDED,
    code_block,
    inline_code,
    plain_words,
    safe_message,
    safe_part,
    small_print,
)
from programs.discord.delivery.splitting import LIMIT, split

CORPUS = (Path(__file__).parent / "data" / "hostile.txt").read_text(encoding="utf-8").split("\n%%\n")
PIECES = st.sampled_from(
    [
        "[", "]", "(", ")", "](", "[a](https://evil.example)", "![", "https://evil.example", "http://e.x/(a)",
        "<", ">", "</approve:1>", "</", ":1>", "<@1>", "<id:customize>", "steam://x", "discord.gg/abc", "`", "``",
        "```", "````", "```py\n", "\n```\n", "\n", "\n\n", "-# ", "-#", "> ", ">>> ", "- ", "1. ", "# ", "  ", " ",
        "*", "**", "_", "__", "~~", "||", "\\", "\\\\", "a", "b ", "word", '"t"', "'", ".", ":",
        "\u200b", "\u202e", "é", "🙂", "\r", "\u2028",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=200))
MANY = settings(max_examples=1_000, deadline=None)


@MANY
@given(TEXTS)
def test_nothing_is_more_than_text(text: str) -> None:
    """No masked or bare link, no command, no small print, by any reading of the Markdown."""
    assert findings(safe_message(text)) == []


@MANY
@given(TEXTS, st.integers(40, 200))
def test_no_cut_makes_a_part_unsafe(text: str, limit: int) -> None:
    """Wherever a text is cut into messages, each is safe by itself, and has room."""
    for part in split(text.replace("\u200b", "").replace("\u202e", ""), limit):
        assert findings(safe_part(part)) == []
        assert len(safe_part(part)) <= len(part) + MOST_ADDED


@MANY
@given(TEXTS)
def test_names_and_code_are_safe_in_a_sentence(text: str) -> None:
    """A name, code and small print leave what is around them as it is."""
    around = f"{plain_words(text, 80)} said {inline_code(text, 80)}, `b`"
    blocks = f"`b`\n{code_block(text)}\n{code_block(text)}\nend"

    assert findings(blocks) == []
    assert findings(around) == []
    assert len(plain_words(text, 20)) <= 20
    assert findings(small_print(f"-# {text}"))[2:] == []


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=400).map("".join))
def test_a_preview_agrees_with_what_stays(text: str) -> None:
    """The messages of a growing answer are those it has in the end, the last one aside."""
    whole = [body["content"] for body in bodies_of(text) if file_of(body) is None]

    preview = [body["content"] for body in preview_of(text)]
    # What may become a spoiler is hidden in the last message until it is known to be none.
    assert preview == whole if "|" not in text else (len(preview), preview[:-1]) == (len(whole), whole[:-1])
    for length in range(0, len(text), 211):
        shown = preview_of(text[:length])[:-1]
        assert [body["content"] for body in shown] == whole[: len(shown)]


@pytest.mark.parametrize("text", CORPUS, ids=lambda text: ascii(text[:30]))
def test_the_corpus(text: str) -> None:
    """Each text of the corpus, alone, between others and cut anywhere."""
    assert findings(text), "it shows nothing that would have to be made safe"
    for around in ("{}", "words {}", "- item\n{}\nend `x` *y*", "`x` {} ```\n{}\n```", "> {}"):
        assert findings(safe_message(around.replace("{}", text))) == []
    for place in range(len(text)):
        assert findings(safe_message(text[place:])) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See [the docs](https://docs.example/a) now.", "See the docs (<https://docs.example/a>) now."),
        ('[a](https://e.example "a title")', "a (<https://e.example>)"),
        ("[a](<https://e.example>)", "a (<https://e.example>)"),
        ("![a cat](https://e.example/cat.png)", "a cat (<https://e.example/cat.png>)"),
        ("[https://e.example](https://e.example)", "<https://e.example>"),
        ("[https://bank.example](https://e.example)", "<https://bank.example> (<https://e.example>)"),
        ("[`f(x)`](https://e.example)", "`f(x)` (<https://e.example>)"),
        ("[a [b] c](https://e.example)", "[a [b] c]（<https://e.example>)"),
        ("[a][1]\n\n[1]: https://e.example", "[a][1]\n\n[1]: <https://e.example>"),
        ("Go to https://e.example/a_(b). Or (https://e.example)!", "Go to <https://e.example/a_(b)>. Or (<https://e.example>)!"),
        ("**https://e.example**", "**<https://e.example>**"),
        ("<https://e.example>", "<https://e.example>"),
        ("`https://e.example` and ```\nhttps://e.example\n```", "`https://e.example` and\n```\nhttps://e.example\n```"),
        ("discord.gg/abc, https://discord.gg/abc", "discord.gg∕abc, <https://discord.gg/abc>"),
        ("Done.\n-# gpt-5 · 3 tokens", "Done.\n‐# gpt-5 · 3 tokens"),
        ("Press </approve:12>", "Press ‹/approve:12>"),
        ("ask <@1> in <#2> at <t:1:R> <:x:1>", "ask <@1> in <#2> at <t:1:R> <:x:1>"),
        (">>> x = 1", "> x = 1"),
        ("a ` b", "a ˋ b"),
        ("```cpp\nauto f = [](int x) { return x; };\n```", "```cpp\nauto f = [](int x) { return x; };\n```"),
        ("````md\n```\nx\n```\n````", "```md\nˋˋˋ\nx\nˋˋˋ\n```"),
        ("5 < 6, a_b, x * y * z, List<int>", "5 < 6, a_b, x * y * z, List<int>"),
    ],
)  # fmt: skip
def test_how_it_is_shown(text: str, shown: str) -> None:
    """What people see in place of what was written; ordinary formatting and code stay."""
    assert safe_message(text) == shown


def test_more_links_than_there_is_room_for_are_text() -> None:
    """A part full of links still fits into a message; the last of them are not links any more."""
    part = "https://a.b " * (LIMIT // 12)

    shown = safe_part(part)

    assert len(shown) <= LIMIT + MOST_ADDED
    assert shown.count("<https://a.b>") == MOST_ADDED // 2
    assert findings(shown) == []


def test_the_file_of_a_long_answer_hides_nothing() -> None:
    """It has the text as it was written, but for what nobody sees."""
    bodies = bodies_of("a\u202eb\u200b " * 5_000)

    file = file_of(bodies[-1])
    assert file is not None
    assert file.text == "ab " * 5_000
