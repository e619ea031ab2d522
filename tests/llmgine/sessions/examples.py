"""Prompts, steps and deliveries for the tests of the store."""

from datetime import UTC, datetime

from llmgine.messages.chat import ToolCall, ToolResult, Usage
from llmgine.messages.commands import Author, PromptCommand
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
from llmgine.sessions import SessionStore
from llmgine.sessions.records import Delivery, DeliveryKey, Turn

ADA = Author(id="1", name="Ada")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_OFF = datetime(2999, 1, 1, tzinfo=UTC)
DONE = OutcomeStep(state="done", seconds=1.0)

EVERY_KIND: tuple[Step, ...] = (
    PromptStep(text='hello \U0001f642 \u2028 "quoted" \\', author=ADA),
    ReplyStep(
        round=0,
        text="let me see",
        tool_calls=(
            ToolCall(id="c1", name="roll", arguments='{"sides": 6}'),
            ToolCall(id="c2", name="x", arguments="{"),
        ),
        finish="tool_calls",
        model="m",
        usage=Usage(input_tokens=10, output_tokens=2, cached_tokens=1),
        seconds=0.5,
    ),
    WaitingStep(round=0, call_id="c1", deadline=FAR_OFF),
    DecisionStep(call_id="c1", approved=True, decided_by=ADA),
    DecisionStep(call_id="c2", approved=False, decided_by=None),
    StartedStep(round=0, call_id="c1"),
    ResultStep(round=0, result=ToolResult(call_id="c1", name="roll", content="4", ok=False), seconds=0.1),
    OutcomeStep(state="stopped", notice="Stopped.", partial="You rolled", seconds=2.0),
)


def prompt(source_id: str, text: str = "hello", *, session_id: str = "s", source: str = "test") -> PromptCommand:
    return PromptCommand(session_id=session_id, text=text, source=source, source_id=source_id, author=ADA)


async def admitted(store: SessionStore, source_id: str, text: str = "hello", *, session_id: str = "s") -> Turn:
    """A queued turn."""
    place = await store.admit(prompt(source_id, text, session_id=session_id))
    return (await store.turn(place.turn_id)).turn


async def ended(store: SessionStore, source_id: str, text: str = "hello", *, session_id: str = "s") -> Turn:
    """A turn that is done."""
    turn = await admitted(store, source_id, text, session_id=session_id)
    await store.finish(turn, "done", [DONE], [])
    return turn


def part(turn: Turn, kind: str, round_: int, number: int, text: str = "body") -> Delivery:
    key = DeliveryKey.model_validate({"kind": kind, "round": round_, "part": number})
    return Delivery(turn_id=turn.id, attempt=turn.attempt, key=key, body={"content": text})
