"""Sessions: their names and titles, and what is forgotten of them."""

import json

from llmgine.errors import UnknownSessionError
from llmgine.sessions.clock import at
from llmgine.sessions.database import Group, Row, Steps, operation, query
from llmgine.sessions.operations.settings import change_setting
from llmgine.sessions.records import Session

_SESSION = """
    SELECT id, name, title, scopes, updated_at,
           (SELECT value FROM setting WHERE scope = session.id AND name = 'system_prompt') AS system_prompt,
           (
               SELECT COUNT(*) FROM turn
               WHERE session_id = session.id AND seq > cleared_seq AND state <> 'forgotten'
           ) AS turns
    FROM session
"""


class Sessions(Group):
    """Conversations as a whole."""

    @query
    def all(self) -> Steps[list[Session]]:
        """All sessions, the one used last first."""
        rows = yield _SESSION + "ORDER BY updated_at DESC, id", ()
        return [_to_session(row) for row in rows]

    @query
    def get(self, session_id: str) -> Steps[Session]:
        """One session.

        Raises:
            UnknownSessionError: There is none with this id.
        """
        rows = yield _SESSION + "WHERE id = $1", (session_id,)
        if not rows:
            raise UnknownSessionError(
                f"There is no session {session_id!r}; --list-sessions or /sessions shows them all"
            )
        return _to_session(rows[0])

    @operation
    def ensure(self, session_id: str, now: int, name: str | None = None, scopes: tuple[str, ...] = ()) -> Steps[None]:
        """Make the session if it is not there; a name and scopes, when given, become its own."""
        yield from ensure_session(session_id, name, scopes, now)

    @operation
    def set_system_prompt(self, session_id: str, prompt: str | None, now: int, name: str | None = None) -> Steps[None]:
        """Set the session's own system prompt, or take it away (None)."""
        yield from ensure_session(session_id, name, (), now)
        yield from change_setting(session_id, "system_prompt", prompt, "", now)

    @operation
    def rename(self, session_id: str, title: str | None, now: int, *, only_first: bool = False) -> Steps[bool]:
        """Give the session another title, or none; with `only_first` only if it has none. Whether it did."""
        yield (
            """
            INSERT INTO session (id, name, scopes, cleared_seq, next_seq, updated_at) VALUES ($1, $1, '[]', 0, 1, $2)
            ON CONFLICT (id) DO NOTHING
            """,
            (session_id, now),
        )
        rows = yield (
            "UPDATE session SET title = $2 WHERE id = $1 AND ($3 = 0 OR title IS NULL) RETURNING id",
            (session_id, title, int(only_first)),
        )
        return bool(rows)

    @operation
    def clear(self, session_id: str, now: int) -> Steps[None]:
        """Forget the conversation: later turns see nothing of it, and the texts of ended turns are deleted.

        What was approved for always in the conversation is asked about again.
        """
        yield from ensure_session(session_id, None, (), now)
        yield "UPDATE session SET title = NULL, cleared_seq = next_seq - 1 WHERE id = $1", (session_id,)
        yield "DELETE FROM setting WHERE scope = $1 AND name LIKE 'approved:%'", (session_id,)
        ended = "SELECT id FROM ended_turn WHERE session_id = $1"
        # Nobody writes an outcome again whose texts are deleted here.
        yield (
            f"UPDATE turn SET claim = claim + 1 WHERE id IN ({ended}) AND id IN (SELECT turn_id FROM step)",
            (session_id,),
        )
        yield f"DELETE FROM step WHERE turn_id IN ({ended})", (session_id,)
        yield f"DELETE FROM decision WHERE turn_id IN ({ended})", (session_id,)
        yield f"DELETE FROM image WHERE turn_id IN ({ended})", (session_id,)
        yield f"DELETE FROM delivery WHERE sent = 1 AND turn_id IN ({ended})", (session_id,)


def ensure_session(session_id: str, name: str | None, scopes: tuple[str, ...], now: int) -> Steps[None]:
    """Make the session if it is not there, and mark it as used; a name and scopes, when given, become its own."""
    yield (
        """
        INSERT INTO session (id, name, scopes, cleared_seq, next_seq, updated_at)
        VALUES ($1, COALESCE($2, $1), COALESCE($3, '[]'), 0, 1, $4)
        ON CONFLICT (id) DO UPDATE SET
            name = COALESCE($2, session.name), scopes = COALESCE($3, session.scopes), updated_at = $4
        """,
        (session_id, name or None, json.dumps(scopes) if scopes else None, now),
    )


def inherit(session_id: str, scopes: tuple[str, ...]) -> Steps[None]:
    """Let a session inherit settings from these scopes: its place may have changed. None at all changes nothing."""
    if scopes:
        yield "UPDATE session SET scopes = $2 WHERE id = $1", (session_id, json.dumps(scopes))


def _to_session(row: Row) -> Session:
    return Session.model_validate({**row, "scopes": json.loads(row["scopes"]), "updated_at": at(row["updated_at"])})
