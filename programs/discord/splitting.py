"""Cutting an answer into messages, so that a finished part never changes while the text grows.

Each cut is decided by the first `limit` characters of what is left and by nothing after them. So the parts of a text
are a prefix of the parts of any longer text that begins with it, the last part aside.
"""

from markdown_it import MarkdownIt
from markdown_it.token import Token

# Room for the footer and a closing fence, so that the last part never has to be cut again for them.
LIMIT = 1_880

_MARKDOWN = MarkdownIt("commonmark").enable("table")
_INSIDE_TABLES = {"thead_open", "tbody_open", "tr_open", "th_open", "td_open", "inline"}
_EARLIEST = 0.3  # of the limit; a cut before that would leave a stub


def split(text: str, limit: int = LIMIT) -> list[str]:
    """The parts of a text, each at most `limit` characters and valid Markdown by itself; none for a blank text.

    A code block is kept whole where it fits, else it is closed and opened again with its language.
    """
    parts = []
    rest = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    while len(rest) > limit:
        end, fence = _cut(rest[:limit])
        parts.append(rest[:end].rstrip() + (f"\n{fence.markup}" if fence else ""))
        rest = rest[end:].lstrip("\n") if fence is None else f"{_opening(fence)}\n{rest[end:].removeprefix(chr(10))}"
    if rest.strip():
        fence = _open_fence(rest)
        parts.append(f"{rest.rstrip()}\n{fence.markup}" if fence else rest.rstrip())
    return parts


def _cut(window: str) -> tuple[int, Token | None]:
    """Where to cut, and the code block that is cut through, if one is."""
    starts = _line_starts(window)
    earliest = int(len(window) * _EARLIEST)
    tokens = [token for token in _MARKDOWN.parse(window) if token.map and token.type not in _INSIDE_TABLES]
    last_start = max((starts[token.map[0]] for token in tokens if token.map), default=0)
    if last_start > earliest:
        return last_start, None
    fence = _open_fence(window)
    if fence is not None:
        room = len(window) - len(fence.markup) - 1
        line = window.rfind("\n", earliest, room)
        return (line if line > last_start else room), fence
    for separator in ("\n\n", "\n", ". ", " "):
        end = window.rfind(separator)
        if end > earliest:
            return end + len(separator), None
    return len(window), None


def _line_starts(text: str) -> list[int]:
    """Where each line begins. Lines end with a line feed only, as the parser has it."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _opening(fence: Token) -> str:
    return f"{fence.markup}{fence.info.split(maxsplit=1)[0] if fence.info.strip() else ''}"


def _open_fence(text: str) -> Token | None:
    """The code block that is still open at the end of the text."""
    lines = text.rstrip("\n").split("\n")
    for token in reversed(_MARKDOWN.parse(text)):
        if token.type == "fence" and token.map and token.map[1] >= len(lines):
            closed = token.map[0] < len(lines) - 1 and lines[-1].strip(" >") == token.markup
            return None if closed else token
    return None
