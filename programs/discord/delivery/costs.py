"""How long a text may become as Discord's Markdown, so that a cut is decided before it is translated.

The cost of a text is at least that of any beginning of it: so it is known from the first characters that do not fit
into a message where that message ends, whatever follows.
"""

import operator
import re
from collections.abc import Iterator, Sequence

from wcwidth import wcwidth

from programs.discord.delivery.discord_markdown import COLUMNS
from programs.discord.delivery.lengths import units
from programs.markdown.blocks import Block, blocks
from programs.markdown.inline import RULE
from programs.markdown.tables import cells

_LONGER = re.compile(
    r"^(?:(?P<all>>>>[ \t])|[ \t]*+(?:(?P<term>:[ ])"
    r"|>?[ \t>]*+(?P<rule>(?P<sign>[-*_])[ \t]*+(?P=sign)[ \t]*+(?P=sign))|>(?![ \t>])))",
    re.MULTILINE,
)
_FRAME = len("```\n\n```\n")


def furthest(text: str, limit: int) -> int | None:
    """Where a text stops fitting into `limit` UTF-16 units once it is translated; None if all of it fits."""
    room = limit
    quoted = False
    wide = not text.isascii() and max(text) > "\uffff"
    for block in blocks(text):
        rows = block.kind == "table" and text[block.body - 1] == "\n"
        for start, end, more in _table(text, block) if rows else _lines(text, block, quoted=quoted):
            quoted = quoted or (more == 2 and text.startswith(">>>", start))
            cost = (units(text[start:end]) if wide else end - start) + more
            if cost > room:
                if not rows:
                    return _within(text, start, end, room - more)
                # The head ends where it would without its rule, of which a beginning of the text knows nothing.
                return start if start >= block.body else min(_within(text, start, end, room), end - 1)
            room -= cost
    return None


def _within(text: str, start: int, end: int, room: int) -> int:
    """How far into a line the room goes; not into the marks of a quote, whose cost depends on what follows them."""
    place = min(start + max(0, room), end)
    while place > start and units(text[start:place]) > room:
        place -= max(1, (units(text[start:place]) - room) // 2)
    line = text.rfind("\n", 0, place) + 1
    return line if ">" in (marks := text[line:place]) and not marks.strip(" \t>") else place


def _split(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        after = (text.find("\n", start, end) + 1) or end
        yield start, after
        start = after


def _lines(text: str, block: Block, *, quoted: bool) -> Iterator[tuple[int, int, int]]:
    """The lines that may become longer one by one, and what is between them as one.

    Each with where it begins, where it ends, and what it adds to the length of its message beyond its own.
    """
    if block.kind == "code":
        yield block.start, block.end, 0 if block.fence else _FRAME
        return
    if quoted:  # each of its lines becomes one of a quote
        yield from ((start, end, 2) for start, end in _split(text, block.start, block.end))
        return
    start = block.start
    for found in _LONGER.finditer(text, block.start, block.end):
        begin = found.start()
        if begin > start:
            yield start, begin, 0
        kind = found.lastgroup
        if kind == "all":  # each line of it becomes one of a quote
            for place, after in _split(text, begin, block.end):
                yield place, after, 2
            return
        more = 1 if kind is None else 4 if kind == "term" else len(RULE)
        start = (text.find("\n", found.end(), block.end) + 1) or block.end
        yield begin, start, more
    if block.end > start:
        yield start, block.end, 0


def _table(text: str, block: Block) -> Iterator[tuple[int, int, int]]:
    """The rows with what the table costs more with each: as a list or as code, whichever is more."""
    second = text.find("\n", block.start) + 1
    head, rule = text[block.start : second], text[second : block.body]
    names = cells(head)
    labels = units(head) + 2 * len(names) if len(names) > 2 else 0
    widths = [_width(name) for name in names]
    plain = units(head) + units(rule)
    listed = units(head) + 6
    wide = max(0, units(head) - _width(head))
    counted = max(plain, _FRAME + 2 * _row(widths) + wide)
    yield block.start, second, counted - plain
    yield second, block.body, 0
    one = _row(widths)
    for number, (start, end) in enumerate(_split(text, block.body, block.end), 3):
        row = text[start:end]
        found = cells(row, len(names))
        ascii_row = row.isascii()
        fits = ascii_row and len(found) <= len(widths) and all(map(operator.le, map(len, found), widths))
        if not fits and _widen(widths, found):
            one = _row(widths)
        length = end - start if ascii_row else units(row)
        plain += length
        listed += length + labels + 3 * len(found) + 8
        if not ascii_row:
            wide += max(0, length - _width(row))
        cost = max(counted, plain, listed, _FRAME + number * one + wide)
        yield start, end, cost - counted - length
        counted = cost


def _widen(widths: list[int], row: Sequence[str]) -> bool:
    """Make the columns as wide as the cells of a row need; whether that changed any."""
    changed = False
    for number, cell in enumerate(row):
        width = _width(cell)
        if number == len(widths):
            widths.append(width)
        elif width > widths[number]:
            widths[number] = width
        else:
            continue
        changed = True
    return changed


def _row(widths: list[int]) -> int:
    return min(sum(widths) + 2 * len(widths), COLUMNS) + 1


def _width(text: str) -> int:
    """How many columns a text takes at most; more of it never takes less."""
    return len(text) if text.isascii() else sum(max(0, wcwidth(one)) for one in text)
