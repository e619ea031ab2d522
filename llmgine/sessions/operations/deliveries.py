"""The parts of turns' outcomes, and where they were posted."""

import json
from collections.abc import Sequence

from llmgine.messages.deliveries import Delivery, DeliveryKey
from llmgine.messages.steps import Turn
from llmgine.sessions.database import Group, Row, Steps, listed, listing, operation, query
from llmgine.sessions.operations.attempts import leave
from llmgine.sessions.operations.rows import to_turn


class Deliveries(Group):
    """What is shown of turns, message by message."""

    @query
    def of(self, turn_id: str) -> Steps[list[Delivery]]:
        """The parts of the turn's current attempt in the order they are shown, then the old ones."""
        return (yield from _parts(turn_id))

    @listing
    def undelivered(self, source: str) -> Steps[list[Turn]]:
        """Ended turns with parts that still have to be sent, or messages that are no part of the outcome."""
        rows = yield (
            """
            SELECT turn.* FROM (SELECT DISTINCT turn_id FROM delivery WHERE sent = 0) AS owed CROSS JOIN turn
            WHERE turn.id = owed.turn_id AND source = $1 AND state IN ('done', 'failed', 'stopped', 'forgotten')
            ORDER BY created_at, seq
            """,
            (source,),
        )
        return [to_turn(row) for row in rows]

    @query
    def load(self, turn_id: str) -> Steps[tuple[Turn, list[Delivery]] | None]:
        """A turn, and the parts of its current attempt; None when the turn no longer exists."""
        rows = yield "SELECT * FROM turn WHERE id = $1", (turn_id,)
        return (to_turn(rows[0]), (yield from _parts(turn_id))) if rows else None

    @operation
    def place(self, turn: Turn, messages: Sequence[tuple[DeliveryKey, str]], posts: int) -> Steps[None]:
        """Remember which message shows which part, at once; the kind `old` is for one that no longer shows any.

        Args:
            turn: The turn, and the attempt that the messages are of. Those of an attempt that was given up
                meanwhile are left to the newest one.
            messages: All messages there are, each with the part it shows.
            posts: How many messages were ever posted for the turn.
        """
        yield from _place(turn, messages, posts, sent=False)

    @operation
    def settle(self, turn: Turn, messages: Sequence[tuple[DeliveryKey, str]], posts: int) -> Steps[None]:
        """The same, and nothing more is to be sent of the attempt: it is all visible, or it is given up."""
        yield from _place(turn, messages, posts, sent=True)

    @query
    def turn_of(self, message_id: str) -> Steps[str | None]:
        """The turn that a message of ours is a part of."""
        rows = yield "SELECT turn_id FROM delivery WHERE message_id = $1", (message_id,)
        return rows[0]["turn_id"] if rows else None

    @query
    def turns_of(self, message_ids: Sequence[str]) -> Steps[dict[str, str]]:
        """The turn of each of the messages that is a part of one."""
        ids = listed(message_ids)
        rows = yield f"SELECT message_id, turn_id FROM delivery WHERE message_id IN ({ids})", message_ids
        return {row["message_id"]: row["turn_id"] for row in rows}

    @query
    def known(self, message_ids: Sequence[str]) -> Steps[set[str]]:
        """Those of the messages that are ours."""
        rows = yield f"SELECT message_id FROM delivery WHERE message_id IN ({listed(message_ids)})", message_ids
        return {row["message_id"] for row in rows}

    @query
    def is_last_answer(self, session_id: str, message_id: str) -> Steps[bool]:
        """Whether the message is part of the session's last answer, and nothing was asked since."""
        rows = yield (
            """
            SELECT id FROM turn
            WHERE id IN (SELECT turn_id FROM delivery WHERE message_id = $2) AND session_id = $1
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


def _place(turn: Turn, messages: Sequence[tuple[DeliveryKey, str]], posts: int, *, sent: bool) -> Steps[None]:
    rows = yield (
        "UPDATE turn SET posts = CASE WHEN posts < $2 THEN $2 ELSE posts END WHERE id = $1 RETURNING attempt, state",
        (turn.id, posts),
    )
    if not rows:
        return
    newest, forgotten = rows[0]["attempt"], rows[0]["state"] == "forgotten"
    if forgotten and sent and not messages:
        yield "DELETE FROM delivery WHERE turn_id = $1", (turn.id,)
        return
    sent = sent and not forgotten  # its messages are still to be deleted
    if newest > turn.attempt:
        for _, message_id in messages:
            yield from leave(turn.id, newest, message_id)
        return
    attempt = (turn.id, turn.attempt)
    yield "DELETE FROM delivery WHERE turn_id = $1 AND attempt = $2 AND final = 0", attempt
    yield (
        """
        UPDATE delivery SET message_id = '', sent = CASE WHEN $3 = 1 THEN 1 ELSE sent END
        WHERE turn_id = $1 AND attempt = $2
        """,
        (*attempt, int(sent)),
    )
    if not messages:
        return
    new = [(*attempt, key.kind, key.round, key.part, message_id, int(sent)) for key, message_id in messages]
    places = ", ".join(f"({listed(row, 1 + number * len(row))}, '{{}}', 0)" for number, row in enumerate(new))
    yield (
        f"""
        INSERT INTO delivery (turn_id, attempt, kind, round, part, message_id, sent, body, final) VALUES {places}
        ON CONFLICT (turn_id, attempt, kind, round, part) DO UPDATE SET message_id = excluded.message_id
        """,
        tuple(value for row in new for value in row),
    )
