"""Timing works against each other in one run, so that what is compared is a ratio and not a machine; delays; memory."""

import asyncio
import gc
import mmap
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_TICK = 0.01  # seconds between two looks at the loop
_STATISTICS = Path("/proc/self/statm")
_MEGABYTE = 2**20


@dataclass(frozen=True)
class Work:
    """Something to time: `run` does `operations` operations."""

    run: Callable[[], Awaitable[None]]
    operations: int


@dataclass(frozen=True)
class Timing:
    """What one operation took, in microseconds, over all rounds; `rate` is operations a second."""

    p50: float
    p99: float
    rate: float


@dataclass(frozen=True)
class Row:
    """One line of a table: times by name, `ours` and `floor` among them; `target` is the ratio to stay under."""

    name: str
    meaning: str
    times: dict[str, Timing]
    target: float

    @property
    def ratio(self) -> float:
        """How many times the floor ours takes, by medians."""
        return self.times["ours"].p50 / self.times["floor"].p50

    @property
    def peers(self) -> dict[str, float]:
        """How many times ours each other library takes."""
        return {name: t.p50 / self.times["ours"].p50 for name, t in self.times.items() if name not in ("ours", "floor")}


async def time_side_by_side(works: Mapping[str, Work], *, rounds: int) -> dict[str, Timing]:
    """Time several works, in turns within each round, so that a slow moment of the machine hits all alike.

    Each is run `rounds` times, after one that warms up.
    """
    samples: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        await work.run()
    for _ in range(rounds):
        for name, work in works.items():
            samples[name].append(await _microseconds(work) / work.operations)
    return {name: _timing(values) for name, values in samples.items()}


async def _microseconds(work: Work) -> float:
    gc.collect()
    gc.disable()
    try:
        begin = time.perf_counter_ns()
        await work.run()
        return (time.perf_counter_ns() - begin) / 1_000
    finally:
        gc.enable()
        await asyncio.sleep(0)


def _timing(values: list[float]) -> Timing:
    ordered = sorted(values)
    p99 = ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
    return Timing(statistics.median(ordered), p99, 1e6 / statistics.fmean(ordered))


async def watch_loop(lags: list[float]) -> None:
    """Note again and again how late the loop is, in milliseconds."""
    while True:
        due = time.monotonic() + _TICK
        await asyncio.sleep(_TICK)
        lags.append((time.monotonic() - due) * 1e3)


def median_and_worst(values: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile; 0 without any value."""
    ordered = sorted(values) or [0.0]
    return ordered[len(ordered) // 2], ordered[round(0.99 * (len(ordered) - 1))]


def resident_megabytes() -> float:
    """How much memory this process has at present; 0 where the system does not say it like Linux."""
    if not _STATISTICS.exists():
        return 0.0
    return int(_STATISTICS.read_text(encoding="ascii").split()[1]) * mmap.PAGESIZE / _MEGABYTE


async def alone(measure: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Measure in a process of its own, so that nothing that ran before has left it memory to use, or to look through.

    The process ends with the measurement, whatever is still running on its loop.

    Raises:
        Exception: Whatever `measure` raises.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, _run, partial(measure, *args, **kwargs))


def _run(measure: Callable[[], Coroutine[Any, Any, T]]) -> T:
    # Not asyncio.run: it waits for all tasks that it cancels, and some libraries' tasks survive that.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop.run_until_complete(measure())
