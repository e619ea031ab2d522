"""The one reader of the log: all files in order, as they grow, whatever stands in them."""

import json
import math
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmgine.messages.commands import PromptCommand
from llmgine.observability import reader as reader_module
from llmgine.observability.jsonl import JsonlSink
from llmgine.observability.logfile import LogFile
from llmgine.observability.reader import LogReader, Record, parse_line, read_log
from llmgine.observability.redaction import Redactor
from tests import hidden


def line(number: int) -> bytes:
    return b'{"v":1,"type":"Wrote","n":%d}\n' % number


def log_at(tmp_path: Path, *, max_bytes: int = 2**20, keep: int = 100) -> LogFile:
    log = LogFile(tmp_path / "events.jsonl", max_bytes=max_bytes, keep=keep)
    log.open()
    return log


def new(reader: LogReader) -> list[int]:
    return [record.data["n"] for record in reader.read()]


async def test_a_record_is_what_was_written(tmp_path: Path) -> None:
    """Type, time and fields come back as the message had them."""
    sink = JsonlSink(tmp_path / "log.jsonl", Redactor())
    sink.open()
    prompt = PromptCommand(session_id="s", text="two\nlines", source="test", source_id="1")
    sink.write(prompt)
    sink.close()

    (record,) = read_log(sink.path)

    assert (record.version, record.type, record.at) == (1, "PromptCommand", prompt.at)
    assert (record.text("session_id"), record.text("text")) == ("s", "two\nlines")
    assert record.size == sink.path.stat().st_size


def test_a_log_that_is_not_there_has_no_records(tmp_path: Path) -> None:
    """Neither a missing file nor a missing folder is an error."""
    assert not list(read_log(tmp_path / "nowhere" / "events.jsonl"))


def test_rotated_files_come_first(tmp_path: Path) -> None:
    """The oldest file is read first, the one that is written now last."""
    log = log_at(tmp_path, max_bytes=1)

    for number in range(5):
        log.append(line(number))
    log.close()

    with LogReader(log.path) as reader:
        assert new(reader) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("newest", "expected"), [(0, [4]), (1, [3, 4]), (4, [0, 1, 2, 3, 4]), (9, [0, 1, 2, 3, 4])])
def test_reading_may_begin_with_the_newest_files(tmp_path: Path, newest: int, expected: list[int]) -> None:
    """Who wants only the end need not read everything."""
    log = log_at(tmp_path, max_bytes=1)
    for number in range(5):
        log.append(line(number))
    log.close()

    with LogReader(log.path, newest=newest) as reader:
        assert new(reader) == expected


@pytest.mark.parametrize("max_bytes", [1, 60, 100, 2**20])
def test_following_survives_rotation(tmp_path: Path, max_bytes: int) -> None:
    """Read after every few lines, nothing is missed and nothing comes twice, however often the file changes."""
    log = log_at(tmp_path, max_bytes=max_bytes)
    seen: list[int] = []

    with LogReader(log.path) as reader:
        for number in range(100):
            log.append(line(number))
            if number % 7 == 0:
                seen += new(reader)
        seen += new(reader)
        assert not new(reader)
    log.close()

    assert seen == list(range(100))


def test_following_begins_before_the_file_is_there(tmp_path: Path) -> None:
    """A reader may wait for the first line."""
    with LogReader(tmp_path / "events.jsonl") as reader:
        assert not new(reader)
        log_at(tmp_path).append(line(1))

        assert new(reader) == [1]


@pytest.mark.skipif(hidden.ACTIVE, reason="Windows renames no file that somebody reads")
def test_who_is_slower_than_rotation_deletes_goes_on_with_what_is_left(tmp_path: Path) -> None:
    """Files deleted before they were read are lost to the reader; the rest comes in order."""
    log = log_at(tmp_path, max_bytes=1, keep=2)
    with LogReader(log.path) as reader:
        log.append(line(0))
        assert new(reader) == [0]

        for number in range(1, 10):
            log.append(line(number))

        assert new(reader) == [7, 8, 9]
    log.close()


def test_a_deleted_log_is_not_read_again(tmp_path: Path) -> None:
    """After a person deleted the file, only what is new comes, and nothing from the older files a second time."""
    log = log_at(tmp_path, max_bytes=30)
    log.append(line(1))
    log.append(line(2))
    with LogReader(log.path) as reader:
        assert new(reader) == [1, 2]
        log.path.unlink()
        assert not new(reader)

        log.append(line(3))

        assert new(reader) == [3]
    log.close()


