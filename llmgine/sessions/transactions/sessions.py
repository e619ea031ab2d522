"""Sessions: their names, their system prompts, and what is forgotten of them."""

import json

from llmgine.errors import UnknownSessionError
from llmgine.sessions.database import Row, Transaction
from llmgine.sessions.records import Session
from llmgine.sessions.transactions.settings import change_setting

_SESSION = """
    SELECT id, name, title, scopes, updated_at,
           (SELECT value FROM setting WHERE scope = session.id AND name = 'system_prompt') AS system_prompt,
           (
               SELECT COUNT(*) FROM turn
               WHERE session_id = session.id AND seq > cleared_seq AND state <> 'forgotten'
           ) AS turns
    FROM session
"""


def sessions() -> Transaction[list[Session]]:
    """All sessions, the one used last first."""
    rows = yield _SESSION + "ORDER BY updated_at DESC, id", ()
    return [_to_session(row) for row in rows]


def session(session_id: str) -> Transaction[Session]:
    """One session, or UnknownSessionError."""
    rows = yield _SESSION + "WHERE id = $1", (session_id,)
    if not rows:
        raise UnknownSessionError(f"There is no session {session_id!r}; --list-sessions or /sessions shows them all")
    return _to_session(rows[0])


def ensure_session(session_id: str, name: str | None, now: str, scopes: tuple[str, ...] = ()) -> Transaction[None]:
    """Make the session if need be, and mark it as used; a name and scopes that are given become its own."""
    yield (
        """
        INSERT INTO session (id, name, cleared_seq, updated_at) VALUES ($1, $2, 0, $3)
        ON CONFLICT (id) DO UPDATE SET updated_at = $3
        """,
        (session_id, name or session_id, now),
    )
    if name:
        yield "UPDATE session SET name = $2 WHERE id = $1", (session_id, name)
    yield from inherit(session_id, scopes)


def inherit(session_id: str, scopes: tuple[str, ...]) -> Transaction[None]:
    """Let a session inherit settings from these scopes: its place may have changed. None at all changes nothing."""
    if scopes:
        yield "UPDATE session SET scopes = $2 WHERE id = $1", (session_id, json.dumps(scopes))


def rename(session_id: str, title: str | None, now: str, *, only_first: bool) -> Transaction[bool]:
    """Give a session another title; with `only_first` only if it has none. Whether it did."""
    yield (
        """
        INSERT INTO session (id, name, cleared_seq, updated_at) VALUES ($1, $1, 0, $2) ON CONFLICT (id) DO NOTHING
        """,
        (session_id, now),
    )
    rows = yield "SELECT title FROM session WHERE id = $1", (session_id,)
    if only_first and rows[0]["title"] is not None:
        return False
    yield "UPDATE session SET title = $2 WHERE id = $1", (session_id, title)
    return True


def set_system_prompt(session_id: str, name: str | None, prompt: str | None, now: str) -> Transaction[None]:
    """Set or take away the session's own system prompt."""
    yield from ensure_session(session_id, name, now)
    yield from change_setting(session_id, "system_prompt", prompt, "", now)


def clear(session_id: str, now: str) -> Transaction[None]:
    """Hide all turns from the history; delete the texts of those that have ended, also from the file's free pages.

    What was approved for always in the conversation is asked about again.
    """
    yield from ensure_session(session_id, None, now)
    yield (
        """
        UPDATE session SET title = NULL,
            cleared_seq = (SELECT COALESCE(MAX(seq), 0) FROM turn WHERE session_id = $1) WHERE id = $1
        """,
        (session_id,),
    )
    yield "DELETE FROM setting WHERE scope = $1 AND name LIKE 'approved:%'", (session_id,)
    yield "DELETE FROM step WHERE turn_id IN (SELECT id FROM ended_turn WHERE session_id = $1)", (session_id,)
    yield "DELETE FROM image WHERE turn_id IN (SELECT id FROM ended_turn WHERE session_id = $1)", (session_id,)
    yield (
        "DELETE FROM delivery WHERE sent = 1 AND turn_id IN (SELECT id FROM ended_turn WHERE session_id = $1)",
        (session_id,),
    )


def _to_session(row: Row) -> Session:
    return Session.model_validate({**row, "scopes": json.loads(row["scopes"])})
