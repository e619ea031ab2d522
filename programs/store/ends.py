"""What a copy reads from and writes to: a database of either engine, and what both have in common."""

import hashlib
import marshal
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from llmgine.messages.text import clean_text

# All tables of the schema, those that others refer to first.
TABLES = (
    "session",
    "turn",
    "inbox",
    "step",
    "delivery",
    "image",
    "result_file",
    "context_message",
    "stop_request",
    "decision",
    "setting",
    "spent",
    "reservation",
    "lesson",
    "audit",
    "cursor_of_place",
    "login",
    "forgotten",
    "reported_server",
)
_FIRST = 16  # rows that are read before it is known how large they are
BATCH = 5_000  # rows that are read and written at a time, at most
ROOM = 8_000_000  # characters that a batch is to have, at most: an image is a text of millions

Values = tuple[str | int | None, ...]  # of a row; nothing else is in a store


class Source(Protocol):
    """A database that is read. All reads see it as it was at the first one.

    Attributes:
        name: Its address without user and password, as people and `unfinished_copy` know it.
    """

    name: str

    async def columns(self, table: str) -> list[str]:
        """The names of a table's columns; empty where there is no such table."""

    async def numbers(self, sql: str) -> list[int]:
        """The first column of what a statement finds, which must be numbers."""

    async def in_use(self) -> bool:
        """Whether a program has the store open at this moment."""

    def batches(self, table: str, columns: Sequence[str]) -> AsyncGenerator[list[Values]]:
        """All rows of a table, `next_batch` of them at a time, in an order that changes only with the table."""

    async def close(self) -> None:
        """Close it."""


class Target(Source, Protocol):
    """A database that is written; each read sees what is there by then."""

    async def write(self, table: str, columns: Sequence[str], rows: list[Values]) -> None:
        """Add rows, all or none of them."""

    async def change(self, *statements: str) -> None:
        """Run statements in one transaction that is on the disk when this returns."""

    async def analyze(self) -> None:
        """Let the database gather statistics, if it needs them to plan its first queries well."""

    async def texts(self, sql: str) -> list[str]:
        """The first column of what a statement finds, which must be texts."""


class Sum:
    """The number of rows and a checksum over all their values: for the same rows in any order it is the same.

    Attributes:
        rows: How many rows were added.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._total = 0

    def add(self, rows: Sequence[Values]) -> None:
        """Add rows."""
        for row in rows:
            # Version 0 writes the same bytes for the same values; later ones also write how they are kept in memory.
            digest = hashlib.blake2b(marshal.dumps(row, 0), digest_size=16).digest()
            self._total += int.from_bytes(digest)
        self.rows += len(rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sum) and (self.rows, self._total) == (other.rows, other._total)

    def __hash__(self) -> int:
        return hash((self.rows, self._total))


def next_batch(rows: Sequence[Values]) -> int:
    """How many rows to read after these: more and more, as long as rows of their size are not too much at a time."""
    if not rows:
        return _FIRST
    largest = max(sum(len(value) for value in row if isinstance(value, str)) for row in rows)
    return max(1, min(BATCH, 2 * len(rows), ROOM // max(1, largest)))


def cleaned(rows: list[Values]) -> tuple[list[Values], int]:
    """The rows as every engine can store them, and how many of their texts had to be changed for that."""
    changed = 0
    for number, row in enumerate(rows):
        if any(type(value) is str and "\0" in value for value in row):
            rows[number] = tuple(clean_text(value) if isinstance(value, str) else value for value in row)
            changed += sum(before != after for before, after in zip(row, rows[number], strict=True))
    return rows, changed
