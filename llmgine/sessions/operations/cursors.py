"""Cursors: how far the messages of a place have been processed."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from llmgine.sessions.database import Group, Row, Statement, Steps, listed, listing, operation, query
from llmgine.sessions.records import Cursor

T = TypeVar("T")
_AT_ONCE = 500  # places in one statement
_TOP = 2**63 - 1  # after every position


class Cursors(Group):
    """The cursors of front ends."""

    @query
    def at(self, source: str, places: Sequence[str]) -> Steps[dict[str, int]]:
        """The cursors of some places, by place; nothing for those that have none."""
        found: dict[str, int] = {}
        for some in _portions(places):
            rows = yield (
                f"SELECT place, position FROM cursor_of_place WHERE source = $1 AND place IN ({listed(some, 2)})",
                (source, *some),
            )
            found |= {row["place"]: row["position"] for row in rows}
        return found

    @listing
    def page(
        self, source: str, kind: str, guild: int | None = None, *, after: Cursor | None = None, most: int
    ) -> Steps[list[Cursor]]:
        """Cursors of places of a kind in a server, or in none (None); the newest first.

        Args:
            source: The front end.
            kind: What kind of place they are of.
            guild: The server.
            after: The last one of the page before.
            most: How many.
        """
        position, place = (after.position, after.place) if after else (_TOP, "")
        rows = yield (
            """
            SELECT place, position, kind, parent, guild FROM cursor_of_place
            WHERE source = $1 AND COALESCE(guild, 0) = $2 AND kind = $3 AND (position, place) < ($4, $5)
            ORDER BY position DESC, place DESC LIMIT $6
            """,
            (source, guild or 0, kind, position, place, most),
        )
        return [_cursor(row) for row in rows]

    @query
    def newest(self, source: str) -> Steps[int | None]:
        """The newest position of any place of a front end; None where there is no cursor at all."""
        rows = yield "SELECT MAX(position) AS position FROM cursor_of_place WHERE source = $1", (source,)
        return rows[0]["position"] if rows else None

    @operation
    def move(self, source: str, cursors: Sequence[Cursor]) -> Steps[None]:
        """Move cursors forward, or set them where there are none; none ever moves back. Each place may occur once."""
        for some in _portions(cursors):
            yield _moved(source, some)

    @operation
    def forget(self, source: str, place: str) -> Steps[None]:
        """Delete the cursor of a place that is gone for good, and those of the places in it."""
        yield "DELETE FROM cursor_of_place WHERE source = $1 AND place = $2", (source, place)
        yield "DELETE FROM cursor_of_place WHERE source = $1 AND parent = $2", (source, place)


def _moved(source: str, cursors: Sequence[Cursor]) -> Statement:
    values = [(one.place, one.position, one.kind, one.parent, one.guild) for one in cursors]
    rows = ", ".join(f"($1, {listed(value, 2 + 5 * number)})" for number, value in enumerate(values))
    return (
        f"""
        INSERT INTO cursor_of_place (source, place, position, kind, parent, guild) VALUES {rows}
        ON CONFLICT (source, place) DO UPDATE SET
            position = excluded.position, kind = excluded.kind, parent = excluded.parent, guild = excluded.guild
        WHERE cursor_of_place.position <= excluded.position
        """,
        (source, *(one for value in values for one in value)),
    )


def _portions(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for begin in range(0, len(values), _AT_ONCE):
        yield values[begin : begin + _AT_ONCE]


def _cursor(row: Row) -> Cursor:
    return Cursor(row["place"], row["position"], row["kind"], row["parent"], row["guild"])
