"""What LLMgine costs, and what it withstands: `uv run python -m programs.bench safety`.

Costs are `bus`, `turns`, `playground`, `discord`, `store` and `path` in place of `safety`.
"""

import argparse
import asyncio
import dataclasses
import functools
import json
import os
import platform
import sys
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from llmgine.errors import ConfigurationError
from programs.bench import bus, discord, path, playground, quiet, start, stored_sessions, turn_cost
from programs.bench.draws import draws
from programs.bench.measure import Row, alone
from programs.bench.safety import run as safety
from programs.bench.safety.corpus import CLASSES
from programs.bench.tables import (
    bus_table,
    busy_table,
    draws_table,
    one_busy_table,
    path_names,
    path_table,
    safety_lines,
    safety_table,
    start_table,
    store_table,
    streams_table,
    turns_table,
)
from programs.bench.visit import Kind
from programs.command_line import program_parser

_SESSIONS = ((1, 20), (100, 5), (1_000, 1))  # at once, and the turns of each
_STREAMS = (100, 500)  # at once; the first is compared
_QUESTIONS = 50  # for the time to first text
_BUSY = ((30, 20.0, 2.0), (500, 60.0, 25.0))  # channels, the seconds of each answer, the seconds in which all begin
_STARTS: tuple[tuple[Kind, int, int], ...] = (("channels", 500, 20), ("channels", 5_000, 20), ("DMs", 1_000, 20))
_IDLE = 5_000  # feeds
_QUIET = 500  # channels beside a busy one
_TALK = (60.0, 2.0, 40)  # seconds, seconds between two questions, other messages after each
_LOOKS = 10  # uses of /sessions, and turns beside them
_IDLE_MEGABYTES = 2.0  # that 5,000 idle feeds may take


