"""Texts in any encoding that their first bytes reveal."""

import codecs
import re
import unicodedata

# What texts begin with. UTF-32's little-endian mark begins with UTF-16's, so it is looked for first.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    b"\x84\x31\x95\x33": "gb18030",
}
# Texts in old encodings have no control characters but white space and escape sequences; other files nearly always do.
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]")
# How texts name their encoding: XML, HTML, and the first lines of programs.
_DECLARED = re.compile(rb"""(?:encoding|charset|coding)\s*[=:]\s*["']?\s*([A-Za-z][\w.:-]{1,40})""")
_ISO_2022_JP = re.compile(rb"\x1b(?:\$[@B]|\([BIJ])")
_LETTERS = b"\\x41 +AGE- a-1"
_SAMPLE = 4096  # bytes or characters that are looked at
_MOSTLY_LATIN = 0.6
_ENOUGH = 8  # characters that show a script
_WITH_CJK = frozenset({"HIRAGANA", "KATAKANA", "FULLWIDTH", "HALFWIDTH", "IDEOGRAPHIC"})


def decoded(data: bytes, *, cut: bool = False) -> tuple[str, bool] | None:
    """The text of a file.

    Args:
        data: Its bytes.
        cut: Whether more of them follow: they may end in the middle of a character, which is left out.

    Returns:
        The text, and whether its encoding is certain; it is not where bytes that are no UTF-8 are read as Latin-1.
        None where it is no text.
    """
    for encoding in _encodings(data):
        text = _as(encoding, data, cut=cut)
        if text is not None:
            return text, True
    if any(data.startswith(mark) for mark in _MARKS) or _BINARY.search(data):
        return None
    # Every byte means something in Latin-1; whether it is what was meant nobody can say.
    return data.decode("latin-1"), False


def has_controls(text: str) -> bool:
    """Whether a text has characters that no text has."""
    return _NO_TEXT.search(text) is not None


def _encodings(data: bytes) -> list[str]:
    """The encodings that a text may have, the likeliest first."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return [encoding]
    if b"\0" in data:
        return _wide_encodings(data)
    named = [one[1].decode() for one in _DECLARED.finditer(data[:1024])][:3]
    return [*(["iso2022_jp"] if _ISO_2022_JP.search(data) else []), "utf-8", *filter(extends_ascii, named)]


def _wide_encodings(data: bytes) -> list[str]:
    """UTF-32 or UTF-16 without a mark, by where its zeros are: half of Latin letters, a quarter of any in UTF-32."""
    found = []
    if len(data) >= 4 and not any(data[3:_SAMPLE:4]):
        found.append("utf-32-le")
    if len(data) >= 4 and not any(data[0:_SAMPLE:4]):
        found.append("utf-32-be")
    even, odd = data[0:_SAMPLE:2].count(0), data[1:_SAMPLE:2].count(0)
    if odd and not even:
        found.append("utf-16-le")
    if even and not odd:
        found.append("utf-16-be")
    return found


def extends_ascii(name: str) -> bool:
    """Whether there is such an encoding, of single bytes or of those that begin like ASCII."""
    try:
        # Python has others, too, which unpack or read escapes.
        return codecs.lookup(name).name not in {"utf-8", "ascii"} and _LETTERS.decode(name) == _LETTERS.decode()
    except (LookupError, ValueError, TypeError):
        return False


def _as(encoding: str, data: bytes, *, cut: bool) -> str | None:
    """The text in an encoding; None where it is not in that."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data, final=not cut).removeprefix("\ufeff")
    except (UnicodeError, LookupError, ValueError):
        return None
    return text if not encoding.startswith(("utf-16-", "utf-32-")) or _is_likely(text[:_SAMPLE]) else None


def _is_likely(text: str) -> bool:
    """Whether this is what somebody wrote, rather than any bytes two by two: those become letters of many scripts."""
    if has_controls(text) or any(unicodedata.category(one) in {"Cn", "Co", "Cs"} for one in text):
        return False
    if sum(one < "\x80" for one in text) >= _MOSTLY_LATIN * len(text):
        return True
    scripts = {unicodedata.name(one, "").partition(" ")[0].partition("-")[0] for one in text if one.isalpha()}
    foreign = {"CJK" if one in _WITH_CJK else one for one in scripts} - {"LATIN"}
    return len(text) >= _ENOUGH and len(foreign) <= 1
