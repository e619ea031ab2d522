"""The store's SQL: one generator a transaction, in statements that SQLite and PostgreSQL share (see database.py).

`$n` placeholders, BIGINT and 0/1, JSON as TEXT, one statement a `yield`.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from llmgine.errors import StoreError, UnknownSessionError
from llmgine.messages.commands import Admitted, PromptCommand
from llmgine.sessions.database import Row, Transaction
from llmgine.sessions.records import (
    STEP,
    DecisionStep,
    Delivery,
    DeliveryKey,
    PromptStep,
    Step,
    Turn,
    TurnState,
    TurnSteps,
)

_NO_LIMIT = 2**62
_SESSION = """
    SELECT id, name, system_prompt, updated_at,
           (SELECT COUNT(*) FROM turn WHERE session_id = session.id AND seq > cleared_seq) AS turns
    FROM session
"""


def to_turn(row: Row) -> Turn:
    """A turn from its row."""
    return Turn.model_validate({**row, "origin": json.loads(row["origin"])})


def sessions() -> Transaction[list[Row]]:
    """All sessions, the one used last first."""
    return (yield _SESSION + "ORDER BY updated_at DESC, id", ())


def session(session_id: str) -> Transaction[Row]:
    """One session, or UnknownSessionError."""
    rows = yield _SESSION + "WHERE id = $1", (session_id,)
    if not rows:
        raise UnknownSessionError(f"There is no session {session_id!r}; --list-sessions or /sessions shows them all")
    return rows[0]


def ensure_session(session_id: str, name: str | None, now: str) -> Transaction[None]:
    """Make the session if need be, and mark it as used."""
    yield (
        """
        INSERT INTO session (id, name, cleared_seq, updated_at) VALUES ($1, $2, 0, $3)
        ON CONFLICT (id) DO UPDATE SET updated_at = $3
        """,
        (session_id, name or session_id, now),
    )
    if name:
        yield "UPDATE session SET name = $2 WHERE id = $1", (session_id, name)


def set_system_prompt(session_id: str, name: str | None, prompt: str | None, now: str) -> Transaction[None]:
    """Set or take away the session's own system prompt."""
    yield from ensure_session(session_id, name, now)
    yield "UPDATE session SET system_prompt = $2 WHERE id = $1", (session_id, prompt)


def clear(session_id: str, now: str) -> Transaction[None]:
    """Hide all turns from the history; delete the texts of those that have ended, also from the file's free pages."""
    yield from ensure_session(session_id, None, now)
    yield (
        "UPDATE session SET cleared_seq = (SELECT COALESCE(MAX(seq), 0) FROM turn WHERE session_id = $1) WHERE id = $1",
        (session_id,),
    )
    yield "DELETE FROM step WHERE turn_id IN (SELECT id FROM ended_turn WHERE session_id = $1)", (session_id,)
    yield (
        "DELETE FROM delivery WHERE sent = 1 AND turn_id IN (SELECT id FROM ended_turn WHERE session_id = $1)",
        (session_id,),
    )


def admit(prompt: PromptCommand, turn_id: str, owner: str, now: str) -> Transaction[Admitted]:
    """Let a prompt through the gate once."""
    rows = yield "SELECT turn_id FROM inbox WHERE source = $1 AND source_id = $2", (prompt.source, prompt.source_id)
    if rows:
        return Admitted(turn_id=rows[0]["turn_id"], place=0, duplicate=True)
    yield from ensure_session(prompt.session_id, prompt.session_name, now)
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
    yield from append(turn_id, 1, PromptStep(text=prompt.text, author=prompt.author))
    return Admitted(turn_id=turn_id, place=waiting[0]["n"])


def turn_of(source: str, source_id: str) -> Transaction[str | None]:
    """The turn a message was admitted to."""
    rows = yield "SELECT turn_id FROM inbox WHERE source = $1 AND source_id = $2", (source, source_id)
    return rows[0]["turn_id"] if rows else None


def claim(turn_id: str, owner: str, *, resumed: bool) -> Transaction[bool]:
    """Mark a turn as running, if it is unfinished and ours."""
    rows = yield "SELECT id FROM open_turn WHERE id = $1 AND owner = $2", (turn_id, owner)
    if rows:
        yield "UPDATE turn SET state = 'running', resumes = resumes + $2 WHERE id = $1", (turn_id, int(resumed))
    return bool(rows)


