"""What the checks of /doctor find, and the words they share."""

from dataclasses import dataclass

from llmgine.messages.translatable import Text, tr, words_of
from llmgine.messages.visible_text import visible_line
from programs.discord.delivery.safe_text import inline_code, safe_message

PATIENCE = 20.0  # seconds for one check

_MAX_REASON = 300


@dataclass(frozen=True)
class Finding:
    """The outcome of one check. `level`: 0 it works, 1 it works badly, 2 it does not."""

    about: Text
    level: int
    words: Text


def milliseconds(seconds: float) -> Text:
    """A time, in words."""
    return tr("{number:,.0f} ms", number=seconds * 1000)


def quoted(text: str, most: int) -> str:
    """Foreign words, at most so many characters of them, in which nothing formats, links or pings."""
    return inline_code(text, most + 2)


def reason(error: Exception) -> Text | str:
    """What went wrong, in one line."""
    said = words_of(error)
    if isinstance(said, Text):
        return said
    return safe_message(visible_line(str(error), _MAX_REASON) or type(error).__name__)
