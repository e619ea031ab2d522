"""Deadlines: by the clock that is given, whether it is moved or goes by itself."""

import asyncio
import time
from functools import partial

from programs.playground.deadlines import Deadlines
from tests.programs.playground.conftest import Clock, within


async def test_what_is_due_happens_in_its_order() -> None:
    """A clock moved far on lets everything behind it happen once, the earliest first, and nothing before its time."""
    clock, happened = Clock(), list[int]()
    deadlines = Deadlines(clock)
    for at in (3, 1, 2, 9):
        deadlines.after(at, partial(happened.append, at))

    deadlines.run_due()
    assert happened == []
    clock.now = 3
    deadlines.run_due()
    deadlines.run_due()

    assert happened == [1, 2, 3]
    deadlines.close()


async def test_a_cancelled_deadline_passes_silently() -> None:
    """Neither one cancelled beforehand happens, nor one that another cancels at the same moment."""
    clock, happened = Clock(), list[str]()
    deadlines = Deadlines(clock)
    cancelled = deadlines.after(1, lambda: happened.append("cancelled"))
    deadlines.cancel(cancelled)
    deadlines.after(1, lambda: deadlines.cancel(later))
    later = deadlines.after(2, lambda: happened.append("later"))

    clock.now = 5
    deadlines.run_due()

    assert happened == []
    deadlines.close()


async def test_a_clock_that_goes_needs_no_look() -> None:
    """With a real clock each deadline passes by itself, also one made after a later one."""
    deadlines = Deadlines(time.monotonic)
    passed = asyncio.Event()
    far = deadlines.after(900, lambda: None)
    deadlines.after(0.01, passed.set)

    await within(passed.wait())

    deadlines.cancel(far)
    deadlines.close()
