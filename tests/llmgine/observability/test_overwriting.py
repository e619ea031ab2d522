"""Erasing a person's lines from a log: the others stay as they are, and so does every line's place."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llmgine.messages.without_person import Person
from llmgine.observability import overwriting
from llmgine.observability.logfile import LogFile, rotated_files
from llmgine.observability.overwriting import Forgetting, erase_older
from llmgine.observability.reader import LogReader, read_log

ROOT = Path(__file__).parents[3]
ADA, GRACE = "111111111111111111", "222222222222222222"
NOW = datetime(2026, 11, 29, tzinfo=UTC)
WORDS = "engine-of-brass"


def line(kind: str, trace: str, *, at: datetime = NOW, **fields: object) -> str:
    head = {"v": 1, "type": kind, "id": 1, "at": at.isoformat(), "session_id": "s", "trace_id": trace}
    return json.dumps(head | fields, separators=(",", ":"))


def turn(number: int, person: str, words: str) -> list[str]:
    """The lines of a turn: the question, its admission, the answer, and what a restart said in another trace."""
    author = {"id": person, "name": "A"}
    return [
        line("PromptCommand", f"t{number}", text=words, author=author),
        line("TurnAdmittedEvent", f"t{number}", turn_id=f"turn{number}"),
        line("LLMResponseEvent", f"t{number}", turn_id=f"turn{number}", text=words, seconds=1.5),
        line("TurnFinishedEvent", f"later{number}", turn_id=f"turn{number}", text=words),
    ]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of three files with turns of two people, a line of another kind, and one that a crash tore."""
    path = tmp_path / "events.jsonl"
    file = LogFile(path, max_bytes=4_000, keep=5)
    file.open()
    for number in range(24):
        words, person = (WORDS, ADA) if number % 2 else ("compiler-of-grace", GRACE)
        file.append("".join(f"{one}\n" for one in turn(number, person, words)).encode())
    said = line("PromptCommand", "q", author={"id": GRACE, "name": "G"}, text=f"<@{ADA}>", mentions={f"<@{ADA}>": "A"})
    file.append(f"{said}\n".encode())
    file.append(f'{{"v":1,"type":"PromptCommand","text":"{WORDS}'.encode())
    assert len(rotated_files(path)) >= 2
    return path


def everything(log: Path) -> bytes:
    return b"".join(path.read_bytes() for path in (*(path for _, path in rotated_files(log)), log))


def forget(log: Path, until: datetime = NOW) -> int:
    return Forgetting(Person(ADA), until).run(log)


def test_no_word_is_left_in_any_file(log: Path) -> None:
    """Of theirs nothing, nor their id; of the others everything, and the reader still reads each line."""
    before, size = everything(log), len(everything(log))

    forget(log)

    after = everything(log)
    assert WORDS.encode() not in after
    assert ADA.encode() not in after
    assert after.count(b"compiler-of-grace") == before.count(b"compiler-of-grace")
    assert len(after) == size
    with LogReader(log) as reader:
        records = list(reader.read())
    assert len(records) == 24 * 4 + 1
    assert reader.skipped == 0
    assert (records[-1].text("text"), records[-1].part("mentions")) == ("<@0>", {})


def test_what_it_cost_stays(log: Path) -> None:
    """The reports on the log still have the times of calls."""
    forget(log)

    assert sum(record.number("seconds") or 0 for record in read_log(log)) == 24 * 1.5


def test_twice_is_once(log: Path) -> None:
    """Done again, nothing changes."""
    assert forget(log) > 0
    before = everything(log)

    assert forget(log) == 0
    assert everything(log) == before


def test_what_is_younger_stays(log: Path) -> None:
    """Lines of what the person said later are left."""
    with log.open("a") as file:
        file.write(
            "\n" + line("PromptCommand", "new", at=NOW + timedelta(1), author={"id": ADA, "name": "A"}, text="new")
        )

    forget(log)

    assert b'"text":"new"' in everything(log)


def test_turns_that_the_store_knows(log: Path) -> None:
    """Lines of a turn whose question has left the log are erased too."""
    with log.open("a") as file:
        file.write("\n" + line("TurnFinishedEvent", "alone", turn_id="old", text=WORDS) + "\n")

    Forgetting(Person(ADA), NOW, {"old"}).run(log)

    assert WORDS.encode() not in everything(log)


