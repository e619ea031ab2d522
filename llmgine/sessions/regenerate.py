"""Answering a turn anew, in SQL: one more attempt at it (see transactions.py)."""

from llmgine.errors import RefusedError
from llmgine.sessions import transactions as tx
from llmgine.sessions.database import Transaction


def regenerate(session_id: str, turn_id: str, owner: str) -> Transaction[None]:
    """Queue an ended turn once more; what was posted for it keeps its place and is edited.

    Raises:
        RefusedError: It is not the last turn of its session, has not ended, or its texts are gone.
    """
    rows = yield (
        """
        SELECT attempt, seq FROM ended_turn
        WHERE id = $1 AND session_id = $2 AND seq = (SELECT MAX(seq) FROM turn WHERE session_id = $2)
            AND seq > (SELECT cleared_seq FROM session WHERE id = $2)
        """,
        (turn_id, session_id),
    )
    if not rows:
        raise RefusedError("Only the last answer of a conversation can be given anew.")
    prompt = (yield from tx.turn_steps(turn_id)).prompt
    old = rows[0]["attempt"]
    yield (
        """
        UPDATE turn SET attempt = $2, resumes = 0, state = 'queued', stop_requested = 0, owner = $3 WHERE id = $1
        """,
        (turn_id, old + 1, owner),
    )
    yield from tx.append(turn_id, old + 1, prompt)
    yield (
        """
        INSERT INTO delivery (turn_id, attempt, kind, round, part, body, message_id, final, sent)
        SELECT turn_id, $3, kind, round, part, '{}', message_id, 0, 0 FROM delivery
        WHERE turn_id = $1 AND attempt = $2 AND message_id IS NOT NULL
        """,
        (turn_id, old, old + 1),
    )
    yield "UPDATE delivery SET sent = 1 WHERE turn_id = $1 AND attempt = $2", (turn_id, old)
