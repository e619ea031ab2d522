"""The parts of turns' outcomes, and where they were posted."""

import json

from llmgine.errors import SupersededError
from llmgine.messages.steps import Turn
from llmgine.sessions.database import Group, Row, Steps, operation, query
from llmgine.sessions.operations.attempts import leave
from llmgine.sessions.operations.rows import to_turn
from llmgine.sessions.records import Delivery, DeliveryKey

_WHERE = "WHERE turn_id = $1 AND attempt = $2 AND kind = $3 AND round = $4 AND part = $5"


class Deliveries(Group):
    """What is shown of turns, message by message."""

    @query
    def of(self, turn_id: str) -> Steps[list[Delivery]]:
        """The parts of the turn's present attempt in the order they are shown, and behind them what is old."""
        return (yield from _parts(turn_id))

    @query
    def of_outcome(self, turn: Turn) -> Steps[list[Delivery]]:
        """The same, as long as this attempt of the turn is the present one.

        Raises:
            SupersededError: There is a newer attempt.
        """
        rows = yield "SELECT attempt FROM turn WHERE id = $1", (turn.id,)
        if not rows or rows[0]["attempt"] != turn.attempt:
            raise SupersededError(f"Attempt {turn.attempt} of the turn {turn.id!r} was given up")
        return (yield from _parts(turn.id))

    @query
    def undelivered(self, source: str) -> Steps[list[Turn]]:
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

    @operation
    def posted(self, turn: Turn, key: DeliveryKey, message_id: str) -> Steps[None]:
        """Remember where a part was posted, at once; "" for nowhere any more.

        A message has one part: one that was no part any more gives it up. What was under way while its attempt was
        given up counts for the next one. The turn's `posts` counts its messages, so that no nonce is used twice.
        """
        rows = yield (
            """
            UPDATE turn SET posts = posts + CASE
                WHEN $2 = '' OR EXISTS (SELECT 1 FROM delivery WHERE turn_id = $1 AND message_id = $2) THEN 0 ELSE 1 END
            WHERE id = $1 RETURNING attempt
            """,
            (turn.id, message_id),
        )
        newest = rows[0]["attempt"]
        where = _key(turn, key)
        if newest > turn.attempt:
            if message_id:
                yield from leave(turn.id, newest, message_id)
        elif not message_id:
            yield f"DELETE FROM delivery {_WHERE} AND final = 0", where
            yield f"UPDATE delivery SET message_id = '' {_WHERE}", where
        else:
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

    @operation
    def sent(self, turn: Turn, key: DeliveryKey) -> Steps[None]:
        """A part shows its final body."""
        yield f"UPDATE delivery SET sent = 1 {_WHERE}", _key(turn, key)

    @operation
    def gone(self, turn: Turn, key: DeliveryKey) -> Steps[None]:
        """A part's message was deleted for good."""
        yield f"DELETE FROM delivery {_WHERE} AND final = 0", _key(turn, key)
        yield f"UPDATE delivery SET message_id = '', sent = 1 {_WHERE}", _key(turn, key)

    @query
    def turn_of(self, message_id: str) -> Steps[str | None]:
        """The turn that a message of ours is a part of."""
        rows = yield "SELECT turn_id FROM delivery WHERE message_id = $1", (message_id,)
        return rows[0]["turn_id"] if rows else None

    @query
    def has(self, message_id: str) -> Steps[bool]:
        """Whether the message is one of ours."""
        return bool((yield "SELECT turn_id FROM delivery WHERE message_id = $1 LIMIT 1", (message_id,)))

    @query
    def is_last_answer(self, session_id: str, message_id: str) -> Steps[bool]:
        """Whether the message is part of what was answered last in the session, and nothing was asked since."""
        rows = yield (
            """
            SELECT id FROM turn
            WHERE session_id = $1 AND id IN (SELECT turn_id FROM delivery WHERE message_id = $2)
                AND seq = (SELECT MAX(seq) FROM turn WHERE session_id = $1 AND state <> 'forgotten')
            """,
            (session_id, message_id),
        )
        return bool(rows)


def _parts(turn_id: str) -> Steps[list[Delivery]]:
    rows = yield (
        """
        SELECT delivery.* FROM delivery JOIN turn ON turn.id = delivery.turn_id AND turn.attempt = delivery.attempt
        WHERE turn_id = $1
        """,
        (turn_id,),
    )
    return sorted((_to_delivery(row) for row in rows), key=lambda part: part.key.place)


def _to_delivery(row: Row) -> Delivery:
    return Delivery(
        turn_id=row["turn_id"],
        attempt=row["attempt"],
        key=DeliveryKey(kind=row["kind"], round=row["round"], part=row["part"]),
        body=json.loads(row["body"]),
        message_id=row["message_id"],
        sent=bool(row["sent"]),
    )


def _key(turn: Turn, key: DeliveryKey) -> tuple[object, ...]:
    return (turn.id, turn.attempt, key.kind, key.round, key.part)
