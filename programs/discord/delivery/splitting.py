"""Cutting an answer into messages, so that a finished part never changes while the text grows.

A text passes three stages, in this order: it is cut here, as models write it; each part is translated into Discord's
Markdown (`discord_markdown`), by itself; and each is made safe (`safe_text`). So nothing of a later part is needed for
an earlier one, and what is safe is what is posted.

Each cut is decided by the first characters of what is left that do not fit into a message (`costs`), and by nothing
after them. So the parts of a text are a prefix of the parts of any longer text that begins with it, the last part
aside. What is open at a cut is closed, and opened again by what the next part begins with: code with its language, a
table with its head, a quote, a spoiler, bold. A part costs work in proportion to `limit`, whatever the text is, and a
part that is not asked for costs none. That is why blocks are found by looking at lines: a Markdown parser needs up to
a hundred times as long for hostile texts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from programs.discord.delivery.atoms import whole
from programs.discord.delivery.costs import furthest
from programs.discord.delivery.discord_markdown import discord_markdown
from programs.discord.delivery.spans import Spans
from programs.markdown.blocks import Block, blocks
from programs.markdown.tables import cells

# Room for what makes a part safe, the footer and a closing fence, so that no part has to be cut again for them.
LIMIT = 1_780  # UTF-16 units

_EARLIEST = 0.3  # of the limit; a cut before that would leave a stub
_LONGEST_HEAD = 0.3  # of the limit; a longer head of a table is not repeated
_LONGEST_FENCE = 12
_NEAR = 160  # characters; a span that begins so little before a cut goes to the next part as a whole

_CLOSING = "\n```"
# An item, a heading; a line behind a blank one; the first line of a quote; the head of a table whose rule is not known.
_BEGINS_BLOCK = re.compile(r"^[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])(?:[ \t]|\Z)|#{1,6} |```|~~~)", re.MULTILINE)
_BEHIND_BLANK = re.compile(r"^[ \t>]*+\n(?=[^\n]*[^\s>])", re.MULTILINE)
_BEGINS_QUOTE = re.compile(r"^(?!>)[^\n]*+\n(?=>)", re.MULTILINE)
_MAY_BE_HEAD = re.compile(r"^(?=[^\n]*\|)[^\n]*+(?:\n[ \t|:>]*+(?:-[-|: \t]*+)?)?\Z", re.MULTILINE)
_QUOTED = re.compile(r"[ \t]{0,3}>(?:[ \t]?>)*[ \t]?")
_ITEM_BEGINS = re.compile(r"[ \t]+(?:[-*+]|\d{1,9}[.)])[ \t]")


@dataclass(frozen=True)
class _Opening:
    """What the next part begins with: it opens again what the cut has closed.

    Attributes:
        text: All of it.
        spans: How many characters of it, from the first on, are marks of spans and quotes.
        in_block: Whether code or a table goes on.
    """

    text: str = ""
    spans: int = 0
    in_block: bool = False


def split(text: str, limit: int = LIMIT) -> list[str]:
    """The parts of a Markdown text in Discord's Markdown, each valid by itself; none for a blank text.

    Each is at most `limit` UTF-16 units long, apart from what closes its last block and its spans. A code block or a
    table is kept whole where it fits, else it is closed and opened again with its language or its head.
    """
    return list(parts_of(text, limit))


def parts_of(text: str, limit: int = LIMIT, *, unfinished: bool = False) -> Iterator[str]:
    """The same, each part cut when it is asked for.

    Args:
        text: The text.
        limit: UTF-16 units.
        unfinished: More of it is to come. The last part then hides what may become a spoiler.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.strip("\n")
    opening, start = _Opening(), 0
    while (window := _window(text, start, opening.text, limit)) is not None:
        end = _cut(window, max(int(limit * _EARLIEST), len(opening.text)))
        end = max(end, len(opening.text) + 1)  # whatever it is, each part goes on
        spans = Spans(window[:end], opening.spans)
        block = _block_at(window, end)
        if part := _made(spans, spans.closing(), limit):
            yield part
        start += end - len(opening.text)
        opening = _opening(window[:end], spans, block, limit)
        start = _begin_of_next(text, start, opening, indented=_begins_indented(window, end))
    spans = Spans(opening.text + text[start:], opening.spans)
    if text[start:].strip() and (part := _made(spans, spans.due(unfinished=unfinished), limit)):
        yield part


def _window(text: str, start: int, opening: str, limit: int) -> str | None:
    """What is left, as far as it may fit into a message; None if all of it fits."""
    rest = opening + text[start : start + limit + 1]
    end = furthest(rest, limit)
    if end is None:
        return None if start + limit + 1 >= len(text) else rest[:limit]
    if end <= len(opening) + 1:  # a row of a table that is longer than a message
        end = len(opening) + max(8, limit - 3 * len(opening))
        if end >= len(rest) and start + limit + 1 >= len(text):
            return None
    return rest[:end]


def _made(spans: Spans, closing: str, limit: int) -> str:
    """A part as Discord renders it, with what closes its spans."""
    source = spans.text
    for place, mark in reversed(spans.ends):
        source = f"{source[:place].rstrip()}{mark}{source[place:]}"
    source = source.rstrip()
    made = discord_markdown(source, limit).strip("\n").rstrip() if source else ""
    if not closing or not made:
        return made
    return f"{made}\n{closing}" if made.endswith("```") else made + closing


