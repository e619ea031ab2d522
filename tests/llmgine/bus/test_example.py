"""What users of the bus know and type: it works word for word."""

import json
import re
from pathlib import Path

import pytest

from llmgine.engine import LLMEngine, ToolChatEngine

EXAMPLE = """
from llmgine.bus import MessageBus
from llmgine.messages.commands import Command, CommandResult
from llmgine.messages.events import Event, CommandResultEvent, CommandErrorEvent, LLMResponseEvent, ToolCallEvent
from llmgine.observability import Metric, MetricEvent, SpanContext, TraceEvent

class MyCommand(Command):
    path: str

class MyEvent(Event):
    path: str

heard = []

async def handler(command):
    await bus.publish(MyEvent(path=command.path))
    return len(command.path)

async def hear(event):
    heard.append(event)

bus = MessageBus(
    log_dir="logs", log_filename="app_events.jsonl", enable_console_metrics=True, enable_console_traces=True
)
await bus.start()
bus.register_command_handler(MyCommand, handler)
result = await bus.execute(MyCommand(path="a.txt"))
remove = bus.register_event_handler(MyEvent, hear)
await bus.publish(MyEvent(path="b.txt"))
await bus.publish(MetricEvent(metrics=[Metric(name="files_processed", value=10)]))
await bus.publish(TraceEvent(
    name="Import", span_context=SpanContext(trace_id="t", span_id="s"),
    start_time="<ISO>", end_time="<ISO>", status="OK",
))
await bus.wait_until_idle(session_id=None)
remove()
left = await bus.stop()
"""


OWN_SPAN = """
from datetime import datetime
from llmgine.bus import MessageBus
from llmgine.observability import Metric, MetricEvent, TraceEvent, SpanContext

message_bus = MessageBus(
    log_dir="logs",
    log_filename="app_events.jsonl",
    enable_console_metrics=True,
    enable_console_traces=True
)
await message_bus.start()
await message_bus.publish(MetricEvent(metrics=[Metric(name="files_processed", value=10)]))
trace_id = "custom_trace_1"
span_id = "custom_span_1"
span_context = SpanContext(trace_id=trace_id, span_id=span_id)
await message_bus.publish(TraceEvent(name="Custom Operation Start", span_context=span_context, start_time=datetime.now().isoformat()))
# ... perform operation ...
await message_bus.publish(TraceEvent(name="Custom Operation End", span_context=span_context, end_time=datetime.now().isoformat(), status="OK"))
await message_bus.stop()
"""  # noqa: E501  it is quoted


async def test_a_span_is_published_as_its_start_and_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first README's own span works word for word: its start alone, later its end alone, is logged and shown."""
    monkeypatch.chdir(tmp_path)
    body = "".join(f"    {line}\n" for line in OWN_SPAN.splitlines() if line)
    names: dict[str, object] = {}
    exec(f"async def example():\n{body}", names)  # noqa: S102  the example is text, as users type it
    example = names["example"]
    assert callable(example)

    await example()

    log = tmp_path / "logs" / "app_events.jsonl"
    _, start, end = [json.loads(line) for line in log.read_bytes().splitlines()]
    assert (start["end_time"], start["status"], end["start_time"], end["status"]) == (None, None, None, "OK")
    shown = capsys.readouterr().err
    assert "Custom Operation Start started\n" in shown
    assert re.search(r"Custom Operation End OK [\d.]+ ms\n", shown)


async def test_the_known_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line of the bus's example does what its comment says, with a command and an event of one's own."""
    monkeypatch.chdir(tmp_path)
    body = "".join(f"    {line}\n" for line in EXAMPLE.splitlines() if line)
    names: dict[str, object] = {}
    exec(f"async def example():\n    global bus\n{body}    return result, heard, left\n", names)  # noqa: S102  the example is text, as users type it
    example = names["example"]
    log = tmp_path / "logs" / "app_events.jsonl"
    assert callable(example)

    result, heard, left = await example()

    assert (result.success, result.result, result.error, result.unwrap()) == (True, 5, None, 5)
    assert [event.path for event in heard] == ["b.txt"]
    assert left == 0
    lines = [json.loads(line) for line in log.read_bytes().splitlines()]
    assert [line["type"] for line in lines] == [
        "MyCommand",
        "MyEvent",
        "CommandResultEvent",
        "MyEvent",
        "MetricEvent",
        "TraceEvent",
    ]
    shown = capsys.readouterr().err
    assert "files_processed = 10" in shown
    assert "Import OK" in shown


def test_the_engine_has_the_first_readmes_name_too() -> None:
    """`LLMEngine` is the class that is called `ToolChatEngine` now."""
    assert LLMEngine is ToolChatEngine
