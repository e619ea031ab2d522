"""The outcome of a turn, and where its parts were posted."""

import json
from collections.abc import Iterable

from llmgine.errors import SupersededError
from llmgine.messages.steps import Step
from llmgine.sessions.database import Transaction
from llmgine.sessions.records import (
    Delivery,
    DeliveryKey,
    Turn,
    TurnStatus,
)
from llmgine.sessions.transactions.steps import append
from llmgine.sessions.transactions.turns import to_turn

_DELETE = "DELETE FROM delivery WHERE turn_id = $1 AND attempt = $2 AND kind = $3 AND round = $4 AND part = $5"
_UPDATE = "UPDATE delivery SET {} WHERE turn_id = $1 AND attempt = $2 AND kind = $3 AND round = $4 AND part = $5"


def finish(
    turn: Turn,
    state: TurnStatus,
    steps: Iterable[Step],
    parts: Iterable[Delivery],
    now: str,
) -> Transaction[None]:
    """The outcome as one whole. A part posted before keeps its place; a preview that has no final part is left.

    Raises:
        SupersededError: There is a newer attempt.
    """
    yield from _require_newest(turn)
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


def deliveries(turn_id: str) -> Transaction[list[Delivery]]:
    """The parts of a turn's present attempt in the order they stand on screen, and behind them what is old."""
    rows = yield (
        """
        SELECT delivery.* FROM delivery JOIN turn ON turn.id = delivery.turn_id AND turn.attempt = delivery.attempt
        WHERE turn_id = $1
        """,
        (turn_id,),
    )
    parts = [
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
    return sorted(parts, key=lambda part: part.key.place)


def outcome_parts(turn: Turn) -> Transaction[list[Delivery]]:
    """The same, as long as this attempt is the present one.

    Raises:
        SupersededError: There is a newer attempt.
    """
    yield from _require_newest(turn)
    return (yield from deliveries(turn.id))


def _require_newest(turn: Turn) -> Transaction[None]:
    rows = yield "SELECT attempt FROM turn WHERE id = $1", (turn.id,)
    if not rows or rows[0]["attempt"] != turn.attempt:
        raise SupersededError(f"Attempt {turn.attempt} of the turn {turn.id!r} was given up")


def undelivered(source: str) -> Transaction[list[Turn]]:
    """Ended turns with parts that still have to be sent, or messages that are no part of the outcome."""
    rows = yield (
        """
        SELECT * FROM turn
        WHERE source = $1 AND state IN ('done', 'failed', 'stopped', 'forgotten')
            AND id IN (SELECT turn_id FROM delivery WHERE sent = 0)
        ORDER BY created_at, seq
        """,
        (source,),
    )
    return [to_turn(row) for row in rows]


def posted(turn_id: str, attempt: int, key: DeliveryKey, message_id: str) -> Transaction[None]:
    """Where a part stands, "" for nowhere any more; before the outcome its row is made here, with no body yet.

    A message has one part: one that was no part any more gives it up. What was under way while its attempt was given up
    counts for the next one.
    """
    rows = yield "SELECT attempt FROM turn WHERE id = $1", (turn_id,)
    newest = rows[0]["attempt"]
    if newest > attempt:
        if message_id:
            yield from leave(turn_id, newest, message_id)
        return
    where = _key(turn_id, attempt, key)
    if not message_id:
        yield f"{_DELETE} AND final = 0", where
        yield _UPDATE.format("message_id = ''"), where
        return
    yield (
        """
        DELETE FROM delivery
        WHERE turn_id = $1 AND attempt = $2 AND message_id = $6 AND final = 0
            AND NOT (kind = $3 AND round = $4 AND part = $5)
        """,
        (*where, message_id),
    )
    yield (
        """
        INSERT INTO delivery (turn_id, attempt, kind, round, part, body, message_id, final, sent)
        VALUES ($1, $2, $3, $4, $5, '{}', $6, 0, 0)
        ON CONFLICT (turn_id, attempt, kind, round, part) DO UPDATE SET message_id = $6
        """,
        (*where, message_id),
    )


def leave(turn_id: str, attempt: int, message_id: str) -> Transaction[None]:
    """Leave a message of an earlier attempt to this one, below those that are left already, if it has not got it."""
    rows = yield (
        "SELECT message_id FROM delivery WHERE turn_id = $1 AND attempt = $2 AND message_id = $3",
        (turn_id, attempt, message_id),
    )
    if rows:
        return
    yield (
        """
        INSERT INTO delivery (turn_id, attempt, kind, round, part, body, message_id, final, sent)
        SELECT $1, $2, 'old', 0, COALESCE(MAX(part) + 1, 0), '{}', $3, 0, 0 FROM delivery
        WHERE turn_id = $1 AND attempt = $2 AND kind = 'old'
        """,
        (turn_id, attempt, message_id),
    )


def sent(turn_id: str, attempt: int, key: DeliveryKey) -> Transaction[None]:
    """A part is done."""
    yield _UPDATE.format("sent = 1"), _key(turn_id, attempt, key)


def gone(turn_id: str, attempt: int, key: DeliveryKey) -> Transaction[None]:
    """A part was taken away for good."""
    yield f"{_DELETE} AND final = 0", _key(turn_id, attempt, key)
    yield _UPDATE.format("message_id = '', sent = 1"), _key(turn_id, attempt, key)


def turn_of_delivery(message_id: str) -> Transaction[str | None]:
    """The turn that a message is a part of."""
    rows = yield "SELECT turn_id FROM delivery WHERE message_id = $1", (message_id,)
    return rows[0]["turn_id"] if rows else None


def is_delivery(message_id: str) -> Transaction[bool]:
    """Whether a message is a part of some turn."""
    rows = yield "SELECT turn_id FROM delivery WHERE message_id = $1", (message_id,)
    return bool(rows)


def is_last_answer(session_id: str, message_id: str) -> Transaction[bool]:
    """Whether a message is a part of the session's last turn."""
    rows = yield (
        """
        SELECT id FROM turn
        WHERE session_id = $1 AND id IN (SELECT turn_id FROM delivery WHERE message_id = $2)
            AND seq = (SELECT MAX(seq) FROM turn WHERE session_id = $1 AND state <> 'forgotten')
        """,
        (session_id, message_id),
    )
    return bool(rows)


def _key(turn_id: str, attempt: int, key: DeliveryKey) -> tuple[object, ...]:
    return (turn_id, attempt, key.kind, key.round, key.part)