def _begin_of_next(text: str, place: int, opening: _Opening, *, indented: bool) -> int:
    """Where the next part begins: behind the line feed of the cut, and outside of code behind blank lines too."""
    if opening.in_block:
        return place + text.startswith("\n", place)
    while text.startswith("\n", place):
        place += 1
    if not indented and _ITEM_BEGINS.match(text, place) is None:
        while place < len(text) and text[place] in " \t":
            place += 1
    return place


def _begins_indented(window: str, place: int) -> bool:
    return any(block.start == place and block.kind == "code" for block in blocks(window))


def _opening(part: str, spans: Spans, block: Block | None, limit: int) -> _Opening:
    """What opens again behind a part what is open at its end."""
    quote = ">>> " if part.startswith(">>> ") or "\n>>> " in part else ""
    if block is None and not quote and not part.endswith("\n"):
        found = _QUOTED.match(part, part.rfind("\n") + 1)
        quote = "> " if found else ""
    marks = quote + spans.opening()
    if block is None:
        return _Opening(marks, len(marks))
    before = f"{marks}\n" if marks else ""
    return _Opening(before + _reopened(part, block, limit), len(marks), in_block=True)


def _reopened(part: str, block: Block, limit: int) -> str:
    """The line that opens code again, or the head of a table."""
    if block.kind == "code":
        if not block.fence:
            return ""
        prefix = block.prefix if ">" in block.prefix else " " * len(block.prefix.expandtabs(4))
        return f"{prefix[:8]}{block.fence[:_LONGEST_FENCE]}{block.language}\n"
    head = part[block.start : block.body]
    if len(head) > limit * _LONGEST_HEAD:
        prefix = "> " if ">" in block.prefix else ""
        head = f"{prefix}| |\n{prefix}|-|\n"
    row = part[part.rfind("\n") + 1 :]
    return head + ("|" * len(cells(row)) if row.strip() else "")


def _cut(window: str, earliest: int) -> int:
    """Where to cut, after `earliest`: before the last block, else at the end of a line, a sentence or a word."""
    last = blocks(window)[-1]
    if last.kind == "prose":
        return _cut_in_prose(window, last.start, earliest)
    if last.start > earliest and (last.kind == "table" or not last.closed or not last.fence):
        return last.start
    if last.kind == "table":
        return _cut_in_table(window, last, earliest)
    return _cut_in_code(window, earliest)


def _cut_in_code(window: str, earliest: int) -> int:
    """The end of the last line of code that leaves room to close the block."""
    room = len(window) - len(_CLOSING)
    line = window.rfind("\n", earliest + 1, room + 1)
    return line if line >= 0 else whole(window, max(room, 1), earliest)


def _cut_in_table(window: str, table: Block, earliest: int) -> int:
    """The end of the last row, or of a word where a row is longer than a message."""
    row = window.rfind("\n", max(earliest, table.body)) + 1
    if row > max(earliest, table.body):
        return row
    word = window.rfind(" ", earliest + 1) + 1
    return whole(window, word or len(window) - 1, earliest)


def _cut_in_prose(window: str, begin: int, earliest: int) -> int:
    """Before the last paragraph or item, else where the fewest spans, links and words are cut through."""
    last_block = _last_block(window, begin, earliest)
    if last_block is not None:
        return last_block
    if begin > earliest:  # words go on right behind code or a table
        before = next(block.start for block in blocks(window) if block.end == begin)
        return before if before > earliest else begin
    end = len(window) - 1
    for separator in ("\n\n", "\n", ". ", " "):
        found = window.rfind(separator) + len(separator)
        if found > max(earliest, begin) + len(separator):
            end = found
            break
    end = whole(window, end, max(earliest, begin))
    spans = Spans(window[:end]).open
    if spans and spans[0].start > max(earliest, begin) and end - spans[0].start < _NEAR:
        return spans[0].start
    return max(end, 1)


def _last_block(window: str, begin: int, earliest: int) -> int | None:
    """Where the last paragraph, item, quote, … begins that begins after `earliest`, in the prose from `begin` on."""
    last = -1
    for pattern in (_BEGINS_BLOCK, _BEHIND_BLANK, _BEGINS_QUOTE, _MAY_BE_HEAD):
        for found in pattern.finditer(window, max(begin, window.rfind("\n", 0, earliest) + 1)):
            place = found.start() if pattern in (_BEGINS_BLOCK, _MAY_BE_HEAD) else found.end()
            if earliest < place < len(window):
                last = max(last, place)
    return last if last >= 0 else None


def _block_at(window: str, end: int) -> Block | None:
    """The code or the table that a cut goes through."""
    if not (found := blocks(window[:end])) or found[-1].kind == "prose":
        return None
    last = found[-1]
    if last.kind == "table":
        return last if any(one.kind == "table" and one.start == last.start for one in blocks(window)) else None
    if last.fence:
        return None if last.closed else last
    goes_on = any(one.start == last.start and one.end > last.end for one in blocks(window))
    return last if goes_on else None
