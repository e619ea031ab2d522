"""Decisions on tool calls that wait for a person."""

from datetime import datetime

from llmgine.errors import RefusedError
from llmgine.messages.commands import Author
from llmgine.messages.steps import DecisionStep, WaitingStep
from llmgine.sessions.database import Transaction
from llmgine.sessions.records import TurnSteps
from llmgine.sessions.transactions.settings import change_setting
from llmgine.sessions.transactions.steps import append, turn_steps

PREFIX = "approved:"  # of the settings that say whose calls of which tool need no asking any more


def setting_name(tool: str, asker: Author | None) -> str:
    """The setting of a session that approves all calls of a tool which this person's prompts cause there."""
    return f"{PREFIX}{tool}:{asker.id if asker else ''}"


def decide(turn_id: str, step: DecisionStep, now: datetime) -> Transaction[bool]:
    """Decide a call of an unfinished turn; the first decision counts, and after the deadline nobody's.

    Raises:
        RefusedError: The decision is for always, and the tool allows none such.
    """
    rows = yield "SELECT attempt FROM open_turn WHERE id = $1", (turn_id,)
    if not rows:
        return False
    steps = yield from turn_steps(turn_id)
    waiting = steps.waiting.get(step.call_id)
    if waiting is None or step.call_id in steps.decisions:
        return False
    if step.decided_by is not None and now > waiting.deadline:
        return False
    yield from append(turn_id, rows[0]["attempt"], step)
    if step.always:
        yield from _approve_always(steps, waiting, step, now)
    return True


def _approve_always(steps: TurnSteps, waiting: WaitingStep, step: DecisionStep, now: datetime) -> Transaction[None]:
    if not (step.approved and step.decided_by and waiting.allows_always):
        raise RefusedError("This tool asks each time.")
    tool = next(call.name for reply in steps.replies for call in reply.tool_calls if call.id == step.call_id)
    name = setting_name(tool, steps.prompt.author)
    yield from change_setting(steps.turn.session_id, name, "always", step.decided_by.id, now.isoformat())
