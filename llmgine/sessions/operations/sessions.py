"""Sessions: their names and titles, and clearing them."""

import json
from collections.abc import Sequence

from llmgine.errors import UnknownSessionError
from llmgine.sessions.clock import at
from llmgine.sessions.database import Group, Row, Steps, announced, listed, listing, operation, query
from llmgine.sessions.operations.audit import record
from llmgine.sessions.operations.rows import listed_under, lock
from llmgine.sessions.operations.session_settings import change_setting
from llmgine.sessions.records import AuditEntry, Listed, Position, Session

MAX_COUNTED = 1_000  # turns of a session that are counted for a list
SEARCHED = 500  # sessions that one search reads

_PORTION = 200  # sessions read by one statement of a search
_SESSION = f"""
    SELECT id, name, title, scopes, updated_at,
           (SELECT value FROM setting WHERE scope = session.id AND name = 'system_prompt') AS system_prompt,
           (
               SELECT COUNT(*) FROM (
                   SELECT 1 FROM turn WHERE session_id = session.id AND seq > cleared_seq AND state <> 'forgotten'
                   LIMIT {MAX_COUNTED}
               ) AS counted
           ) AS turns
    FROM session
"""
_TOP, _BOTTOM = Position(updated_at=2**63 - 1, id=""), Position(updated_at=-1, id="")


class Sessions(Group):
    """Conversations as a whole."""

    @listing
    def page(
        self,
        position: Position | None = None,
        *,
        most: int,
        under: Sequence[str] | None = None,
        words: str = "",
        newer: bool = False,
    ) -> Steps[Listed]:
        """A page of the list of sessions, from the most to the least recently used.

        Args:
            position: The position after which it begins; None for the beginning.
            most: How many sessions it has at most.
            under: Under what the sessions are listed, see `listed_under`; all sessions (None).
            words: What has to be in a session's title or name, in any order, whatever the case. Of a list in which
                few have it, no more than `SEARCHED` sessions are read.
            newer: Whether it is read the other way, towards the one used last.
        """
        wanted = words.casefold().split()
        found: list[str] = []
        left = SEARCHED if wanted else most
        here = position or (_BOTTOM if newer else _TOP)
        while left > 0:
            portion = min(left, _PORTION)
            rows = yield from _read(under, here, portion, newer=newer)
            for row in rows:
                here = Position(updated_at=row["updated_at"], id=row["id"])
                if _has(row, wanted):
                    found.append(row["id"])
                if len(found) == most:
                    return Listed(sessions=(yield from _sessions(found)), end=here)
            if len(rows) < portion:
                return Listed(sessions=(yield from _sessions(found)), end=None)
            left -= portion
        return Listed(sessions=(yield from _sessions(found)), end=here)

    @query
    def get(self, session_id: str) -> Steps[Session]:
        """One session.

        Raises:
            UnknownSessionError: No session has this id.
        """
        rows = yield _SESSION + "WHERE id = $1", (session_id,)
        if not rows:
            raise UnknownSessionError(
                f"There is no session {session_id!r}; list them with --list-sessions or /sessions"
            )
        return _to_session(rows[0])

    @operation
    def ensure(self, session_id: str, now: int, name: str | None = None, scopes: tuple[str, ...] = ()) -> Steps[None]:
        """Make the session if it does not exist; a name and scopes, when given, become its own."""
        yield from ensure_session(session_id, name, scopes, now)

    @announced
    def set_system_prompt(
        self,
        session_id: str,
        prompt: str | None,
        now: int,
        name: str | None = None,
        *,
        audit: AuditEntry | None = None,
    ) -> Steps[None]:
        """Set the session's own system prompt, or take it away (None)."""
        yield from ensure_session(session_id, name, (), now)
        yield from change_setting(session_id, "system_prompt", prompt, "", now)
        yield from record(audit)

    @operation
    def rename(self, session_id: str, title: str | None, now: int) -> Steps[None]:
        """Give the session another title, or none."""
        yield (
            """
            INSERT INTO session (id, name, scopes, listed_under, cleared_seq, next_seq, updated_at)
            VALUES ($1, $1, '[]', $3, 0, 1, $2) ON CONFLICT (id) DO NOTHING
            """,
            (session_id, now, listed_under(session_id, ())),
        )
        yield "UPDATE session SET title = $2 WHERE id = $1", (session_id, title)

    @operation
    def give_title(self, turn_id: str, title: str) -> Steps[bool]:
        """Give a turn's session the title that was made of the turn, if it has none. Returns whether it did.

        Nothing is written where the turn was forgotten or cleared meanwhile: the title has its words.
        """
        rows = yield "SELECT session_id FROM turn WHERE id = $1", (turn_id,)
        if not rows:
            return False
        session_id = rows[0]["session_id"]
        yield from lock(session_id)
        rows = yield (
            """
            UPDATE session SET title = $3 WHERE id = $2 AND title IS NULL AND EXISTS (
                SELECT 1 FROM step JOIN turn ON turn.id = step.turn_id WHERE turn.id = $1 AND session_id = $2
            ) RETURNING id
            """,
            (turn_id, session_id, title),
        )
        return bool(rows)

    @announced
    def clear(
        self, session_id: str, now: int, *, keep_title: bool = False, audit: AuditEntry | None = None
    ) -> Steps[None]:
        """Forget the conversation: later turns see nothing of it, and the texts of ended turns are deleted.

        Its title is forgotten, too, unless it is kept. Tools that were always approved in it ask again.
        """
        yield from ensure_session(session_id, None, (), now)
        yield from record(audit)
        title = "" if keep_title else "title = NULL, "
        yield f"UPDATE session SET {title}cleared_seq = next_seq - 1 WHERE id = $1", (session_id,)
        yield "DELETE FROM setting WHERE scope = $1 AND name LIKE 'approved:%'", (session_id,)
        ended = "SELECT id FROM ended_turn WHERE session_id = $1"
        # Nobody writes an outcome again whose texts are deleted here.
        yield (
            f"""
            UPDATE turn SET claim = claim + 1
            WHERE id IN ({ended}) AND EXISTS (SELECT 1 FROM step WHERE turn_id = turn.id)
            """,
            (session_id,),
        )
        yield f"DELETE FROM step WHERE turn_id IN ({ended})", (session_id,)
        yield f"DELETE FROM decision WHERE turn_id IN ({ended})", (session_id,)
        yield f"DELETE FROM image WHERE turn_id IN ({ended})", (session_id,)
        yield f"DELETE FROM result_file WHERE turn_id IN ({ended})", (session_id,)
        yield f"DELETE FROM context_message WHERE turn_id IN ({ended})", (session_id,)
        yield f"DELETE FROM delivery WHERE sent = 1 AND turn_id IN ({ended})", (session_id,)


