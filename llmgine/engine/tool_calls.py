"""The tool calls of one round: asked about where need be, run once, and each ended by a result."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from llmgine.engine.approvals import PAUSED, Approvals
from llmgine.engine.file_room import without_data
from llmgine.engine.store_changes import Changes
from llmgine.engine.tool_policy import ToolPolicy, denial
from llmgine.engine.turn_context import RoundContext, TurnContext
from llmgine.errors import StoreError, SupersededError, ToolError
from llmgine.messages.chat_messages import ToolCall, ToolResult
from llmgine.messages.events import ToolCallFinishedEvent, ToolCallProgressEvent, ToolCallStartedEvent
from llmgine.messages.message import inside
from llmgine.messages.steps import ReplyStep, ResultStep, StartedStep
from llmgine.messages.translatable import Text, tr
from llmgine.messages.visible_text import visible_line
from llmgine.providers.bounding import is_cut
from llmgine.sessions.records import TurnSteps
from llmgine.tools.arguments import read_arguments
from llmgine.tools.context import ToolContext, tool_context
from llmgine.tools.encodings import UnclearTextError, decoded, texts_in
from llmgine.tools.tool import Tool
from llmgine.tools.tool_manager import ToolManager
from llmgine.turn_state import CallState

MOST_CALLS = 32  # of one reply that run
_PROGRESS_INTERVAL = 1.0  # seconds between two words on how far a call is
_LONGEST_PROGRESS = 100  # characters of them
# What the model is told of a call that does not run, and what people see.
_TOO_MANY = (
    f"Only {MOST_CALLS} calls of one reply run, and this one came after them. Call it again if it is needed.",
    tr("Not run: only the first {count} calls of a reply run.", count=MOST_CALLS),
)
_NO_MORE = (
    "This turn has run as many calls as it may. Answer with what you have, and say what is missing.",
    tr("Not run: this question reached its limit of tool calls."),
)
_TOO_LONG = (
    "The arguments are too long and were cut, so this did not run. Write less, or split it over several calls.",
    tr("Not run: its arguments are too long."),
)
_UNCLEAR = (
    "This did not run: programs decode a text in its arguments differently. Write it in plain letters.",
    tr("Not run: a text in its arguments can be read in more than one way."),
)
_CHANGED = (
    "This tool was changed meanwhile, so this did not run. Call it again if it is needed and still offered.",
    tr("Not run: this tool was changed meanwhile."),
)
_IN_DOUBT = (
    "Interrupted: whether this took effect is unknown. Do not repeat it without asking the person.",
    tr("Interrupted. Whether this took effect is unknown."),
)


class ToolCalls:
    """Runs rounds of tool calls.

    Args:
        tools: The tools there are.
        changes: Wakes a call that waits for a decision.
        approval_timeout: Seconds a call waits before it is denied.
        policies: For each source of prompts that has rules of who may use it, those rules.
        most: How many calls of one turn run.
    """

    def __init__(
        self,
        tools: ToolManager,
        changes: Changes,
        *,
        approval_timeout: float,
        policies: Mapping[str, ToolPolicy] | None = None,
        most: int = 100,
    ) -> None:
        self._most = most
        self._tools = tools
        self._policies = {} if policies is None else policies
        self._approvals = Approvals(changes, timeout=approval_timeout)

    async def run(self, context: TurnContext, reply: ReplyStep) -> None:
        """Bring every call of the reply to its committed result; what has one already is left alone.

        The first 32 calls run, if the turn may run as many. The result of each one after them is an error for the
        model.

        Raises:
            StoreError: A step cannot be stored.
            SupersededError: The turn is not ours to run any more.
        """
        steps = context.steps
        author = steps.state.prompt.author
        who = (author.id, author.name) if author else ("", "")
        token = tool_context.set(ToolContext(context.turn.session_id, context.turn.id, *who, context.images))
        round_ = RoundContext(context, steps, reply.round)
        failures: list[StoreError] = []
        try:
            left = self._most - sum(call.round < reply.round for call in steps.state.calls.values())
            open_calls, too_many = _divided(steps, reply, min(MOST_CALLS, left))
            queue = [call for call in open_calls if self._is_sequential(context, call)]
            async with asyncio.TaskGroup() as group:
                for call in open_calls:
                    if call not in queue:
                        group.create_task(self._settle(round_, call))
                group.create_task(self._settle_in_turn(round_, queue))
                group.create_task(self._refuse(round_, too_many, _NO_MORE if left < MOST_CALLS else _TOO_MANY))
        except* StoreError as errors:
            failures = _leaves(errors)
        finally:
            tool_context.reset(token)
        if failures:  # a turn that was given up ends as such, whatever else failed
            raise next((one for one in failures if isinstance(one, SupersededError)), failures[0])

    def _tool(self, context: TurnContext, call: ToolCall) -> Tool | None:
        try:
            return self._tools.get(call.name, context.tools)
        except ToolError:
            return None

    def _is_sequential(self, context: TurnContext, call: ToolCall) -> bool:
        tool = self._tool(context, call)
        return tool is not None and tool.sequential

    async def _settle_in_turn(self, round_: RoundContext, calls: list[ToolCall]) -> None:
        for call in calls:
            await self._settle(round_, call)

    async def _refuse(self, round_: RoundContext, calls: Iterable[ToolCall], why: tuple[str, Text]) -> None:
        """End calls that are more than may run."""
        for call in calls:
            await self._end(round_, call, _refusal(call, *why), 0.0)

    async def _settle(self, round_: RoundContext, call: ToolCall) -> None:
        """From a call to its result: in doubt, denied, or run."""
        tool = self._tool(round_.context, call)
        if round_.steps.state.calls[call.id].started and not (tool and tool.idempotent):
            result, seconds = _refusal(call, *_IN_DOUBT), 0.0
        elif is_cut(call.arguments):
            result, seconds = _refusal(call, *_TOO_LONG), 0.0
        elif tool and _asks_first(tool, call) and _is_unclear(call):
            result, seconds = _refusal(call, *_UNCLEAR), 0.0
        else:
            denied = await self._denial(round_, call, tool) if tool and _asks_first(tool, call) else None
            result, seconds = (_refusal(call, *denied), 0.0) if denied else await self._run(round_, call, tool)
        await self._end(round_, call, result, seconds)

    async def _denial(self, round_: RoundContext, call: ToolCall, tool: Tool) -> tuple[str, Text] | None:
        """Why a call that asks first does not run: nobody is asked for somebody who may not have tools run."""
        refused = await denial(self._policies, round_.context, tool, runs_now=False)
        return refused or await self._approvals.denial(round_, call, tool)

    async def _end(self, round_: RoundContext, call: ToolCall, result: ToolResult, seconds: float) -> None:
        """Commit the result of a call and tell of it."""
        context = round_.context
        step = ResultStep(round=round_.number, result=context.file_room.take(result), seconds=seconds)
        await context.append(step)
        result = without_data(step).result
        await context.tell(ToolCallFinishedEvent, round=round_.number, call=call, result=result, seconds=seconds)

    async def _run(self, round_: RoundContext, call: ToolCall, tool: Tool | None) -> tuple[ToolResult, float]:
        refused = await denial(
            self._policies, round_.context, tool
        )  # at this moment, which may be long after the prompt
        if refused is not None:
            return _refusal(call, *refused), 0.0
        if self._tool(round_.context, call) is not tool:  # what was asked about, and may run, is another one
            return _refusal(call, *_CHANGED), 0.0
        step = StartedStep(round=round_.number, call_id=call.id, at=datetime.now(UTC))
        if tool is None or not tool.has_effects:
            await round_.context.append(step)
        elif not await round_.context.append_unless_paused(step):  # also where it was approved meanwhile, or before
            return _refusal(call, *PAUSED), 0.0
        started = await round_.context.tell(ToolCallStartedEvent, round=round_.number, call=call)
        begin = time.monotonic()
        with inside(started):
            shown = replace(tool_context.get(), progress=self._progress(round_, call), searched=round_.context.searched)
            token = tool_context.set(shown)
            try:
                if tool is None:
                    result = self._tools.unknown(call, round_.context.tools)
                else:
                    result = await self._tools.run(call, tool)
            finally:
                tool_context.reset(token)
        return result, time.monotonic() - begin

    def _progress(self, round_: RoundContext, call: ToolCall) -> Callable[[str], Awaitable[None]]:
        """What tells people how far a call is, at most once a second."""
        told_at = -math.inf

        async def tell(text: str) -> None:
            nonlocal told_at
            if time.monotonic() - told_at >= _PROGRESS_INTERVAL:
                told_at = time.monotonic()
                shown = visible_line(self._tools.without_secrets(text), _LONGEST_PROGRESS)
                await round_.context.tell(ToolCallProgressEvent, round=round_.number, call=call, text=shown)

        return tell


def _divided(steps: TurnSteps, reply: ReplyStep, most: int) -> tuple[list[ToolCall], list[ToolCall]]:
    """The calls of a reply that have no result yet: those that may run, and those that are too many for that.

    A call beyond the first `most` that an earlier version of the program began, or asked somebody about, comes to its
    end.
    """
    open_calls, too_many = list[ToolCall](), list[ToolCall]()
    for number, call in enumerate(reply.tool_calls):
        known = steps.state.calls[call.id]
        if known.result is None:
            begun = number < most or known.state is not CallState.QUEUED
            (open_calls if begun else too_many).append(call)
    return open_calls, too_many


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


def _is_unclear(call: ToolCall) -> bool:
    """Whether nobody can approve a call, because programs may read its arguments differently."""
    try:
        for text in texts_in(call.parsed()):
            decoded(text)
    except UnclearTextError:
        return True
    return False


def _refusal(call: ToolCall, told: str, shown: Text) -> ToolResult:
    """The result of a call that does not run: what the model is told, and what people see."""
    return ToolResult(call_id=call.id, name=call.name, content=told, ok=False, shown=shown)