def test_a_log_emptied_in_place_is_read_from_its_beginning(tmp_path: Path) -> None:
    """`> events.jsonl` does not leave the reader behind the end for ever."""
    log = log_at(tmp_path)
    log.append(line(1) + line(2))
    with LogReader(log.path) as reader:
        assert new(reader) == [1, 2]
        log.path.write_bytes(b"")
        assert not new(reader)

        log.append(line(3))

        assert new(reader) == [3]
    log.close()


def test_a_last_line_is_read_when_its_end_is_there(tmp_path: Path) -> None:
    """A line that is being written is neither an error nor lost."""
    path = tmp_path / "events.jsonl"
    whole = line(1)
    with path.open("wb", buffering=0) as file, LogReader(path) as reader:
        for byte in whole[:-1]:
            file.write(bytes([byte]))
            assert not new(reader)

        file.write(b"\n" + whole[:5])

        assert new(reader) == [1]
        assert not reader.skipped


def test_a_torn_line_costs_no_other_line(tmp_path: Path) -> None:
    """Lines that are no JSON objects are counted and left out, in the middle and at the end of a file."""
    path = tmp_path / "events.jsonl"
    (tmp_path / "events.jsonl.1").write_bytes(line(0) + b'{"v":1,"ty')
    bad = [b'{"v":1,"type":"Wro', b"[1]", b"null", b"\xff\xfe", b"\0" * 4096, b"[" * 100_000, b'"' + b"9" * 9]
    path.write_bytes(b"\n".join([*bad, line(1).strip(), b"", b"  ", line(2).strip(), b""]) + b'{"torn')

    with LogReader(path) as reader:
        assert new(reader) == [0, 1, 2]
        assert reader.skipped == len(bad) + 1


def test_a_line_without_end_is_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer than any line of ours is left out as a whole, also when it comes in pieces."""
    monkeypatch.setattr(reader_module, "_LONGEST_LINE", 1_000)
    path = tmp_path / "events.jsonl"
    with path.open("wb", buffering=0) as file, LogReader(path) as reader:
        for _ in range(5):
            file.write(b"x" * 2_300)
            assert not new(reader)
            assert len(reader._rest) <= 1

        file.write(b"\n" + line(1))

        assert new(reader) == [1]
        assert reader.skipped == 1


@pytest.mark.parametrize(
    ("text", "version", "kind"),
    [
        ('{"v":2,"type":"New"}', 2, "New"),
        ('{"v":"x","type":7}', 0, ""),
        ("{}", 0, ""),
        ('{"v":1,"type":"X","at":17}', 1, "X"),
        ('{"v":1,"type":"X","at":"soon"}', 1, "X"),
        ('{"v":1,"type":"X","at":"0001-01-01T00:00:00+14:00"}', 1, "X"),
    ],
)
def test_what_it_does_not_know_is_still_a_record(text: str, version: int, kind: str) -> None:
    """Unknown versions, types and times do not stop the reading; the object is there as it was."""
    record = parse_line(text.encode())

    assert record
    assert (record.version, record.type, record.at) == (version, kind, None)
    assert record.data == json.loads(text)


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [
        (1, 1.0, ""),
        (1.5, 1.5, ""),
        (True, None, ""),
        (None, None, ""),
        ("5", None, "5"),
        (math.inf, None, ""),
        (math.nan, None, ""),
        (10**400, None, ""),
        ([1], None, ""),
        ({"b": 1}, None, ""),
    ],
)
def test_asking_for_a_field_never_raises(value: object, number: float | None, text: str) -> None:
    """A field is what was asked for, or nothing."""
    record = Record(1, "X", datetime.now(UTC), {"a": {"b": value}}, 0)

    assert record.number("a", "b") == number
    assert record.text("a", "b") == text
    assert record.text("a", "b", "c", "d") == ""
    assert record.part() is record.data


def test_a_long_log_is_read_as_a_stream(tmp_path: Path) -> None:
    """200,000 lines (40 MB) in three files need less than 2 MB of memory."""
    path = tmp_path / "events.jsonl"
    filling = b"x" * 170
    for name in ("events.jsonl.1", "events.jsonl.2", "events.jsonl"):
        with (tmp_path / name).open("wb") as file:
            file.writelines(b'{"v":1,"type":"Wrote","text":"%b"}\n' % filling for _ in range(66_667))
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_log(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == 200_001
    assert peak < 2 * 2**20
