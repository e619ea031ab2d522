"""Cursors: up to where what was said in a place is known to have been looked at."""

from llmgine.sessions.database import Group, Steps, operation, query


class Cursors(Group):
    """The cursors of front ends."""

    @query
    def of(self, source: str) -> Steps[dict[str, int]]:
        """The cursors of a front end, by place."""
        rows = yield "SELECT place, position FROM cursor_of_place WHERE source = $1", (source,)
        return {row["place"]: row["position"] for row in rows}

    @operation
    def move(self, source: str, place: str, position: int) -> Steps[None]:
        """Move a cursor forward, or set it where there is none; it never goes back."""
        yield (
            """
            INSERT INTO cursor_of_place (source, place, position) VALUES ($1, $2, $3)
            ON CONFLICT (source, place) DO UPDATE SET position = $3 WHERE cursor_of_place.position < $3
            """,
            (source, place, position),
        )
