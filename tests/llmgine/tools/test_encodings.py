"""Texts that programs decode: found, decoded, and refused where they do not agree."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmgine.errors import InvalidArgumentsError
from llmgine.messages.chat_messages import ToolCall
from llmgine.tools.encodings import UnclearTextError, decoded, texts_in
from llmgine.tools.tool import Tool


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("=?utf-8?q?a=0aBcc:_x?=", "a\nBcc: x"),
        ("=?utf-8?b?SGk=?= =?utf-8?b?SG8=?=", "HiHo"),
        ("https://example.com/%C3%A9", "https://example.com/é"),
        ("xn--bcher-kva.example", "bücher.example"),
        ("AT&amp;T", "AT&T"),
        ("SGVsbG8gd29ybGQgdG8geW91", "Hello world to you"),
    ],
)
def test_encoded_texts_are_decoded(text: str, told: str) -> None:
    """Mail headers, addresses, domains, pages, base64."""
    assert decoded(text) == told


@pytest.mark.parametrize(
    "text", ["", "Hello", "R&D", "50% off", "a = ?b", "deadbeefdeadbeef", "xn-- is a prefix", "&copy"]
)
def test_what_is_not_encoded_is_not_decoded(text: str) -> None:
    """Ordinary text."""
    assert decoded(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "=?nothing?q?a?=",
        "=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?=",
        "https://example.com/%E9",
        "xn--strae-oqa.de",
        "xn--a.example",
    ],
)
def test_what_programs_decode_differently_is_unclear(text: str) -> None:
    """Unknown charsets, encodings in encodings, other than UTF-8, domains of IDNA 2008 that IDNA 2003 does not know."""
    with pytest.raises(UnclearTextError):
        decoded(text)


@given(st.text())
def test_any_text_is_decoded_or_unclear(text: str) -> None:
    """Nothing else is raised, whatever it is."""
    with contextlib.suppress(UnclearTextError):
        assert decoded(text) != text


@pytest.mark.parametrize("piece", ["=?", "=?a?q?", "xn--", "%41", "&a", "&#", "AAAA", "%"])
def test_no_text_takes_long(piece: str) -> None:
    """A text of 200,000 characters is done within the time limit."""
    with contextlib.suppress(UnclearTextError):
        decoded(piece * (200_000 // len(piece)))


def test_texts_are_found_however_deep() -> None:
    """Names too."""
    assert set(texts_in({"a": ["b", {"c": "d"}], "e": 1})) == {"a", "b", "c", "d", "e"}


async def send(text: str) -> str:
    """Send.

    Args:
        text: What.
    """
    return f"sent {text}"


@pytest.mark.parametrize("arguments", ['{"text": "a", "text": "b"}', '{"text": "a", "\\u0074ext": "b"}'])
async def test_a_name_twice_is_refused(arguments: str) -> None:
    """Programs differ in which value counts, so people might be shown another than is used."""
    with pytest.raises(InvalidArgumentsError, match="a name twice"):
        await Tool.from_function(send).call(ToolCall(name="send", arguments=arguments).arguments)
