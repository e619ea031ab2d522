"""What was measured, as tables for a terminal."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from rich import box
from rich.table import Table

from programs.bench.discord import Busy
from programs.bench.draws import Draw
from programs.bench.measure import Row
from programs.bench.path import Trace
from programs.bench.quiet import OneBusy
from programs.bench.safety.run import Row as SafetyRow
from programs.bench.start import Start
from programs.bench.stored_sessions import Stored
from programs.bench.turn_cost import Streams, Turns

# The numbers of a trace, and the transactions to reach, warm / cold.
_NUMBERS = {
    "transactions": "transactions",
    "writes": "of them writes",
    "most_statements": "statements, at most",
    "files": "files",
    "functions": "functions",
    "core_files": "bot, engine, store: files",
    "core_functions": "their functions",
}
_TRANSACTIONS = {"plain": "8 / 12", "one tool call": "13 / 17", "not for the bot": "0 / 0"}

READS_A_SECOND = 0.5  # at most, of places that are quiet


def bus_table(rows: Sequence[Row]) -> Table:
    """The bus beside the floor and other buses."""
    table = _table("The bus, µs an operation", "what", "p50", "p99", "a second", "floor", "ratio", "target")
    table.add_column("times ours")
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


def turns_table(api: str, measured: Iterable[tuple[str, Turns]]) -> Table:
    """Whole turns by one API, by who ran them."""
    table = _table(
        f"{api}: turns with one tool call, the model answering at once",
        "",
        "sessions at once",
        "ms a turn, p50",
        "CPU ms a turn",
        "turns a second",
        "piece to text, ms",
    )
    for name, t in measured:
        table.add_row(name, f"{t.sessions:,}", f"{t.p50:,.1f}", f"{t.cpu:.1f}", f"{t.rate:.0f}", f"{t.first_text:,.1f}")
    return table


def streams_table(api: str, measured: Iterable[tuple[str, Streams]]) -> Table:
    """Streams by one API that flow side by side, by who read them."""
    table = _table(
        f"{api}: streams of 20 pieces a second, while all flow",
        "",
        "streams",
        "pieces a CPU second",
        "delay p50, ms",
        "delay p99, ms",
    )
    for name, s in measured:
        table.add_row(
            name, f"{s.streams}", f"{s.pieces_per_cpu_second:,.0f}", f"{s.delay_p50:,.0f}", f"{s.delay_p99:,.0f}"
        )
    return table


def busy_table(measured: Iterable[Busy]) -> Table:
    """What people wait for while many channels are active."""
    measured = list(measured)
    table = _table(
        "The bot on the playground, with Discord's limits", "", *(f"{b.channels} channels" for b in measured)
    )
    table.add_column("to stay under", justify="right")
    rows: list[tuple[str, list[str], str]] = [
        ("answers 429", [f"{sum(b.limited.values())}" for b in measured], "1"),
        ("longest wait for a preview, s", [f"{b.longest_wait:.1f}" for b in measured], ""),
        ("previews everybody got meanwhile", [f"{b.shares:.1f}" for b in measured], "2"),
        ("the model's first piece to a first text, s", [_two(b.first_text) for b in measured], "1.5 with 30"),
        ("its last piece to the whole answer, s", [_two(b.final) for b in measured], ""),
        ("slash command to its first answer, s", [_two(b.acknowledged) for b in measured], "0.5"),
        ("lag of the bot's loop, ms", [_two(b.loop_lag) for b in measured], "50"),
    ]
    for name, values, target in rows:
        table.add_row(name, *values, target)
    return table


def store_table(fresh: Stored, stored: Stored) -> Table:
    """A start, and the list of conversations, with many stored beside none."""
    table = _table("With conversations stored", "", *(f"{one.sessions:,}" for one in (fresh, stored)))
    table.add_column("to stay under", justify="right")
    both = (fresh, stored)
    slower = [(one.turn_beside[0] - one.turn[0]) * 1e3 for one in both]
    rows: list[tuple[str, list[str], str]] = [
        ("the database, GB", [f"{one.gigabytes:.2f}" for one in both], ""),
        ("ready, s", [f"{one.ready:.2f}" for one in both], "3"),
        ("a question at READY to its first text, s", [f"{one.first_turn:.2f}" for one in both], "3"),
        ("memory, MB more than before", [f"{one.megabytes:.0f}" for one in both], "20 more than with none"),
        ("/sessions, ms", [_two((one.listed[0] * 1e3, one.listed[1] * 1e3)) for one in both], "300"),
        (
            "/sessions with words nobody used, ms",
            [_two((s[0] * 1e3, s[1] * 1e3)) for s in (fresh.searched, stored.searched)],
            "300",
        ),
        ("requests for a use of /sessions", [f"{one.requests:.1f}" for one in both], "10"),
        ("a question to its first text, ms", [_two((one.turn[0] * 1e3, one.turn[1] * 1e3)) for one in both], ""),
        ("longer beside /sessions, by medians, ms", [f"{one:.1f}" for one in slower], "20"),
    ]
    for name, values, target in rows:
        table.add_row(name, *values, target)
    return table


def start_table(measured: Iterable[Start]) -> Table:
    """What people wait for when the bot starts and something was said in many places."""
    measured = list(measured)
    table = _table(
        "A start after something was said, with Discord's limits; each read of a history takes 100 ms",
        "",
        *(f"{s.places:,} {s.kind}" for s in measured),
    )
    table.add_column("to stay under", justify="right")
    rows: list[tuple[str, list[str], str]] = [
        ("ready, s", [f"{s.ready:.1f}" for s in measured], ""),
        ("a question at READY, in the quietest, to its first text, s", [f"{s.live:.2f}" for s in measured], "2"),
        ("all missed questions answered, s", [f"{s.answered:.1f} ({s.questions})" for s in measured], ""),
        ("all places read, s", [f"{s.read:.1f}" for s in measured], "130 with 5,000"),
        ("reads of histories", [f"{s.reads:,}" for s in measured], ""),
        ("all requests", [f"{sum(s.requests.values()):,}" for s in measured], ""),
        ("answers 429", [f"{s.limited}" for s in measured], "1"),
        ("transactions of the very first start", [_sum_or_none(s.first_start) for s in measured], "25"),
        ("transactions until ready", [f"{sum(s.until_ready.values()):,}" for s in measured], "25"),
        ("all transactions", [f"{sum(s.transactions.values()):,}" for s in measured], ""),
        ("CPU for each place, ms", [f"{s.cpu:.1f}" for s in measured], ""),
        ("memory, MB more than before", [f"{s.megabytes:.0f}" for s in measured], ""),
        ("lag of the bot's loop, ms", [_two(s.loop_lag) for s in measured], "50"),
    ]
    for name, values, target in rows:
        table.add_row(name, *values, target)
    return table


def one_busy_table(measured: OneBusy) -> Table:
    """What people get in the one busy channel."""
    most = measured.seconds * READS_A_SECOND
    title = (
        f"One busy channel beside {measured.quiet:,} quiet ones: {measured.questions} questions and {measured.talk:,} "
        f"other messages in {measured.seconds:.0f} s"
    )
    table = _table(title, "", "", "to stay under")
    table.add_row("a question to its first text, s", _two(measured.first_text), "1 / 2")
    table.add_row("reads of histories", f"{measured.reads}", f"{most:.0f}")
    table.add_row("answers 429", f"{measured.limited}", "1")
    table.add_row("lag of the bot's loop, ms", _two(measured.loop_lag), "50")
    return table


def draws_table(drawn: Iterable[Draw]) -> Table:
    """What drawing a turn with a long answer costs, by what is in it."""
    table = _table("A turn with 64,000 characters, CPU ms a draw", "", "while it grows", "whole", "to stay under")
    for draw in drawn:
        table.add_row(draw.name, f"{draw.growing:.1f}", f"{draw.whole:.1f}", "20")
    return table


def path_table(traces: Iterable[Trace]) -> Table:
    """What each kind of message passes through, in numbers: warm / cold."""
    by_kind: dict[str, dict[bool, Trace]] = {}
    for trace in traces:
        by_kind.setdefault(trace.kind, {})[trace.warm] = trace
    table = _table("One message through the bot: the second of its kind in a channel / the first", "", *by_kind)
    for number, meaning in _NUMBERS.items():
        pairs = ((found[True].numbers[number], found[False].numbers[number]) for found in by_kind.values())
        table.add_row(meaning, *(f"{warm} / {cold}" for warm, cold in pairs))
        if number == "transactions":
            table.add_row("to reach", *(_TRANSACTIONS.get(kind, "") for kind in by_kind))
    return table


def path_names(traces: Sequence[Trace]) -> Iterator[str]:
    """The same by name, as lines: all of what is warm, and of what is cold only what the warm one has not."""
    cold = {trace.kind: trace for trace in traces if not trace.warm}
    for trace in traces:
        if trace.warm:
            yield f"\n{trace.name}"
            yield from _names(_labels(trace), trace.functions)
            first = cold[trace.kind]
            more = Counter(_labels(first)) - Counter(_labels(trace))
            yield f"\n{first.name}, besides"
            yield from _names(tuple(more.elements()), sorted(set(first.functions) - set(trace.functions)))


def _labels(trace: Trace) -> list[str]:
    """The operations of the store: W for one that writes and r for one that reads, and how many statements it made."""
    return [f"{'W' if one.writes else 'r'} {one.name} {one.statements}" for one in trace.transactions]


def _names(transactions: Sequence[str], functions: Sequence[str]) -> Iterator[str]:
    """Operations in one line; functions in a line for each file."""
    if not transactions and not functions:
        yield "  nothing"
    if transactions:
        yield "  transactions: " + " · ".join(transactions)
    for file, names in groupby(functions, key=lambda name: name.partition(":")[0]):
        yield f"  {file}: " + ", ".join(name.partition(":")[2] for name in names)


def _sum_or_none(counts: Mapping[str, int]) -> str:
    return f"{sum(counts.values()):,}" if counts else ""


def _two(values: tuple[float, float]) -> str:
    """The median and the 99th percentile."""
    return f"{values[0]:.2f} / {values[1]:.2f}"


def _table(title: str, what: str, *numbers: str) -> Table:
    table = Table(box=box.SIMPLE, title=title, title_justify="left")
    table.add_column(what)
    for number in numbers:
        table.add_column(number, justify="right")
    return table


def safety_table(rows: Sequence[SafetyRow]) -> Table:
    """The hostile inputs by class: how many were tried, refused or made harmless, and passed."""
    table = Table(title="Hostile inputs", box=box.SIMPLE)
    for name in ("class", "tried", "refused", "passed"):
        table.add_column(name, justify="left" if name == "class" else "right")
    for row in rows:
        table.add_row(row.name, str(row.tried), str(row.refused), str(len(row.passed)))
    passed = sum(len(row.passed) for row in rows)
    tried = sum(row.tried for row in rows)
    table.add_section()
    table.add_row("all", str(tried), str(tried - passed), str(passed))
    return table


def safety_lines(rows: Sequence[SafetyRow]) -> Iterator[str]:
    """What "passed" means in each class, and the inputs that did."""
    for row in rows:
        yield f"{row.name} passed: {row.meaning}"
    for row in rows:
        for id_, tries, harms in row.passed:
            yield f"PASSED {id_}, {tries}: {'; '.join(harms)[:1_000]}"
