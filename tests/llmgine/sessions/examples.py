"""Prompts, steps and deliveries for the tests of the store."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from llmgine.messages.chat_messages import ToolCall, ToolResult, Usage
from llmgine.messages.commands import Admitted, Author, PromptCommand
from llmgine.messages.deliveries import Delivery, DeliveryKey
from llmgine.messages.steps import (
    DecisionStep,
    OutcomeStep,
    PromptStep,
    ReplyStep,
    ResultStep,
    StartedStep,
    Step,
    Turn,
    TurnStatus,
    WaitingStep,
)
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import now
from llmgine.sessions.costs import Cost, Spent
from llmgine.sessions.records import Claimed, TurnSteps

S = TypeVar("S", bound=Step)

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


async def admit(store: SessionStore, prompt: PromptCommand) -> Admitted:
    """Admit a prompt now, as a turn with a new id."""
    return await store.turns.admit(prompt, secrets.token_hex(8), now())


async def admitted(store: SessionStore, source_id: str, text: str = "hello", *, session_id: str = "s") -> Turn:
    """A queued turn."""
    place = await admit(store, prompt(source_id, text, session_id=session_id))
    return (await store.turns.get(place.turn_id)).turn


async def claimed(store: SessionStore, session_id: str = "s") -> Turn:
    """The oldest open turn of a session, which this process runs from here on."""
    found = await store.turns.claim(session_id)
    assert isinstance(found, Claimed)
    return found.turn.turn


async def begun(store: SessionStore, source_id: str, text: str = "hello", *, session_id: str = "s") -> Turn:
    """A new turn that this process runs; no other turn of the session is open."""
    await admitted(store, source_id, text, session_id=session_id)
    return await claimed(store, session_id)


async def append(store: SessionStore, turn: Turn, *steps: Step) -> None:
    """Add steps to a turn that runs, behind those it has."""
    for step in steps:
        await store.runs.append(turn, await _next_step(store, turn), step)


async def finish(
    store: SessionStore, turn: Turn, *parts: Delivery, status: TurnStatus = "done", steps: Sequence[Step] = (DONE,)
) -> None:
    """Give a turn that runs its outcome, behind the steps it has."""
    await store.runs.finish(turn, status, list(enumerate(steps, await _next_step(store, turn))), parts)


async def _next_step(store: SessionStore, turn: Turn) -> int:
    return len((await store.turns.get(turn.id)).steps) + 1


async def ended(store: SessionStore, source_id: str, text: str = "hello", *, session_id: str = "s") -> Turn:
    """A turn that is done; no other turn of the session is open."""
    turn = await begun(store, source_id, text, session_id=session_id)
    await finish(store, turn)
    return turn


async def decide(store: SessionStore, turn: Turn, call_id: str, *, approved: bool, by: Author | None = ADA) -> bool:
    """Decide a waiting call now."""
    return await store.decisions.decide(turn.id, DecisionStep(call_id=call_id, approved=approved, decided_by=by), now())


async def change(store: SessionStore, scope: str, name: str, value: str | None) -> None:
    """Make a setting now, or take it away (None)."""
    await store.settings.change(scope, name, value, ADA, now())


def of_kind(steps: TurnSteps, kind: type[S]) -> list[S]:
    """The steps of one kind, in order."""
    return [step for step in steps.steps if isinstance(step, kind)]


def said(steps: TurnSteps) -> str:
    """What was said first in a turn."""
    return of_kind(steps, PromptStep)[0].text


def outcome(steps: TurnSteps) -> OutcomeStep | None:
    """How a turn ended, if it has."""
    return next(iter(of_kind(steps, OutcomeStep)), None)


def part(turn: Turn, kind: str, round_: int, number: int, text: str = "body") -> Delivery:
    key = DeliveryKey.model_validate({"kind": kind, "round": round_, "part": number})
    return Delivery(turn_id=turn.id, attempt=turn.attempt, key=key, body={"content": text})


def spent(tokens: int, *scopes: str, day: int = 1) -> Spent:
    """So many tokens used in these scopes, or in the session "s", and everywhere."""
    return Spent(counted_in=(*(scopes or ("s",)), "*"), cost=Cost(tokens=tokens), day=day)
