"""More calls in one reply than may run: each has one result, also when the process ends in the middle of them."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from llmgine.engine.tool_calls import MOST_CALLS
from llmgine.messages.events import ToolCallWaitingEvent
from llmgine.messages.steps import ResultStep, StartedStep, Step, WaitingStep
from llmgine.providers.scripted import ScriptedProvider
from llmgine.sessions.database import Operation
from tests.llmgine.engine.chat import ADA, Chat, call, roll
from tests.llmgine.engine.conftest import StartChat

MANY = 1_000
_LATER = datetime(2100, 1, 1, tzinfo=UTC)


async def results_of(chat: Chat, turn_id: str) -> list[ResultStep]:
    """The results of a turn's calls, as they are stored."""
    return [step for step in (await chat.store.turns.get(turn_id)).steps if isinstance(step, ResultStep)]


def crash_at(chat: Chat, results: int) -> asyncio.Event:
    """Let the store never commit more results than so many; the event is set when it should."""
    reached, seen = asyncio.Event(), 0

    @contextlib.asynccontextmanager
    async def stop(operation: Operation) -> AsyncIterator[None]:
        nonlocal seen
        seen += any(isinstance(one, ResultStep) for one in operation.about)
        if seen > results:
            reached.set()
            await asyncio.Event().wait()
        yield

    chat.store.observe(stop)
    return reached


async def test_a_thousand_calls_have_a_thousand_results(start_chat: StartChat) -> None:
    """The first 32 run, and the model is told of all the others that they did not."""
    provider = ScriptedProvider([call(*["roll"] * MANY), "done"])
    chat = await start_chat(provider)
    await chat.engine.register_tool(roll)

    outcome = await chat.say()

    assert outcome.state == "done"
    told = [message.content for message in provider.requests[-1].messages if message.role == "tool"]
    assert told[:MOST_CALLS] == ["4"] * MOST_CALLS
    assert len(told) == MANY
    assert all(text.startswith("Only 32 calls of one reply run") for text in told[MOST_CALLS:])
    assert len(await results_of(chat, outcome.turn_id)) == MANY


async def test_the_rest_of_the_results_come_after_a_crash(start_chat: StartChat) -> None:
    """What was refused before the process ended is not refused once more, and nothing that is refused ever runs."""
    chat = await start_chat([call(*["roll"] * 50)])
    await chat.engine.register_tool(roll)
    reached = crash_at(chat, MOST_CALLS + 5)
    turn_id = (await chat.admit()).turn_id
    await reached.wait()
    await chat.close()

    heir = await start_chat(["done"])
    await heir.engine.register_tool(roll, idempotent=True)
    assert await heir.engine.recover(["test"]) == 1
    assert (await heir.outcome(turn_id)).text == "done"

    turn = await heir.store.turns.get(turn_id)
    found = await results_of(heir, turn_id)
    assert Counter(step.result.call_id for step in found) == Counter(turn.state.calls.keys())
    assert [call.result is not None and call.result.ok for call in turn.state.calls.values()] == [
        *[True] * MOST_CALLS,
        *[False] * (50 - MOST_CALLS),
    ]


async def test_a_call_that_an_earlier_version_began_comes_to_its_end(start_chat: StartChat) -> None:
    """Beyond the first 32, what was begun is in doubt, and who was asked is not asked in vain."""
    chat = await start_chat([call(*["roll"] * 40)])
    await chat.engine.register_tool(roll)
    reached = crash_at(chat, 0)
    turn_id = (await chat.admit()).turn_id
    await reached.wait()
    await chat.close()
    heir = await start_chat(["done"])
    steps = await heir.store.turns.get(turn_id)
    *_, begun, asked = (known.call for known in steps.state.calls.values())
    waiting = WaitingStep(round=0, call_id=asked.id, deadline=_LATER, fingerprint=asked.fingerprint)
    earlier: tuple[Step, ...] = (StartedStep(round=0, call_id=begun.id, at=_LATER), waiting)
    for number, step in enumerate(earlier, start=200):
        await heir.store.runs.append(steps.turn, number, step, "waiting")

    await heir.engine.register_tool(roll, requires_approval=True)
    assert await heir.engine.recover(["test"]) == 1
    event = await heir.told(ToolCallWaitingEvent)
    assert event.call.id == asked.id
    await heir.decide(event, approved=True, by=ADA)
    await heir.outcome(turn_id)

    results = {step.result.call_id: step.result.content for step in await results_of(heir, turn_id)}
    assert "whether this took effect is unknown" in results[begun.id]
    assert results[asked.id] == "4"
