"""What every operation of a store promises whose commit nobody knows of: run again, it changes nothing more."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from llmgine.messages.commands import BranchSessionCommand
from llmgine.messages.deliveries import DeliveryKey
from llmgine.messages.steps import DecisionStep, ReplyStep, Step, Turn, WaitingStep
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import now
from llmgine.sessions.costs import Allowance, Cost, Reservation, Spent
from llmgine.sessions.database import Operation, Steps
from llmgine.sessions.operations import (
    Allowances,
    Audit,
    Branches,
    Cursors,
    Decisions,
    Deliveries,
    Lessons,
    Pauses,
    People,
    Purges,
    Runs,
    Settings,
    Stops,
    Turns,
)
from llmgine.sessions.records import Cursor, Lesson
from tests.llmgine.sessions.contents import rows
from tests.llmgine.sessions.everything import AUDIT
from tests.llmgine.sessions.examples import (
    ADA,
    DONE,
    FAR_OFF,
    LONG_AGO,
    admitted,
    append,
    begun,
    change,
    ended,
    finish,
    part,
    prompt,
)

REPLY = ReplyStep(round=0, text="answer", finish="stop", model="m", usage=None, seconds=0.1)
WAITING = WaitingStep(round=0, call_id="c", deadline=FAR_OFF)
SPENT = Spent(counted_in=("s",), cost=Cost(tokens=7), day=1)
RESERVED = Reservation(id="r", counted_in=("s", "*"), day=1, most=Cost(tokens=9), sent=Cost(tokens=2))
KEY = DeliveryKey(kind="text", round=0, part=0)

# Prepares a store and gives the operation, as it is run again when nobody knows whether it was committed.
Prepare = Callable[[SessionStore], Coroutine[Any, Any, Callable[[], Steps[Any]]]]


async def admission(store: SessionStore) -> Callable[[], Steps[Any]]:
    await admitted(store, "before")
    return lambda: Turns.admit.steps(store.turns, prompt("1"), "t", 5)


async def entry(store: SessionStore) -> Callable[[], Steps[Any]]:
    return lambda: Audit.add.steps(store.audit, AUDIT)


async def audited(store: SessionStore) -> Callable[[], Steps[Any]]:
    return lambda: Settings.change.steps(store.settings, "s", "style", "brief", ADA, 5, audit=AUDIT)


async def step(store: SessionStore) -> Callable[[], Steps[Any]]:
    turn = await begun(store, "1")
    return lambda: Runs.append.steps(store.runs, turn, 2, WAITING, "waiting")


async def reply(store: SessionStore) -> Callable[[], Steps[Any]]:
    turn = await begun(store, "1")
    return lambda: Runs.append_reply.steps(store.runs, turn, 2, REPLY, SPENT)


async def outcome(store: SessionStore) -> Callable[[], Steps[Any]]:
    turn = await begun(store, "1")
    steps: list[tuple[int, Step]] = [(2, REPLY), (3, DONE)]
    return lambda: Runs.finish.steps(store.runs, turn, "done", steps, [part(turn, "text", 0, 0)], SPENT)


async def reservation(store: SessionStore) -> Callable[[], Steps[Any]]:
    limit = Allowance(scope="s", unit="tokens", most=100)
    return lambda: Allowances.reserve.steps(store.allowances, RESERVED, [limit])


async def settlement(store: SessionStore) -> Callable[[], Steps[Any]]:
    await store.allowances.reserve(RESERVED, [])
    return lambda: Allowances.settle.steps(store.allowances, SPENT.model_copy(update={"reservation": RESERVED.id}))


async def what_the_dead_reserved(store: SessionStore) -> Callable[[], Steps[Any]]:
    await store.allowances.reserve(RESERVED, [])
    return lambda: Allowances.settle_left.steps(store.allowances, [store.owners.me])


async def decision(store: SessionStore) -> Callable[[], Steps[Any]]:
    turn = await begun(store, "1")
    await append(store, turn, WAITING)
    made = DecisionStep(call_id="c", approved=True, decided_by=ADA)
    return lambda: Decisions.decide.steps(store.decisions, turn.id, made, 5)


async def stop(store: SessionStore) -> Callable[[], Steps[Any]]:
    await begun(store, "1")
    await admitted(store, "2")
    return lambda: Stops.request.steps(store.stops, "s", None)


async def pause(store: SessionStore) -> Callable[[], Steps[Any]]:
    await begun(store, "1")
    return lambda: Pauses.begin.steps(store.pauses, "s", "answers", "1", ADA, 5)


async def resumption(store: SessionStore) -> Callable[[], Steps[Any]]:
    await store.pauses.begin("s", "tools", "1", ADA, 5)
    return lambda: Pauses.end.steps(store.pauses, "s", "tools", "2")


async def posting(store: SessionStore) -> Callable[[], Steps[Any]]:
    turn = await begun(store, "1")
    return lambda: Deliveries.place.steps(store.deliveries, turn, [(KEY, "100")], 1)


async def posting_for_an_earlier_attempt(store: SessionStore) -> Callable[[], Steps[Any]]:
    turn = await posted_and_ended(store)
    await regenerated(store, turn)
    return lambda: Deliveries.place.steps(store.deliveries, turn, [(KEY, "300")], 2)


async def sending(store: SessionStore) -> Callable[[], Steps[Any]]:
    turn = await posted_and_ended(store)
    return lambda: Deliveries.settle.steps(store.deliveries, turn, [(KEY, "100")], 1)


async def going(store: SessionStore) -> Callable[[], Steps[Any]]:
    turn = await posted_and_ended(store)
    return lambda: Deliveries.settle.steps(store.deliveries, turn, [], 1)


async def cursor(store: SessionStore) -> Callable[[], Steps[Any]]:
    return lambda: Cursors.move.steps(store.cursors, "test", [Cursor("general", 7)])


async def setting(store: SessionStore) -> Callable[[], Steps[Any]]:
    await change(store, "s", "style", "detailed")
    return lambda: Settings.change.steps(store.settings, "s", "style", "brief", ADA, 5)


async def lesson(store: SessionStore) -> Callable[[], Steps[Any]]:
    learnt = Lesson(service="test", model="m", name="window", value=100, learnt_at=LONG_AGO)
    return lambda: Lessons.learn.steps(store.lessons, learnt)


async def branch(store: SessionStore) -> Callable[[], Steps[Any]]:
    for session_id in ("s", "s", "branch"):
        await ended(store, f"{now()}", session_id=session_id)
    command = BranchSessionCommand(session_id="s", new_session_id="branch", keep_as="kept")
    return lambda: Branches.make.steps(store.branches, command, "b", 5)


async def take_over(store: SessionStore) -> Callable[[], Steps[Any]]:
    turn = await begun(store, "1")
    await store.run(lambda: owned_by("nobody"), Operation("test.owned"))
    dead = turn.model_copy(update={"owner": "nobody"})
    return lambda: Turns.take_over.steps(store.turns, [dead])


def owned_by(owner: str) -> Steps[None]:
    yield "UPDATE turn SET owner = $1", (owner,)


async def posted_and_ended(store: SessionStore) -> Turn:
    turn = await begun(store, "1")
    await store.deliveries.place(turn, [(KEY, "100")], 1)
    await finish(store, turn, part(turn, "text", 0, 0))
    return turn


async def regenerated(store: SessionStore, turn: Turn) -> None:
    await store.run(lambda: again(turn.id), Operation("test.again"))


def again(turn_id: str) -> Steps[None]:
    yield "UPDATE turn SET attempt = attempt + 1 WHERE id = $1", (turn_id,)


async def forgetting(store: SessionStore) -> Callable[[], Steps[Any]]:
    return lambda: People.begin.steps(store.people, "1", 5)


async def leaving(store: SessionStore) -> Callable[[], Steps[Any]]:
    await store.purges.note_servers("test", 1, [9], 1)
    return lambda: Purges.note_servers.steps(store.purges, "test", 1, [], 5)


PREPARED = (
    admission,
    entry,
    audited,
    step,
    reply,
    outcome,
    reservation,
    settlement,
    what_the_dead_reserved,
    decision,
    stop,
    pause,
    resumption,
    posting,
    posting_for_an_earlier_attempt,
    sending,
    going,
    cursor,
    setting,
    lesson,
    branch,
    take_over,
    forgetting,
    leaving,
)


@pytest.mark.parametrize("prepare", PREPARED)
async def test_run_again_it_is_done_once(store: SessionStore, url: str, prepare: Prepare) -> None:
    """An operation whose commit nobody knows of is run again: the same answer, and the database as after one run."""
    make = await prepare(store)
    before = rows(url)

    first = await store.run(make, Operation("test.first"))
    once = rows(url)
    second = await store.run(make, Operation("test.second"))

    assert second == first
    assert rows(url) == once != before
