"""Random turns, each at some point of its way, and the events that the engine tells of them."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from llmgine.messages.chat_messages import ToolCall, ToolResult, Usage
from llmgine.messages.commands import Author
from llmgine.messages.events import (
    AnswerProgressEvent,
    LLMResponseEvent,
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
    Fallback,
    OutcomeStep,
    PromptStep,
    ReplyStep,
    ResultStep,
    StartedStep,
    Step,
    WaitingStep,
)
from llmgine.messages.translatable import tr

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS: dict[type[Step], type[TurnEvent]] = {
    ReplyStep: LLMResponseEvent,
    WaitingStep: ToolCallWaitingEvent,
    DecisionStep: ToolCallDecidedEvent,
    StartedStep: ToolCallStartedEvent,
    ResultStep: ToolCallFinishedEvent,
    OutcomeStep: TurnFinishedEvent,
}
ADA, GRACE = Author(id="1", name="Ada"), Author(id="2", name="Grace")


def life(call: ToolCall, round_: int, chance: random.Random, *, whole: bool) -> list[Step]:
    """What becomes of a call, in its order; `whole`: to its result."""
    steps: list[Step] = []
    denied = False
    if chance.random() < 0.5:
        deadline = NOW + timedelta(seconds=chance.randrange(600))
        steps.append(WaitingStep(round=round_, call_id=call.id, deadline=deadline, fingerprint=call.fingerprint))
        by = chance.choice([ADA, GRACE, None])
        denied = by is None or chance.random() < 0.3
        reason = chance.choice(["no", None]) if denied and by else None
        always = not denied and chance.random() < 0.3
        decision = {"approved": not denied, "decided_by": by, "reason": reason, "always": always}
        steps.append(DecisionStep.model_validate({"call_id": call.id, **decision}))
    begun = 0 if denied else chance.choice([0, 1, 1, 1, 2])  # not what was changed since; twice after a restart
    steps += [
        StartedStep(round=round_, call_id=call.id, at=chance.choice([None, NOW + timedelta(seconds=number)]))
        for number in range(begun)
    ]
    ok = bool(begun) and chance.random() < 0.7
    result = ToolResult(call_id=call.id, name=call.name, content=chance.choice(["4", "no"]), ok=ok)
    steps.append(ResultStep(round=round_, result=result, seconds=chance.choice([0.5, 1.0]) if begun else 0.0))
    return steps if whole else steps[: chance.randrange(len(steps) + 1)]


def mixed(lives: list[list[Step]], chance: random.Random) -> Iterator[Step]:
    """The steps of calls that run at the same time, each call's in its order."""
    while lives := [one for one in lives if one]:
        yield chance.choice(lives).pop(0)


def turn_of(chance: random.Random) -> list[Step]:
    """A turn that is at some point of its way."""
    author = chance.choice([ADA, None])
    steps: list[Step] = [
        PromptStep(text=chance.choice(["go", "on"]), source_id=chance.choice([str(number), None]), author=author)
        for number in range(chance.randint(1, 3))
    ]
    rounds = chance.randrange(4)
    for round_ in range(rounds):
        calls = tuple(
            ToolCall(id=f"call{round_}{part}", name=chance.choice(["roll", "add"]), arguments=f'{{"n": {part}}}')
            for part in range(chance.randint(1, 4))
        )
        steps.append(reply(round_, chance, calls))
        steps += mixed([life(call, round_, chance, whole=round_ < rounds - 1) for call in calls], chance)
    if all(isinstance(step, ResultStep) for step in steps[-1:]) and chance.random() < 0.5:
        steps.append(reply(rounds, chance, ()))
    if chance.random() < 0.6:
        steps.append(
            OutcomeStep(
                state=chance.choice(["done", "failed", "stopped"]),
                notice=chance.choice([None, "Stopped."]),
                partial=chance.choice(["", "Hm"]),
                seconds=2.0,
                refused=chance.random() < 0.2,
            )
        )
    return steps


def reply(round_: int, chance: random.Random, calls: tuple[ToolCall, ...]) -> ReplyStep:
    return ReplyStep(
        round=round_,
        text=chance.choice(["", "I see."]) if calls else "It is 4.",
        tool_calls=calls,
        finish="tool_calls" if calls else "stop",
        model="small",
        usage=chance.choice([None, Usage(input_tokens=10, output_tokens=2)]),
        seconds=1.0,
        left_out=chance.choice([(), ("images",)]),
        fallback=chance.choice([None, Fallback(first="large", model="small", reason=tr("It is down."))]),
    )


chances = st.randoms(use_true_random=False, note_method_calls=False)
turns = chances.map(turn_of)


def events_of(steps: Sequence[Step]) -> list[TurnEvent]:
    """What the engine tells of a turn with these steps."""
    about: dict[str, Any] = {"session_id": "s", "turn_id": "t", "source": "test", "origin": {}}
    replies = [step for step in steps if isinstance(step, ReplyStep)]
    calls = {call.id: {"call": call, "round": reply.round} for reply in replies for call in reply.tool_calls}
    prompts = tuple(step for step in steps if isinstance(step, PromptStep))
    events: list[TurnEvent] = [TurnStartedEvent(**about, attempt=1, resumed=False, steps=prompts)]
    for step in steps[len(prompts) :]:
        facts = step.model_dump()
        match step:
            case ReplyStep():
                events.append(AnswerProgressEvent(**about, round=step.round, text=step.text))
            case OutcomeStep():
                text = step.partial or (replies[-1].text if replies else "")
                usage = sum((reply.usage for reply in replies if reply.usage), Usage())
                facts |= {"text": text, "model": "small", "usage": usage}
            case StartedStep():
                facts |= {**calls[step.call_id], "at": step.at or NOW}
            case ResultStep():
                facts |= calls[step.result.call_id]
            case WaitingStep() | DecisionStep():
                facts |= calls[step.call_id]
            case _:
                pass
        kind = EVENTS[type(step)]
        events.append(
            kind.model_validate({**about, **{name: facts[name] for name in kind.model_fields if name in facts}})
        )
    return events
