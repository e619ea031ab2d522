"""Many quiet channels: what their feeds cost, and what people get who ask in the only one that is busy."""

import asyncio
import gc
import tracemalloc
from dataclasses import dataclass

from programs.bench.discord import application, joining
from programs.bench.measure import median_and_worst, watch_loop
from programs.bench.visit import CALLS, visit

_PATIENCE = 600.0  # seconds for all of it
_LOOKS, _LOOK = 30, 0.01  # how often, and after how many seconds, tasks are counted
# Whose memory counts: what the bot's side made, and what dataclasses have it make in their `__init__`.
_BOT_SIDE = ("*/programs/discord/*", "<string>")


@dataclass(frozen=True)
class Idle:
    """Feeds in which nothing happens, of a bot that is in.

    Attributes:
        feeds: How many.
        megabytes: What the bot's side of the program keeps, most of it feeds; libraries do not count.
        tasks: How many more tasks there are than with a single channel.
    """

    feeds: int
    megabytes: float
    tasks: int


@dataclass(frozen=True)
class OneBusy:
    """One channel in which people ask and talk, beside many quiet ones.

    Attributes:
        quiet: How many are quiet.
        seconds: For how long people asked and talked.
        questions: How many they asked.
        talk: How many other messages they wrote.
        first_text: Seconds from a question to its first text; median and 99th percentile.
        reads: Reads of histories meanwhile.
        limited: Requests that were answered 429.
        loop_lag: How late the bot's loop was, in milliseconds; median and 99th percentile.
    """

    quiet: int
    seconds: float
    questions: int
    talk: int
    first_text: tuple[float, float]
    reads: int
    limited: int
    loop_lag: tuple[float, float]


async def measure_idle(feeds: int) -> Idle:
    """Look at the memory and the tasks of a bot in so many channels in which nothing happens.

    Raises:
        TimeoutError: A start did not come to an end.
    """
    async with asyncio.timeout(_PATIENCE):
        _, tasks_of_one = await _idle(1)
        megabytes, tasks = await _idle(feeds)
    return Idle(feeds, megabytes, tasks - tasks_of_one)


async def _idle(channels: int) -> tuple[float, int]:
    """What the bot's side keeps in so many channels, in megabytes, and how many tasks there are."""
    async with visit("channels", channels) as there, application(there.settings, calls_at_once=CALLS) as app:
        tracemalloc.start()
        try:
            async with joining(app) as client:
                await client.caught_up()
                await client.commands.registration.known()
                tasks = await _tasks_at_rest()
                gc.collect()
                snapshot = tracemalloc.take_snapshot()
        finally:
            tracemalloc.stop()
    kept = snapshot.filter_traces([tracemalloc.Filter(inclusive=True, filename_pattern=one) for one in _BOT_SIDE])
    return sum(trace.size for trace in kept.traces) / 2**20, tasks


async def _tasks_at_rest() -> int:
    """The fewest tasks there are within a moment: what only ends just now does not count."""
    found = []
    for _ in range(_LOOKS):
        found.append(len(asyncio.all_tasks()))
        await asyncio.sleep(_LOOK)
    return min(found)


async def measure_one_busy(*, quiet: int, seconds: float, pause: float, talk: int) -> OneBusy:
    """Have somebody ask every `pause` seconds, and others write `talk` messages after each question.

    Raises:
        TimeoutError: An answer did not come.
    """
    lags: list[float] = []
    async with (
        asyncio.timeout(_PATIENCE),
        visit("channels", quiet + 1) as there,
        application(there.settings, calls_at_once=CALLS) as app,
        joining(app) as client,
    ):
        await client.caught_up()
        await client.commands.registration.known()
        looking = asyncio.create_task(watch_loop(lags))
        seen = await there.do("converse", seconds, pause, talk)
        looking.cancel()
    questions = seen["questions"]
    return OneBusy(
        quiet=quiet,
        seconds=seen["seconds"],
        questions=len(questions),
        talk=len(questions) * talk,
        first_text=median_and_worst([one["first_text"] - one["asked"] for one in questions]),
        reads=seen["reads"],
        limited=seen["limited"],
        loop_lag=median_and_worst(lags),
    )
