"""Asking people whether a tool call may run; what they are asked, and what they say, is durable."""

from datetime import datetime, timedelta

from llmgine.engine.store_changes import Changes
from llmgine.engine.turn_context import RoundContext, TurnContext
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import Author
from llmgine.messages.events import ToolCallDecidedEvent, ToolCallWaitingEvent
from llmgine.messages.steps import DecisionStep, WaitingStep
from llmgine.messages.translatable import Text, tr
from llmgine.sessions.clock import microseconds
from llmgine.tools.tool import Tool

_NOT_AGAIN = "Do not try it again unless asked."
PAUSED = (
    f"Tools that change or send something are paused by whoever runs this, so this was not run. {_NOT_AGAIN}",
    tr("Not run: tools that change or send something are paused."),
)
_ANOTHER = (
    f"This is not the call that was approved, so it was not run. {_NOT_AGAIN}",
    tr("Not run: this is not the call that was approved."),
)


class Approvals:
    """Waits for the decisions on calls of tools that ask first.

    Args:
        changes: Wakes a call that waits.
        timeout: Seconds a call waits before it is denied.
    """

    def __init__(self, changes: Changes, *, timeout: float) -> None:
        self._changes = changes
        self._timeout = timeout

    async def denial(self, round_: RoundContext, call: ToolCall, tool: Tool) -> tuple[str, Text] | None:
        """Ask whether the call may run. What the model is told of one that may not, and what people see; else None.

        Nobody is asked while such tools are paused.
        """
        context, steps = round_.context, round_.steps
        known = steps.state.calls[call.id]
        waiting = known.waiting
        if waiting is None:
            asker = steps.state.prompt.author
            offered = tool.allows_always and _is_person(asker) and not context.steps.state.may_be_led(known)
            if offered and await context.store.settings.always_approved(context.turn.session_id, tool.name, asker):
                return None
            waiting = WaitingStep(
                round=round_.number,
                call_id=call.id,
                deadline=context.store.clock.now() + timedelta(seconds=self._timeout),
                fingerprint=call.fingerprint,
                allows_always=offered,
            )
            if not await context.append_unless_paused(waiting):
                return PAUSED
        decision = known.decision
        if decision is None:
            decision = await context.store.runs.decision(context.turn, call.id)  # made while nobody ran the turn
            if decision is None:
                decision = await self._wait(context, waiting, call)
            await context.append(decision)
        await context.tell(
            ToolCallDecidedEvent,
            round=round_.number,
            call=call,
            approved=decision.approved,
            decided_by=decision.decided_by,
            reason=decision.reason,
            always=decision.always,
        )
        if not decision.approved:
            return _denied(decision)
        if waiting.fingerprint != call.fingerprint:
            return _ANOTHER
        return None

    async def _wait(self, context: TurnContext, waiting: WaitingStep, call: ToolCall) -> DecisionStep:
        context.waiting += 1
        await context.store.runs.set_status(context.turn, context.status)
        about = {"deadline": waiting.deadline, "allows_always": waiting.allows_always}
        await context.tell(ToolCallWaitingEvent, round=waiting.round, call=call, **about)
        decision = await self._decision(context, call, waiting.deadline)
        context.waiting -= 1
        return decision

    async def _decision(self, context: TurnContext, call: ToolCall, deadline: datetime) -> DecisionStep:
        """Wait until somebody decides, in this process or another; the deadline decides against.

        Raises:
            SupersededError: The turn is not ours to run any more.
        """
        while True:
            before = self._changes.mark()
            decision = await context.store.runs.decision(context.turn, call.id)
            if decision is not None:
                return decision
            left = (deadline - context.store.clock.now()).total_seconds()
            if left <= 0:
                late = DecisionStep(call_id=call.id, approved=False, decided_by=None)
                await context.store.decisions.decide(context.turn.id, late, microseconds(deadline))
            else:
                await self._changes.wait(left, since=before)


def _is_person(asker: Author | None) -> bool:
    """Whether calls can be approved for good: not those of a webhook, whose name anybody may use."""
    return asker is None or asker.is_person


def _denied(decision: DecisionStep) -> tuple[str, Text]:
    if decision.decided_by is None:
        return f"Nobody approved this in time. {_NOT_AGAIN}", tr("Nobody approved this in time.")
    name, reason = decision.decided_by.name, decision.reason
    if reason is None:
        return f"{name} denied this call. {_NOT_AGAIN}", tr("{name} denied this.", name=name)
    shown = tr("{name} denied this: {reason}", name=name, reason=reason)
    return f"{name} denied this call. The reason given: {reason}\n{_NOT_AGAIN}", shown
