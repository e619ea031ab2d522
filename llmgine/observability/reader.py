"""The one reader of the log: every line as a `Record`, over all its files, once or as it grows.

    for record in read_log(Path("logs/events.jsonl")):
        print(record.at, record.type, record.text("turn_id"))

A line is one JSON object. `v` is the version of what all lines have in common, now 1:

    v, type, id, at, session_id, trace_id, span_id, parent_id

`type` is the name of the message's class; the other fields are that class's own (see messages/ and events.py beside
this file). A reader must expect types, fields and versions it does not know, and lines that are torn.
"""

import io
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from llmgine.observability.logfile import rotated_files

_LONGEST_LINE = 16 * 2**20  # bytes; what is longer is not one of our lines, and is not kept in memory


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the log. Read its fields with `text`, `number` and `part`, which never raise.

    Attributes:
        version: 1, or another number where a newer program wrote; 0 where the line does not say.
        type: The name of the message's class; empty where the line does not say.
        at: When the message was built, in UTC.
        data: The whole object.
        size: Bytes of the line.
    """

    version: int
    type: str
    at: datetime | None
    data: dict[str, Any]
    size: int

    def part(self, *path: str) -> Any:
        """The value at the path of keys, or None."""
        value: Any = self.data
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def text(self, *path: str) -> str:
        """The text at the path; empty where there is none."""
        value = self.part(*path)
        return value if isinstance(value, str) else ""

    def number(self, *path: str) -> float | None:
        """The number at the path; None where there is none, or an infinite one."""
        value = self.part(*path)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        try:
            return float(value) if math.isfinite(value) else None
        except OverflowError:  # JSON's integers have no bound
            return None


def read_log(path: Path) -> Iterator[Record]:
    """Every record there is, oldest first, those of rotated files before those of `path`.

    A log that is not there has no records. For one that grows, and to count bad lines, use `LogReader`.
    """
    with LogReader(path) as reader:
        yield from reader.read()


class LogReader:
    """Reads a log, and continues where it stopped, also when files were rotated in between.

    Args:
        path: The file that is written now.
        newest: Begin with this many of the rotated files; None with all.

    Attributes:
        skipped: How many lines could not be read.
    """

    def __init__(self, path: Path, *, newest: int | None = None) -> None:
        self.path = path
        self.skipped = 0
        self._file: io.BufferedReader | None = None
        self._number: int | None = None  # of the open file; None for the one that is written now
        self._last = -1  # number of the last file that was read to its end
        self._rest = b""  # the beginning of a line whose end is not written yet
        self._too_long = False
        if newest is not None:
            numbers = [number for number, _ in rotated_files(path)]
            self._last = numbers[-newest - 1] if len(numbers) > newest else -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def read(self) -> Iterator[Record]:
        """What was written since the last call, to the end of what is there now.

        A last line without its end is kept for the next call. Leave no call unfinished before the next.

        Raises:
            OSError: A file is there and cannot be read.
        """
        while self._file is not None or self._open_next():
            yield from self._read_file()
            if not self._is_done():
                return
            yield from self._read_file()  # what came after our last read
            self._leave()

    def _open_next(self) -> bool:
        """Open the oldest file not read yet. Whether there is one."""
        while True:
            number, path = next(((n, p) for n, p in rotated_files(self.path) if n > self._last), (None, self.path))
            try:
                self._file = path.open("rb")
            except FileNotFoundError:  # rotated or deleted since we looked
                if number is None and not self._has_newer():
                    return False
                self._last = self._last if number is None else number
                continue
            if number is None and self._has_newer():  # rotated since we looked: the file we want has a number now
                self._file.close()
                continue
            self._number = number
            return True

    def _has_newer(self) -> bool:
        return any(number > self._last for number, _ in rotated_files(self.path))

    def _is_done(self) -> bool:
        """Whether nothing will be added to the open file."""
        if self._number is not None or self._file is None:
            return True
        now = os.fstat(self._file.fileno())
        if now.st_size < self._file.tell():  # somebody emptied it
            self._file.seek(0)
            self._rest = b""
        try:
            return not os.path.samestat(now, self.path.stat())
        except FileNotFoundError:
            return True

    def _leave(self) -> None:
        if self._file is None:
            return
        if self._number is None:  # it was the one being written, and has been rotated or deleted
            here = os.fstat(self._file.fileno())
            for number, path in rotated_files(self.path):
                if number > self._last and _is_file(path, here):
                    self._number = number
        self._last = self._last if self._number is None else self._number
        self._file.close()
        self._file = None
        self.skipped += bool(self._rest)
        self._rest, self._too_long = b"", False

    def _read_file(self) -> Iterator[Record]:
        while self._file is not None and (piece := self._file.readline(_LONGEST_LINE)):
            line = self._rest + piece
            if not piece.endswith(b"\n"):
                self._too_long = self._too_long or len(line) >= _LONGEST_LINE
                self._rest = line[-1:] if self._too_long else line
                continue
            self._rest = b""
            if self._too_long or (record := parse_line(line)) is None:
                self.skipped += bool(line.strip())
                self._too_long = False
            else:
                yield record


def parse_line(line: bytes) -> Record | None:
    """The record of a line, or None if it is not a JSON object."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    version, kind = data.get("v"), data.get("type")
    return Record(
        version=version if isinstance(version, int) else 0,
        type=kind if isinstance(kind, str) else "",
        at=_time(data.get("at")),
        data=data,
        size=len(line),
    )


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def _is_file(path: Path, stat: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), stat)
    except OSError:
        return False
