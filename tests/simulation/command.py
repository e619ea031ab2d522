"""The command line: many runs of one seed, what they cost, which faults happened, and what went wrong."""

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.simulation.faults import Fault
from tests.simulation.runs import Outcome, outcomes
from tests.simulation.world import Order

_TURNS_OF_A_RUN = 60
_SHOWN = 12  # broken promises of one run that are told
_clock = time.perf_counter  # the real one, before clocks are replaced


@dataclass
class Total:
    """What all runs together came to."""

    turns: int = 0
    runs: int = 0
    kills: int = 0
    stops: int = 0
    requests: int = 0
    seconds: float = 0.0
    of_a_core: float = 0.0
    virtual: float = 0.0
    faults: Counter[Fault] = field(default_factory=Counter)
    failed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome, found: list[str]) -> None:
        """One run is over."""
        self.turns += outcome.turns
        self.runs += 1
        self.kills += outcome.kills
        self.stops += outcome.stops
        self.requests += outcome.requests
        self.of_a_core += outcome.seconds
        self.virtual += outcome.virtual
        self.faults += outcome.faults
        self.failed += bool(found)
        self.kinds.update({one.partition(":")[0] for one in found})


def main(arguments: Sequence[str]) -> int:
    """The program; returns the exit code."""
    options = _parser().parse_args(arguments)
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets of texts depends on it
        command = [sys.executable, "-m", "tests.simulation", *arguments]
        if options.seed is None:
            command += ["--seed", str(secrets.randbelow(10**9))]
        return subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "0"}, check=False).returncode
    seed = secrets.randbelow(10**9) if options.seed is None else options.seed
    _say(f"seed {seed}")
    total = Total()
    begin = _clock()
    for outcome in outcomes(_orders(seed, options), jobs=options.jobs, tell=_say if options.trace else None):
        found = [words for words in outcome.broken if words.partition(":")[0] not in options.but.split(",")]
        total.add(outcome, found)
        _tell_run(outcome, found, options)
        total.seconds = _clock() - begin
        if not options.trace and total.runs % 20 == 0:
            _say(f"{total.turns:,} turns, {total.turns / total.seconds:.0f} a second, {total.failed} failed")
    _tell_total(total)
    return 1 if total.failed > options.allow else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--turns", type=int, default=2_000, help="how many questions are asked in all")
    parser.add_argument("--seed", type=int, help="what everything is drawn from; a new one without it")
    parser.add_argument("--run", type=int, help="only this run of the seed")
    parser.add_argument("--each", type=int, default=_TURNS_OF_A_RUN, help="how many questions are asked in a run")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="how many processes run them")
    parser.add_argument("--trace", action="store_true", help="tell all that happens, in one process")
    parser.add_argument("--only", default="", help="only these faults, by name, with commas between")
    parser.add_argument("--without", default="", help="all but these faults")
    parser.add_argument("--except", default="", dest="but", help="these promises are not looked at")
    parser.add_argument("--forgetful", action="store_true", help="break Discord's promise to know nonces for minutes")
    parser.add_argument("--allow", type=int, default=0, help="how many runs may fail; each is told with its seed")
    parser.add_argument("--digest", action="store_true", help="tell the hash of each run")
    return parser


def _orders(seed: int, options: argparse.Namespace) -> list[Order]:
    numbers = [options.run] if options.run is not None else range(max(1, -(-options.turns // options.each)))
    only, without = (frozenset(Fault[name] for name in names.split(",") if name) for names in _names(options))
    return [
        Order(seed, number, options.each, without=without, only=only, forgetful=options.forgetful) for number in numbers
    ]


def _names(options: argparse.Namespace) -> tuple[str, str]:
    return options.only, options.without


def _tell_run(outcome: Outcome, found: list[str], options: argparse.Namespace) -> None:
    order = outcome.order
    if options.digest:
        _say(f"run {order.number}: {outcome.digest}, {outcome.lines} lines")
    if not found:
        return
    _say(f"run {order.number} FAILED after {outcome.kills} kills, {outcome.virtual:.0f} s:")
    for words in found[:_SHOWN]:
        _say(f"  {words}")
    if len(found) > _SHOWN:
        _say(f"  … and {len(found) - _SHOWN} more")
    more = "".join(
        f" --{name} {value}" for name, value in zip(("only", "without"), _names(options), strict=True) if value
    )
    more += " --forgetful" if order.forgetful else ""
    _say(f"  python -m tests.simulation --seed {order.seed} --run {order.number} --each {order.turns}{more} --trace")


def _tell_total(total: Total) -> None:
    _say(
        f"{total.turns:,} turns in {total.runs} runs and {total.seconds:.1f} s: "
        f"{total.turns / total.seconds:.1f} turns a second, "
        f"{total.turns / total.of_a_core:.1f} in a second of a core; {total.kills} kills, {total.stops} stops, "
        f"{total.requests:,} requests, {total.virtual / 3600:.1f} virtual hours"
    )
    for fault in Fault:
        _say(f"  {fault.name:20} {total.faults[fault]:7,}")
    for kind, count in total.kinds.most_common():
        _say(f"  broken in {count} runs: {kind}")
    _say(f"{total.failed} of {total.runs} runs failed" if total.failed else "OK")


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()
