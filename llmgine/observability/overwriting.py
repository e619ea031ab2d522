"""Erasing lines of a log where they are: what is left of a line is followed by spaces, so that its length stays.

So the writers are not disturbed, nor are readers: no file is replaced and no line moves. Killed in the middle, one line
is unreadable; as nobody can tell whose it is, the next time it becomes spaces.
"""

import io
import json
import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from llmgine.messages.without_person import Person, without_denial, without_quotes_of_bot
from llmgine.observability.logfile import rotated_files
from llmgine.observability.reader import parse_line
from llmgine.platforms import FileLock

# What is left of a line: that something happened and when, how long it took, and what it cost.
_LEFT = (
    *("v", "type", "id", "at", "session_id", "trace_id", "span_id", "parent_id", "turn_id", "round", "place"),
    *("attempt", "state", "model", "usage", "seconds", "first_token_seconds", "command_id", "command_type"),
)
# By this the turns of such lines are known, should the work have been interrupted.
_MARK = ("forgotten", True)
_MARKED = b'"forgotten":true}'
# In place of the first character, while a line is being overwritten: one of theirs, or another one.
_BROKEN_THEIRS, _BROKEN = b"x", b"y"
_TRACE = re.compile(rb'"trace_id":"([^"\\]*)"')
_TURN = re.compile(rb'"turn_id":"([^"\\]*)"')
_ID, _COMMAND = re.compile(rb'"id":(\d+),"at":'), re.compile(rb'"command_id":(\d+)')
_QUOTES = (b'"quoted":{"author":null', b'"first":{"author":null', b'"kind":"forwarded","author":null')
_DECIDED, _RESULT = b'"decided_by":{', b'"result":{'
_LONGEST_LINE = 16 * 2**20  # bytes; as in the reader
_FIRST_TIME = 10**19  # a rotated file with a smaller number was not named by when it was rotated, so not by us
# How a line of ours begins, also one whose overwriting was interrupted. Others in the file are left as they are.
_OURS = re.compile(rb'{"v":|[xy](?:"v":|  )')


@dataclass
class Forgetting:
    """Erases a person's lines from logs; see `run`.

    Attributes:
        person: Who.
        until: Lines of theirs are erased that are not younger than this; those of their turns in any case.
        turns: The turns that are theirs, as far as the store knows; more are found in the log.
        sessions: Sessions in which nobody else speaks: all their lines are erased.
        places: Where they were answered: what others quoted there of the bot may be what it answered them.
        is_stopped: Asked after each line; the work ends early when it says so.
    """

    person: Person
    until: datetime
    turns: Collection[str] = ()
    sessions: Collection[str] = ()
    places: Collection[str] = ()
    is_stopped: Callable[[], bool] = lambda: False
    _known_turns: set[bytes] = field(init=False, default_factory=set)
    _known_traces: set[bytes] = field(init=False, default_factory=set)
    _known_commands: set[bytes] = field(init=False, default_factory=set)  # what was done to their turns
    _denied: set[tuple[str, str]] = field(init=False, default_factory=set)  # turns with calls that the person denied

    def run(self, log: Path) -> int:
        """Erase the lines in all files of a log; blocks.

        Args:
            log: The file that is written now; those that were rotated are beside it.

        Returns:
            How many lines were changed.

        Raises:
            OSError: A file cannot be read or written.
        """
        self._known_turns |= {turn.encode() for turn in self.turns}
        for _, line, _ in _lines(log, self.is_stopped):
            self._learn(line)
        changed = 0
        for file, line, start in _lines(log, self.is_stopped):
            new = self._erased(line)
            if new is not None:
                _overwrite(file, start, line, new, _BROKEN_THEIRS if self._is_theirs(line) else _BROKEN)
                changed += 1
        return changed

    def _learn(self, line: bytes) -> None:
        """Note the turn and the trace of a line that is theirs."""
        if self.person.id.encode() in line:
            record = parse_line(line)
            if record is not None and self.person.is_author(record.data) and self._is_before(record.at):
                self._known_traces.update(_TRACE.findall(line))
        if _DECIDED in line:
            record = parse_line(line)
            call = record.data.get("call") if record is not None and self.person.has_decided(record.data) else None
            if record is not None and isinstance(call, dict) and record.data.get("approved") is False:
                self._denied.add((str(record.data.get("turn_id")), str(call.get("id"))))
        if line.startswith(_BROKEN_THEIRS) or _MARKED in line:
            self._known_traces.update(_TRACE.findall(line))
        if not self._known_traces.isdisjoint(_TRACE.findall(line)):
            self._known_turns.update(_TURN.findall(line))
        if not self._known_turns.isdisjoint(_TURN.findall(line)):
            self._known_commands.update(_ID.findall(line))

    def _erased(self, line: bytes) -> bytes | None:
        """What a line becomes; None for one that stays."""
        record = parse_line(line) if self._may_concern(line) else None
        if record is None:
            return None if _is_whole(line) else b""
        data = record.data
        is_theirs = self._is_theirs(line) or str(data.get("session_id")) in self.sessions
        if is_theirs and not data.get(_MARK[0]):
            left = {key: data[key] for key in _LEFT if data.get(key) is not None}
            data = data if left == {key: one for key, one in data.items() if one is not None} else left | dict([_MARK])
        elif not is_theirs and not self._is_before(record.at):
            return None
        elif _quotes_bot(line) and data.get("place") in self.places:
            data = without_quotes_of_bot(data)
        result = data.get("result")
        if isinstance(result, dict) and (str(data.get("turn_id")), str(result.get("call_id"))) in self._denied:
            data = {**data, "result": without_denial(result)}
        new = self.person.taken_out(data)
        return None if new == record.data else json.dumps(new, ensure_ascii=False, separators=(",", ":")).encode()

    def _may_concern(self, line: bytes) -> bool:
        has_id = self.person.id.encode() in line or _quotes_bot(line) or (bool(self._denied) and _RESULT in line)
        return has_id or self._is_theirs(line) or any(one.encode() in line for one in self.sessions)

    def _is_theirs(self, line: bytes) -> bool:
        turns, traces = _TURN.findall(line), _TRACE.findall(line)
        if not (self._known_turns.isdisjoint(turns) and self._known_traces.isdisjoint(traces)):
            return True
        return not self._known_commands.isdisjoint(_COMMAND.findall(line))

    def _is_before(self, at: datetime | None) -> bool:
        return at is None or at <= self.until


