"""Requests to stop turns, which any process makes and the turn's own process carries out."""

from llmgine.messages.steps import Turn
from llmgine.sessions.database import Group, Steps, announced, operation, query
from llmgine.sessions.operations.rows import lock, to_turn


class Stops(Group):
    """Requests to stop."""

    @announced
    def request(self, session_id: str, turn_id: str | None) -> Steps[list[Turn]]:
        """Ask that the turn, or all of the session (None), be stopped; returns those that had not ended."""
        return (yield from request_stop(session_id, turn_id))

    @query
    def mine(self) -> Steps[list[str]]:
        """The ids of the unfinished turns of this process that somebody asked to stop."""
        rows = yield (
            """
            SELECT id FROM open_turn
            WHERE owner = $1 AND EXISTS (
                SELECT 1 FROM stop_request
                WHERE stop_request.turn_id = open_turn.id AND stop_request.attempt = open_turn.attempt
            )
            """,
            (self._me,),
        )
        return [row["id"] for row in rows]

    @operation
    def sweep(self) -> Steps[None]:
        """Delete the requests of turns that have ended."""
        yield "DELETE FROM stop_request WHERE NOT EXISTS (SELECT 1 FROM open_turn WHERE id = stop_request.turn_id)", ()


def request_stop(session_id: str, turn_id: str | None) -> Steps[list[Turn]]:
    """Ask that a turn, or all of the session (None), be stopped; returns those that had not ended."""
    yield from lock(session_id)
    rows = yield (
        "SELECT * FROM open_turn WHERE session_id = $1 AND ($2 = '' OR id = $2) ORDER BY seq",
        (session_id, turn_id or ""),
    )
    for row in rows:
        yield (
            "INSERT INTO stop_request (turn_id, attempt) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            (row["id"], row["attempt"]),
        )
    return [to_turn(row) for row in rows]
