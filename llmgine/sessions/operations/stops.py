"""Requests to stop turns, which any process makes and the turn's own process carries out."""

from llmgine.messages.steps import Turn
from llmgine.sessions.database import Group, Steps, operation, query
from llmgine.sessions.operations.rows import lock, to_turn


class Stops(Group):
    """Requests to stop."""

    @operation
    def request(self, session_id: str, turn_id: str | None) -> Steps[list[Turn]]:
        """Ask that the turn, or all of the session (None), be stopped; returns those that had not ended."""
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

    @query
    def mine(self) -> Steps[list[str]]:
        """The ids of the unfinished turns of this process that somebody asked to stop."""
        rows = yield (
            """
            SELECT turn.id FROM stop_request JOIN open_turn AS turn
                ON turn.id = stop_request.turn_id AND turn.attempt = stop_request.attempt
            WHERE turn.owner = $1
            """,
            (self._me,),
        )
        return [row["id"] for row in rows]

    @operation
    def sweep(self) -> Steps[None]:
        """Delete the requests of turns that have ended."""
        yield "DELETE FROM stop_request WHERE turn_id NOT IN (SELECT id FROM open_turn)", ()
