"""The log: one JSON object a line, readable by its owner only, whatever is written and whatever the disk does."""

import asyncio
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmgine.bus import MessageBus
from llmgine.messages.commands import Command
from llmgine.messages.events import Event
from llmgine.observability.jsonl import JsonlSink
from llmgine.observability.redaction import Redactor
from tests.waiting import patience


class Wrote(Event):
    value: Any = None


class Progressed(Event):
    logged = False


class Do(Command):
    value: Any = None


class Unspeakable:
    """Its repr raises."""

    def __repr__(self) -> str:
        raise ValueError


def endless() -> list[object]:
    """A list that holds itself."""
    items: list[object] = []
    items.append(items)
    return items


def deep() -> list[object]:
    items: list[object] = []
    for _ in range(100_000):
        items = [items]
    return items


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def sink_at(path: Path, *secrets: str) -> JsonlSink:
    sink = JsonlSink(path, Redactor(secrets))
    sink.open()
    return sink


async def test_all_traffic_is_logged_in_order(tmp_path: Path) -> None:
    """Commands, their results and events stand in the order they came; what is not to be logged does not."""
    bus = MessageBus(log_dir=tmp_path / "logs", log_filename="all.jsonl")

    async def do(command: Do) -> str:
        await bus.publish(Wrote(value="within", session_id="s"))
        await bus.publish(Progressed())
        if command.value:
            raise ValueError("no")
        return "yes"

    bus.register_command_handler(Do, do)
    await bus.start()
    await bus.execute(Do())
    await bus.execute(Do(value=1))
    await bus.stop()

    lines = lines_of(tmp_path / "logs" / "all.jsonl")
    assert [line["type"] for line in lines] == [
        *("Do", "Wrote", "CommandResultEvent"),
        *("Do", "Wrote", "CommandErrorEvent"),
    ]
    assert {line["v"] for line in lines} == {1}
    assert lines[1]["session_id"] == "s"
    assert lines[2]["result"]["result"] == "yes"
    assert lines[5]["error"] == "no"


async def test_lines_reach_the_file_by_themselves(tmp_path: Path) -> None:
    """Without a stop and without more traffic, the file has the line a moment later."""
    sink = sink_at(tmp_path / "log.jsonl")

    sink.write(Wrote())

    async with patience("the line"):
        while not sink.path.read_bytes():  # noqa: ASYNC110  a file tells nobody when it changes
            await asyncio.sleep(0.002)
    sink.close()


async def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """The file is made with 0600 and its folder with 0700: it holds what people said. One that is there gets 0600."""
    sink = sink_at(tmp_path / "logs" / "log.jsonl")
    sink.close()
    sink.path.chmod(0o644)
    sink_at(sink.path).close()

    assert stat.S_IMODE(sink.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(sink.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Unspeakable, "<Unspeakable>"),
        (endless, "<list>"),
        (deep, "<list>"),
        (lambda: "\ud800", "\ud800"),
        (lambda: {"\ud800": 1}, "<dict>"),
        (lambda: b"\xff", "<bytes>"),
        (lambda: float("nan"), None),
        (lambda: {(1, 2): "pair"}, {"1,2": "pair"}),
        (lambda: "two\nlines\0", "two\nlines\0"),
        (lambda: 'quote" and \\ and \u2028', 'quote" and \\ and \u2028'),
    ],
)
async def test_what_json_cannot_say_is_shown_somehow(
    tmp_path: Path, value: Callable[[], object], shown: object
) -> None:
    """No value of a message keeps its line out of the log, tears the line, or raises to the publisher."""
    bus = MessageBus(log_dir=tmp_path, log_filename="log.jsonl")
    await bus.start()

    await bus.publish(Wrote(value=value()))
    await bus.publish(Wrote(value="next"))
    await bus.stop()

    first, second = lines_of(tmp_path / "log.jsonl")
    assert (first["type"], first["value"]) == ("Wrote", shown)
    assert second["value"] == "next"


