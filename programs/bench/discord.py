"""The bot with many channels active at once, on the playground with Discord's limits: what people there wait for."""

import asyncio
import contextlib
import json
import re
import sys
import tempfile
from bisect import bisect
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from programs.application import Application
from programs.bench.measure import median_and_worst, watch_loop
from programs.bench.turn_cost import model_service
from programs.discord.bot import discord_at, join
from programs.discord.client import Bot
from programs.discord.delivery.rendering import render_deliveries
from programs.discord.ids import SOURCE
from programs.settings import ProgramConfig, ProgramSettings

_PIECE_SECONDS = 0.75  # between two pieces of an answer
_STAMP = re.compile(r"\b(\d{10,})\b")  # each piece is the nanosecond it was sent at
_REPORT_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Busy:
    """What was seen with so many channels active at once. Seconds, but for `loop_lag`: milliseconds.

    Attributes:
        limited: Requests that were answered 429, counted by route.
        longest_wait: The longest any channel waited for its next preview while its answer grew.
        shares: How many previews were sent to all, for each active channel, while the one that waited most got none: 1
            is fair.
        first_text: From the model's first piece to the first text people see; median and 99th percentile.
        final: From the model's last piece to the whole answer; median and 99th percentile.
        acknowledged: From a slash command to its first answer; median and 99th percentile.
        loop_lag: How late the bot's loop was; median and 99th percentile.
    """

    channels: int
    limited: dict[str, int]
    longest_wait: float
    shares: float
    first_text: tuple[float, float]
    final: tuple[float, float]
    acknowledged: tuple[float, float]
    loop_lag: tuple[float, float]


async def measure(*, channels: int, seconds: float, ramp: float) -> Busy:
    """Let every channel ask, begun over `ramp` seconds, and the model answer each for `seconds`."""
    pieces = int(seconds / _PIECE_SECONDS)
    lags: list[float] = []
    async with (
        model_service() as model,
        crowd(channels, ramp) as (place, process),
        bot(model, f"text:{pieces}:{_PIECE_SECONDS}", place, channels),
    ):
        looking = asyncio.create_task(watch_loop(lags))
        seen = await _report(process)
        looking.cancel()
    return _summary(seen, channels, lags)


@contextlib.asynccontextmanager
async def crowd(channels: int, ramp: float) -> AsyncIterator[tuple[dict[str, str], asyncio.subprocess.Process]]:
    """The playground with its people, in a process of its own, and where it is."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "programs.bench.crowd", str(channels), str(ramp))
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=_REPORT_BYTES)
    if process.stdout is None or process.stdin is None:
        raise RuntimeError("the playground has no pipes")
    try:
        yield json.loads(await process.stdout.readline()), process
    finally:
        process.stdin.close()
        await process.wait()


@contextlib.asynccontextmanager
async def bot(model_url: str, model: str, place: dict[str, str], channels: int) -> AsyncIterator[Bot]:
    """The bot as it is run, joined."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(Path(folder), place, model_url=model_url, model=model)
        async with application(settings, calls_at_once=channels) as app, joining(app) as client:
            await client.caught_up()
            await client.commands.registration.known()
            yield client


def settings_in(folder: Path, place: Mapping[str, Any], *, model_url: str, model: str) -> ProgramSettings:
    """The settings of a bot whose files are in a folder, on the playground that says where it is."""
    return ProgramSettings(
        _env_file=None,
        discord_token=place["token"],
        discord_api_base=place["api"],
        discord_gateway_url=place["gateway"],
        openai_base_url=model_url,
        openai_model=model,
        database_url=f"sqlite:///{folder}/bench.db",
        log_dir=folder / "logs",
    )


def application(settings: ProgramSettings, *, calls_at_once: int) -> Application:
    """The application of such a bot; begin it with `async with`."""
    config = ProgramConfig(settings=settings, calls_at_once=calls_at_once)
    return Application(config, renderers={SOURCE: render_deliveries})


@contextlib.asynccontextmanager
async def joining(app: Application) -> AsyncIterator[Bot]:
    """The bot, which begins to join, and leaves at the end."""
    settings, stop = app.config.settings, asyncio.Event()
    with discord_at(settings):
        client = Bot(app, guild_ready_timeout=0.1)
        joined = asyncio.create_task(join(client, settings.discord_token or "", stop))
        try:
            yield client
        finally:
            stop.set()
            await joined


async def _report(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """Begin, and wait for what was seen."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the playground has no pipes")
    process.stdin.write(b"\n")
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("the playground ended without a report")
    seen: dict[str, Any] = json.loads(line)
    return seen


def _summary(seen: dict[str, Any], channels: int, lags: Sequence[float]) -> Busy:
    changes: list[list[tuple[float, str]]] = seen["changes"]
    waits = [(a, b) for channel in changes for (a, _), (b, _) in pairwise(channel)]
    begun, ended = sorted(channel[0][0] for channel in changes), sorted(seen["ended"])
    previews = sorted(at for channel in changes for at, _ in channel[1:-1])

    def shares(begin: float, end: float) -> float:
        active = bisect(begun, end) - bisect(ended, begin)
        return (bisect(previews, end) - bisect(previews, begin)) / active

    texts = [[(at, _STAMP.findall(text)) for at, text in channel] for channel in changes]
    first = [next(at - int(stamps[0]) / 1e9 for at, stamps in channel if stamps) for channel in texts]
    final = [at - int(channel[-1][1][-1]) / 1e9 for channel, at in zip(texts, seen["ended"], strict=True)]
    return Busy(
        channels=channels,
        limited=seen["limited"],
        longest_wait=max(b - a for a, b in waits),
        shares=max(shares(a, b) for a, b in waits),
        first_text=median_and_worst(first),
        final=median_and_worst(final),
        acknowledged=median_and_worst(seen["acknowledged"]),
        loop_lag=median_and_worst(lags),
    )
