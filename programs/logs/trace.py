"""`trace`: one turn as a tree in the terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

from programs.logs.spans import Span, build
from programs.logs.texts import one_line, seconds
from programs.logs.turn_records import Summary, find_turn, summarize

_WIDEST = 90  # columns of lines before a name; what is deeper is not indented further
_LONGEST = 200  # characters of a line in a pipe
_NAME = 52  # columns of the tree before the durations
_COLOURS = {
    "failed": "bold red",
    "denied": "yellow",
    "expired": "yellow",
    "stopped": "yellow",
    "retried": "yellow",
    "waiting": "yellow",
    "running": "yellow",
}


def trace(path: Path, wanted: str, out: TextIO) -> None:
    """Print the turn's tree.

    Raises:
        UserError: There is no such turn, or more than one.
    """
    console = Console(file=out, highlight=False)
    turn_id, records = find_turn(path, wanted)
    roots = build(records)
    console.print(_title(summarize(turn_id, records)), soft_wrap=True)
    begin = min((root.start for root in roots), default=None)
    for branch, span in _branches(roots):
        after = (span.start - begin).total_seconds() if begin else 0.0
        line = _line(branch, span, after)
        if console.is_terminal:
            console.print(line, no_wrap=True, overflow="ellipsis")
        else:
            out.write(f"{line.plain.rstrip()}\n")


def _branches(roots: list[Span]) -> Iterator[tuple[str, Span]]:
    """Every span with the lines that lead to it, parents before children; as deep as it may be."""
    stack = [("", "", root) for root in reversed(roots)]
    while stack:
        under, branch, span = stack.pop()
        yield branch, span
        for child in reversed(span.children):
            last = child is span.children[-1]
            deeper = (under + ("   " if last else "│  "))[-_WIDEST:]
            stack.append((deeper, under + ("└─ " if last else "├─ "), child))


def _title(summary: Summary) -> Text:
    facts = [
        f"turn {summary.id}",
        summary.session,
        summary.state,
        seconds(summary.seconds),
        f"{summary.at.astimezone():%Y-%m-%d %H:%M:%S}" if summary.at else "",
    ]
    return Text(" · ".join(one_line(fact, 80) for fact in facts if fact), style="bold")


def _line(branch: str, span: Span, after: float) -> Text:
    """When it began, the tree, how long it took, its state, and what it was about."""
    state = "" if span.state in {"", "ok", "done"} else span.state
    took = "" if span.end == span.start else seconds(span.seconds) or "…"
    name = branch + one_line(span.name, 80)
    return Text.assemble(
        (f"{after:+9.3f} s  ", "dim"),
        f"{name:<{_NAME}} ",
        (f"{took:>9} ", "cyan"),
        (f"{state} " if state else "", _COLOURS.get(state, "")),
        (one_line(span.detail, _LONGEST), "dim"),
    )
