"""What the runner of a turn writes. Each write has the claim number in its condition: a stale runner writes nothing."""

import json
from collections.abc import Iterable, Sequence

from llmgine.errors import SupersededError
from llmgine.messages.commands import EVERYWHERE
from llmgine.messages.deliveries import Delivery
from llmgine.messages.steps import DecisionStep, ReplyStep, Step, Turn, TurnStatus
from llmgine.sessions.costs import Asker, Spent, Today
from llmgine.sessions.database import Group, Steps, listed, operation, query
from llmgine.sessions.limits import counted_in, limits
from llmgine.sessions.operations.allowances import settle, with_use
from llmgine.sessions.operations.pauses import pauses_of
from llmgine.sessions.operations.result_files import add_files
from llmgine.sessions.operations.rows import add_steps, ended_before
from llmgine.sessions.operations.session_settings import own_and_inherited, settings
from llmgine.sessions.records import BeforeCall, SessionSettings
from llmgine.sessions.scoped import effective, is_paused, pauses_in

_GIVEN_UP = "Attempt {} of the turn {!r} was given up"


class Runs(Group):
    """The writes of turns that run, and the read before each call of the model."""

    @query
    def before_call(self, turn: Turn, today: Today, most: int, asker: Asker | None = None) -> Steps[BeforeCall]:
        """What a call of the model needs to know.

        Args:
            turn: The turn that asks.
            today: The day, and what may be used in it.
            most: How many of the ended turns before it are named.
            asker: For whom it asks.
        """
        who = asker or Asker()
        rows = yield (
            "SELECT scopes, (SELECT revision FROM turn WHERE id = $2) AS revision FROM session WHERE id = $1",
            (turn.session_id, turn.id),
        )
        scopes = own_and_inherited(turn.session_id, rows)
        made = yield from settings([*scopes, EVERYWHERE])
        return BeforeCall(
            counted_in=counted_in(scopes, who),
            settings=effective(SessionSettings, made),
            allowances=tuple((yield from with_use(limits(scopes, made, today, who), today.day))),
            ended=tuple((yield from ended_before(turn.session_id, turn.seq, most))),
            revision=rows[0]["revision"] or 0 if rows else turn.revision,
            paused=is_paused("answers", pauses_in(made)),
        )

    @query
    def decision(self, turn: Turn, call_id: str) -> Steps[DecisionStep | None]:
        """The decision on a call of a running turn, if there is one.

        Raises:
            SupersededError: The turn is not ours to run any more.
        """
        rows = yield (
            """
            SELECT decision.body FROM turn LEFT JOIN decision
                ON decision.turn_id = turn.id AND decision.attempt = turn.attempt AND decision.call_id = $3
            WHERE turn.id = $1 AND turn.claim = $2
            """,
            (turn.id, turn.claim, call_id),
        )
        if not rows:
            raise SupersededError(_GIVEN_UP.format(turn.attempt, turn.id))
        body = rows[0]["body"]
        return None if body is None else DecisionStep.model_validate_json(body)

    @operation
    def append(
        self, turn: Turn, number: int, step: Step, status: TurnStatus = "running", files: tuple[str, ...] = ()
    ) -> Steps[None]:
        """Add a step of a turn that runs, at its number, and say what the turn is doing from here on.

        Args:
            turn: The turn.
            number: The step's.
            step: The step.
            status: What the turn is doing.
            files: The data of a result's files, see `result_files.stored_form`.

        Raises:
            SupersededError: The turn is not ours to run any more.
        """
        yield from _hold(turn, status)
        yield from add_steps(turn.id, turn.attempt, [(number, step)])
        yield from add_files(turn, step, files)

    @operation
    def append_unless_paused(self, turn: Turn, number: int, step: Step, status: TurnStatus) -> Steps[bool]:
        """The same, unless tools with effects are paused: in one transaction, so that none begins after it was paused.

        Returns:
            Whether the step was added.

        Raises:
            SupersededError: The turn is not ours to run any more.
        """
        yield from _hold(turn, status)
        if is_paused("tools", (yield from pauses_of(turn.session_id))):
            return False
        yield from add_steps(turn.id, turn.attempt, [(number, step)])
        return True

    @operation
    def append_reply(self, turn: Turn, number: int, step: ReplyStep, spent: Spent | None) -> Steps[None]:
        """Add a reply of the model that is acted on next, and count what the call cost.

        Raises:
            SupersededError: The turn is not ours to run any more.
        """
        yield from _hold(turn, "running")
        if (yield from add_steps(turn.id, turn.attempt, [(number, step)])) and spent is not None:
            yield from settle(spent)

    @operation
    def set_status(self, turn: Turn, status: TurnStatus) -> Steps[None]:
        """Say what a turn that runs is doing.

        Raises:
            SupersededError: The turn is not ours to run any more.
        """
        yield from _hold(turn, status)

    @operation
    def finish(
        self,
        turn: Turn,
        status: TurnStatus,
        steps: Sequence[tuple[int, Step]],
        parts: Iterable[Delivery],
        spent: Spent | None = None,
    ) -> Steps[None]:
        """Give a turn its outcome: the last steps, the status and all deliveries, or nothing of it.

        A part posted before keeps its message; a preview that has no final part is left.

        Raises:
            SupersededError: The turn is not ours to run any more.
        """
        yield from _hold(turn, status)
        added = yield from add_steps(turn.id, turn.attempt, steps)
        if added and spent is not None:
            yield from settle(spent)
        rows = [
            (one.turn_id, one.attempt, one.key.kind, one.key.round, one.key.part, json.dumps(one.body)) for one in parts
        ]
        if not rows:
            return
        places = ", ".join(f"({listed(row, 1 + place * len(row))}, 1, 0)" for place, row in enumerate(rows))
        yield (
            f"""
            INSERT INTO delivery (turn_id, attempt, kind, round, part, body, final, sent) VALUES {places}
            ON CONFLICT (turn_id, attempt, kind, round, part) DO UPDATE SET body = excluded.body, final = 1, sent = 0
            """,
            tuple(value for row in rows for value in row),
        )


def _hold(turn: Turn, status: TurnStatus) -> Steps[None]:
    """Begin a write of a turn's runner: it fails unless the claim is still the runner's, and the turn has not ended.

    An outcome may be written again: that is the same transaction, run again because nobody knew of its commit.
    """
    rows = yield (
        """
        UPDATE turn SET state = $3
        WHERE id = $1 AND claim = $2 AND (state IN ('running', 'waiting') OR state = $3) RETURNING id
        """,
        (turn.id, turn.claim, status),
    )
    if not rows:
        raise SupersededError(_GIVEN_UP.format(turn.attempt, turn.id))
