"""What has become of a turn and of its tool calls, folded from steps or from events; no I/O.

    state = fold_all(steps)
    state = fold(state, step)
    state.calls["abc123def"].state is CallState.RUNNING

Whoever hears events asks `step_of` for the step that an event tells of.
"""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from llmgine.messages.chat_messages import Source, ToolCall, ToolResult, Usage
from llmgine.messages.commands import QuotedImage
from llmgine.messages.events import (
    LLMResponseEvent,
    ToolCallDecidedEvent,
    ToolCallFinishedEvent,
    ToolCallStartedEvent,
    ToolCallWaitingEvent,
    TurnEvent,
    TurnFinishedEvent,
)
from llmgine.messages.pointed_at import files_of, has_material, quotes_of
from llmgine.messages.steps import (
    ContextStep,
    DecisionStep,
    OutcomeStep,
    PromptStep,
    ReplyStep,
    ResultStep,
    StartedStep,
    Step,
    WaitingStep,
)

_UNNAMED = "a tool"  # of a call whose reply is not known, as where a log begins in the middle


class CallState(Enum):
    """What has become of a tool call, as far as it is committed."""

    # The model asked for it, and nothing became of it yet.
    QUEUED = "queued"
    # Its tool began to run.
    RUNNING = "running"
    # Somebody was asked about it, and nobody has decided yet.
    WAITING = "waiting"
    # It has a result.
    DONE = "done"
    # It has a result that is an error, and nobody denied it.
    FAILED = "failed"
    # A person denied it.
    DENIED = "denied"
    # Nobody decided on it by the deadline, which denies it.
    EXPIRED = "expired"
    # Its turn ended after its tool began to run and before there was a result: what it did is unknown.
    INTERRUPTED = "interrupted"
    # Its turn ended before its tool began to run.
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Call:
    """A tool call of a turn.

    Attributes:
        call: What the model asked for.
        round: In which round it did.
        waiting: That somebody was asked about it; None where nobody was.
        decision: What was decided on it.
        started: Whether its tool began to run.
        started_at: When it first did, where that was noted.
        result: What it gave.
        seconds: How long its tool ran; 0 if it has a result and did not.
        ended: Whether its turn has ended.
        progress: How far its tool says that it is, while it runs; that is not stored.
    """

    call: ToolCall
    round: int
    waiting: WaitingStep | None = None
    decision: DecisionStep | None = None
    started: bool = False
    started_at: datetime | None = None
    result: ToolResult | None = None
    seconds: float | None = None
    ended: bool = False
    progress: str = ""

    @property
    def state(self) -> CallState:
        """What has become of it: a denial says more than the result that the model is given for it."""
        if self.decision is not None and not self.decision.approved:
            return CallState.DENIED if self.decision.decided_by else CallState.EXPIRED
        if self.result is not None:
            return CallState.DONE if self.result.ok else CallState.FAILED
        if self.ended:
            return CallState.INTERRUPTED if self.started else CallState.SKIPPED
        if self.waiting is not None and self.decision is None:
            return CallState.WAITING
        return CallState.RUNNING if self.started else CallState.QUEUED


@dataclass(frozen=True)
class TurnState:
    """A turn's present attempt, as far as it is committed.

    Attributes:
        context: That messages were read which were written before the prompts; None where none were.
        prompts: All that was said: several messages of one person, when they came in a burst.
        replies: The model's replies, by round.
        calls: The tool calls by id, in the order the model asked for them.
        asked: The ids of the calls that somebody was asked about, in the order of asking.
        outcome: How the turn ended, if it has.
    """

    prompts: tuple[PromptStep, ...] = ()
    replies: tuple[ReplyStep, ...] = ()
    calls: Mapping[str, Call] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    outcome: OutcomeStep | None = None
    context: ContextStep | None = None

    @property
    def prompt(self) -> PromptStep:
        """What was said first."""
        return self.prompts[0]

    @property
    def images(self) -> tuple[int, ...]:
        """The numbers, in the store, of the images that came with the prompts and what these point at."""
        return tuple(one.image for prompt in self.prompts for one in files_of(prompt) if one.image is not None)

    @property
    def images_shown_again(self) -> tuple[QuotedImage, ...]:
        """The images, stored with other turns, of the messages that the prompts point at."""
        return tuple(one for prompt in self.prompts for quote in quotes_of(prompt) for one in quote.images)

    @property
    def read_outside(self) -> bool:
        """Whether text of others came with the prompts or from tools: quotes, files, names, talk before, web pages."""
        if self.context is not None and self.context.outside:
            return True
        prompts = any(has_material(prompt) for prompt in self.prompts)
        return prompts or any(call.result is not None and call.result.outside for call in self.calls.values())

    def may_be_led(self, call: Call) -> bool:
        """Whether text of others may have led the model to a call, so that no approval in advance counts for it."""
        asked = next((reply for reply in self.replies if reply.round == call.round), None)
        return self.read_outside or asked is None or asked.outside is not False

    @property
    def sources(self) -> tuple[Source, ...]:
        """The pages that tools took their results from, each once.

        A page that was read by itself comes before those that a search found.
        """
        results = [call.result for call in self.calls.values() if call.result is not None]
        found: dict[str, Source] = {}
        for result in sorted(results, key=lambda result: len(result.sources)):
            for one in result.sources:
                found.setdefault(one.url, one)
        return tuple(found.values())

    @property
    def text(self) -> str:
        """The answer: the last round's text, or as much of it as came."""
        partial = self.outcome.partial if self.outcome else ""
        return partial or (self.replies[-1].text if self.replies else "")

    @property
    def usage(self) -> Usage:
        """The tokens of all rounds."""
        return sum((reply.usage for reply in self.replies if reply.usage), Usage())

    @property
    def waiting(self) -> tuple[Call, ...]:
        """The calls that wait for a person, in the order of asking."""
        return tuple(call for call_id in self.asked if (call := self.calls[call_id]).state is CallState.WAITING)


