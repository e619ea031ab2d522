"""Slots for calls of the model: who gets one that is freed."""

import asyncio
import contextlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmgine.engine.fair_slots import FairSlots

_PEOPLE = ["Ada", "Grace", "Edsger", "Barbara"]


class Calls:
    """Calls that wait for slots and run until they are told to end.

    Attributes:
        begun: Who got a slot, and with which of their calls, in order.
        running: The calls that run.
        waiting: The calls that wait, in the order in which they began to.
        came: How many calls had begun when each came.
        ended: How many calls had begun when each person's last one ended.
    """

    def __init__(self, count: int) -> None:
        self.slots = FairSlots(count)
        self.begun: list[tuple[str, int]] = []
        self.running: list[tuple[str, int]] = []
        self.waiting: list[tuple[str, int]] = []
        self.came: dict[tuple[str, int], int] = {}
        self.ended: dict[str, int] = {}
        self._tasks: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._ends: dict[tuple[str, int], asyncio.Event] = {}

    async def add(self, person: str) -> tuple[str, int]:
        """One more call of a person."""
        call = (person, len(self._tasks))
        self._ends[call] = asyncio.Event()
        self.waiting.append(call)
        self.came[call] = len(self.begun)
        self._tasks[call] = asyncio.create_task(self._run(call))
        await settled()
        return call

    async def _run(self, call: tuple[str, int]) -> None:
        async with self.slots.slot(call[0]):
            self.waiting.remove(call)
            self.begun.append(call)
            self.running.append(call)
            try:
                await self._ends[call].wait()
            finally:
                self.running.remove(call)
                self.ended[call[0]] = len(self.begun)

    def finish(self, call: tuple[str, int]) -> None:
        """The call's reply is there."""
        self._ends[call].set()

    def cancel(self, call: tuple[str, int]) -> None:
        """The call's turn is stopped."""
        self._tasks[call].cancel()
        with contextlib.suppress(ValueError):
            self.waiting.remove(call)

    async def close(self) -> None:
        """Stop all of them."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def settled() -> None:
    """Let the loop run until everything that can happen at once has happened."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_comes_new_is_next() -> None:
    """With all slots and a long queue of one person, the first slot that is freed goes to somebody else."""
    calls = Calls(8)
    busy = [await calls.add("Ada") for _ in range(24)]
    new = await calls.add("Grace")

    calls.finish(busy[5])
    await settled()

    assert calls.begun == [*busy[:8], new]
    await calls.close()


async def test_what_a_person_says_is_answered_in_its_order() -> None:
    """The calls of one person get their slots in the order in which they came."""
    calls = Calls(1)
    added = [await calls.add("Ada") for _ in range(5)]

    for call in added:
        calls.finish(call)
        await settled()

    assert calls.begun == added


@pytest.mark.parametrize("granted", [False, True])
async def test_who_leaves_takes_no_slot(*, granted: bool) -> None:
    """A call whose turn is stopped while it waits, or in the moment in which it is called, takes no slot."""
    calls = Calls(1)
    first, second, third = [await calls.add(person) for person in ("Ada", "Grace", "Barbara")]

    if granted:
        calls.finish(first)
        while calls.slots._waiting.get("Grace"):  # noqa: ASYNC110  the moment is between two steps of the loop
            await asyncio.sleep(0)
        calls.cancel(second)
    else:
        calls.cancel(second)
        calls.finish(first)
    await settled()

    assert calls.running == [third]
    assert calls.begun == [first, third]
    calls.finish(third)
    await settled()
    assert calls.slots.is_idle
    await calls.close()


async def test_idle_is_when_nobody_waits() -> None:
    """What is made only when nobody waits is not made in between two calls, and is made once a slot stays free."""
    calls = Calls(1)
    first, second = [await calls.add(person) for person in ("Ada", "Grace")]
    idle = asyncio.create_task(calls.slots.idle())

    calls.finish(first)
    await settled()
    assert not idle.done()

    calls.finish(second)
    await settled()
    assert idle.done()


async def test_nothing_is_kept_of_people_who_left() -> None:
    """However many people came by, none is remembered."""
    slots = FairSlots(2)
    for number in range(1_000):
        async with slots.slot(str(number)):
            pass

    assert not slots._running
    assert not slots._waiting
    assert not any(slots._next)


# What happens: somebody asks, or of the calls that run or wait, the one at this place ends or is stopped.
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, len(_PEOPLE) - 1)),
        st.tuples(st.sampled_from(["end", "stop", "end and stop"]), st.integers(0, 30)),
    ),
    max_size=60,
)


@given(count=st.integers(1, 4), steps=_STEPS)
def test_slots_are_shared_fairly(count: int, steps: list[tuple[str, int]]) -> None:
    """Whatever people do: none is idle while somebody waits, none is lost, and nobody is passed twice by another."""
    asyncio.run(_shared_fairly(count, steps))


async def _shared_fairly(count: int, steps: list[tuple[str, int]]) -> None:
    calls = Calls(count)
    for what, number in steps:
        await _step(calls, what, number)
        _check(calls, count)
    while calls.running:
        calls.finish(calls.running[0])
        await settled()
        _check(calls, count)
    assert not calls.waiting
    assert calls.slots._free == count


async def _step(calls: Calls, what: str, number: int) -> None:
    """One thing that happens; afterwards each slot that was freed is where it should be."""
    if what == "ask":
        await calls.add(_PEOPLE[number])
        return
    concerned = calls.running + calls.waiting if what == "stop" else calls.running
    if not concerned:
        return
    call = concerned[number % len(concerned)]
    began = len(calls.begun)
    if what == "stop":
        calls.cancel(call)
    else:
        calls.finish(call)
    if what == "end and stop" and calls.waiting:  # in one step of the loop
        calls.cancel(calls.waiting[number % len(calls.waiting)])
    before = Counter(person for person, _ in calls.running if (person, _) != call)
    waiting = list(calls.waiting)
    await settled()
    for person, one in calls.begun[began:]:
        assert before[person] == min(before[other] for other, _ in waiting)
        assert (person, one) == next(each for each in waiting if each[0] == person)


def _check(calls: Calls, count: int) -> None:
    assert len(calls.running) == min(count, len(calls.running) + len(calls.waiting))
    _nobody_is_passed_twice(calls)


def _nobody_is_passed_twice(calls: Calls) -> None:
    """Since somebody waits and has no running call, no other got two slots."""
    for call in calls.waiting:
        person = call[0]
        if any(one == person for one, _ in calls.running):
            continue
        later = calls.begun[max(calls.came[call], calls.ended.get(person, 0)) :]
        assert max(Counter(one for one, _ in later).values(), default=0) <= 1
