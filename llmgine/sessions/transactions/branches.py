"""Branches: a conversation that begins with a copy of another one's turns, and goes its own way from there."""

import json
import secrets
from collections.abc import Sequence

from llmgine.errors import RefusedError
from llmgine.messages.commands import BranchSessionCommand
from llmgine.messages.steps import STEP, OutcomeStep, ReplyStep
from llmgine.sessions.database import Row, Transaction
from llmgine.sessions.transactions.sessions import ensure_session

SOURCE = "branch"
_COPIED_FROM = "copied_from"  # in the origin of a copied turn: whose copy it is

_ENDED = """
    SELECT * FROM ended_turn
    WHERE session_id = $1 AND seq > (SELECT cleared_seq FROM session WHERE id = $1) AND id IN (SELECT turn_id FROM step)
    ORDER BY seq
"""


def branch(command: BranchSessionCommand, owner: str, now: str) -> Transaction[int]:
    """Copy the ended turns of one conversation into another; returns how many. A copy that is there is not made again.

    What the other conversation held before is kept as the session `keep_as`.

    Raises:
        RefusedError: There is nothing to copy, or the other conversation is under way.
    """
    turns = yield _ENDED, (command.session_id,)
    if command.up_to_turn is not None:
        places = [number for number, turn in enumerate(turns, 1) if turn["id"] == command.up_to_turn]
        turns = turns[: places[0]] if places else []
    if not turns:
        raise RefusedError(
            "There is no conversation to go on with: nothing of it has been answered, or it was cleared."
        )
    new = command.new_session_id
    yield from ensure_session(new, command.session_name, now, command.scopes)
    there = yield _ENDED, (new,)
    if [_copied_from(turn) for turn in there] == [turn["id"] for turn in turns]:
        return 0
    yield from _make_room(command, there, now)
    yield "DELETE FROM setting WHERE scope = $1 AND name LIKE 'approved:%'", (new,)  # as after a clear
    yield from _copy(turns, new, owner)
    yield (
        "UPDATE session SET title = (SELECT title FROM session WHERE id = $2) WHERE id = $1",
        (new, command.session_id),
    )
    return len(turns)


def copies(turn_id: str) -> Transaction[list[str]]:
    """The turns that are copies of a turn, and copies of these."""
    found = [turn_id]
    for original in found:
        rows = yield (
            "SELECT id FROM turn WHERE source = $1 AND origin = $2",
            (SOURCE, json.dumps({_COPIED_FROM: original})),
        )
        found += [row["id"] for row in rows]
    return found[1:]


def _copied_from(turn: Row) -> str | None:
    origin: dict[str, str] = json.loads(turn["origin"])
    return origin.get(_COPIED_FROM) if turn["source"] == SOURCE else None


def _make_room(command: BranchSessionCommand, there: Sequence[Row], now: str) -> Transaction[None]:
    """Move what the other conversation holds to a session of its own."""
    busy = yield "SELECT id FROM open_turn WHERE session_id = $1", (command.new_session_id,)
    if busy:
        raise RefusedError("Something is being answered there; wait until that is done, or use /stop first.")
    if not there:
        return
    if command.keep_as is None:
        raise RefusedError("There is a conversation already where this one should go on.")
    yield from ensure_session(command.keep_as, command.session_name, now)
    yield (
        """
        UPDATE session SET title = (SELECT title FROM session WHERE id = $2),
            scopes = (SELECT scopes FROM session WHERE id = $2)
        WHERE id = $1
        """,
        (command.keep_as, command.new_session_id),
    )
    for turn in there:
        yield "UPDATE turn SET session_id = $2 WHERE id = $1", (turn["id"], command.keep_as)


def _copy(turns: Sequence[Row], session_id: str, owner: str) -> Transaction[None]:
    places: list[tuple[int, int]] = []
    for turn in turns:
        new_id = secrets.token_hex(8)
        yield (
            """
            INSERT INTO turn
                (id, session_id, seq, attempt, resumes, state, stop_requested, owner, source, origin, created_at)
            SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, 1, 0, $3, 0, $4, $5, $6, $7 FROM turn WHERE session_id = $2
            """,
            (
                new_id,
                session_id,
                turn["state"],
                owner,
                SOURCE,
                json.dumps({_COPIED_FROM: turn["id"]}),
                turn["created_at"],
            ),
        )
        new = yield "SELECT seq FROM turn WHERE id = $1", (new_id,)
        places.append((turn["seq"], new[0]["seq"]))
        yield from _copy_steps(turn, new_id, places)
        yield (
            "INSERT INTO image (turn_id, number, data) SELECT $1, number, data FROM image WHERE turn_id = $2",
            (new_id, turn["id"]),
        )


def _copy_steps(turn: Row, new_id: str, places: Sequence[tuple[int, int]]) -> Transaction[None]:
    """Copy a turn's steps; `places` are those of the turns up to it, each with the one of its copy.

    Replies and outcomes name the place their history began at; the copy's is that of the copied turn.
    """
    yield (
        """
        INSERT INTO step (turn_id, attempt, seq, body, parts)
        SELECT $1, 1, seq, body, parts FROM step WHERE turn_id = $2 AND attempt = $3
        """,
        (new_id, turn["id"], turn["attempt"]),
    )
    rows = yield "SELECT seq, body FROM step WHERE turn_id = $1 ORDER BY seq", (new_id,)
    for row in rows:
        step = STEP.validate_json(row["body"])
        if isinstance(step, ReplyStep | OutcomeStep) and step.history_from:
            began = next(new for old, new in places if old >= min(step.history_from, turn["seq"]))
            moved = step.model_copy(update={"history_from": began})
            yield (
                "UPDATE step SET body = $3 WHERE turn_id = $1 AND attempt = 1 AND seq = $2",
                (new_id, row["seq"], moved.model_dump_json()),
            )
