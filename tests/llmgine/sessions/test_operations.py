"""What every operation of a store promises: few statements, reads in nobody's way, and observers around it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from llmgine.errors import StoreError
from llmgine.messages.deliveries import DeliveryKey
from llmgine.messages.steps import ReplyStep, Turn, WaitingStep
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import now
from llmgine.sessions.costs import Cost, Spent, Today
from llmgine.sessions.database import Operation, Steps
from tests.llmgine.sessions.conftest import Open
from tests.llmgine.sessions.contents import rows
from tests.llmgine.sessions.examples import (
    DONE,
    FAR_OFF,
    admit,
    admitted,
    begun,
    change,
    claimed,
    part,
    prompt,
)

REPLY = ReplyStep(round=0, text="answer", finish="stop", model="m", usage=None, seconds=0.1)
WAITING = WaitingStep(round=0, call_id="c", deadline=FAR_OFF)
SPENT = Spent(counted_in=("s",), cost=Cost(tokens=7), day=1)
KEY = DeliveryKey(kind="text", round=0, part=0)


def again(turn_id: str) -> Steps[None]:
    yield "UPDATE turn SET attempt = attempt + 1 WHERE id = $1", (turn_id,)


class Noted:
    """An observer that keeps what it sees."""

    def __init__(self) -> None:
        self.ended: list[Operation] = []

    @asynccontextmanager
    async def __call__(self, operation: Operation) -> AsyncIterator[None]:
        yield
        self.ended.append(operation)


async def test_hot_operations_are_few_statements(store: SessionStore) -> None:
    """What every turn does is at most four statements each: over a network each of them is a round trip."""
    await change(store, "s", "daily_tokens", "1000")
    await admitted(store, "0")
    noted = Noted()
    store.observe(noted)
    await store.turns.admit(prompt("1").model_copy(update={"scopes": ("a", "b", "c", "d", "e")}), "t", now())
    turn = await claimed(store)
    await before_call(store, turn)
    await store.runs.append_reply(turn, 2, REPLY, Spent(counted_in=("s", "a", "b", "*"), cost=Cost(tokens=1), day=1))
    await store.runs.append(turn, 3, WAITING)
    await store.deliveries.place(turn, [(KEY, "100")], 1)
    parts = [part(turn, "text", 0, number) for number in range(5)]
    await store.runs.finish(turn, "done", [(4, REPLY), (5, DONE)], parts, SPENT)
    await store.deliveries.settle(turn, [(one.key, str(one.key.part)) for one in parts], 5)

    statements = {operation.name: operation.statements for operation in noted.ended}
    assert set(statements) == {
        "turns.admit",
        "turns.claim",
        "runs.before_call",
        "runs.append_reply",
        "runs.append",
        "deliveries.place",
        "runs.finish",
        "deliveries.settle",
    }
    assert max(statements.values()) <= 4, statements


async def before_call(store: SessionStore, turn: Turn) -> None:
    found = await store.runs.before_call(turn, Today(day=1, tokens=1_000_000), 10)
    assert len(found.allowances) == 2


async def test_a_read_waits_for_no_lock(store: SessionStore, open_another: Open) -> None:
    """While another process is in the middle of a write, what was committed is read at once."""
    turn = await admitted(store, "1")
    other = await open_another()
    writing, read = threading.Event(), threading.Event()

    def write() -> Steps[bool]:
        yield "UPDATE turn SET state = 'done' WHERE id = $1", (turn.id,)
        writing.set()
        while not read.is_set():
            yield "SELECT 1 AS one", ()
        return True

    under_way = asyncio.create_task(other.run(write, Operation("test.write")))
    while not writing.is_set():  # noqa: ASYNC110  # perhaps set by another thread
        await asyncio.sleep(0.001)

    assert await store.turns.unfinished("s") == [turn]
    read.set()
    assert await under_way


async def test_a_slow_read_holds_up_no_write(store: SessionStore) -> None:
    """Writes are done while it reads, and it goes on to see the database as it was when it began."""
    reading, written = threading.Event(), threading.Event()

    def slow() -> Steps[tuple[int, int]]:
        first = yield "SELECT id FROM turn", ()
        reading.set()
        while not written.is_set():
            yield "SELECT 1 AS one", ()
        second = yield "SELECT id FROM turn", ()
        return len(first), len(second)

    async def write() -> None:
        while not reading.is_set():  # noqa: ASYNC110  # perhaps set by another thread
            await asyncio.sleep(0.001)
        await admit(store, prompt("1"))
        written.set()

    seen, _ = await asyncio.gather(store.run(slow, Operation("test.slow", writes=False)), write())

    assert seen == (0, 0)
    assert len(await store.turns.unfinished("s")) == 1


async def test_long_reads_hold_up_no_short_one(store: SessionStore) -> None:
    """However many lists are read at the same time, what a turn has to know is read at once."""
    turn = await admitted(store, "1")
    known = threading.Event()

    def long() -> Steps[int]:
        while not known.is_set():
            yield "SELECT 1 AS one", ()
        return len((yield "SELECT id FROM turn", ()))

    lists = [asyncio.create_task(store.run(long, Operation("test.long", writes=False, long=True))) for _ in range(10)]
    await asyncio.sleep(0)  # each has been asked for

    assert await store.turns.unfinished("s") == [turn]
    known.set()
    assert await asyncio.gather(*lists) == [1] * 10


async def test_a_query_cannot_write(store: SessionStore) -> None:
    """One that tries is refused, and nothing is changed."""
    turn = await admitted(store, "1")

    with pytest.raises(StoreError, match=r"read-?only"):
        await store.run(lambda: again(turn.id), Operation("test.again", writes=False))

    assert (await store.turns.get(turn.id)).turn == turn


async def test_an_observer_may_raise_in_place_of_an_operation(store: SessionStore) -> None:
    """Then nothing of it was run, and its caller has the observer's error."""

    @asynccontextmanager
    async def failing(operation: Operation) -> AsyncIterator[None]:
        if operation.name == "turns.admit":
            raise StoreError("the disk went away")
        yield

    end = store.observe(failing)
    with pytest.raises(StoreError, match="went away"):
        await admit(store, prompt("1"))
    assert await store.turns.unfinished("s") == []

    end()
    assert not (await admit(store, prompt("1"))).duplicate


