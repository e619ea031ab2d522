"""Branches: a conversation that begins with a copy of another one's turns, and continues on its own from there."""

import hashlib
from collections.abc import Sequence

from llmgine.errors import UserError
from llmgine.messages.commands import BranchSessionCommand
from llmgine.messages.steps import STEP, OutcomeStep, ReplyStep
from llmgine.messages.translatable import tr
from llmgine.sessions.database import Group, Row, Steps, announced
from llmgine.sessions.operations.context_messages import CONTEXT_STEP
from llmgine.sessions.operations.rows import lock
from llmgine.sessions.operations.sessions import ensure_session

_SOURCE = "branch"
_ENDED = """
    SELECT * FROM ended_turn
    WHERE session_id = $1 AND seq > (SELECT cleared_seq FROM session WHERE id = $1)
        AND EXISTS (SELECT 1 FROM step WHERE turn_id = ended_turn.id)
    ORDER BY seq
"""


class Branches(Group):
    """Copies of conversations."""

    @announced
    def make(self, command: BranchSessionCommand, branch_id: str, now: int) -> Steps[int]:
        """Copy ended turns into another session; returns how many, 0 if they have been copied before.

        What the other session had before is kept as the session `keep_as`.

        Args:
            command: What is copied where.
            branch_id: What the ids of the copies are made of.
            now: When it is done.

        Raises:
            UserError: There is nothing to copy, or the other session is under way.
        """
        for session_id in sorted({command.session_id, command.new_session_id}):
            yield from lock(session_id)
        turns = yield _ENDED, (command.session_id,)
        if command.up_to_turn is not None:
            places = [number for number, turn in enumerate(turns, 1) if turn["id"] == command.up_to_turn]
            turns = turns[: places[0]] if places else []
        if not turns:
            raise UserError(
                tr("There is no conversation to continue: nothing in it was answered yet, or it was cleared.")
            )
        new = command.new_session_id
        yield from ensure_session(new, command.session_name, command.scopes, now)
        there = yield _ENDED, (new,)
        if [turn["copied_from"] for turn in there] == [turn["id"] for turn in turns]:
            # Its own copies: this is run again because nobody knew whether it had been committed.
            return len(turns) if there[0]["id"] == _copy_id(branch_id, turns[0]) else 0
        yield from _make_room(command, there, now)
        yield "DELETE FROM setting WHERE scope = $1 AND name LIKE 'approved:%'", (new,)  # as after a clear
        yield from _copy(turns, new, branch_id, self._me)
        yield (
            "UPDATE session SET title = (SELECT title FROM session WHERE id = $2) WHERE id = $1",
            (new, command.session_id),
        )
        return len(turns)


def _make_room(command: BranchSessionCommand, there: Sequence[Row], now: int) -> Steps[None]:
    """Move what the other conversation has to a session of its own."""
    busy = yield "SELECT id FROM open_turn WHERE session_id = $1", (command.new_session_id,)
    if busy:
        raise UserError(tr("An answer is being written there. Wait for it, or use /stop first."))
    if not there:
        return
    if command.keep_as is None:
        raise UserError(tr("There already is a conversation in that place."))
    yield from ensure_session(command.keep_as, command.session_name, (), now)
    yield (
        """
        UPDATE session SET title = other.title, scopes = other.scopes, listed_under = other.listed_under,
            next_seq = other.next_seq
        FROM session AS other WHERE session.id = $1 AND other.id = $2
        """,
        (command.keep_as, command.new_session_id),
    )
    for turn in there:
        yield "UPDATE turn SET session_id = $2 WHERE id = $1", (turn["id"], command.keep_as)


def _copy_id(branch_id: str, turn: Row) -> str:
    return hashlib.blake2b(f"{branch_id} {turn['id']}".encode(), digest_size=8).hexdigest()


def _copy(turns: Sequence[Row], session_id: str, branch_id: str, owner: str) -> Steps[None]:
    rows = yield (
        "UPDATE session SET next_seq = next_seq + $2 WHERE id = $1 RETURNING next_seq - $2 AS first",
        (session_id, len(turns)),
    )
    places: list[tuple[int, int]] = []
    for seq, turn in enumerate(turns, rows[0]["first"]):
        new_id = _copy_id(branch_id, turn)
        yield (
            """
            INSERT INTO turn
                (id, session_id, seq, attempt, claim, resumes, state, owner, source, origin, copied_from, posts,
                 created_at)
            VALUES ($1, $2, $3, 1, 0, 0, $4, $5, $6, '{}', $7, 0, $8)
            """,
            (new_id, session_id, seq, turn["state"], owner, _SOURCE, turn["id"], turn["created_at"]),
        )
        places.append((turn["seq"], seq))
        yield from _copy_steps(turn, new_id, places)
        yield (
            "INSERT INTO image (turn_id, number, data) SELECT $1, number, data FROM image WHERE turn_id = $2",
            (new_id, turn["id"]),
        )


def _copy_steps(turn: Row, new_id: str, places: Sequence[tuple[int, int]]) -> Steps[None]:
    """Copy a turn's steps; `places` are those of the turns up to it, each with the one of its copy.

    Replies and outcomes name the place their history began at; the copy's is that of the copied turn.
    """
    yield (
        """
        INSERT INTO step (turn_id, attempt, seq, body, parts)
        SELECT $1, 1, seq, body, parts FROM step WHERE turn_id = $2 AND attempt = $3 AND seq <> $4
        """,
        (new_id, turn["id"], turn["attempt"], CONTEXT_STEP),
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