def _quotes_bot(line: bytes) -> bool:
    return any(quote in line for quote in _QUOTES)


def erase_older(log: Path, before: datetime) -> None:
    """Erase what a log has from before a time: whole files, and the beginnings of those that go on after it; blocks.

    Only lines of ours are erased, see `_lines_of`.

    Raises:
        OSError: A file cannot be read, written or deleted.
    """
    oldest = int(before.strftime("%Y%m%d%H%M%S%f"))
    for number, path in rotated_files(log):
        if _FIRST_TIME <= number < oldest:
            path.unlink(missing_ok=True)
    for path in (*(path for _, path in rotated_files(log)), log):
        for file, line, start in _lines_of(path, log):
            record = parse_line(line)
            if record is not None and record.at is not None and record.at >= before:
                break
            _overwrite(file, start, line, b"")


def _lines(log: Path, is_stopped: Callable[[], bool]) -> Iterator[tuple[io.FileIO, bytes, int]]:
    """Each line of a log with its file and where it begins there; those of files that are rotated meanwhile too."""
    seen: set[tuple[int, int]] = set()
    while True:
        paths = [path for path in (*(path for _, path in rotated_files(log)), log) if path.exists()]
        new = [path for path in paths if _identity(path) not in seen]
        if not new:
            return
        for path in new:
            seen.add(_identity(path))
            for found in _lines_of(path, log):
                if is_stopped():
                    return
                yield found


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:  # rotated or deleted since it was listed
        return (0, 0)
    return status.st_dev, status.st_ino


def _lines_of(path: Path, log: Path) -> Iterator[tuple[io.FileIO, bytes, int]]:
    """The lines of one file that are ours and have something in them."""
    if not path.is_file():  # a device may have no end
        return
    try:
        file = io.FileIO(path, "r+")
    except FileNotFoundError:
        return
    with file, path.open("rb") as reader:
        start, is_ours, goes_on = 0, False, False
        while line := reader.readline(_LONGEST_LINE):
            if not line.endswith(b"\n"):  # torn by a crash, or being written
                line = _rest(reader, start, log)
            is_ours = is_ours if goes_on else _OURS.match(line) is not None  # one that is too long is read in pieces
            goes_on = not line.endswith(b"\n")
            if is_ours and line.strip():
                yield file, line, start
            start += len(line)
        os.fsync(file.fileno())


def _rest(reader: io.BufferedReader, start: int, log: Path) -> bytes:
    """The last line, once nobody writes."""
    lock = FileLock(log.with_name(f"{log.name}.lock"))
    try:
        lock.acquire()
        reader.seek(start)
        return reader.readline(_LONGEST_LINE)
    finally:
        lock.close()


def _is_whole(line: bytes) -> bool:
    """Whether a line is one of ours, as far as its ends show; others are read."""
    return (line.startswith(b'{"v":') and line.rstrip().endswith(b"}")) or parse_line(line) is not None


def _overwrite(file: io.FileIO, start: int, line: bytes, new: bytes, broken: bytes = _BROKEN) -> None:
    """Put something no longer in the place of a line; what does not fit becomes spaces."""
    room = len(line) - line.endswith(b"\n")
    padded = (new if len(new) <= room else b"").ljust(room)
    # Its first character is the last one to be written: until then the line is unreadable, whatever else is.
    for place, piece in ((start, broken), (start + 1, padded[1:]), (start, padded[:1])):
        file.seek(place)
        written = 0
        while written < len(piece):
            written += file.write(piece[written:])