async def test_an_observer_sees_what_is_done(store: SessionStore) -> None:
    """Its name and arguments, whether it may write, and at the end how much it was."""
    turns = [await admitted(store, str(number)) for number in range(3)]
    noted = Noted()
    end = store.observe(noted)

    await store.turns.unfinished("s")
    await store.stops.request("s", turn_id=turns[0].id)
    end()
    await store.turns.unfinished("s")

    read, write = noted.ended
    assert read == Operation("turns.unfinished", ("s",), writes=False, statements=1, rows=3)
    assert write == Operation("stops.request", ("s", turns[0].id), writes=True, announced=True, statements=3, rows=1)


async def test_observers_stand_around_each_other(store: SessionStore) -> None:
    """The one that came first is the outermost, also where the inner one raises."""
    order: list[str] = []

    def named(name: str) -> Callable[[Operation], Any]:
        @asynccontextmanager
        async def observer(operation: Operation) -> AsyncIterator[None]:
            order.append(f"{name} before")
            try:
                yield
            finally:
                order.append(f"{name} after")

        return observer

    store.observe(named("outer"))
    end_inner = store.observe(named("inner"))
    await store.sessions.page(most=100)
    end_inner()
    await store.sessions.page(most=100)

    assert order == ["outer before", "inner before", "inner after", "outer after", "outer before", "outer after"]


async def test_the_post_count_only_rises(store: SessionStore, url: str) -> None:
    """Whatever is said of it late, and by whichever attempt: a nonce is not used for two messages."""
    turn = await begun(store, "1")
    counts: list[object] = []

    async def placed(messages: list[tuple[DeliveryKey, str]], posts: int) -> None:
        await store.deliveries.place(turn, messages, posts)
        counts.extend(row["posts"] for row in rows(url)["turn"])

    await placed([(KEY, "100")], 1)
    await placed([(KEY, "100")], 1)
    await placed([(KEY, "200")], 2)
    await placed([(KEY, "100")], 1)
    await placed([], 2)
    await store.run(lambda: again(turn.id), Operation("test.again"))
    await placed([(KEY, "400")], 3)  # said late, by the attempt before
    await placed([(KEY, "400")], 2)

    assert counts == [1, 1, 2, 2, 2, 3, 3]
