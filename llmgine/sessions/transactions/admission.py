"""How a turn comes into the queue: a prompt is admitted once, an answer is given anew as one more attempt."""

import json

from llmgine.errors import RefusedError
from llmgine.messages.commands import Admitted, PromptCommand
from llmgine.sessions.database import Transaction
from llmgine.sessions.records import PromptStep
from llmgine.sessions.transactions.sessions import ensure_session
from llmgine.sessions.transactions.steps import append, turn_steps


def admit(prompt: PromptCommand, turn_id: str, owner: str, now: str) -> Transaction[Admitted]:
    """Let a prompt through the gate once."""
    rows = yield "SELECT turn_id FROM inbox WHERE source = $1 AND source_id = $2", (prompt.source, prompt.source_id)
    if rows:
        return Admitted(turn_id=rows[0]["turn_id"], place=0, duplicate=True)
    yield from ensure_session(prompt.session_id, prompt.session_name, now, prompt.scopes or None)
    waiting = yield "SELECT COUNT(*) AS n FROM open_turn WHERE session_id = $1", (prompt.session_id,)
    yield (
        """
        INSERT INTO turn
            (id, session_id, seq, attempt, resumes, state, stop_requested, owner, source, origin, created_at)
        SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, 1, 0, 'queued', 0, $3, $4, $5, $6 FROM turn WHERE session_id = $2
        """,
        (turn_id, prompt.session_id, owner, prompt.source, json.dumps(prompt.origin), now),
    )
    yield (
        "INSERT INTO inbox (source, source_id, turn_id) VALUES ($1, $2, $3)",
        (prompt.source, prompt.source_id, turn_id),
    )
    said = PromptStep(text=prompt.text, author=prompt.author, quoted=prompt.quoted, attachments=prompt.attachments)
    yield from append(turn_id, 1, said)
    return Admitted(turn_id=turn_id, place=waiting[0]["n"])


def regenerate(session_id: str, turn_id: str, owner: str) -> Transaction[None]:
    """Queue an ended turn once more; what was posted for it keeps its place and is edited.

    Raises:
        RefusedError: It is not the last turn of its session, has not ended, or its texts are gone.
    """
    rows = yield (
        """
        SELECT attempt, seq FROM ended_turn
        WHERE id = $1 AND session_id = $2
            AND seq = (SELECT MAX(seq) FROM turn WHERE session_id = $2 AND state <> 'forgotten')
            AND seq > (SELECT cleared_seq FROM session WHERE id = $2)
        """,
        (turn_id, session_id),
    )
    if not rows:
        raise RefusedError("Only the last answer of a conversation can be given anew.")
    prompt = (yield from turn_steps(turn_id)).prompt
    old = rows[0]["attempt"]
    yield (
        """
        UPDATE turn SET attempt = $2, resumes = 0, state = 'queued', stop_requested = 0, owner = $3 WHERE id = $1
        """,
        (turn_id, old + 1, owner),
    )
    yield from append(turn_id, old + 1, prompt)
    yield (
        """
        INSERT INTO delivery (turn_id, attempt, kind, round, part, body, message_id, final, sent)
        SELECT turn_id, $3, kind, round, part, '{}', message_id, 0, 0 FROM delivery
        WHERE turn_id = $1 AND attempt = $2 AND message_id IS NOT NULL
        """,
        (turn_id, old, old + 1),
    )
    yield "UPDATE delivery SET sent = 1 WHERE turn_id = $1 AND attempt = $2", (turn_id, old)
