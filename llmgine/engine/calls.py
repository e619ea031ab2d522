"""The tool calls of one round: asked about where need be, run once, and each ended by a result."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from llmgine.engine.changes import Changes
from llmgine.engine.scope import TurnScope
from llmgine.errors import ToolError
from llmgine.messages.chat import ToolCall, ToolResult
from llmgine.messages.events import (
    ToolCallDecidedEvent,
    ToolCallFinishedEvent,
    ToolCallStartedEvent,
    ToolCallWaitingEvent,
)
from llmgine.messages.message import inside
from llmgine.sessions.records import DecisionStep, ReplyStep, ResultStep, StartedStep, TurnSteps, WaitingStep
from llmgine.tools.arguments import read_arguments
from llmgine.tools.context import ToolContext, tool_context
from llmgine.tools.manager import ToolManager
from llmgine.tools.tool import Tool


@dataclass(frozen=True)
class _Round:
    """The round whose calls are run, with what was committed of the turn before it ran."""

    scope: TurnScope
    steps: TurnSteps
    number: int


class ToolCalls:
    """Runs rounds of tool calls.

    Args:
        tools: The tools there are.
        changes: Wakes a call that waits for a decision.
        approval_timeout: Seconds a call waits before it is denied.
    """

    def __init__(self, tools: ToolManager, changes: Changes, *, approval_timeout: float) -> None:
        self._tools = tools
        self._changes = changes
        self._approval_timeout = approval_timeout

    async def run(self, scope: TurnScope, reply: ReplyStep) -> None:
        """Bring every call of the reply to its committed result; what has one already is left alone."""
        steps = await scope.steps()
        author = steps.prompt.author
        who = (author.id, author.name) if author else ("", "")
        token = tool_context.set(ToolContext(scope.turn.session_id, scope.turn.id, *who))
        round_ = _Round(scope, steps, reply.round)
        try:
            open_calls = [call for call in reply.tool_calls if call.id not in steps.results]
            queue = [call for call in open_calls if self._is_sequential(scope, call)]
            async with asyncio.TaskGroup() as group:
                for call in open_calls:
                    if call not in queue:
                        group.create_task(self._settle(round_, call))
                group.create_task(self._settle_in_turn(round_, queue))
        finally:
            tool_context.reset(token)

    def _tool(self, scope: TurnScope, call: ToolCall) -> Tool | None:
        try:
            return self._tools.get(call.name, scope.tools)
        except ToolError:
            return None

    def _is_sequential(self, scope: TurnScope, call: ToolCall) -> bool:
        tool = self._tool(scope, call)
        return tool is not None and tool.sequential

    async def _settle_in_turn(self, round_: _Round, calls: list[ToolCall]) -> None:
        for call in calls:
            await self._settle(round_, call)

    async def _settle(self, round_: _Round, call: ToolCall) -> None:
        """From a call to its result: in doubt, denied, or run."""
        tool = self._tool(round_.scope, call)
        if call.id in round_.steps.started and not (tool and tool.idempotent):
            text = "Interrupted: whether this took effect is unknown. Do not repeat it without asking the person."
            result, seconds = ToolResult(call_id=call.id, name=call.name, content=text, ok=False), 0.0
        else:
            denial = await self._denial(round_, call) if self._needs_approval(tool, call) else None
            result, seconds = (denial, 0.0) if denial else await self._run(round_, call)
        scope = round_.scope
        await scope.append(ResultStep(round=round_.number, result=result, seconds=seconds))
        await scope.tell(ToolCallFinishedEvent, round=round_.number, call=call, result=result, seconds=seconds)

    async def _run(self, round_: _Round, call: ToolCall) -> tuple[ToolResult, float]:
        await round_.scope.append(StartedStep(round=round_.number, call_id=call.id))
        started = await round_.scope.tell(ToolCallStartedEvent, round=round_.number, call=call)
        begin = time.monotonic()
        with inside(started):
            result = await self._tools.run(call, round_.scope.tools)
        return result, time.monotonic() - begin

    def _needs_approval(self, tool: Tool | None, call: ToolCall) -> bool:
        """Whether to ask somebody. Nobody is asked about a call that could not run anyway."""
        if tool is None or not tool.requires_approval:
            return False
        try:
            read_arguments(tool.arguments, call.arguments)
        except ToolError:
            return False
        return True

    async def _denial(self, round_: _Round, call: ToolCall) -> ToolResult | None:
        """Ask whether the call may run. The result of a call that may not, None for one that may."""
        scope = round_.scope
        waiting = round_.steps.waiting.get(call.id)
        if waiting is None:
            deadline = datetime.now(UTC) + timedelta(seconds=self._approval_timeout)
            waiting = WaitingStep(round=round_.number, call_id=call.id, deadline=deadline)
            await scope.append(waiting)
        decision = round_.steps.decisions.get(call.id)
        if decision is None:
            await scope.store.set_state(scope.turn, "waiting")
            await scope.tell(ToolCallWaitingEvent, round=round_.number, call=call, deadline=waiting.deadline)
            scope.waiting += 1
            decision = await self._decision(scope, call, waiting.deadline)
            scope.waiting -= 1
            await scope.store.set_state(scope.turn, "running")
        await scope.tell(
            ToolCallDecidedEvent,
            round=round_.number,
            call=call,
            approved=decision.approved,
            decided_by=decision.decided_by,
        )
        if decision.approved:
            return None
        by = f"{decision.decided_by.name} denied this call." if decision.decided_by else "Nobody approved this in time."
        return ToolResult(call_id=call.id, name=call.name, content=f"{by} Do not try it again unless asked.", ok=False)

    async def _decision(self, scope: TurnScope, call: ToolCall, deadline: datetime) -> DecisionStep:
        """Wait until somebody decides, in this process or another; the deadline decides against."""
        while True:
            decision = (await scope.steps()).decisions.get(call.id)
            if decision is not None:
                return decision
            left = (deadline - datetime.now(UTC)).total_seconds()
            if left <= 0:
                await scope.store.decide(scope.turn.id, call.id, approved=False, decided_by=None)
            else:
                await self._changes.wait(left)