def unfinished(session_id: str) -> Transaction[list[Row]]:
    """A session's queue."""
    return (yield "SELECT * FROM open_turn WHERE session_id = $1 ORDER BY seq", (session_id,))


def unfinished_of(sources: Sequence[str], session_id: str | None) -> Transaction[list[Row]]:
    """The unfinished turns that came from these front ends."""
    rows = yield (
        "SELECT * FROM open_turn WHERE ($1 = '' OR session_id = $1) ORDER BY session_id, seq",
        (session_id or "",),
    )
    return [row for row in rows if row["source"] in sources]


def change_owner(turn_id: str, old: str, new: str) -> Transaction[bool]:
    """Take a turn from a dead owner, unless somebody else was quicker."""
    rows = yield "SELECT id FROM open_turn WHERE id = $1 AND owner = $2", (turn_id, old)
    if rows:
        yield "UPDATE turn SET owner = $2 WHERE id = $1", (turn_id, new)
    return bool(rows)


def set_state(turn_id: str, state: TurnState) -> Transaction[None]:
    """Change the state of an unfinished turn."""
    yield "UPDATE turn SET state = $2 WHERE id IN (SELECT id FROM open_turn WHERE id = $1)", (turn_id, state)


def request_stop(session_id: str, turn_id: str | None) -> Transaction[list[Row]]:
    """Mark unfinished turns to be stopped by their owner."""
    rows = yield (
        "SELECT * FROM open_turn WHERE session_id = $1 AND ($2 = '' OR id = $2) ORDER BY seq",
        (session_id, turn_id or ""),
    )
    for row in rows:
        yield "UPDATE turn SET stop_requested = 1 WHERE id = $1", (row["id"],)
    return rows


def stop_requested(owner: str) -> Transaction[list[str]]:
    """An owner's turns that are to be stopped."""
    rows = yield "SELECT id FROM open_turn WHERE owner = $1 AND stop_requested = 1", (owner,)
    return [row["id"] for row in rows]


def append(turn_id: str, attempt: int, step: Step) -> Transaction[None]:
    """Add a step."""
    yield (
        """
        INSERT INTO step (turn_id, attempt, seq, body)
        SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, $3 FROM step WHERE turn_id = $1 AND attempt = $2
        """,
        (turn_id, attempt, step.model_dump_json()),
    )


def decide(turn_id: str, step: DecisionStep, now: datetime) -> Transaction[bool]:
    """Decide a call of an unfinished turn; the first decision counts, and after the deadline nobody's."""
    rows = yield "SELECT attempt FROM open_turn WHERE id = $1", (turn_id,)
    if not rows:
        return False
    steps = yield from turn_steps(turn_id)
    waiting = steps.waiting.get(step.call_id)
    if waiting is None or step.call_id in steps.decisions:
        return False
    if step.decided_by is not None and now > waiting.deadline:
        return False
    yield from append(turn_id, rows[0]["attempt"], step)
    return True


def turn_steps(turn_id: str) -> Transaction[TurnSteps]:
    """A turn with its steps."""
    rows = yield "SELECT * FROM turn WHERE id = $1", (turn_id,)
    if not rows:
        raise StoreError(f"There is no turn {turn_id!r}")
    found = yield from _with_steps([to_turn(rows[0])])
    if not found:
        raise StoreError("This conversation was cleared; the turn's texts are gone")
    return found[0]


def history(session_id: str, before_seq: int | None) -> Transaction[list[TurnSteps]]:
    """The ended turns that the model may be told of."""
    rows = yield (
        """
        SELECT * FROM ended_turn
        WHERE session_id = $1 AND seq < $2 AND seq > (SELECT cleared_seq FROM session WHERE id = $1)
        ORDER BY seq
        """,
        (session_id, _NO_LIMIT if before_seq is None else before_seq),
    )
    return (yield from _with_steps([to_turn(row) for row in rows]))


def ended(session_id: str, after_seq: int, before_seq: int) -> Transaction[list[Row]]:
    """Which ended turns the model may be told of: their id and attempt, after and before these places."""
    return (
        yield (
            """
            SELECT id, attempt FROM ended_turn
            WHERE session_id = $1 AND seq > $2 AND seq < $3
                AND seq > (SELECT cleared_seq FROM session WHERE id = $1)
            ORDER BY seq
            """,
            (session_id, after_seq, before_seq),
        )
    )


