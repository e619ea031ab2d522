"""What rows are as records, and the statements that several groups make."""

import json
from collections.abc import Iterable, Sequence

from llmgine.errors import ForgottenTurnError, StoreError
from llmgine.messages.chat_messages import OpaqueParts
from llmgine.messages.steps import STEP, ReplyStep, Step, Turn
from llmgine.messages.translatable import tr
from llmgine.sessions.clock import at
from llmgine.sessions.database import Row, Steps, listed
from llmgine.sessions.records import EndedTurn, TurnSteps

AT_ONCE = 500  # values in one statement


def to_turn(row: Row) -> Turn:
    """A turn from its row."""
    return Turn.model_validate({**row, "origin": json.loads(row["origin"]), "created_at": at(row["created_at"])})


def to_step(row: Row) -> Step:
    """A step from its row."""
    step = STEP.validate_json(row["body"])
    if row["parts"] is None:
        return step
    return step.model_copy(update={"parts": OpaqueParts.model_validate_json(row["parts"])})


def listed_under(session_id: str, scopes: Sequence[str]) -> str:
    """Under what a session is listed: the widest of its scopes, a server or a DM; without any, itself.

    What follows a slash in an id distinguishes the conversations kept of one place.
    """
    return scopes[-1] if scopes else session_id.partition("/")[0]


def lock(session_id: str) -> Steps[None]:
    """Keep other processes from changing a session before this transaction ends. Sessions are locked before turns."""
    yield "UPDATE session SET next_seq = next_seq WHERE id = $1", (session_id,)


def turn_of(source: str, source_id: str) -> Steps[str | None]:
    """The turn a message was admitted to."""
    rows = yield "SELECT turn_id FROM inbox WHERE source = $1 AND source_id = $2", (source, source_id)
    return rows[0]["turn_id"] if rows else None


def add_steps(turn_id: str, attempt: int, steps: Iterable[tuple[int, Step]]) -> Steps[bool]:
    """Add steps at their numbers; whether they were not there before."""
    rows: list[tuple[object, ...]] = []
    for number, step in steps:
        parts = step.parts.model_dump_json() if isinstance(step, ReplyStep) and step.parts else None
        rows.append((turn_id, attempt, number, step.model_dump_json(), parts))
    if not rows:
        return False
    places = ", ".join(f"({listed(row, 1 + place * len(row))})" for place, row in enumerate(rows))
    added = yield (
        f"INSERT INTO step (turn_id, attempt, seq, body, parts) VALUES {places} ON CONFLICT DO NOTHING RETURNING seq",
        tuple(value for row in rows for value in row),
    )
    return bool(added)


def turn_steps(turn_id: str) -> Steps[TurnSteps]:
    """A turn with the steps of its current attempt.

    Raises:
        StoreError: There is no such turn.
        ForgottenTurnError: Its conversation was cleared, or it was forgotten.
    """
    rows = yield "SELECT * FROM turn WHERE id = $1", (turn_id,)
    if not rows:
        raise StoreError(f"There is no turn {turn_id!r}")
    found = yield from with_steps([to_turn(rows[0])])
    if not found:
        raise ForgottenTurnError(tr("This was forgotten or cleared; nothing is left of it."))
    return found[0]


def with_steps(turns: Sequence[Turn]) -> Steps[list[TurnSteps]]:
    """Turns with the steps of their current attempt; those whose texts were deleted are left out."""
    steps: dict[str, list[Step]] = {}
    for begin in range(0, len(turns), AT_ONCE):
        ids = [turn.id for turn in turns[begin : begin + AT_ONCE]]
        rows = yield (
            f"""
            SELECT step.turn_id, step.body, step.parts FROM turn
            JOIN step ON step.turn_id = turn.id AND step.attempt = turn.attempt
            WHERE turn.id IN ({listed(ids)}) ORDER BY step.turn_id, step.seq
            """,
            ids,
        )
        for row in rows:
            steps.setdefault(row["turn_id"], []).append(to_step(row))
    return [TurnSteps(turn=turn, steps=tuple(steps[turn.id])) for turn in turns if turn.id in steps]


def ended_before(session_id: str, before_seq: int, most: int) -> Steps[list[EndedTurn]]:
    """The ended turns before a position that the model may see, the newest first."""
    rows = yield (
        """
        SELECT id, attempt, revision FROM ended_turn
        WHERE session_id = $1 AND seq < $2 AND seq > (SELECT cleared_seq FROM session WHERE id = $1)
        ORDER BY seq DESC LIMIT $3
        """,
        (session_id, before_seq, most),
    )
    return [EndedTurn(row["id"], row["attempt"], row["revision"]) for row in rows]
