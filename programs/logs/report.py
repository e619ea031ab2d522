"""The numbers of `stats` as tables."""

from collections.abc import Iterable, Mapping
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from programs.logs.quantiles import Quantiles
from programs.logs.stats import TROUBLES, Stats, Timed, Tokens
from programs.logs.texts import one_line, seconds

_LONGEST_NAME = 60
_WIDE = 200  # columns of what is not a terminal, so that nothing is cut


def report(stats: Stats, out: TextIO) -> None:
    """Print the tables; coloured in a terminal, plain elsewhere."""
    terminal = Console(file=out, highlight=False)
    console = terminal if terminal.is_terminal else Console(file=out, highlight=False, width=_WIDE)
    if stats.first and stats.last:
        first, last = (f"{at.astimezone():%Y-%m-%d %H:%M:%S}" for at in (stats.first, stats.last))
        console.print(f"{stats.records:,} records from {first} to {last}\n")
    else:
        console.print("No records.\n")
    console.print(_turns(stats))
    console.print(_timed("model", stats.models, tokens=True))
    console.print(_timed("tool", stats.tools, tokens=False))
    if stats.metrics:
        console.print(_metrics(stats.metrics))


def _table(title: str, *numbers: str) -> Table:
    table = Table(box=None, pad_edge=False, title_justify="left", header_style="bold")
    table.add_column(title, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _row(table: Table, name: str, cells: Iterable[str]) -> None:
    table.add_row(Text(one_line(name, _LONGEST_NAME)), *cells)


def _points(values: Quantiles) -> list[str]:
    return [seconds(values.at(part)) if values.count else "" for part in (0.5, 0.9, 0.99)]


def _turns(stats: Stats) -> Table:
    table = _table("turns", "")
    for name, count in {**stats.outcomes, "unfinished": stats.unfinished}.items():
        _row(table, name, [f"{count:,}"])
    for kind, name in TROUBLES.items():
        _row(table, name.replace("_", " "), [f"{stats.troubles[kind]:,}"])
    for name, point in zip(("p50", "p90", "p99"), _points(stats.turn_seconds), strict=True):
        _row(table, f"seconds, {name}", [point])
    for name, count in vars(stats.tokens).items():
        _row(table, f"tokens, {name}", [f"{count:,}"])
    table.add_row("")
    return table


def _timed(title: str, timed: Mapping[str, Timed], *, tokens: bool) -> Table:
    """Calls, failures and percentiles; for models, with `tokens`: first token and tokens; for tools: denied calls."""
    more = ("first p50", "p90", "p99", "tokens in", "out", "cached") if tokens else ("denied",)
    table = _table(title, "calls", "failed", "p50", "p90", "p99", *more)
    for name, one in sorted(timed.items()):
        cells = [f"{one.calls:,}", f"{one.failed:,}", *_points(one.seconds)]
        _row(table, name, cells + (_points(one.first_token) + _counts(one.tokens) if tokens else [f"{one.denied:,}"]))
    table.add_row("")
    return table


def _counts(tokens: Tokens) -> list[str]:
    return [f"{count:,}" for count in vars(tokens).values()]


def _metrics(metrics: Mapping[str, Quantiles]) -> Table:
    table = _table("metric", "count", "p50", "p90", "p99", "max")
    for name, values in sorted(metrics.items()):
        points = (*(values.at(part) for part in (0.5, 0.9, 0.99)), values.greatest)
        _row(table, name, [f"{values.count:,}", *(f"{point:.4g}" for point in points)])
    return table
