"""Turns: who owns them and what they are doing."""

import json
from collections.abc import Sequence

from pydantic import JsonValue

from llmgine.sessions.database import Row, Transaction
from llmgine.sessions.records import Turn, TurnStatus
from llmgine.sessions.transactions.branches import copies


def to_turn(row: Row) -> Turn:
    """A turn from its row."""
    return Turn.model_validate({**row, "origin": json.loads(row["origin"])})


def turn_of(source: str, source_id: str) -> Transaction[str | None]:
    """The turn a message was admitted to."""
    rows = yield "SELECT turn_id FROM inbox WHERE source = $1 AND source_id = $2", (source, source_id)
    return rows[0]["turn_id"] if rows else None


def recent(source: str, since: str) -> Transaction[list[tuple[str, dict[str, JsonValue]]]]:
    """What was admitted since then, oldest first."""
    rows = yield (
        """
        SELECT inbox.source_id, turn.origin FROM inbox JOIN turn ON turn.id = inbox.turn_id
        WHERE inbox.source = $1 AND turn.created_at >= $2 AND turn.state <> 'forgotten'
        ORDER BY turn.created_at
        """,
        (source, since),
    )
    return [(row["source_id"], json.loads(row["origin"])) for row in rows]


def claim(turn_id: str, owner: str, *, resumed: bool) -> Transaction[Turn | None]:
    """Mark a turn as running, if it is unfinished and ours."""
    rows = yield "SELECT * FROM open_turn WHERE id = $1 AND owner = $2", (turn_id, owner)
    if not rows:
        return None
    resumes = rows[0]["resumes"] + int(resumed)
    yield "UPDATE turn SET state = 'running', resumes = $2 WHERE id = $1", (turn_id, resumes)
    return to_turn({**rows[0], "state": "running", "resumes": resumes})


def unfinished(session_id: str) -> Transaction[list[Turn]]:
    """A session's queue."""
    rows = yield "SELECT * FROM open_turn WHERE session_id = $1 ORDER BY seq", (session_id,)
    return [to_turn(row) for row in rows]


def unfinished_of(sources: Sequence[str], session_id: str | None) -> Transaction[list[Turn]]:
    """The unfinished turns that came from these front ends."""
    rows = yield (
        "SELECT * FROM open_turn WHERE ($1 = '' OR session_id = $1) ORDER BY session_id, seq",
        (session_id or "",),
    )
    return [to_turn(row) for row in rows if row["source"] in sources]


def change_owner(turn_id: str, old: str, new: str) -> Transaction[bool]:
    """Take a turn from a dead owner, unless somebody else was quicker."""
    rows = yield "SELECT id FROM open_turn WHERE id = $1 AND owner = $2", (turn_id, old)
    if rows:
        yield "UPDATE turn SET owner = $2 WHERE id = $1", (turn_id, new)
    return bool(rows)


def set_state(turn_id: str, attempt: int, state: TurnStatus) -> Transaction[None]:
    """Change the state of an unfinished turn, if this is its present attempt."""
    yield (
        "UPDATE turn SET state = $3 WHERE id IN (SELECT id FROM open_turn WHERE id = $1 AND attempt = $2)",
        (turn_id, attempt, state),
    )


def request_stop(session_id: str, turn_id: str | None) -> Transaction[list[Turn]]:
    """Mark unfinished turns to be stopped by their owner."""
    rows = yield (
        "SELECT * FROM open_turn WHERE session_id = $1 AND ($2 = '' OR id = $2) ORDER BY seq",
        (session_id, turn_id or ""),
    )
    for row in rows:
        yield "UPDATE turn SET stop_requested = 1 WHERE id = $1", (row["id"],)
    return [to_turn(row) for row in rows]


def stop_requested(owner: str) -> Transaction[list[str]]:
    """An owner's turns that are to be stopped."""
    rows = yield "SELECT id FROM open_turn WHERE owner = $1 AND stop_requested = 1", (owner,)
    return [row["id"] for row in rows]


def forget(session_id: str, turn_id: str, dead_owner: str) -> Transaction[Turn | None]:
    """Delete a turn's texts, also from its copies in branches, and mark what was posted for it as to be taken away.

    None where it is there no more, or runs: of the turns that do, only those of a dead owner are forgotten.
    """
    rows = yield (
        """
        SELECT * FROM turn
        WHERE id = $2 AND session_id = $1 AND state <> 'forgotten'
            AND (state NOT IN ('running', 'waiting') OR owner = $3)
        """,
        (session_id, turn_id, dead_owner),
    )
    if not rows:
        return None
    yield from _erase(turn_id)
    yield from forget_copies(turn_id)
    yield (
        "DELETE FROM delivery WHERE turn_id = $1 AND (COALESCE(message_id, '') = '' OR attempt < $2)",
        (turn_id, rows[0]["attempt"]),
    )
    yield "UPDATE delivery SET body = '{}', final = 0, sent = 0 WHERE turn_id = $1", (turn_id,)
    return to_turn(rows[0])


def forget_copies(turn_id: str) -> Transaction[None]:
    """Delete the texts of a turn's copies in branches: what was taken back is not to live on there."""
    for one in (yield from copies(turn_id)):
        yield from _erase(one)


def _erase(turn_id: str) -> Transaction[None]:
    yield "UPDATE turn SET state = 'forgotten' WHERE id = $1", (turn_id,)
    yield "DELETE FROM step WHERE turn_id = $1", (turn_id,)
    yield "DELETE FROM image WHERE turn_id = $1", (turn_id,)


def turn(turn_id: str) -> Transaction[Turn | None]:
    """A turn, also one whose texts are gone."""
    rows = yield "SELECT * FROM turn WHERE id = $1", (turn_id,)
    return to_turn(rows[0]) if rows else None


def last(session_id: str) -> Transaction[Turn | None]:
    """The turn of a session that was admitted last, of those that the model may be told of."""
    rows = yield (
        """
        SELECT * FROM turn
        WHERE session_id = $1 AND state <> 'forgotten' AND seq > (SELECT cleared_seq FROM session WHERE id = $1)
        ORDER BY seq DESC LIMIT 1
        """,
        (session_id,),
    )
    return to_turn(rows[0]) if rows else None


def before(session_id: str, seq: int) -> Transaction[Turn | None]:
    """The last ended turn before a place in the session."""
    rows = yield (
        "SELECT * FROM ended_turn WHERE session_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT 1",
        (session_id, seq),
    )
    return to_turn(rows[0]) if rows else None
