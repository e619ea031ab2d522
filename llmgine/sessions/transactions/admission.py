"""How a turn comes into the queue: a prompt is admitted once, an answer is given anew as one more attempt."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from llmgine.errors import RefusedError
from llmgine.messages.commands import Admitted, PromptCommand, RegenerateTurnCommand
from llmgine.messages.steps import PromptStep
from llmgine.sessions.database import Transaction
from llmgine.sessions.transactions.deliveries import deliveries, leave
from llmgine.sessions.transactions.images import add_images
from llmgine.sessions.transactions.sessions import ensure_session, inherit
from llmgine.sessions.transactions.steps import append, turn_steps

MAX_OPEN = 100  # turns of a session that have not ended; a bound on what anybody can have done and paid for at once


def admit(prompt: PromptCommand, turn_id: str, owner: str, now: str) -> Transaction[Admitted]:
    """Let a prompt through the gate once: as a turn, or as one more message of a burst that waits.

    Raises:
        RefusedError: Too many turns of the session wait.
    """
    rows = yield "SELECT turn_id FROM inbox WHERE source = $1 AND source_id = $2", (prompt.source, prompt.source_id)
    if rows:
        return Admitted(turn_id=rows[0]["turn_id"], place=0, duplicate=True)
    yield from ensure_session(prompt.session_id, prompt.session_name, now, prompt.scopes)
    waiting = yield "SELECT COUNT(*) AS n FROM open_turn WHERE session_id = $1", (prompt.session_id,)
    place = waiting[0]["n"]
    burst = yield from _burst(prompt, now)
    if burst is not None:
        turn_id, place = burst, place - 1
        yield "UPDATE turn SET origin = $2 WHERE id = $1", (turn_id, json.dumps(prompt.origin))
    elif place >= MAX_OPEN:
        raise RefusedError(f"{place} messages wait here already. Say it again when some of them are answered.")
    else:
        yield (
            """
            INSERT INTO turn
                (id, session_id, seq, attempt, resumes, state, stop_requested, owner, source, origin, created_at)
            SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, 1, 0, 'queued', 0, $3, $4, $5, $6
            FROM turn WHERE session_id = $2
            """,
            (turn_id, prompt.session_id, owner, prompt.source, json.dumps(prompt.origin), now),
        )
    yield (
        "INSERT INTO inbox (source, source_id, turn_id) VALUES ($1, $2, $3)",
        (prompt.source, prompt.source_id, turn_id),
    )
    attachments = yield from add_images(turn_id, prompt.attachments, prompt.images)
    said = PromptStep(
        text=prompt.text,
        source_id=prompt.source_id,
        version=prompt.version,
        author=prompt.author,
        quoted=prompt.quoted,
        attachments=attachments,
    )
    yield from append(turn_id, 1, said)
    return Admitted(turn_id=turn_id, place=place, joined=burst is not None)


def _burst(prompt: PromptCommand, now: str) -> Transaction[str | None]:
    """The turn that the prompt belongs to: the last of its session, if it is its author's, young, and not begun."""
    if prompt.burst <= 0 or prompt.author is None:
        return None
    since = datetime.fromisoformat(now) - timedelta(seconds=prompt.burst)
    rows = yield (
        """
        SELECT id FROM turn
        WHERE session_id = $1 AND seq = (SELECT MAX(seq) FROM turn WHERE session_id = $1 AND state <> 'forgotten')
            AND source = $2 AND state = 'queued' AND attempt = 1 AND stop_requested = 0 AND created_at >= $3
        """,
        (prompt.session_id, prompt.source, since.isoformat()),
    )
    if not rows:
        return None
    author = (yield from turn_steps(rows[0]["id"])).prompt.author
    return str(rows[0]["id"]) if author is not None and author.id == prompt.author.id else None


def regenerate(command: RegenerateTurnCommand, owner: str) -> Transaction[None]:
    """Queue an ended turn once more; what was posted for it keeps its place and is edited.

    Raises:
        RefusedError: It is not the last turn of its session, has not ended, is at another attempt by now, or its texts
            are gone.
    """
    rows = yield (
        """
        SELECT attempt, seq FROM ended_turn
        WHERE id = $1 AND session_id = $2
            AND seq = (SELECT MAX(seq) FROM turn WHERE session_id = $2 AND state <> 'forgotten')
            AND seq > (SELECT cleared_seq FROM session WHERE id = $2)
        """,
        (command.turn_id, command.session_id),
    )
    if not rows or command.attempt not in (None, rows[0]["attempt"]):
        raise RefusedError("Only the last answer of a conversation can be given anew.")
    yield from inherit(command.session_id, command.scopes)
    prompts = (yield from turn_steps(command.turn_id)).prompts
    yield from again(command.turn_id, rows[0]["attempt"], prompts, owner)


def again(turn_id: str, old: int, prompts: Iterable[PromptStep], owner: str) -> Transaction[None]:
    """Queue a turn as its next attempt; what was posted for the `old` one keeps its place and is edited."""
    standing = [part.message_id for part in (yield from deliveries(turn_id)) if part.message_id]
    yield (
        """
        UPDATE turn SET attempt = $2, resumes = 0, state = 'queued', stop_requested = 0, owner = $3 WHERE id = $1
        """,
        (turn_id, old + 1, owner),
    )
    for prompt in prompts:
        yield from append(turn_id, old + 1, prompt)
    for message_id in standing:
        yield from leave(turn_id, old + 1, message_id)
    yield "UPDATE delivery SET sent = 1 WHERE turn_id = $1 AND attempt = $2", (turn_id, old)
