"""The runs of one seed, one after the other or spread over processes; what each came to."""

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context

from tests.simulation.faults import Fault
from tests.simulation.promises import broken
from tests.simulation.world import Order, World, prepared

_processor = time.process_time  # the real one, before clocks are replaced
_block = ExitStack()  # a process that only lives for runs never leaves it


@dataclass(frozen=True)
class Outcome:
    """What one run came to.

    Attributes:
        order: What was run.
        turns: How many questions were asked.
        kills: How often the process died.
        stops: How often it was told to end.
        requests: How many requests were made of Discord.
        virtual: How many virtual seconds passed.
        seconds: How many seconds of a core it took.
        faults: How often each fault happened.
        broken: The promises that are broken, in words.
        digest: The hash of all that happened.
        lines: How many lines that is.
    """

    order: Order
    turns: int
    kills: int
    stops: int
    requests: int
    virtual: float
    seconds: float
    faults: Counter[Fault]
    broken: list[str]
    digest: str
    lines: int


def run(order: Order, tell: Callable[[str], None] | None = None) -> tuple[World, list[str]]:
    """Run one world, inside `prepared`; returns it and the promises that are broken."""
    world = World(order, tell)
    world.run()
    return world, broken(world)


def outcomes(orders: Sequence[Order], *, jobs: int, tell: Callable[[str], None] | None = None) -> Iterator[Outcome]:
    """Run all orders; yields what each came to, in the order of the orders, however many processes there are.

    Args:
        orders: What to run.
        jobs: How many processes to spread them over.
        tell: Is given each line of the trace; then there is one process.
    """
    if tell is not None or min(jobs, len(orders)) < 2:
        with prepared():
            for order in orders:
                yield _outcome(order, tell)
        return
    # A fork has all modules already; this process has no threads yet.
    with ProcessPoolExecutor(min(jobs, len(orders)), get_context("fork"), _prepare) as pool:
        try:
            yield from pool.map(_outcome, orders)
        except GeneratorExit:
            pool.shutdown(cancel_futures=True)
            raise


def _prepare() -> None:
    _block.enter_context(prepared())


def _outcome(order: Order, tell: Callable[[str], None] | None = None) -> Outcome:
    begin = _processor()
    world, found = run(order, tell)
    counts = len(world.people.questions), world.kills, world.stops, world.network.requests, world.timeline.now
    faults, digest, lines = world.weather.counts, world.trace.digest, world.trace.lines
    del world
    gc.collect()
    return Outcome(order, *counts, _processor() - begin, faults, found, digest, lines)
