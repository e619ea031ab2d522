"""Asking people whether a tool call may run; what they are asked, and what they say, is durable."""

from datetime import datetime, timedelta

from llmgine.engine.changes import Changes
from llmgine.engine.scope import RoundScope, TurnScope
from llmgine.messages.chat import ToolCall
from llmgine.messages.events import ToolCallDecidedEvent, ToolCallWaitingEvent
from llmgine.messages.steps import DecisionStep, WaitingStep
from llmgine.tools.tool import Tool

_NOT_AGAIN = "Do not try it again unless asked."


class Approvals:
    """Waits for the decisions on calls of tools that ask first.

    Args:
        changes: Wakes a call that waits.
        timeout: Seconds a call waits before it is denied.
    """

    def __init__(self, changes: Changes, *, timeout: float) -> None:
        self._changes = changes
        self._timeout = timeout

    async def denial(self, round_: RoundScope, call: ToolCall, tool: Tool) -> str | None:
        """Ask whether the call may run. What the model is told of a call that may not, None for one that may."""
        scope, steps = round_.scope, round_.steps
        waiting = steps.waiting.get(call.id)
        if waiting is None:
            if tool.allows_always and await scope.store.always_approved(steps, tool.name):
                return None
            waiting = WaitingStep(
                round=round_.number,
                call_id=call.id,
                deadline=scope.store.clock.now() + timedelta(seconds=self._timeout),
                fingerprint=call.fingerprint,
                allows_always=tool.allows_always,
            )
            await scope.append(waiting)
        decision = steps.decisions.get(call.id) or await self._wait(scope, waiting, call)
        await scope.tell(
            ToolCallDecidedEvent,
            round=round_.number,
            call=call,
            approved=decision.approved,
            decided_by=decision.decided_by,
            reason=decision.reason,
        )
        if not decision.approved:
            return _denied(decision)
        if (await scope.steps()).waiting[call.id].fingerprint != call.fingerprint:
            return f"This is not the call that was approved, so it was not run. {_NOT_AGAIN}"
        return None

    async def _wait(self, scope: TurnScope, waiting: WaitingStep, call: ToolCall) -> DecisionStep:
        await scope.store.set_state(scope.turn, "waiting")
        about = {"deadline": waiting.deadline, "allows_always": waiting.allows_always}
        await scope.tell(ToolCallWaitingEvent, round=waiting.round, call=call, **about)
        scope.waiting += 1
        decision = await self._decision(scope, call, waiting.deadline)
        scope.waiting -= 1
        await scope.store.set_state(scope.turn, "running")
        return decision

    async def _decision(self, scope: TurnScope, call: ToolCall, deadline: datetime) -> DecisionStep:
        """Wait until somebody decides, in this process or another; the deadline decides against."""
        while True:
            decision = (await scope.steps()).decisions.get(call.id)
            if decision is not None:
                return decision
            left = (deadline - scope.store.clock.now()).total_seconds()
            if left <= 0:
                await scope.store.decide(scope.turn.id, call.id, approved=False, decided_by=None)
            else:
                await self._changes.wait(left)


def _denied(decision: DecisionStep) -> str:
    if decision.decided_by is None:
        return f"Nobody approved this in time. {_NOT_AGAIN}"
    reason = f" The reason given: {decision.reason}\n" if decision.reason else " "
    return f"{decision.decided_by.name} denied this call.{reason}{_NOT_AGAIN}"
