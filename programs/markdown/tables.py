"""Tables: their cells, and how wide they are on a screen with one column per letter."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

from wcwidth import wcswidth, wcwidth

from programs.markdown.blocks import PREFIX, Block

_PIPES = re.compile(r"\\.|(\|)", re.DOTALL)
_PIPES_OUTSIDE_CODE = re.compile(r"\\.|(?P<ticks>`++)[^`]++(?P=ticks)(?!`)|\$[^$\s](?:[^$]*[^$\s])?\$|(\|)", re.DOTALL)
_ESCAPED = re.compile(r"\\\|")


@dataclass(frozen=True)
class Table:
    """The cells of a table as they were written; a row may have fewer or more than the head."""

    head: tuple[str, ...]
    sides: tuple[str, ...]  # for each column "left", "right" or "center"
    rows: tuple[tuple[str, ...], ...]

    @property
    def columns(self) -> int:
        """How many there are, with those that only a row has."""
        return max(len(self.head), *map(len, self.rows), 1)


def read_table(text: str, block: Block) -> Table:
    """The table of a block."""
    head_line, rule, *lines = text[block.start : block.end].rstrip("\n").split("\n")
    head = cells(head_line)
    sides = tuple(_side(cell) for cell in cells(rule))
    return Table(head, sides, tuple(cells(f"{line}\n", len(head)) for line in lines))


@lru_cache(2_048)
def cells(line: str, wanted: int = 0) -> tuple[str, ...]:
    """The cells of a row.

    Args:
        line: The row.
        wanted: How many cells it should have. Pipes within code separate cells unless that number says otherwise.
    """
    prefix = None if line.startswith("|") else PREFIX.match(line)
    row = line[prefix.end() if prefix else 0 :].strip()
    if "\\" not in row and "`" not in row and "$" not in row:
        row = row[row.startswith("|") :]
        return tuple(map(str.strip, row.removesuffix("|").split("|")))
    found = _split(row, _PIPES)
    if wanted and len(found) > wanted and ("`" in row or "$" in row):
        outside = _split(row, _PIPES_OUTSIDE_CODE)
        found = outside if len(outside) <= wanted else found
    return tuple(_ESCAPED.sub("|", cell.strip()) for cell in found)


def _split(row: str, pipes: re.Pattern[str]) -> list[str]:
    places = [found.start() for found in pipes.finditer(row) if found.lastindex and found[0] == "|"]
    if places and places[0] == 0:
        row, places = row[1:], [place - 1 for place in places[1:]]
    if places and places[-1] == len(row) - 1:
        row, places = row[:-1], places[:-1]
    return [row[start + 1 : end] for start, end in zip([-1, *places], [*places, len(row)], strict=True)]


def _side(rule: str) -> str:
    if rule.endswith(":"):
        return "center" if rule.startswith(":") else "right"
    return "left"


def columns_of(text: str) -> int:
    """How many columns a text takes: East Asian wide characters and emoji take two."""
    if text.isascii():
        return len(text)
    width = wcswidth(text)
    return width if width >= 0 else sum(max(0, wcwidth(one)) for one in text)


def aligned(head: Sequence[str], sides: Sequence[str], rows: Sequence[Sequence[str]], most: int) -> str | None:
    """A table in lines with its columns below each other; None if these would take more than `most` columns."""
    table = [row for row in (head, *rows) if row]
    is_ascii = "".join(map("".join, table)).isascii()
    columns = list(zip_longest(*table, fillvalue=""))
    widths = [max(map(len if is_ascii else columns_of, column)) for column in columns]
    if sum(widths) + 2 * (len(widths) - 1) > most:
        return None
    if is_ascii and {*sides} <= {"left"}:
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    else:
        lines = [_line(row, widths, sides) for row in rows]
    if any(head):
        lines[:0] = [_line(head, widths, sides), "  ".join("─" * width for width in widths[: len(head)])]
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int], sides: Sequence[str]) -> str:
    padded = []
    for cell, width, side in zip_longest(row, widths, sides[: len(widths)], fillvalue=""):
        room = int(width or 0) - columns_of(str(cell))
        left = room if side == "right" else room // 2 if side == "center" else 0
        padded.append(" " * left + str(cell) + " " * (room - left))
    return "  ".join(padded).rstrip()
