"""Cutting an answer into messages, so that a finished part never changes while the text grows.

Each cut is decided by the first `limit` characters of what is left and by nothing after them. So the parts of a text
are a prefix of the parts of any longer text that begins with it, the last part aside.
"""

import re
from dataclasses import dataclass

from markdown_it import MarkdownIt

# Room for the footer and a closing fence, so that the last part never has to be cut again for them.
LIMIT = 1_880

_MARKDOWN = MarkdownIt("commonmark").enable("table")
_INSIDE_TABLES = {"thead_open", "tbody_open", "tr_open", "th_open", "td_open", "inline"}
_EARLIEST = 0.3  # of the limit; a cut before that would leave a stub

# To Discord three backticks open a code block anywhere, the next three close it, and no other fence exists.
_FENCE = "```"
_CLOSING = f"\n{_FENCE}"
_OPENING = re.compile(rf"{_FENCE}([\w+\-.#]{{1,20}}\n)?")


@dataclass(frozen=True)
class _CodeBlock:
    """A code block that is open: where it begins, and the line that opens it again."""

    start: int
    opening: str


def split(text: str, limit: int = LIMIT) -> list[str]:
    """The parts of a text, each at most `limit` characters and valid by itself; none for a blank text.

    A code block is kept whole where it fits, else it is closed and opened again with its language. The fence that
    closes the last part may stand beyond the limit.
    """
    parts: list[str] = []
    opening = ""
    rest = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    while len(opening) + len(rest) > limit:
        window = opening + rest[: limit - len(opening)]
        end = _cut(window, max(int(limit * _EARLIEST), len(opening)))
        block = _open_block(window[:end])
        parts.append(window[:end].rstrip() + (_CLOSING if block else ""))
        rest = rest[end - len(opening) :]
        rest = rest.removeprefix("\n") if block else rest.lstrip("\n")
        opening = block.opening if block else ""
    last = opening + rest
    parts.append(last.rstrip() + (_CLOSING if _open_block(last) else ""))
    return [part for part in parts if part.strip()]


def _cut(window: str, earliest: int) -> int:
    """Where to cut, after `earliest`: before the last block, else at the end of a line, a sentence or a word."""
    block = _open_block(window)
    if block is not None:
        return block.start if block.start > earliest else _cut_in_block(window, earliest)
    last_block = _last_block(window)
    if last_block > earliest and not _open_block(window[:last_block]):
        return last_block
    for separator in ("\n\n", "\n", ". ", " "):
        end = window.rfind(separator) + len(separator)
        if end > earliest + len(separator) and not _open_block(window[:end]):
            return end
    end = len(window.rstrip("`"))  # a fence is not cut through
    return end if end > earliest and not _open_block(window[:end]) else len(window)


def _cut_in_block(window: str, earliest: int) -> int:
    """The end of the last line of code that leaves room to close the block."""
    room = len(window) - len(_CLOSING)
    line = window.rfind("\n", earliest + 1, room + 1)
    return line if line >= 0 else room


def _last_block(window: str) -> int:
    """Where the last paragraph, item, table, … begins. Lines end with a line feed only, as the parser has it."""
    lines = [token.map[0] for token in _MARKDOWN.parse(window) if token.map and token.type not in _INSIDE_TABLES]
    return sum(len(line) + 1 for line in window.split("\n")[: max(lines, default=0)])


def _open_block(text: str) -> _CodeBlock | None:
    """The code block that is still open at the end of the text."""
    start = -1
    for number, fence in enumerate(re.finditer(_FENCE, text)):
        start = -1 if number % 2 else fence.start()
    if start < 0:
        return None
    found = _OPENING.match(text, start)
    language = found[1] if found else None
    return _CodeBlock(start, _FENCE + (language or "\n"))
