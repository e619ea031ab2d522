"""Texts that say something else once they are decoded: found, decoded for people, and refused where programs differ.

Whoever approves a call sees the text that the model wrote. The program that gets it may decode it: an encoded word of a
mail header, a percent-encoded address, the name of a domain in punycode.
"""

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator
from email.header import decode_header, make_header
from email.policy import default as modern
from urllib.parse import unquote

_WORD = re.compile(r"=\?[^?]*\?[bBqQ]\?")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_PUNYCODE = re.compile(r"(?<![\w-])xn--[\w-]{1,63}(?![\w-])", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4}){4,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


class UnclearTextError(ValueError):
    """Programs decode a text differently, so nobody can know what it will say."""


def decoded(text: str) -> str | None:
    """What a text says to a program that decodes it; None where that is the text itself.

    Known are encoded words (RFC 2047), percent-encoding, punycode, HTML entities, and a text that is base64 as a whole.

    Raises:
        UnclearTextError: There is more than one answer.
    """
    told = text
    for find, decode in _DECODERS:
        if find.search(told):
            told = decode(told)
    return None if told == text else told


def texts_in(value: object) -> Iterator[str]:
    """All texts of a JSON value, names included."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one


def _encoded_words(text: str) -> str:
    try:
        by_old_rules = str(make_header(decode_header(text)))
        by_new_rules = str(modern.header_factory("subject", text))
    except (ValueError, LookupError, UnicodeError) as error:
        raise UnclearTextError("an encoded word cannot be decoded") from error
    except Exception as error:  # email's parsers raise whatever comes: IndexError, HeaderParseError, CharsetError
        raise UnclearTextError("an encoded word cannot be decoded") from error
    if by_old_rules != by_new_rules or _WORD.search(by_new_rules):
        raise UnclearTextError("an encoded word is decoded differently by different programs")
    return by_new_rules


def _percent(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        if "://" in text or text.startswith("mailto:"):
            raise UnclearTextError("an address is percent-encoded, but not in UTF-8") from None
        return text


def _punycode(text: str) -> str:
    return _PUNYCODE.sub(lambda found: _domain(found[0]), text)


def _domain(label: str) -> str:
    """A part of a domain's name; Python knows IDNA 2003, and raises or gives another name where IDNA 2008 differs."""
    try:
        name = label.encode("ascii").decode("idna")
        back = name.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise UnclearTextError(f"{label} is not a domain that all programs decode alike") from error
    if back.lower() != label.lower() or name.lower() == label.lower():
        raise UnclearTextError(f"{label} is not a domain that all programs decode alike")
    return name


def _base64(text: str) -> str:
    if not _BASE64.fullmatch(text):
        return text
    try:
        told = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text
    return told if all(one.isprintable() or one in "\t\r\n" for one in told) else text


_DECODERS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (_WORD, _encoded_words),
    (_PERCENT, _percent),
    (_PUNYCODE, _punycode),
    (_ENTITY, html.unescape),
    (_BASE64, _base64),
)
