"""The arguments of a call as people decide on them: none hides another, whatever is in them."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmgine.messages.chat_messages import ToolCall
from programs.shown_arguments import ShownArgument, as_file, shown_arguments


def shown(arguments: object) -> list[ShownArgument]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return shown_arguments(ToolCall(name="send", arguments=text))


def names(arguments: object) -> list[str]:
    return [one.name for one in shown(arguments)]


def test_short_ones_come_first() -> None:
    """A long text does not push the recipient away, and what has many lines comes last."""
    arguments = {"body": "x" * 5_000, "note": "a\n" * 10 + "b", "to": "ann@example.com", "copies": 3}

    assert names(arguments) == ["copies", "to", "body", "note"]


def test_nested_values_are_shown_by_themselves() -> None:
    """Objects and lists are taken apart, each value with its whole name."""
    arguments = {"mail": {"to": ["a@b.example", "c@d.example"], "flags": {}}, "n": None}

    assert {one.name: one.value for one in shown(arguments)} == {
        "mail.to[0]": "a@b.example",
        "mail.to[1]": "c@d.example",
        "mail.flags": "{}",
        "n": "null",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        (5, "5"),
        ("5", '"5"'),
        ("true", '"true"'),
        ('"a"', '"\\"a\\""'),
        ("", '""'),
        (" a ", '" a "'),
        ("pay \u202e001\u200b", "pay \\u202e001\\u200b"),
        ("a\u2028b\r\nc", "a\\u2028b\nc"),
        ("\U000e0041", "\\udb40\\udc41"),
    ],
)
def test_values_are_exact(value: object, text: str) -> None:
    """What does not print is escaped, and a text that looks like a number or has blanks at its ends is quoted."""
    assert shown({"a": value})[0].value == text


@pytest.mark.parametrize("key", ["t\u043e", "to\u200b", "to ", "a.b", "to: x\nbcc", "\x7f", ""])
def test_a_name_that_looks_like_another_is_in_ascii_and_quoted(key: str) -> None:
    """It can be told from the plain name."""
    [name] = names({key: 1})

    assert name.isascii()
    assert "\n" not in name
    assert name.startswith('["')


@pytest.mark.parametrize("arguments", ['{"to": "a@b.example", "to": "c@d.example"}', '{"to": ', "[1]", "", "[" * 9_000])
def test_what_is_no_plain_object_is_shown_as_it_is(arguments: str) -> None:
    """Also an object in which a name is twice, of which programs use one value or the other."""
    [one] = shown(arguments)

    assert one.name == ""
    assert "c@d" in one.value or "c@d" not in arguments


def test_very_many_values_are_shown_as_one() -> None:
    """Hundreds of arguments would hide each other; the text of all is one argument."""
    assert names({f"a{number}": number for number in range(500)}) == [""]


@pytest.mark.parametrize(
    ("value", "decoded"),
    [
        ("=?utf-8?q?Hi=0aBcc:_x?=", "Hi\\nBcc: x"),
        ("https://example.com/%2e%2e/", "https://example.com/../"),
        ("ann@xn--bcher-kva.example", "ann@bücher.example"),
        ("&lt;b&gt;", "<b>"),
        ("SGVsbG8gd29ybGQgdG8geW91", "Hello world to you"),
        ("=?nothing?q?x?=", "? (an encoded word cannot be decoded)"),
        ("plain", None),
    ],
)
def test_what_is_encoded_is_shown_decoded(value: str, decoded: str | None) -> None:
    """Beside the text as it is."""
    assert shown({"a": value})[0] == ShownArgument("a", value, decoded)


def test_the_file_has_all() -> None:
    """Every argument in full, and decoded where that is something else."""
    arguments = {"body": "line\n" * 2_000 + "end", "to": "ann@xn--bcher-kva.example"}

    text = as_file(ToolCall(name="send", arguments=json.dumps(arguments)))

    assert arguments["body"] in text
    assert "--- to, decoded\nann@bücher.example" in text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(st.dictionaries(st.text(max_size=20), json_values, max_size=5))
def test_any_arguments_can_be_shown(arguments: dict[str, object]) -> None:
    """Names are ASCII on one line, values have nothing that does not print, and none is left out of a few."""
    found = shown(arguments)

    assert all(one.name.isascii() and one.name.isprintable() for one in found)
    assert all(one.value.replace("\n", "").isprintable() for one in found)
    assert bool(found) is bool(arguments)