def test_a_reader_that_follows_reads_nothing_twice(log: Path) -> None:
    """Somebody who follows the log is not disturbed by the erasing, nor by what is written after it."""
    with LogReader(log) as reader:
        first = len(list(reader.read()))
        forget(log)
        file = LogFile(log, max_bytes=10**6, keep=5)
        file.open()
        file.append((line("New", "n") + "\n").encode())

        assert first == 24 * 4 + 1
        assert [record.type for record in reader.read()] == ["New"]


_KILLED = """
import os, pathlib, signal, sys
from datetime import UTC, datetime
from llmgine.messages.without_person import Person
from llmgine.observability import overwriting
left = int(sys.argv[2])
def trace(frame, event, _):
    global left
    if frame.f_code.co_name != "_overwrite":
        return None
    if event == "line":
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
    return trace
sys.settrace(trace)
overwriting.Forgetting(Person(sys.argv[3]), datetime(2026, 11, 29, tzinfo=UTC)).run(pathlib.Path(sys.argv[1]))
"""


@pytest.mark.parametrize("number", [3, 5, 8, 11, 30, 100, 200])
def test_killed_in_the_middle(log: Path, number: int) -> None:
    """Done again, it is finished: a line that was half overwritten is gone, no other line is harmed."""
    others = everything(log).count(b"compiler-of-grace")
    command = [sys.executable, "-c", _KILLED, str(log), str(number), ADA]
    killed = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert WORDS.encode() in everything(log)

    forget(log)

    assert WORDS.encode() not in everything(log)
    assert everything(log).count(b"compiler-of-grace") == others


FOREIGN = ('{"text":"of somebody else"}', "no JSON", f"words about {ADA}", json.dumps({"author": {"id": ADA}}), "x = 1")


@pytest.mark.parametrize("name", ["events.jsonl", "dataset.jsonl", "events.jsonl.old"])
def test_lines_that_are_not_ours_stay(tmp_path: Path, name: str) -> None:
    """Neither age nor a person erases a line that this program did not write, in whatever file it is."""
    log, path, old = tmp_path / "events.jsonl", tmp_path / name, NOW - timedelta(31)
    ours = [line("PromptCommand", "t", at=old, text=WORDS, author={"id": ADA, "name": "A"})] if path == log else []
    log.touch()
    path.write_text("".join(f"{one}\n" for one in (*FOREIGN, *ours, *FOREIGN)))

    forget(log)
    erase_older(log, NOW - timedelta(30))

    assert [one for one in path.read_text().splitlines() if one.strip()] == [*FOREIGN, *FOREIGN]


def test_a_file_that_another_program_rotated_stays(tmp_path: Path) -> None:
    """Only what is named by a whole time is old by its name."""
    other = tmp_path / "events.jsonl.1"
    other.write_text(line("New", "n") + "\n")

    erase_older(tmp_path / "events.jsonl", NOW - timedelta(30))

    assert "New" in other.read_text()


def test_a_line_that_is_longer_than_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All pieces of a line of ours are erased."""
    monkeypatch.setattr(overwriting, "_LONGEST_LINE", 64)
    log = tmp_path / "events.jsonl"
    log.write_text(line("Old", "o", at=NOW - timedelta(31), text=WORDS * 20) + "\n")

    erase_older(log, NOW - timedelta(30))

    assert not log.read_text().strip()


def test_old_lines_are_erased(tmp_path: Path) -> None:
    """Files of before go whole, and the beginning of one that has younger lines behind becomes spaces."""
    log = tmp_path / "events.jsonl"
    old, new = NOW - timedelta(31), NOW - timedelta(29)
    (tmp_path / f"events.jsonl.{old:%Y%m%d%H%M%S%f}").write_text(line("Old", "o", at=old) + "\n")
    log.write_text(f"{line('Old', 'o', at=old)}\n{line('New', 'n', at=new)}\n")
    size = log.stat().st_size

    for _ in range(2):
        erase_older(log, NOW - timedelta(30))

        assert rotated_files(log) == []
        assert [record.type for record in read_log(log)] == ["New"]
        assert b"Old" not in log.read_bytes()
        assert log.stat().st_size == size
