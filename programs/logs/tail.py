"""`tail`: the last lines of the log, and new ones as they come."""

import time
from collections import deque
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

from llmgine.observability.logfile import rotated_files
from llmgine.observability.reader import LogReader, Record
from programs.logs.selection import Selection
from programs.logs.texts import Level, describe, level, one_line

_LOOK_AGAIN = 0.2  # seconds
_LONGEST = 2_000  # characters of a description in a pipe; a terminal shows what fits
_COLOURS = {Level.DEBUG: "dim", Level.INFO: "green", Level.WARNING: "yellow", Level.ERROR: "bold red"}


def tail(path: Path, selection: Selection, *, count: int, follow: bool, out: TextIO) -> None:
    """Show the last `count` chosen records, then new ones until interrupted. Only a terminal gets colours."""
    console = Console(file=out, highlight=False)
    reader, records = _last(path, selection, count)
    with reader:
        for record in records:
            _show(record, console)
        while follow:
            out.flush()
            time.sleep(_LOOK_AGAIN)
            for record in reader.read():
                if record in selection:
                    _show(record, console)


def _last(path: Path, selection: Selection, count: int) -> tuple[LogReader, deque[Record]]:
    """The last records, and the reader that continues after them. Older files are read only if needed."""
    newest = 1
    while True:
        reader = LogReader(path, newest=newest)
        records = deque((record for record in reader.read() if record in selection), count)
        there = len(rotated_files(path))
        if len(records) == count or there <= newest:
            return reader, records
        reader.close()
        newest = there


def _show(record: Record, console: Console) -> None:
    weight = level(record)
    if not console.is_terminal:
        at = record.at.isoformat(timespec="milliseconds") if record.at else "-"
        words = (at, weight.name, record.text("session_id") or "-", record.type or "?")
        console.file.write(
            f"{' '.join(one_line(word, 200) for word in words)} {one_line(describe(record), _LONGEST)}\n"
        )
        return
    at = f"{record.at.astimezone():%H:%M:%S.%f}"[:-3] if record.at else ""
    line = Text.assemble(
        (f"{at:<12} ", "dim"),
        (f"{one_line(record.type, 40) or '?'} ", _COLOURS[weight]),
        (f"{one_line(record.text('session_id'), 40)} ", "cyan"),
        one_line(describe(record), console.width),
    )
    console.print(line, no_wrap=True, overflow="ellipsis")
