"""Decisions on tool calls that wait for a person. Any process makes one; the turn's own process acts on it."""

from llmgine.errors import UserError
from llmgine.messages.steps import DecisionStep
from llmgine.messages.translatable import tr
from llmgine.sessions.clock import microseconds
from llmgine.sessions.database import Group, Steps, announced
from llmgine.sessions.operations.audit import record
from llmgine.sessions.operations.pauses import pauses_of
from llmgine.sessions.operations.rows import lock, turn_steps
from llmgine.sessions.operations.session_settings import approval_name, change_setting
from llmgine.sessions.records import AuditEntry, TurnSteps
from llmgine.sessions.scoped import is_paused
from llmgine.turn_state import Call


class Decisions(Group):
    """Decisions on waiting calls."""

    @announced
    def decide(
        self,
        turn_id: str,
        decision: DecisionStep,
        now: int,
        *,
        unless_paused: bool = False,
        audit: AuditEntry | None = None,
    ) -> Steps[bool]:
        """Decide a waiting call; False when it no longer waits, its time is up, or it was decided before.

        Raises:
            UserError: The decision is for always, which the tool or what the turn has read does not allow; or it is an
                approval `unless_paused`, and tools with effects are paused.
        """
        rows = yield "SELECT session_id, attempt FROM open_turn WHERE id = $1", (turn_id,)
        if not rows:
            return False
        yield from lock(rows[0]["session_id"])
        steps = yield from turn_steps(turn_id)
        call = steps.state.calls.get(decision.call_id)
        if call is None or call.waiting is None or call.decision is not None:
            return False
        if decision.decided_by is not None and now > microseconds(call.waiting.deadline):
            return False
        key = (turn_id, steps.turn.attempt, decision.call_id)
        added = yield (
            """
            INSERT INTO decision (turn_id, attempt, call_id, body, made_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT DO NOTHING RETURNING call_id
            """,
            (*key, decision.model_dump_json(), now),
        )
        if added:
            if unless_paused and decision.approved:
                yield from _require_tools(steps.turn.session_id)
            if decision.always:
                yield from _approve_always(steps, call, decision, now)
            if audit is not None:  # only here it is known which tool it is
                yield from record(audit.model_copy(update={"about": f"{call.call.name} {audit.about}".strip()}))
            return True
        # The same decision of the same moment: this is run again because nobody knew whether it had been committed.
        made = yield "SELECT body, made_at FROM decision WHERE turn_id = $1 AND attempt = $2 AND call_id = $3", key
        return bool((made[0]["body"], made[0]["made_at"]) == (decision.model_dump_json(), now))


def _require_tools(session_id: str) -> Steps[None]:
    if is_paused("tools", (yield from pauses_of(session_id))):
        raise UserError(
            tr(
                "Tools that change or send something are paused, see /settings. You can approve this when they are "
                "resumed, if it hasn't expired by then, or deny it now."
            )
        )


def _approve_always(steps: TurnSteps, call: Call, decision: DecisionStep, now: int) -> Steps[None]:
    if not (decision.approved and decision.decided_by and call.waiting and call.waiting.allows_always):
        raise UserError(tr("This tool asks every time."))
    if steps.state.may_be_led(call):  # perhaps since it was offered: another call of the round has ended meanwhile
        raise UserError(tr("This answer used text from other people, files or web pages: approve this call alone."))
    name = approval_name(call.call.name, steps.state.prompt.author)
    yield from change_setting(steps.turn.session_id, name, "always", decision.decided_by.id, now)