def turns(turn_ids: Sequence[str]) -> Transaction[list[TurnSteps]]:
    """Turns with their steps; those that are gone are left out."""
    found: list[TurnSteps] = []
    for turn_id in turn_ids:
        rows = yield "SELECT * FROM turn WHERE id = $1", (turn_id,)
        found += yield from _with_steps([to_turn(row) for row in rows])
    return found


def _with_steps(turns: Sequence[Turn]) -> Transaction[list[TurnSteps]]:
    """Turns with the steps of their present attempt; those whose texts were deleted are left out."""
    found = []
    for turn in turns:
        rows = yield "SELECT body FROM step WHERE turn_id = $1 AND attempt = $2 ORDER BY seq", (turn.id, turn.attempt)
        if rows:
            steps = tuple(STEP.validate_json(row["body"]) for row in rows)
            found.append(TurnSteps(turn=turn, steps=steps))
    return found


def finish(
    turn: Turn,
    state: TurnState,
    steps: Iterable[Step],
    parts: Iterable[Delivery],
    now: str,
) -> Transaction[None]:
    """The outcome as one whole. A part posted before keeps its place; a preview that has no final part is left."""
    for step in steps:
        yield from append(turn.id, turn.attempt, step)
    yield "UPDATE turn SET state = $2 WHERE id = $1", (turn.id, state)
    yield "UPDATE session SET updated_at = $2 WHERE id = $1", (turn.session_id, now)
    for part in parts:
        yield (
            """
            INSERT INTO delivery (turn_id, attempt, kind, round, part, body, final, sent)
            VALUES ($1, $2, $3, $4, $5, $6, 1, 0)
            ON CONFLICT (turn_id, attempt, kind, round, part) DO UPDATE SET body = $6, final = 1, sent = 0
            """,
            (*_key(part.turn_id, part.attempt, part.key), json.dumps(part.body)),
        )


def _key(turn_id: str, attempt: int, key: DeliveryKey) -> tuple[object, ...]:
    return (turn_id, attempt, key.kind, key.round, key.part)


def deliveries(turn_id: str) -> Transaction[list[Delivery]]:
    """The parts of a turn in the order they stand on screen: by round, its text before its card, notices last."""
    rows = yield (
        """
        SELECT delivery.* FROM delivery JOIN turn ON turn.id = delivery.turn_id AND turn.attempt = delivery.attempt
        WHERE turn_id = $1
        ORDER BY round, CASE kind WHEN 'text' THEN 0 WHEN 'card' THEN 1 ELSE 2 END, part
        """,
        (turn_id,),
    )
    return [
        Delivery(
            turn_id=row["turn_id"],
            attempt=row["attempt"],
            key=DeliveryKey(kind=row["kind"], round=row["round"], part=row["part"]),
            body=json.loads(row["body"]),
            message_id=row["message_id"],
            sent=bool(row["sent"]),
        )
        for row in rows
    ]


def undelivered(source: str) -> Transaction[list[Row]]:
    """Ended turns with parts that still have to be sent, or previews that are no part of the outcome."""
    return (
        yield (
            """
            SELECT * FROM ended_turn
            WHERE source = $1 AND id IN (SELECT turn_id FROM delivery WHERE sent = 0)
            ORDER BY created_at, seq
            """,
            (source,),
        )
    )


def posted(turn_id: str, attempt: int, key: DeliveryKey, message_id: str) -> Transaction[None]:
    """Where a part stands; before the outcome its row is made here, with no body yet."""
    yield (
        """
        INSERT INTO delivery (turn_id, attempt, kind, round, part, body, message_id, final, sent)
        VALUES ($1, $2, $3, $4, $5, '{}', $6, 0, 0)
        ON CONFLICT (turn_id, attempt, kind, round, part) DO UPDATE SET message_id = $6
        """,
        (*_key(turn_id, attempt, key), message_id),
    )


def sent(turn_id: str, attempt: int, key: DeliveryKey) -> Transaction[None]:
    """A part is done."""
    yield (
        "UPDATE delivery SET sent = 1 WHERE turn_id = $1 AND attempt = $2 AND kind = $3 AND round = $4 AND part = $5",
        _key(turn_id, attempt, key),
    )


def is_delivery(message_id: str) -> Transaction[bool]:
    """Whether a message is a part of some turn."""
    rows = yield "SELECT turn_id FROM delivery WHERE message_id = $1", (message_id,)
    return bool(rows)
