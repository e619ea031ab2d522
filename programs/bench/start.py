"""The bot that was away: how long people wait when it starts, and in many channels or DMs something was said."""

import asyncio
import contextlib
import gc
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from llmgine.sessions import SessionStore
from llmgine.sessions.database import Operation
from llmgine.sessions.records import Cursor
from programs.bench.discord import application, joining
from programs.bench.measure import median_and_worst, resident_megabytes, watch_loop
from programs.bench.visit import CALLS, Kind, Visit, visit
from programs.discord import ids

_READ_SECONDS = 0.1  # until Discord answers a read of a history
_PATIENCE = 600.0  # seconds for a start
_LOOK = 0.05  # seconds between two looks at the memory


@dataclass(frozen=True)
class Start:
    """A start after something was said in many places. Seconds are from the beginning of the start.

    Attributes:
        kind: What the places are.
        places: How many they are; the bot had a cursor in each.
        questions: In how many of them the bot was asked something.
        first_start: Transactions of the very first start, by operation; none for DMs, which the bot cannot know then.
        ready: Seconds until what comes in was processed.
        live: Seconds from a question, asked right after READY in the place that was quiet for longest, to its first
            text.
        answered: Seconds until all missed questions were answered.
        read: Seconds until all places were read.
        reads: Reads of histories.
        requests: All requests, by method and route.
        limited: Requests that were answered 429.
        until_ready: Transactions until it was ready, by operation.
        transactions: All transactions, by operation.
        cpu: Milliseconds of CPU for each place.
        megabytes: The most memory it had, above what it had before.
        loop_lag: How late the bot's loop was, in milliseconds; median and 99th percentile.
    """

    kind: Kind
    places: int
    questions: int
    first_start: dict[str, int]
    ready: float
    live: float
    answered: float
    read: float
    reads: int
    requests: dict[str, int]
    limited: int
    until_ready: dict[str, int]
    transactions: dict[str, int]
    cpu: float
    megabytes: float
    loop_lag: tuple[float, float]


@dataclass
class Watched:
    """What this process needed: seconds of CPU, the most memory above that of the beginning, and the loop's delays."""

    cpu: float
    megabytes: float
    lags: list[float]


class Transactions:
    """Counts the operations of a store by name."""

    def __init__(self, store: SessionStore) -> None:
        self.counts: Counter[str] = Counter()
        store.observe(self._around)

    @contextlib.asynccontextmanager
    async def _around(self, operation: Operation) -> AsyncIterator[None]:
        self.counts[operation.name] += 1
        yield


async def measure_start(kind: Kind, places: int, questions: int) -> Start:
    """Start the bot after something was said in every channel, or something was asked in some of the DMs.

    Raises:
        TimeoutError: The start, or an answer, did not come to an end.
    """
    async with asyncio.timeout(_PATIENCE), visit(kind, places) as there:
        first_start = await _first_start(there) if kind == "channels" else await _remember_dms(there)
        await there.do("slow_down", _READ_SECONDS)
        await there.do("write_everywhere", questions)
        async with application(there.settings, calls_at_once=CALLS) as app, watched() as used:
            transactions = Transactions(app.store).counts
            begun = time.monotonic()
            async with joining(app) as client:
                await client.wait_until_in()
                ready, until_ready = time.monotonic() - begun, dict(transactions)
                await client.caught_up()
                read = time.monotonic() - begun
                seen = await there.do("answered")
    return Start(
        kind=kind,
        places=places,
        questions=questions,
        first_start=first_start,
        ready=ready,
        live=seen["live"]["first_text"] - seen["live"]["asked"],
        answered=max((one["ended"] - begun for one in seen["missed"]), default=0.0),
        read=read,
        **_traffic(seen),
        until_ready=until_ready,
        transactions=dict(transactions),
        cpu=used.cpu / places * 1e3,
        megabytes=used.megabytes,
        loop_lag=median_and_worst(used.lags),
    )


def _traffic(seen: dict[str, Any]) -> dict[str, Any]:
    return {name: seen[name] for name in ("reads", "requests", "limited")}


async def _first_start(there: Visit) -> dict[str, int]:
    """Be in the channels once, as they are quiet; gives the transactions that took."""
    async with application(there.settings, calls_at_once=CALLS) as app:
        transactions = Transactions(app.store).counts
        async with joining(app) as client:
            await client.caught_up()
            await client.commands.registration.known()
            return dict(transactions)


async def _remember_dms(there: Visit) -> dict[str, int]:
    """Store what a process stores of DMs in which it received something."""
    async with application(there.settings, calls_at_once=CALLS) as app:
        cursors = [Cursor(str(place), place, ids.Kind.DM.value) for place in there.facts["places"]]
        await app.store.cursors.move(ids.SOURCE, cursors)
    return {}


@contextlib.asynccontextmanager
async def watched() -> AsyncIterator[Watched]:
    """Look at what this process needs inside the block."""
    gc.collect()
    before = resident_megabytes()
    used = Watched(-time.process_time(), 0.0, [])

    async def look() -> None:
        while True:
            used.megabytes = max(used.megabytes, resident_megabytes() - before)
            await asyncio.sleep(_LOOK)

    looking = [asyncio.create_task(look()), asyncio.create_task(watch_loop(used.lags))]
    try:
        yield used
    finally:
        used.cpu += time.process_time()
        for task in looking:
            task.cancel()
