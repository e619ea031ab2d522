"""The log is put aside by size, and nothing is lost at the seam, whoever writes."""

import asyncio
import errno
import json
import os
import shutil
import stat
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from llmgine.messages.events import Event
from llmgine.observability.jsonl import JsonlSink
from llmgine.observability.logfile import LogFile, rotated_files
from llmgine.observability.reader import LogReader, read_log
from llmgine.observability.redaction import Redactor
from llmgine.platforms import FileLock
from tests.processes import ending
from tests.waiting import patience

LINE = b'{"n":1}\n'


class Wrote(Event):
    value: int | str


def sink_at(path: Path, *, max_bytes: int, keep: int = 1_000) -> JsonlSink:
    sink = JsonlSink(path, Redactor(), max_bytes=max_bytes, keep=keep)
    sink.open()
    return sink


def values(path: Path) -> list[object]:
    return [record.data["value"] for record in read_log(path)]


def file_at(path: Path, **bounds: int) -> LogFile:
    file = LogFile(path, **{"max_bytes": 2**20, "keep": 3, **bounds})
    file.open()
    return file


async def test_a_full_file_is_put_aside_and_nothing_is_lost(tmp_path: Path) -> None:
    """Every line is in one of the files, in order, and no file is larger than it may be."""
    path = tmp_path / "events.jsonl"
    sink = sink_at(path, max_bytes=1_000)

    for number in range(200):
        sink.write(Wrote(value=number))
        sink.flush()
    sink.close()

    files = [file for _, file in rotated_files(path)]
    assert len(files) > 10
    assert all(file.stat().st_size <= 1_000 for file in (*files, path))
    assert values(path) == list(range(200))


async def test_every_file_is_its_owners_alone(tmp_path: Path) -> None:
    """What was put aside is as private as what is written."""
    path = tmp_path / "events.jsonl"
    sink = sink_at(path, max_bytes=1)

    for number in range(3):
        sink.write(Wrote(value=number))
        sink.flush()
    sink.close()

    modes = {stat.S_IMODE(file.stat().st_mode) for file in files_of(path)}
    assert modes == {0o600}


async def test_only_so_many_old_files_are_kept(tmp_path: Path) -> None:
    """The oldest goes when there are more than `keep`."""
    path = tmp_path / "events.jsonl"
    sink = sink_at(path, max_bytes=1, keep=3)

    for number in range(10):
        sink.write(Wrote(value=number))
        sink.flush()
    sink.close()

    assert values(path) == [6, 7, 8, 9]


async def test_a_line_larger_than_a_file_is_written_whole(tmp_path: Path) -> None:
    """One group of lines is never split; it then has a file of its own."""
    path = tmp_path / "events.jsonl"
    sink = sink_at(path, max_bytes=300)

    for value in ("small", "x" * 5_000, "small again"):
        sink.write(Wrote(value=value))
        sink.flush()
    sink.close()

    assert values(path) == ["small", "x" * 5_000, "small again"]
    assert len(rotated_files(path)) == 2


def test_a_clock_set_back_does_not_change_the_order(tmp_path: Path) -> None:
    """A file put aside later has a higher number, whatever the clock says."""
    path = tmp_path / "events.jsonl"
    future = tmp_path / "events.jsonl.99990101000000000000"
    future.write_bytes(b'{"n":0}\n')
    file = file_at(path, max_bytes=1)

    file.append(LINE)
    file.append(b'{"n":2}\n')
    file.close()

    assert [record.data["n"] for record in read_log(path)] == [0, 1, 2]


@pytest.mark.parametrize("name", ["events.jsonl.old", "events.jsonl.1.gz", "events.jsonl.²", "other.jsonl.1"])
def test_other_files_are_left_alone(tmp_path: Path, name: str) -> None:
    """Only what was put aside is counted and deleted."""
    path = tmp_path / "events.jsonl"
    (tmp_path / name).write_text("mine")
    file = file_at(path, max_bytes=1, keep=1)

    for _ in range(4):
        file.append(LINE)
    file.close()

    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("bounds", [{"max_bytes": 0}, {"keep": 0}])
def test_bounds_that_could_hold_nothing_are_refused(tmp_path: Path, bounds: dict[str, int]) -> None:
    """A wrong bound is said when the log is made, not when it is full."""
    with pytest.raises(ValueError, match="at least 1"):
        file_at(tmp_path / "log", **bounds)


@pytest.mark.parametrize("delete", [Path.unlink, lambda path: shutil.rmtree(path.parent)])
def test_what_was_deleted_is_made_anew(tmp_path: Path, delete: Callable[[Path], None]) -> None:
    """A person may delete the log, or its folder, while the program runs; it goes on in a new one."""
    path = tmp_path / "logs" / "events.jsonl"
    file = file_at(path)
    file.append(LINE)
    delete(path)

    file.append(b'{"n":2}\n')
    file.close()

    assert path.read_bytes() == b'{"n":2}\n'


