"""`uv run python -m programs.bench bus`: what LLMgine costs, as ratios measured in one run."""

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from programs.bench import bus
from programs.bench.measure import Row


def bus_table(rows: Sequence[Row]) -> Table:
    """The table of the bus, for a terminal."""
    table = Table(box=box.SIMPLE, title="The bus, µs an operation", title_justify="left")
    for name in ("what", "p50", "p99", "a second", "floor", "ratio", "target", "times ours"):
        table.add_column(name, justify="left" if name in ("what", "times ours") else "right")
    for row in rows:
        ours = row.times["ours"]
        met = row.ratio <= row.target
        table.add_row(
            row.name,
            f"{ours.p50:.2f}",
            f"{ours.p99:.2f}",
            f"{ours.rate:,.0f}",
            f"{row.times['floor'].p50:.2f}",
            f"[{'green' if met else 'red'}]{row.ratio:.2f}[/]",
            f"{row.target:g}",
            ", ".join(f"{name} {ratio:,.1f}" for name, ratio in row.peers.items()),
        )
    return table


def as_data(rows: Sequence[Row], **more: float) -> dict[str, object]:
    """The same as data."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
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


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m programs.bench", description=__doc__)
    parser.add_argument("what", choices=["bus"])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the same as data")
    options = parser.parse_args()
    data = asyncio.run(run_bus(Console()))
    if options.json:
        options.json.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
