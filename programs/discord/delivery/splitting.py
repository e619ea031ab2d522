"""Cutting an answer into messages, so that a finished part never changes while the text grows.

Each cut is decided by the first `limit` characters of what is left and by nothing after them. So the parts of a text
are a prefix of the parts of any longer text that begins with it, the last part aside.

A part costs work in proportion to `limit`, whatever the text is, and a part that is not asked for costs none. That is
why blocks are found by looking at lines: a Markdown parser needs up to a hundred times as long for hostile texts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Room for the footer and a closing fence, so that the last part never has to be cut again for them.
LIMIT = 1_880

_EARLIEST = 0.3  # of the limit; a cut before that would leave a stub

# To Discord three backticks open a code block anywhere, the next three close it, and no other fence exists.
_FENCE = "```"
_CLOSING = f"\n{_FENCE}"
_FENCES = re.compile(_FENCE)
_OPENING = re.compile(rf"{_FENCE}([\w+\-.#]{{1,20}}\n)?")

_QUOTE_MARKS = " \t>"
_BEGINS_BLOCK = re.compile(
    r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])(?:[ \t]|\Z)|#{1,6} |```)"
)  # an item, a heading, a code block
_TABLE_RULE = re.compile(r"[ \t|:]*-[-|: \t]*(?:\n|\Z)")  # the line under the head of a table


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
    return list(parts_of(text, limit))


def parts_of(text: str, limit: int = LIMIT) -> Iterator[str]:
    """The same, each part cut when it is asked for."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.strip("\n")
    opening, start = "", 0
    while len(opening) + len(text) - start > limit:
        window = opening + text[start : start + limit - len(opening)]
        end = _cut(window, max(int(limit * _EARLIEST), len(opening)))
        block = _open_block(window[:end])
        if part := window[:end].rstrip():
            yield part + (_CLOSING if block else "")
        start = _begin_of_next(text, start + end - len(opening), in_block=block is not None)
        opening = block.opening if block else ""
    if part := (opening + text[start:]).rstrip():
        yield part + (_CLOSING if _open_block(opening + text[start:]) else "")


def _begin_of_next(text: str, end: int, *, in_block: bool) -> int:
    """Where the next part begins: behind the line feed of the cut, and outside of code behind blank lines too."""
    if in_block:
        return end + text.startswith("\n", end)
    while text.startswith("\n", end):
        end += 1
    return end


def _cut(window: str, earliest: int) -> int:
    """Where to cut, after `earliest`: before the last block, else at the end of a line, a sentence or a word."""
    block = _open_block(window)
    if block is not None:
        return block.start if block.start > earliest else _cut_in_block(window, earliest)
    last_block = _last_block(window, earliest)
    if last_block is not None:
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


def _last_block(window: str, earliest: int) -> int | None:
    """Where the last paragraph, item, table, … begins that begins after `earliest` and not in code."""
    fences = [found.start() for found in _FENCES.finditer(window)]
    start = window.rfind("\n") + 1
    while start > earliest:
        while fences and fences[-1] >= start:
            fences.pop()
        before = window.rfind("\n", 0, start - 1) + 1
        if len(fences) % 2 == 0 and _begins_block(window, start, window[before : start - 1]):
            return start
        start = before
    return None


def _begins_block(window: str, start: int, before: str) -> bool:
    """Whether a block begins with the line at `start`; `before` is the line before it."""
    line = window[start : (window.find("\n", start) + 1) or len(window)]
    if not line.strip(_QUOTE_MARKS + "\n"):
        return False
    if not before.strip(_QUOTE_MARKS) or _BEGINS_BLOCK.match(line):
        return True
    if line.startswith(">"):
        return not before.startswith(">")
    return "|" in line and _TABLE_RULE.match(window, start + len(line)) is not None


def _open_block(text: str) -> _CodeBlock | None:
    """The code block that is still open at the end of the text."""
    start = -1
    for number, fence in enumerate(_FENCES.finditer(text)):
        start = -1 if number % 2 else fence.start()
    if start < 0:
        return None
    found = _OPENING.match(text, start)
    language = found[1] if found else None
    return _CodeBlock(start, _FENCE + (language or "\n"))
