"""Turns: how they are queued in their session, who runs them, and what is read of them."""

import json
from collections.abc import Collection, Sequence

from pydantic import JsonValue

from llmgine.errors import UserError
from llmgine.messages.commands import Admitted, PromptCommand, RegenerateTurnCommand
from llmgine.messages.steps import Turn
from llmgine.messages.translatable import tr
from llmgine.sessions.database import Group, Steps, announced, listed, listing, operation, query
from llmgine.sessions.operations.admission import add_prompt, add_turn, burst_of, join, known, next_place
from llmgine.sessions.operations.attempts import again, erase, erase_copies
from llmgine.sessions.operations.audit import record
from llmgine.sessions.operations.rows import (
    AT_ONCE,
    ended_before,
    lock,
    to_step,
    to_turn,
    turn_of,
    turn_steps,
    with_steps,
)
from llmgine.sessions.operations.sessions import inherit
from llmgine.sessions.records import AuditEntry, Blocked, Claimed, EndedTurn, TurnSteps

MAX_OPEN = 100  # turns of a session that have not ended; a limit on what anybody can have done and paid for at once


class Turns(Group):
    """The turns of sessions."""

    @operation
    def admit(self, prompt: PromptCommand, turn_id: str, now: int, timezone: str = "UTC") -> Steps[Admitted]:
        """Store a prompt once: as a queued turn of this process, or as one more message of a burst that waits.

        Args:
            prompt: The prompt. A message that was admitted before is not admitted again.
            turn_id: The id of the new turn.
            now: When it was admitted.
            timezone: The zone of authors who set none.

        Raises:
            UserError: Too many turns of the session are waiting.
        """
        new = yield (
            """
            INSERT INTO inbox (source, source_id, turn_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING turn_id
            """,
            (prompt.source, prompt.source_id, turn_id),
        )
        if not new:
            return (yield from known(prompt, turn_id))
        seq, place, own_timezone = yield from next_place(prompt, now)
        timezone = own_timezone or timezone
        burst = (yield from burst_of(prompt, now)) if place else None
        if burst is not None:
            yield from join(prompt, burst, now, timezone)
            return Admitted(turn_id=burst, place=place - 1, joined=True)
        if place >= MAX_OPEN:
            raise UserError(
                tr("{count} messages are already waiting here. Send it again when some are answered.", count=place)
            )
        yield from add_turn(prompt, turn_id, seq, self._me, now)
        yield from add_prompt(prompt, turn_id, 1, now, timezone)
        return Admitted(turn_id=turn_id, place=place)

    @announced
    def regenerate(self, command: RegenerateTurnCommand) -> Steps[None]:
        """Queue the session's last turn once more, as one of this process; its messages are kept and edited.

        Raises:
            UserError: It is not the last turn of its session, has not ended, is at another attempt by now, or its
                texts are gone.
        """
        yield from lock(command.session_id)
        if command.attempt is not None:
            queued = yield (
                "SELECT id FROM turn WHERE id = $1 AND attempt = $2 AND state = 'queued' AND claim > 0 AND owner = $3",
                (command.turn_id, command.attempt + 1, self._me),
            )
            if queued:  # this is run again because nobody knew whether it had been committed
                return
        rows = yield (
            """
            SELECT attempt FROM ended_turn
            WHERE id = $1 AND session_id = $2
                AND seq = (SELECT MAX(seq) FROM turn WHERE session_id = $2 AND state <> 'forgotten')
                AND seq > (SELECT cleared_seq FROM session WHERE id = $2)
            """,
            (command.turn_id, command.session_id),
        )
        if not rows or command.attempt not in (None, rows[0]["attempt"]):
            raise UserError(tr("Only the last answer of a conversation can be regenerated."))
        yield from inherit(command.session_id, command.scopes)
        prompts = (yield from turn_steps(command.turn_id)).state.prompts
        yield from again(command.turn_id, rows[0]["attempt"], prompts, self._me)

    @operation
    def claim(
        self, session_id: str, *, dead: Collection[str] = (), resumed: Collection[str] = ()
    ) -> Steps[Claimed | Blocked | None]:
        """Start running the oldest open turn of a session, if it is one of this process.

        Args:
            session_id: The session.
            dead: Owners that are known to be dead: their turns are skipped.
            resumed: The turns that are resumed after their process died or failed.

        Returns:
            The turn with its steps. Or the process that runs a turn here, or has one before ours. Or None, where this
            process has no open turn.
        """
        yield from lock(session_id)
        rows = yield "SELECT id, owner, state FROM open_turn WHERE session_id = $1 ORDER BY seq", (session_id,)
        living = [row for row in rows if row["owner"] not in dead]
        if all(row["owner"] != self._me for row in living):
            return None
        head = next((row for row in living if row["state"] != "queued"), living[0])
        if head["owner"] != self._me:
            return Blocked(owner=head["owner"])
        for row in rows:
            if row["owner"] in dead and row["state"] != "queued":
                yield "UPDATE turn SET state = 'queued', claim = claim + 1 WHERE id = $1", (row["id"],)
        return (yield from _begun(head["id"], resumed=head["id"] in resumed))

    @announced
    def take_over(self, turns: Sequence[Turn]) -> Steps[list[Turn]]:
        """Make unfinished turns of dead owners ours, unless somebody took them since they were read; oldest first."""
        taken: list[Turn] = []
        for turn in sorted(turns, key=lambda turn: (turn.session_id, turn.seq)):
            rows = yield (
                """
                UPDATE turn SET owner = $1, claim = $4 + 1
                WHERE id = $2 AND state IN ('queued', 'running', 'waiting')
                    AND (owner = $3 AND claim = $4 OR owner = $1 AND claim = $4 + 1)
                RETURNING *
                """,
                (self._me, turn.id, turn.owner, turn.claim),
            )
            taken += [to_turn(row) for row in rows]
        return taken

    @query
    def unfinished(self, session_id: str) -> Steps[list[Turn]]:
        """The session's turns that have no outcome, oldest first."""
        rows = yield "SELECT * FROM open_turn WHERE session_id = $1 ORDER BY seq", (session_id,)
        return [to_turn(row) for row in rows]

    @query
    def unfinished_of(self, sources: Collection[str], session_id: str | None = None) -> Steps[list[Turn]]:
        """The unfinished turns that came from these front ends, session by session, oldest first."""
        rows = yield (
            f"""
            SELECT * FROM open_turn WHERE source IN ({listed([*sources], 2)}) AND ($1 = '' OR session_id = $1)
            ORDER BY session_id, seq
            """,
            (session_id or "", *sources),
        )
        return [to_turn(row) for row in rows]

    @query
    def get(self, turn_id: str) -> Steps[TurnSteps]:
        """A turn and the steps of its current attempt.

        Raises:
            StoreError: There is no such turn.
            ForgottenTurnError: Its conversation was cleared, or it was forgotten.
        """
        return (yield from turn_steps(turn_id))

    @query
    def many(self, turn_ids: Sequence[str]) -> Steps[list[TurnSteps]]:
        """These turns with the steps of their current attempts; those whose texts were deleted are left out."""
        found: dict[str, Turn] = {}
        for begin in range(0, len(turn_ids), AT_ONCE):
            some = turn_ids[begin : begin + AT_ONCE]
            rows = yield f"SELECT * FROM turn WHERE id IN ({listed(some)})", some
            found |= {row["id"]: to_turn(row) for row in rows}
        return (yield from with_steps([found[turn_id] for turn_id in turn_ids if turn_id in found]))

    @listing
    def history(self, session_id: str) -> Steps[list[TurnSteps]]:
        """The ended turns since the session was last cleared, oldest first."""
        rows = yield (
            """
            SELECT * FROM ended_turn
            WHERE session_id = $1 AND seq > (SELECT cleared_seq FROM session WHERE id = $1)
            ORDER BY seq
            """,
            (session_id,),
        )
        return (yield from with_steps([to_turn(row) for row in rows]))

    @query
    def ended(self, session_id: str, before_seq: int, most: int) -> Steps[list[EndedTurn]]:
        """The session's last ended turns before a position, at most `most`, the newest first."""
        return (yield from ended_before(session_id, before_seq, most))

    @query
    def of_message(self, source: str, source_id: str) -> Steps[str | None]:
        """The id of the turn that a message was admitted to."""
        return (yield from turn_of(source, source_id))

    @query
    def admitted(self, source: str, source_ids: Sequence[str]) -> Steps[frozenset[str]]:
        """Which of these messages were admitted."""
        if not source_ids:
            return frozenset()
        rows = yield (
            f"SELECT source_id FROM inbox WHERE source = $1 AND source_id IN ({listed(source_ids, 2)})",
            (source, *source_ids),
        )
        return frozenset(row["source_id"] for row in rows)

    @query
    def known(self, source: str, source_ids: Sequence[str]) -> Steps[dict[str, Turn]]:
        """The turns that messages were admitted to, by message; also those whose texts are gone."""
        if not source_ids:
            return {}
        rows = yield (
            f"""
            SELECT turn.*, inbox.source_id AS message FROM inbox JOIN turn ON turn.id = inbox.turn_id
            WHERE inbox.source = $1 AND inbox.source_id IN ({listed(source_ids, 2)})
            """,
            (source, *source_ids),
        )
        return {row["message"]: to_turn(row) for row in rows}

    @listing
    def asked_lately(self, source: str, guild: int | None, since: int) -> Steps[dict[str, dict[str, JsonValue]]]:
        """The places of a server, or of none, where something was asked since then and not forgotten.

        Gives the origin of the newest turn of each place.
        """
        rows = yield (
            f"""
            SELECT place, origin FROM turn
            WHERE source = $1 AND guild {"IS NULL" if guild is None else "= $3"} AND created_at >= $2
                AND place IS NOT NULL AND state <> 'forgotten'
            ORDER BY created_at, seq
            """,
            (source, since) if guild is None else (source, since, guild),
        )
        return {row["place"]: json.loads(row["origin"]) for row in rows}

    @query
    def last(self, session_id: str) -> Steps[Turn | None]:
        """The session's newest turn that was neither forgotten nor cleared."""
        rows = yield (
            """
            SELECT * FROM turn
            WHERE session_id = $1 AND state <> 'forgotten' AND seq > (SELECT cleared_seq FROM session WHERE id = $1)
            ORDER BY seq DESC LIMIT 1
            """,
            (session_id,),
        )
        return to_turn(rows[0]) if rows else None

    @query
    def before(self, session_id: str, seq: int) -> Steps[Turn | None]:
        """The session's last ended turn before a position."""
        rows = yield (
            "SELECT * FROM ended_turn WHERE session_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT 1",
            (session_id, seq),
        )
        return to_turn(rows[0]) if rows else None

    @query
    def images(self, turn_id: str, numbers: Sequence[int]) -> Steps[list[str]]:
        """Images of a turn as data URLs; those that are gone are left out."""
        if not numbers:
            return []
        rows = yield (
            f"SELECT number, data FROM image WHERE turn_id = $1 AND number IN ({listed(numbers, 2)})",
            (turn_id, *numbers),
        )
        data = {row["number"]: str(row["data"]) for row in rows}
        return [data[number] for number in numbers if number in data]

    @announced
    def forget(
        self, session_id: str, turn_id: str, dead: str = "", audit: AuditEntry | None = None
    ) -> Steps[Turn | None]:
        """Delete a turn's texts, also from its copies in branches, and mark its messages as to be deleted.

        None if it no longer exists, or runs: of running turns, only those of a dead owner are forgotten. One
        that was forgotten already is returned again until its messages are gone: the caller may have missed it.
        """
        yield from lock(session_id)
        rows = yield (
            """
            SELECT * FROM turn
            WHERE id = $2 AND session_id = $1 AND (state NOT IN ('running', 'waiting') OR owner = $3)
                AND (state <> 'forgotten' OR EXISTS (SELECT 1 FROM delivery WHERE turn_id = $2 AND sent = 0))
            """,
            (session_id, turn_id, dead),
        )
        if not rows or rows[0]["state"] == "forgotten":
            return to_turn(rows[0]) if rows else None
        yield from record(audit)
        yield from erase(turn_id)
        yield from erase_copies(turn_id)
        last = (turn_id, rows[0]["attempt"])
        yield "DELETE FROM delivery WHERE turn_id = $1 AND (COALESCE(message_id, '') = '' OR attempt < $2)", last
        yield "UPDATE delivery SET body = '{}', final = 0, sent = 0 WHERE turn_id = $1", (turn_id,)
        yield (  # a message may be on its way that is not stored yet: the turn counts as undelivered until then
            """
            INSERT INTO delivery (turn_id, attempt, kind, round, part, body, message_id, final, sent)
            VALUES ($1, $2, 'old', 0, -1, '{}', '', 0, 0)
            """,
            last,
        )
        return to_turn(rows[0])


def _begun(turn_id: str, *, resumed: bool) -> Steps[Claimed]:
    """Mark a turn as running, under a new claim number."""
    begun = yield (
        """
        UPDATE turn SET state = 'running', claim = claim + 1, resumes = resumes + $2 WHERE id = $1
        RETURNING *, (
            SELECT COUNT(*) FROM stop_request WHERE turn_id = turn.id AND attempt = turn.attempt
        ) AS stops
        """,
        (turn_id, int(resumed)),
    )
    turn = to_turn(begun[0])
    steps = yield (
        "SELECT seq, body, parts FROM step WHERE turn_id = $1 AND attempt = $2 ORDER BY seq",
        (turn.id, turn.attempt),
    )
    return Claimed(
        turn=TurnSteps(turn=turn, steps=tuple(to_step(row) for row in steps)),
        next_step=steps[-1]["seq"] + 1 if steps else 1,
        stop_requested=bool(begun[0]["stops"]),
    )
