"""The steps of turns: what was said, answered, called and decided."""

from collections.abc import Sequence

from llmgine.errors import ForgottenTurnError, StoreError
from llmgine.messages.chat import OpaqueParts
from llmgine.messages.steps import STEP, ReplyStep, Step
from llmgine.sessions.database import Row, Transaction
from llmgine.sessions.records import Turn, TurnSteps
from llmgine.sessions.transactions.turns import to_turn


def append(turn_id: str, attempt: int, step: Step) -> Transaction[None]:
    """Add a step."""
    parts = step.parts.model_dump_json() if isinstance(step, ReplyStep) and step.parts else None
    yield (
        """
        INSERT INTO step (turn_id, attempt, seq, body, parts)
        SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, $3, $4 FROM step WHERE turn_id = $1 AND attempt = $2
        """,
        (turn_id, attempt, step.model_dump_json(), parts),
    )


def turn_steps(turn_id: str) -> Transaction[TurnSteps]:
    """A turn with its steps."""
    rows = yield "SELECT * FROM turn WHERE id = $1", (turn_id,)
    if not rows:
        raise StoreError(f"There is no turn {turn_id!r}")
    found = yield from _with_steps([to_turn(rows[0])])
    if not found:
        raise ForgottenTurnError("This was forgotten or cleared; nothing is left of it.")
    return found[0]


def history(session_id: str) -> Transaction[list[TurnSteps]]:
    """The ended turns that the model may be told of."""
    rows = yield (
        """
        SELECT * FROM ended_turn
        WHERE session_id = $1 AND seq > (SELECT cleared_seq FROM session WHERE id = $1)
        ORDER BY seq
        """,
        (session_id,),
    )
    return (yield from _with_steps([to_turn(row) for row in rows]))


def ended(session_id: str, before_seq: int, most: int) -> Transaction[list[tuple[str, int]]]:
    """Which ended turns before a place the model may be told of: their id and attempt, the newest first."""
    rows = yield (
        """
        SELECT id, attempt FROM ended_turn
        WHERE session_id = $1 AND seq < $2 AND seq > (SELECT cleared_seq FROM session WHERE id = $1)
        ORDER BY seq DESC LIMIT $3
        """,
        (session_id, before_seq, most),
    )
    return [(row["id"], row["attempt"]) for row in rows]


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
        rows = yield (
            "SELECT body, parts FROM step WHERE turn_id = $1 AND attempt = $2 ORDER BY seq",
            (turn.id, turn.attempt),
        )
        if rows:
            found.append(TurnSteps(turn=turn, steps=tuple(to_step(row) for row in rows)))
    return found


def to_step(row: Row) -> Step:
    """A step from its row."""
    step = STEP.validate_json(row["body"])
    if row["parts"] is None:
        return step
    return step.model_copy(update={"parts": OpaqueParts.model_validate_json(row["parts"])})
