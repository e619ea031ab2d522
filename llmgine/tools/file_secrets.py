"""Taking secrets out of files that are texts, in whichever encoding; what is no text stays as it is."""

import codecs
import re
from collections.abc import Callable, Iterator

from llmgine.observability.redaction import REDACTED

# What texts begin with. UTF-32's little-endian mark begins with UTF-16's, so it is looked for first.
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # that hardly a text has, and nearly all other files
_SAMPLE = 4096  # bytes by which UTF-16 without a mark is known
_DECODED = 2**20  # bytes at once, so that nothing else waits for long
_PIECE = 2**16  # characters that secrets are looked for in at once, for the same reason
_CARRIED = 2**12  # characters that are looked at once more with what follows: more than nearly any secret has
_KEY = "-----BEGIN "  # of a private key, which has many lines
_LONGEST_KEY = 20_200  # characters
_BOUNDARY = re.compile(r"[\s\"']")
_LAST_BOUNDARY = re.compile(r"[\s\"'][^\s\"']*\Z")
_REST_OF_WORD = re.compile(r"[\w+/=.~-]+")


def without_secrets(data: bytes, redact: Callable[[str], str]) -> bytes:
    """A file without the secrets in it, in its own encoding.

    This keeps a CPU busy for some seconds for 25 MiB, and gives way to other threads all the time.

    Args:
        data: What is in the file.
        redact: Takes the secrets out of a text.
    """
    for encoding, mark in _encodings(data):
        text = _decoded(data[len(mark) :], encoding)
        if text is not None:
            pieces = list(_redacted(text, redact))
            return data if "".join(pieces) == text else mark + b"".join(piece.encode(encoding) for piece in pieces)
    return data


def _encodings(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The encodings that it may have, each with its mark; none for what is no text."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            yield encoding, mark
            return
    if b"\0" in data:  # UTF-16 of Latin letters is half zeros
        even, odd = data[0:_SAMPLE:2].count(0), data[1:_SAMPLE:2].count(0)
        if bool(even) != bool(odd):
            yield "utf-16-be" if even else "utf-16-le", b""
        return
    yield "utf-8", b""
    if not any(_CONTROLS.search(data, begin, begin + _DECODED) for begin in range(0, len(data), _DECODED)):
        yield "latin-1", b""  # in which every byte means something


def _decoded(data: bytes, encoding: str) -> str | None:
    """The text; None where it is not in this encoding."""
    decoder, last = codecs.getincrementaldecoder(encoding)(), len(data) - _DECODED
    try:
        pieces = [
            decoder.decode(data[begin : begin + _DECODED], final=begin >= last)
            for begin in range(0, len(data), _DECODED)
        ]
    except UnicodeDecodeError:
        return None
    return "".join(pieces)


def _redacted(text: str, redact: Callable[[str], str]) -> Iterator[str]:
    """The text without its secrets, in pieces. The end of each is looked at again together with the next one."""
    begin, carried = 0, ""
    while begin < len(text):
        end = _end_of_piece(text, begin)
        clean, begin = redact(carried + text[begin:end]), end
        if begin == len(text):
            yield clean
            return
        if clean.endswith(REDACTED) and not text.startswith(
            _KEY, begin
        ):  # a word that is longer than a piece: the rest of it belongs to the secret
            while rest := _REST_OF_WORD.match(text, begin, begin + _PIECE):
                begin = rest.end()
        kept = max(0, len(clean) - _CARRIED)
        boundary = _BOUNDARY.search(clean, kept, kept + _CARRIED // 2)
        kept = kept if boundary is None else boundary.end()
        yield clean[:kept]
        carried = clean[kept:]
    yield carried


def _end_of_piece(text: str, begin: int) -> int:
    """Where a piece ends: with a line, else with a word, and before a private key that does not end in it."""
    end = begin + _PIECE
    if end >= len(text):
        return len(text)
    found = text.rfind("\n", begin, end) + 1
    if not found:
        word = _LAST_BOUNDARY.search(text, max(begin, end - _CARRIED), end)
        found = end if word is None else word.start() + 1
    key = text.rfind(_KEY, max(begin + 1, found - _LONGEST_KEY), found)
    return key if key > 0 and text.find("-----END", key, found) < 0 else found
