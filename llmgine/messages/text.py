"""Text made fit: for every store and encoding, for one line, for little room, for a terminal."""

import functools
import json
import re
from typing import Annotated

from pydantic import AfterValidator

# What has no width of its own and yet counts as printable: fillers, and selectors but for one behind a character.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]"
    "|(?<=[\ufe0e\ufe0f])[\ufe0e\ufe0f]"
)


def clean_text(text: str) -> str:
    """Without NUL and lone surrogates: no database and no UTF-8 holds them, but JSON can smuggle them in."""
    if not text.isascii():
        text = text.encode("utf-8", "ignore").decode()
    return text.replace("\0", "")


CLEAN = AfterValidator(clean_text)  # marks fields with text by people and models
CleanText = Annotated[str, CLEAN]

OF_OTHERS = object()  # marks fields of a command with what other people wrote than who gave it


def collapse_spaces(text: str) -> str:
    """The text with every run of white space, newlines too, as one space."""
    return " ".join(text.split())


def shorten(text: str, length: int) -> str:
    """At most `length` characters, the last of them an ellipsis when something was cut."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def escape(text: str, *, keep: str = "") -> str:
    """What does not print, or prints as something else, as JSON escapes it; the characters of `keep` stay."""
    if not text.isascii():
        text = _INVISIBLE.sub(lambda found: _escaped(found[0]), text)
    return text if text.isprintable() else "".join(c if c.isprintable() or c in keep else _escaped(c) for c in text)


@functools.lru_cache(4_096)
def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]
