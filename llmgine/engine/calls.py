"""The tool calls of one round: asked about where need be, run once, and each ended by a result."""

import asyncio
import time
from datetime import UTC, datetime

from llmgine.engine.approvals import Approvals
from llmgine.engine.changes import Changes
from llmgine.engine.scope import RoundScope, TurnScope
from llmgine.errors import StoreError, SupersededError, ToolError
from llmgine.messages.chat import ToolCall, ToolResult
from llmgine.messages.events import ToolCallFinishedEvent, ToolCallStartedEvent
from llmgine.messages.message import inside
from llmgine.messages.steps import ReplyStep, ResultStep, StartedStep
from llmgine.tools.arguments import read_arguments
from llmgine.tools.context import ToolContext, tool_context
from llmgine.tools.manager import ToolManager
from llmgine.tools.tool import Tool


class ToolCalls:
    """Runs rounds of tool calls.

    Args:
        tools: The tools there are.
        changes: Wakes a call that waits for a decision.
        approval_timeout: Seconds a call waits before it is denied.
    """

    def __init__(self, tools: ToolManager, changes: Changes, *, approval_timeout: float) -> None:
        self._tools = tools
        self._approvals = Approvals(changes, timeout=approval_timeout)

    async def run(self, scope: TurnScope, reply: ReplyStep) -> None:
        """Bring every call of the reply to its committed result; what has one already is left alone.

        Raises:
            StoreError: A step cannot be stored.
            SupersededError: The turn is not ours to run any more.
        """
        steps = scope.steps
        author = steps.state.prompt.author
        who = (author.id, author.name) if author else ("", "")
        token = tool_context.set(ToolContext(scope.turn.session_id, scope.turn.id, *who))
        round_ = RoundScope(scope, steps, reply.round)
        failures: list[StoreError] = []
        try:
            open_calls = [call for call in reply.tool_calls if steps.state.calls[call.id].result is None]
            queue = [call for call in open_calls if self._is_sequential(scope, call)]
            async with asyncio.TaskGroup() as group:
                for call in open_calls:
                    if call not in queue:
                        group.create_task(self._settle(round_, call))
                group.create_task(self._settle_in_turn(round_, queue))
        except* StoreError as errors:
            failures = _leaves(errors)
        finally:
            tool_context.reset(token)
        if failures:  # a turn that was given up ends as such, whatever else failed
            raise next((one for one in failures if isinstance(one, SupersededError)), failures[0])

    def _tool(self, scope: TurnScope, call: ToolCall) -> Tool | None:
        try:
            return self._tools.get(call.name, scope.tools)
        except ToolError:
            return None

    def _is_sequential(self, scope: TurnScope, call: ToolCall) -> bool:
        tool = self._tool(scope, call)
        return tool is not None and tool.sequential

    async def _settle_in_turn(self, round_: RoundScope, calls: list[ToolCall]) -> None:
        for call in calls:
            await self._settle(round_, call)

    async def _settle(self, round_: RoundScope, call: ToolCall) -> None:
        """From a call to its result: in doubt, denied, or run."""
        tool = self._tool(round_.scope, call)
        if round_.steps.state.calls[call.id].started and not (tool and tool.idempotent):
            text = "Interrupted: whether this took effect is unknown. Do not repeat it without asking the person."
            result, seconds = _refusal(call, text), 0.0
        else:
            denial = await self._approvals.denial(round_, call, tool) if tool and _asks_first(tool, call) else None
            result, seconds = (_refusal(call, denial), 0.0) if denial else await self._run(round_, call)
        scope = round_.scope
        await scope.append(ResultStep(round=round_.number, result=result, seconds=seconds))
        await scope.tell(ToolCallFinishedEvent, round=round_.number, call=call, result=result, seconds=seconds)

    async def _run(self, round_: RoundScope, call: ToolCall) -> tuple[ToolResult, float]:
        await round_.scope.append(StartedStep(round=round_.number, call_id=call.id, at=datetime.now(UTC)))
        started = await round_.scope.tell(ToolCallStartedEvent, round=round_.number, call=call)
        begin = time.monotonic()
        with inside(started):
            result = await self._tools.run(call, round_.scope.tools)
        return result, time.monotonic() - begin


def _leaves(group: BaseExceptionGroup[StoreError]) -> list[StoreError]:
    """The errors of a group and of the groups in it."""
    parts = (_leaves(one) if isinstance(one, BaseExceptionGroup) else [one] for one in group.exceptions)
    return [one for part in parts for one in part]


def _asks_first(tool: Tool, call: ToolCall) -> bool:
    """Whether to ask somebody. Nobody is asked about a call that could not run anyway."""
    if not tool.requires_approval:
        return False
    try:
        read_arguments(tool.arguments, call.arguments)
    except ToolError:
        return False
    return True


def _refusal(call: ToolCall, text: str) -> ToolResult:
    return ToolResult(call_id=call.id, name=call.name, content=text, ok=False)
