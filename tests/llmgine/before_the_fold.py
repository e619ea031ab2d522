"""What each user of a turn's steps found out by itself, as it did, before there was one fold for all."""

from collections.abc import Sequence
from datetime import datetime

from llmgine.messages.chat_messages import ToolCall, Usage
from llmgine.messages.events import (
    ToolCallDecidedEvent,
    ToolCallFinishedEvent,
    ToolCallStartedEvent,
    ToolCallWaitingEvent,
    TurnEvent,
    TurnFinishedEvent,
    TurnStartedEvent,
)
from llmgine.messages.steps import (
    DecisionStep,
    OutcomeStep,
    PromptStep,
    ReplyStep,
    ResultStep,
    StartedStep,
    Step,
    WaitingStep,
)


class Before:
    """What a turn with steps could be asked."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        self.prompts = tuple(step for step in steps if isinstance(step, PromptStep))
        self.replies = tuple(step for step in steps if isinstance(step, ReplyStep))
        self.results = {step.result.call_id: step for step in steps if isinstance(step, ResultStep)}
        self.started = frozenset(step.call_id for step in steps if isinstance(step, StartedStep))
        self.waiting = {step.call_id: step for step in steps if isinstance(step, WaitingStep)}
        self.decisions = {step.call_id: step for step in steps if isinstance(step, DecisionStep)}
        self.outcome = next((step for step in steps if isinstance(step, OutcomeStep)), None)
        self.calls = [call for reply in self.replies for call in reply.tool_calls]

    @property
    def text(self) -> str:
        partial = self.outcome.partial if self.outcome else ""
        return partial or (self.replies[-1].text if self.replies else "")

    @property
    def usage(self) -> Usage:
        return sum((step.usage for step in self.replies if step.usage), Usage())


def state_on_card(call: ToolCall, steps: Before) -> str:
    result = steps.results.get(call.id)
    decision = steps.decisions.get(call.id)
    if decision is not None and not decision.approved:
        return "denied" if decision.decided_by else "expired"
    if result is not None:
        return "done" if result.result.ok else "failed"
    if steps.outcome is not None:
        return "interrupted" if call.id in steps.started else "skipped"
    if call.id in steps.waiting and call.id not in steps.decisions:
        return "waiting"
    return "running" if call.id in steps.started else "queued"


def facts_on_card(call: ToolCall, steps: Before) -> tuple[object, ...]:
    """What the words under a call are made of."""
    result, decision = steps.results.get(call.id), steps.decisions.get(call.id)
    started = next((s.at for s in steps.steps if isinstance(s, StartedStep) and s.call_id == call.id), None)
    return steps.waiting.get(call.id), started, result.seconds if result else None, decision


def word_in_details(call: ToolCall, steps: Before) -> str:
    result = steps.results.get(call.id)
    return "no result yet" if result is None else "done" if result.result.ok else "failed"


def asked_in_why(steps: Before) -> list[tuple[str, datetime]]:
    open_calls = [step for call, step in steps.waiting.items() if call not in steps.decisions]
    names = {call.id: call.name for reply in steps.replies for call in reply.tool_calls}
    return [(names.get(step.call_id, "a tool"), step.deadline) for step in open_calls]


def told_to_those_who_wait(steps: Before) -> ToolCall | None:
    for reply in steps.replies:
        for call in reply.tool_calls:
            if call.id in steps.waiting and call.id not in steps.decisions:
                return call
    return None


def sent_to_the_model(steps: Before) -> list[tuple[str, str]]:
    """Roles and texts of what follows the prompt."""
    refused = steps.outcome is not None and steps.outcome.refused
    if refused and not steps.replies:
        return []
    messages: list[tuple[str, str, bool]] = []
    for reply in steps.replies:
        if reply.text or reply.tool_calls:
            messages.append(("assistant", reply.text, bool(reply.tool_calls)))
        for call in reply.tool_calls:
            result = steps.results.get(call.id)
            missing = "Not run: the turn ended first."
            if call.id in steps.started:
                missing = "Interrupted: whether this took effect is unknown."
            content = result.result.content if result else missing
            messages.append(("tool", "[Left out: the model's service refused it.]" if refused else content, False))
    if steps.outcome and steps.outcome.partial:
        messages.append(("assistant", steps.outcome.partial, False))
    if steps.outcome and (not messages or messages[-1][0] != "assistant" or messages[-1][2]):
        ended = "I was stopped before I answered" if steps.outcome.state == "stopped" else "No answer was given"
        messages.append(("assistant", f"[{ended}.]", False))
    return [(role, text) for role, text, _ in messages]


def noted_in_terminal(call: ToolCall, steps: Before) -> str | None:
    """What the terminal notes of a decision."""
    decision = steps.decisions.get(call.id)
    if decision is None:
        return None
    if decision.decided_by is None:
        return "nobody answered in time"
    return "approved" if decision.approved else "denied"


def lines_in_export(steps: Before) -> list[str]:
    parts = []
    for reply in steps.replies:
        parts += [reply.text] if reply.text else []
        for call in reply.tool_calls:
            result = steps.results.get(call.id)
            parts.append(f"{call.name}({call.arguments}): {result.result.content if result else 'no result'}")
    if steps.outcome is not None:
        parts += [text for text in (steps.outcome.partial, steps.outcome.notice) if text]
    return parts


def state_in_log(events: Sequence[TurnEvent]) -> str:
    """The state in a turn's one line.

    But for one thing: where several calls waited, the first decision made it "running", although the others waited on.
    """
    state, waiting = "", set()
    for event in events:
        match event:
            case TurnStartedEvent():
                state = "running"
            case ToolCallWaitingEvent():
                waiting.add(event.call.id)
                state = "waiting"
            case ToolCallDecidedEvent():
                waiting.discard(event.call.id)
                state = "waiting" if waiting else "running"
            case TurnFinishedEvent():
                state = event.state
            case _:
                pass
    return state


def errors_in_spans(events: Sequence[TurnEvent]) -> dict[str, str]:
    """How the span of each tool that ran ended for OpenTelemetry; those that run have no end."""
    ran: dict[str, str] = {}
    for event in events:
        match event:
            case ToolCallStartedEvent():
                ran[event.call.id] = "runs"
            case ToolCallFinishedEvent() if event.call.id in ran:
                ran[event.call.id] = "ok" if event.result.ok else "tool error"
            case TurnFinishedEvent():
                ran = {call_id: "cancelled" if was == "runs" else was for call_id, was in ran.items()}
            case _:
                pass
    return ran