def ensure_session(session_id: str, name: str | None, scopes: tuple[str, ...], now: int) -> Steps[None]:
    """Make the session if it does not exist, and mark it as used; a name and scopes, when given, become its own."""
    yield (
        """
        INSERT INTO session (id, name, scopes, listed_under, cleared_seq, next_seq, updated_at)
        VALUES ($1, COALESCE($2, $1), COALESCE($3, '[]'), $5, 0, 1, $4)
        ON CONFLICT (id) DO UPDATE SET
            name = COALESCE($2, session.name), scopes = COALESCE($3, session.scopes), updated_at = $4,
            listed_under = CASE WHEN $3 IS NULL THEN session.listed_under ELSE $5 END
        """,
        (
            session_id,
            name or None,
            json.dumps(scopes) if scopes else None,
            now,
            listed_under(session_id, scopes),
        ),
    )


def inherit(session_id: str, scopes: tuple[str, ...]) -> Steps[None]:
    """Let a session inherit settings from these scopes: it may have moved. No scopes change nothing."""
    if scopes:
        yield (
            "UPDATE session SET scopes = $2, listed_under = $3 WHERE id = $1",
            (session_id, json.dumps(scopes), listed_under(session_id, scopes)),
        )


def _read(under: Sequence[str] | None, after: Position, most: int, *, newer: bool) -> Steps[list[Row]]:
    """What a list has after a position. Each kind of list has an index; several are merged, so that none is sorted."""
    beyond, order = (">", "ASC") if newer else ("<", "DESC")
    rows: list[Row] = []
    for one in [None] if under is None else under:
        rows += yield (
            f"""
            SELECT id, title, name, updated_at FROM session
            WHERE (updated_at, id) {beyond} ($1, $2) {"" if one is None else "AND listed_under = $4"}
            ORDER BY updated_at {order}, id {order} LIMIT $3
            """,
            (after.updated_at, after.id, most, *([] if one is None else [one])),
        )
    return sorted(rows, key=lambda row: (row["updated_at"], row["id"]), reverse=not newer)[:most]


def _has(row: Row, words: Sequence[str]) -> bool:
    said = f"{row['title'] or ''} {row['name']}".casefold()
    return all(word in said for word in words)


def _sessions(ids: Sequence[str]) -> Steps[tuple[Session, ...]]:
    """These sessions, in this order."""
    if not ids:
        return ()
    rows = yield f"{_SESSION} WHERE id IN ({listed(ids)})", ids
    found = {row["id"]: _to_session(row) for row in rows}
    return tuple(found[one] for one in ids)


def _to_session(row: Row) -> Session:
    return Session.model_validate({**row, "scopes": json.loads(row["scopes"]), "updated_at": at(row["updated_at"])})