def machine() -> dict[str, object]:
    """Where and when it was measured."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }


def as_data(rows: Sequence[Row], **more: float) -> dict[str, object]:
    """The same as data."""
    return {
        **machine(),
        "rows": [
            {
                "name": row.name,
                "meaning": row.meaning,
                "ratio": row.ratio,
                "target": row.target,
                "microseconds": {name: {"p50": t.p50, "p99": t.p99} for name, t in row.times.items()},
                "per_second": {name: t.rate for name, t in row.times.items()},
            }
            for row in rows
        ],
        **more,
    }


async def run_bus(console: Console) -> dict[str, object]:
    """Measure the bus, print its table, and return it as data."""
    rows = await bus.rows()
    console.print(bus_table(rows))
    for row in rows:
        console.print(f"{row.name}: {row.meaning}.", highlight=False)
    megabytes = await bus.queued_megabytes()
    console.print(f"\n100,000 events queued in a lane take {megabytes:.0f} MB (to stay under: 80).", highlight=False)
    return as_data(rows, queued_100k_megabytes=megabytes)


async def run_turns(console: Console) -> dict[str, object]:
    """Measure turns and streams by both APIs, print their tables, and return them as data."""
    async with turn_cost.model_service() as url:
        measured = [await _run_turns_by(api, url, console) for api in turn_cost.APIS]
    return {**machine(), "apis": measured}


async def _run_turns_by(api: turn_cost.Api, url: str, console: Console) -> dict[str, object]:
    sides = {"LLMgine": turn_cost.ours, "bare SDK": turn_cost.bare_sdk}
    done = [
        (name, await turn_cost.measure_turns(side, url, sessions=sessions, turns=each, api=api))
        for sessions, each in _SESSIONS
        for name, side in sides.items()
    ]
    if turn_cost.MEMORY.is_dir():
        sessions, each = _SESSIONS[0]
        side = functools.partial(turn_cost.ours, in_memory=True)
        in_memory = await turn_cost.measure_turns(side, url, sessions=sessions, turns=each, api=api)
        done.append(("LLMgine, database in memory", in_memory))
    console.print(turns_table(turn_cost.APIS[api], done))
    if turn_cost.MEMORY.is_dir():
        console.print(
            f"With the database in memory: added to a turn {in_memory.p50 - done[1][1].p50:.1f} ms (to stay under: 4), "
            f"CPU {in_memory.cpu - done[1][1].cpu:.1f} ms (to stay under: 3.5).",
            highlight=False,
        )
    first = await turn_cost.measure_first_text(url, questions=_QUESTIONS, api=api)
    console.print(
        f"Added to a turn: {done[0][1].p50 - done[1][1].p50:.1f} ms (to stay under: 10); to the time to first text: "
        f"{first.added:.1f} ms (to stay under: 5).",
        highlight=False,
    )
    flowing = [
        (name, await turn_cost.measure_streams(side, url, streams=streams, api=api))
        for streams in _STREAMS
        for name, side in sides.items()
    ]
    console.print(streams_table(turn_cost.APIS[api], flowing))
    ratio = flowing[0][1].pieces_per_cpu_second / flowing[1][1].pieces_per_cpu_second
    console.print(
        f"At {_STREAMS[0]} streams {ratio:.1f} times the SDK's pieces a CPU second (to reach: 2.2).", highlight=False
    )
    return {
        "api": api,
        "turns": [{"who": name, **dataclasses.asdict(t)} for name, t in done],
        "first_text": dataclasses.asdict(first),
        "streams": [{"who": name, **dataclasses.asdict(s)} for name, s in flowing],
    }


async def run_playground(console: Console) -> dict[str, object]:
    """Measure messages through one channel of the playground, and return them as data."""
    rates = await playground.rates()
    for rate in rates:
        console.print(f"{rate.rate:,.0f} messages a second in order (to reach: 1,000): {rate.name}.", highlight=False)
    return {**machine(), "playground": [dataclasses.asdict(rate) for rate in rates]}


async def run_discord(console: Console) -> dict[str, object]:
    """Measure the bot with busy channels, at a start and beside quiet channels; return it as data. Takes 6 minutes."""
    seconds, pause, talk = _TALK
    idle = await alone(quiet.measure_idle, _IDLE)
    console.print(
        f"{idle.feeds:,} idle feeds take {idle.megabytes:.1f} MB and {idle.tasks} tasks (to stay under: "
        f"{_IDLE_MEGABYTES * idle.feeds / 5_000:.2g} MB and 1 task).\n",
        highlight=False,
    )
    starts = [await alone(start.measure_start, *one) for one in _STARTS]
    console.print(start_table(starts))
    one_busy = await alone(quiet.measure_one_busy, quiet=_QUIET, seconds=seconds, pause=pause, talk=talk)
    console.print(one_busy_table(one_busy))
    measured = [
        await alone(discord.measure, channels=channels, seconds=seconds, ramp=ramp) for channels, seconds, ramp in _BUSY
    ]
    console.print(busy_table(measured))
    drawn = draws()
    console.print(draws_table(drawn))
    return {
        **machine(),
        "discord": [dataclasses.asdict(busy) for busy in measured],
        "idle": dataclasses.asdict(idle),
        "starts": [dataclasses.asdict(one) for one in starts],
        "one_busy": dataclasses.asdict(one_busy),
        "draws": [dataclasses.asdict(draw) for draw in drawn],
    }


async def run_store(console: Console, *, sessions: int) -> dict[str, object]:
    """Measure the bot with many conversations stored, and with none; return it as data."""
    fresh = await alone(stored_sessions.measure_store, 0, rounds=_LOOKS)
    stored = await alone(stored_sessions.measure_store, sessions, rounds=_LOOKS)
    console.print(store_table(fresh, stored))
    return {**machine(), "store": [dataclasses.asdict(one) for one in (fresh, stored)]}


async def run_path(console: Console) -> dict[str, object]:
    """Write down what each kind of message passes through, and return it as data."""
    traces = await path.traces()
    console.print(path_table(traces))
    for line in path_names(traces):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return {**machine(), "path": [dataclasses.asdict(trace) | {"numbers": trace.numbers} for trace in traces]}


async def run_safety(console: Console, *, kind: str | None, only: str | None) -> dict[str, object]:
    """Try the hostile inputs, print what passed, and return it as data."""
    found = await safety.rows(kind, only)
    console.print(safety_table(found))
    for line in safety_lines(found):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return {**machine(), "safety": [dataclasses.asdict(row) for row in found]}


def _parser() -> argparse.ArgumentParser:
    parser = program_parser("programs.bench", __doc__)
    parser.add_argument("what", choices=["bus", "turns", "playground", "discord", "store", "path", "safety"])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the same as data")
    parser.add_argument("--sessions", type=int, default=100_000, help="conversations stored for `store`")
    parser.add_argument("--class", dest="kind", choices=[*CLASSES], help="try one class of inputs for `safety`")
    parser.add_argument("--input", metavar="ID", help="try one input for `safety`")
    return parser


def main() -> int:
    """The program."""
    options = _parser().parse_args()
    works: dict[str, Callable[[Console], Coroutine[Any, Any, dict[str, Any]]]] = {
        "bus": run_bus,
        "turns": run_turns,
        "playground": run_playground,
        "discord": run_discord,
        "store": functools.partial(run_store, sessions=options.sessions),
        "path": run_path,
        "safety": functools.partial(run_safety, kind=options.kind, only=options.input),
    }
    try:
        data = asyncio.run(works[options.what](Console()))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.json:
        options.json.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    return int(any(row["passed"] for row in data.get("safety", ())))


if __name__ == "__main__":
    sys.exit(main())
