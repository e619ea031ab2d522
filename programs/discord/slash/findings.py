"""What the checks of /doctor find, and the words they share."""

from dataclasses import dataclass

from llmgine.messages.text import collapse_spaces, shorten

PATIENCE = 20.0  # seconds for one check

_MAX_REASON = 300


@dataclass(frozen=True)
class Finding:
    """The outcome of one check. `level`: 0 it works, 1 it works badly, 2 it does not."""

    about: str
    level: int
    words: str


def milliseconds(seconds: float) -> str:
    """A time, in words."""
    return f"{seconds * 1000:,.0f} ms"


def quoted(text: str, most: int) -> str:
    """Foreign words, at most so many characters of them, in which nothing formats, links or pings."""
    return f"`{shorten(collapse_spaces(text).replace('`', 'ˋ'), most)}`"


def reason(error: Exception) -> str:
    """What went wrong, in one line."""
    return shorten(collapse_spaces(str(error)) or type(error).__name__, _MAX_REASON)