def fold(state: TurnState, step: Step) -> TurnState:
    """The state after one more step; a step that it knows already changes nothing."""
    match step:
        case PromptStep():
            return state if _is_known(step, state.prompts) else replace(state, prompts=(*state.prompts, step))
        case ContextStep():
            return replace(state, context=step)
        case ReplyStep():
            return _with_reply(state, step)
        case OutcomeStep():
            if state.outcome is not None:
                return state
            calls = {call_id: replace(call, ended=True) for call_id, call in state.calls.items()}
            return replace(state, calls=calls, outcome=step)
        case WaitingStep() | DecisionStep() | StartedStep() | ResultStep():
            return _with_step_of_call(state, step)


def fold_all(steps: Iterable[Step]) -> TurnState:
    """The state after all these steps."""
    return functools.reduce(fold, steps, TurnState())


def _is_known(prompt: PromptStep, prompts: Iterable[PromptStep]) -> bool:
    """Whether it is one of the prompts; two that say the same are one only where they name the same message."""
    return any(one is prompt or (one.source_id is not None and one == prompt) for one in prompts)


def _with_reply(state: TurnState, reply: ReplyStep) -> TurnState:
    if any(one.round == reply.round for one in state.replies):
        return state
    ended = state.outcome is not None
    new = {call.id: Call(call, reply.round, ended=ended) for call in reply.tool_calls if call.id not in state.calls}
    return replace(state, replies=(*state.replies, reply), calls={**state.calls, **new} if new else state.calls)


def _with_step_of_call(state: TurnState, step: WaitingStep | DecisionStep | StartedStep | ResultStep) -> TurnState:
    call_id = step.result.call_id if isinstance(step, ResultStep) else step.call_id
    call = state.calls.get(call_id) or _unasked(call_id, step, state)
    asked = state.asked
    match step:
        case WaitingStep() if call.waiting is None:
            call, asked = replace(call, waiting=step), (*asked, call_id)
        case DecisionStep() if call.decision is None:
            call = replace(call, decision=step)
        case StartedStep() if not call.started:
            call = replace(call, started=True, started_at=step.at)
        case ResultStep() if call.result is None:
            call = replace(call, result=step.result, seconds=step.seconds)
        case _:
            return state
    return replace(state, calls={**state.calls, call_id: call}, asked=asked)


def with_progress(state: TurnState, call_id: str, text: str) -> TurnState:
    """The state in which a call that runs is so far."""
    call = state.calls.get(call_id)
    if call is None or call.state is not CallState.RUNNING:
        return state
    return replace(state, calls={**state.calls, call_id: replace(call, progress=text)})


def _unasked(call_id: str, step: WaitingStep | DecisionStep | StartedStep | ResultStep, state: TurnState) -> Call:
    """A call of which nobody knows how the model asked for it."""
    name = step.result.name if isinstance(step, ResultStep) else _UNNAMED
    round_ = max(0, len(state.replies) - 1) if isinstance(step, DecisionStep) else step.round
    return Call(ToolCall(id=call_id, name=name), round_, ended=state.outcome is not None)


def step_of(event: TurnEvent) -> Step | None:
    """The step that an event tells of, as far as it does; None for an event that tells of none.

    Prompts are told of in `TurnStartedEvent.steps`. How a request was made (`sent_tokens`, `history_from`,
    `enveloped`, `outside`) and a service's opaque parts are for the next request only, and no event has them.
    """
    match event:
        case LLMResponseEvent():
            return ReplyStep(
                round=event.round,
                text=event.text,
                tool_calls=event.tool_calls,
                finish=event.finish,
                model=event.model,
                usage=event.usage,
                seconds=event.seconds,
                left_out=event.left_out,
                fallback=event.fallback,
            )
        case TurnFinishedEvent():
            return OutcomeStep(
                state=event.state,
                notice=event.notice,
                notice_text=event.notice_text,
                warnings=event.warnings,
                partial=event.partial,
                seconds=event.seconds,
                refused=event.refused,
            )
        case _:
            return _step_of_call(event)


def _step_of_call(event: TurnEvent) -> Step | None:
    match event:
        case ToolCallWaitingEvent():
            return WaitingStep(
                round=event.round,
                call_id=event.call.id,
                deadline=event.deadline,
                fingerprint=event.call.fingerprint,
                allows_always=event.allows_always,
            )
        case ToolCallDecidedEvent():
            return DecisionStep(
                call_id=event.call.id,
                approved=event.approved,
                decided_by=event.decided_by,
                reason=event.reason,
                always=event.always,
            )
        case ToolCallStartedEvent():
            return StartedStep(round=event.round, call_id=event.call.id, at=event.at)
        case ToolCallFinishedEvent():
            return ResultStep(round=event.round, result=event.result, seconds=event.seconds)
        case _:
            return None
