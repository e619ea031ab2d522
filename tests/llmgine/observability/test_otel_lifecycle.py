"""The OpenTelemetry sink over time: turns nobody ends, providers of the application, a package without the extra."""

import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry import metrics as global_metrics
from opentelemetry import trace as global_trace

from llmgine.bus import MessageBus
from llmgine.engine import ask
from llmgine.messages.chat_messages import ToolCall, Usage
from llmgine.messages.events import (
    LLMResponseEvent,
    ModelAskedEvent,
    ToolCallStartedEvent,
    TurnFinishedEvent,
    TurnStartedEvent,
)
from llmgine.observability import otel
from llmgine.observability.otel import OpenTelemetrySink
from tests.llmgine.engine.chat import Held, prompt
from tests.llmgine.observability.application import application
from tests.llmgine.observability.export import Export, attributes, times


async def test_a_turn_left_unfinished_ends_with_the_program(tmp_path: Path, export: Export) -> None:
    """A program that closes in the middle of a turn exports the turn's span as cancelled."""
    held = Held()
    async with application(tmp_path, [held], observers=[export.sink()]) as app:
        await app.bus.execute(prompt())
        await held.reached.wait()

    for span in (export.one("chat scripted"), export.one("invoke_agent llmgine")):
        assert attributes(span)["error.type"] == "cancelled"


def begun(session_id: str, turn_id: str) -> TurnStartedEvent:
    return TurnStartedEvent(session_id=session_id, turn_id=turn_id, source="test", origin={}, attempt=1, resumed=False)


async def test_a_turn_whose_runner_died_ends_when_the_session_goes_on(export: Export) -> None:
    """The next turn of the session, or the same one again, ends the span that nobody ended."""
    bus, sink = MessageBus(), export.sink()
    sink.attach(bus)
    await bus.start()

    for turn_id in ("a", "a", "b"):
        await bus.publish(begun("s", turn_id))
    await bus.stop()

    ended = [attributes(span)["llmgine.turn.id"] for span in export.named("invoke_agent llmgine")]
    assert ended == ["a", "a"]
    assert len(sink._turns) == 1


async def test_open_turns_are_bounded(export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many sessions lose their runner, the memory for their spans has an end."""
    monkeypatch.setattr(otel, "_MOST_TURNS", 10)
    bus, sink = MessageBus(), export.sink()
    sink.attach(bus)
    await bus.start()

    for number in range(25):
        await bus.publish(begun(str(number), "t"))
    await bus.stop()

    assert list(sink._turns) == [str(number) for number in range(15, 25)]
    assert len(export.spans.get_finished_spans()) == 15


async def test_events_of_a_turn_that_was_not_heard_to_start_are_ignored(export: Export) -> None:
    """A sink attached in the middle of a turn, or hearing of an older one, makes no span without a parent."""
    bus, sink = MessageBus(), export.sink()
    sink.attach(bus)
    await bus.start()
    about = {"session_id": "s", "turn_id": "old", "source": "test", "origin": {}}
    outcome = {"state": "done", "text": "", "notice": None, "model": "m", "usage": Usage(), "seconds": 1.0}

    await bus.publish(begun("s", "new"))
    await bus.publish(ToolCallStartedEvent.model_validate({**about, "round": 0, "call": ToolCall(name="x")}))
    await bus.publish(TurnFinishedEvent.model_validate(about | outcome))
    await bus.stop()

    assert not export.spans.get_finished_spans()
    assert sink._turns["s"].turn_id == "new"


async def test_the_global_providers_are_left_alone(tmp_path: Path) -> None:
    """Without providers the sink uses the application's global ones, which stay what they were."""
    before = global_trace.get_tracer_provider(), global_metrics.get_meter_provider()

    async with application(tmp_path, ["Hi."], observers=[OpenTelemetrySink()]) as app:
        assert (await ask(app.bus, prompt())).state == "done"

    assert (global_trace.get_tracer_provider(), global_metrics.get_meter_provider()) == before


@pytest.mark.parametrize(
    ("imported", "code", "said"),
    [
        ("llmgine.bootstrap", 0, ""),
        (
            "llmgine.observability.otel",
            1,
            "ConfigurationError: OpenTelemetry needs an extra; install it with `uv sync --extra otel`",
        ),
    ],
)
def test_without_the_extra(imported: str, code: int, said: str) -> None:
    """Without OpenTelemetry the package works, and whoever asks for the sink is told what to install."""
    program = f"import sys; sys.modules['opentelemetry'] = None; import {imported}"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == code
    assert said in done.stderr


async def test_no_span_ends_after_its_turn(export: Export) -> None:
    """A call's seconds may count from before it was told; its span ends when its reply was told, at the latest."""
    bus = MessageBus()
    export.sink().attach(bus)
    await bus.start()
    turn = begun("s", "t")
    about = {"session_id": "s", "turn_id": "t", "source": "test", "origin": {}, "at": turn.at, "model": "m"}
    reply = {"round": 0, "text": "Hi.", "tool_calls": (), "finish": "stop", "usage": None, "seconds": 9.0}
    outcome = {"state": "done", "text": "Hi.", "notice": None, "usage": Usage(), "seconds": 9.0}

    await bus.publish(turn)
    await bus.publish(ModelAskedEvent.model_validate(about | {"round": 0}))
    await bus.publish(LLMResponseEvent.model_validate(about | reply))
    await bus.publish(TurnFinishedEvent.model_validate(about | outcome))
    await bus.stop()

    assert times(export.one("chat m"))[1] == times(export.one("invoke_agent llmgine"))[1]
