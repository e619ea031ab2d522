"""Text made fit: for every store and encoding, for one line, for little room, for a terminal."""

import json
from typing import Annotated

from pydantic import AfterValidator


def clean_text(text: str) -> str:
    """Without NUL and lone surrogates: no database and no UTF-8 holds them, but JSON can smuggle them in."""
    if not text.isascii():
        text = text.encode("utf-8", "ignore").decode()
    return text.replace("\0", "")


CleanText = Annotated[str, AfterValidator(clean_text)]


def collapse_spaces(text: str) -> str:
    """The text with every run of white space, newlines too, as one space."""
    return " ".join(text.split())


def shorten(text: str, length: int) -> str:
    """At most `length` characters, the last of them an ellipsis when something was cut."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def escape(text: str, *, keep: str = "") -> str:
    """What does not print, or prints as something else, as JSON escapes it; the characters of `keep` stay."""
    return "".join(c if c.isprintable() or c in keep else json.dumps(c)[1:-1] for c in text)