async def test_objects_are_shown_by_their_repr(tmp_path: Path) -> None:
    """An object without a JSON form is logged as it describes itself."""
    sink = sink_at(tmp_path / "log.jsonl")

    sink.write(Wrote(value=range(3)))
    sink.close()

    assert lines_of(sink.path)[0]["value"] == "range(0, 3)"


@pytest.mark.parametrize("secret", ["hunter22", 'pass"word', "back\\slash", 'pöss"wörd', "123456", "new\nline"])
@pytest.mark.parametrize("wrap", [str, lambda s: {"key": [s]}, lambda s: json.dumps({"x": s}), lambda s: {s: 1}])
async def test_secrets_are_blotted_out(tmp_path: Path, secret: str, wrap: Callable[[str], object]) -> None:
    """A configured secret is in no line, however it is nested and escaped; and every line is still JSON."""
    sink = sink_at(tmp_path / "log.jsonl", secret)

    sink.write(Wrote(value=wrap(f"it is {secret}!")))
    sink.close()

    (line,) = lines_of(sink.path)
    assert "[redacted]" in json.dumps(line)
    whole = f"{line}{json.loads(line['value']) if isinstance(line['value'], str) and '{' in line['value'] else ''}"
    assert secret not in whole.replace(str(line["id"]), "")


@pytest.mark.parametrize("before", ["", "key=", "line\n", "tab\t", "bell\x07", "back\b", "feed\f", "(", "é"])
async def test_keys_are_known_by_their_shape(tmp_path: Path, before: str) -> None:
    """A key nobody configured is found after any character, also where JSON escapes it by a letter."""
    sink = sink_at(tmp_path / "log.jsonl")

    sink.write(Wrote(value=f"{before}sk-{'a1' * 12} and more"))
    sink.close()

    assert lines_of(sink.path)[0]["value"] == f"{before}[redacted] and more"


async def test_ordinary_words_are_left_alone(tmp_path: Path) -> None:
    """A long name that only ends like a key is no key."""
    sink = sink_at(tmp_path / "log.jsonl")

    sink.write(Wrote(value="task-aaaaaaaaaaaaaaaaaaaaaaaa"))
    sink.close()

    assert lines_of(sink.path)[0]["value"] == "task-aaaaaaaaaaaaaaaaaaaaaaaa"


async def test_a_number_with_the_digits_of_a_secret_stays_a_number(tmp_path: Path) -> None:
    """A secret of digits does not break the ids that hold them."""
    event = Wrote(value="123456")
    sink = sink_at(tmp_path / "log.jsonl", str(event.id)[2:9], "123456")

    sink.write(event)
    sink.close()

    (line,) = lines_of(sink.path)
    assert (line["id"], line["value"]) == (event.id, "[redacted]")


async def test_a_full_disk_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """The bus goes on, and the program's log has one line about it, not one per message."""
    bus = MessageBus(log_dir="/dev", log_filename="full")
    heard: list[Event] = []
    bus.register_event_handler(Wrote, heard.append)
    await bus.start()

    for _ in range(3):
        await bus.publish(Wrote())
        assert bus._jsonl is not None
        bus._jsonl.flush()
    await bus.stop()

    assert len(heard) == 3
    assert [record.getMessage() for record in caplog.records if "/dev/full" in record.getMessage()] == [
        "The log /dev/full cannot be written: [Errno 28] No space left on device. The program continues without it."
    ]


async def test_a_torn_last_line_costs_no_other_line(tmp_path: Path) -> None:
    """After a crash in the middle of a line, the next start begins a line of its own."""
    path = tmp_path / "log.jsonl"
    path.write_text('{"v":1,"type":"Wro')
    sink = sink_at(path)

    sink.write(Wrote(value="whole"))
    sink.close()

    torn, whole = path.read_text().splitlines()
    assert torn == '{"v":1,"type":"Wro'
    assert json.loads(whole)["value"] == "whole"


async def test_what_comes_after_closing_is_not_kept(tmp_path: Path) -> None:
    """A closed log takes no line, holds no memory and leaves no timer."""
    sink = sink_at(tmp_path / "log.jsonl")
    sink.close()
    sink.close()

    sink.write(Wrote())

    assert not sink._lines
    assert sink._timer is None
    assert not sink.path.read_bytes()