def test_a_folder_that_does_not_let_us_rotate_still_gets_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that grows is better than no log."""

    def refuse(*_args: object) -> None:
        raise PermissionError(errno.EACCES, "no")

    path = tmp_path / "events.jsonl"
    file = file_at(path, max_bytes=1)
    file.append(LINE)
    monkeypatch.setattr(os, "rename", refuse)

    file.append(LINE)
    file.close()

    assert path.read_bytes() == LINE * 2


def test_what_another_process_tore_is_ended_first(tmp_path: Path) -> None:
    """A writer that died in the middle of a line costs the others none of theirs."""
    path = tmp_path / "events.jsonl"
    file = file_at(path)
    file.append(LINE)
    with path.open("ab") as other:
        other.write(b'{"n":')

    file.append(LINE)
    file.close()

    assert path.read_bytes().splitlines() == [LINE.strip(), b'{"n":', LINE.strip()]


async def test_while_another_process_writes_lines_wait(tmp_path: Path) -> None:
    """The event loop is not held up; what waits is written once the other is done."""
    path = tmp_path / "events.jsonl"
    sink = sink_at(path, max_bytes=2**20)
    other = FileLock(tmp_path / "events.jsonl.lock")
    assert other.acquire()

    sink.write(Wrote(value="waits"))
    sink.flush()
    assert values(path) == []
    other.close()

    async with patience("the line"):
        while not values(path):  # noqa: ASYNC110  a file tells nobody when it changes
            await asyncio.sleep(0.002)
    sink.close()


async def test_a_writer_that_was_stopped_does_not_stop_the_others(tmp_path: Path) -> None:
    """A process that holds the lock and does not go on is waited for only a moment, also when closing."""
    path = tmp_path / "events.jsonl"
    sink = sink_at(path, max_bytes=1)
    other = FileLock(tmp_path / "events.jsonl.lock")
    assert other.acquire()

    sink.write(Wrote(value="first"))
    sink.close()

    other.close()
    assert values(path) == ["first"]
    assert not rotated_files(path)


async def test_between_two_writes_nobody_has_the_log_open(tmp_path: Path) -> None:
    """Windows renames no open file, so the other process could never rotate it."""
    path = tmp_path / "events.jsonl"
    sink = sink_at(path, max_bytes=2**20)
    sink.write(Wrote(value=1))
    sink.flush()

    ours = [os.fstat(int(file)) for file in os.listdir("/proc/self/fd") if Path(f"/proc/self/fd/{file}").exists()]  # noqa: ASYNC240, PTH208  a test may wait

    assert path.stat().st_size
    assert not [file for file in ours if os.path.samestat(file, path.stat())]
    sink.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from llmgine.messages.events import Event
from llmgine.observability.jsonl import JsonlSink
from llmgine.observability.redaction import Redactor

class Wrote(Event):
    who: str
    number: int

async def main():
    sink = JsonlSink(Path(sys.argv[1]), Redactor(), max_bytes=20_000, keep=1_000)
    sink.open()
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(3_000):
        sink.write(Wrote(who=sys.argv[2], number=number))
        if number % 7 == 0:
            sink.flush()
        if number % 50 == 0:
            await asyncio.sleep(0)
    sink.close()

asyncio.run(main())
"""


async def test_two_processes_share_one_log(tmp_path: Path) -> None:
    """Both rotate the same file again and again: no line is lost, torn, doubled, or out of its writer's order.

    A reader that follows sees the same.
    """
    path = tmp_path / "events.jsonl"
    writers = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", WRITER, str(path), who),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for who in ("bot", "terminal")
    ]
    followed: list[dict[str, object]] = []
    async with AsyncExitStack() as stack:
        for writer in writers:
            await stack.enter_async_context(ending(writer))
        for writer in writers:
            assert writer.stdin
            assert writer.stdout
            await writer.stdout.readline()
        for writer in writers:
            assert writer.stdin
            writer.stdin.write(b"go\n")
        outcomes = asyncio.gather(*(writer.wait() for writer in writers))
        with LogReader(path) as reader:
            while not outcomes.done():
                followed += [record.data for record in reader.read()]
                await asyncio.sleep(0)
            followed += [record.data for record in reader.read()]

    assert [writer.returncode for writer in writers] == [0, 0], await outcomes
    lines = [json.loads(line) for file in files_of(path) for line in file.read_bytes().splitlines()]
    for who in ("bot", "terminal"):
        assert [line["number"] for line in lines if line["who"] == who] == list(range(3_000))
    assert followed == lines
    assert len(rotated_files(path)) > 5


def files_of(path: Path) -> list[Path]:
    return [*(file for _, file in rotated_files(path)), path]


@pytest.fixture
def small_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let so many more bytes fit on the disk: a write past them is cut short, the next one fails."""
    write, room = os.write, [2**30]

    def cut(file: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(file, data[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", cut)
    return lambda size: room.__setitem__(0, size)


async def test_a_disk_that_fills_up_tears_one_line_at_most(
    tmp_path: Path, small_disk: Callable[[int], None], caplog: pytest.LogCaptureFixture
) -> None:
    """What fits is kept, the failure is said once, and once there is room again whole lines follow."""
    path = tmp_path / "events.jsonl"
    sink = sink_at(path, max_bytes=2**20)

    def write(value: str) -> None:
        sink.write(Wrote(value=value))
        sink.flush()

    write("before")
    small_disk(100)
    for value in ("torn", "lost", "lost too"):
        write(value)
    small_disk(2**30)
    write("after")
    sink.close()

    assert values(path) == ["before", "after"]
    assert len(path.read_bytes().splitlines()) == 3
    assert len([record for record in caplog.records if "cannot be written" in record.getMessage()]) == 1
