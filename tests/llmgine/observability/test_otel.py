"""OpenTelemetry: a turn is one trace with the conventions' names, and nothing anybody said leaves unless asked for."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from opentelemetry import metrics as global_metrics
from opentelemetry import trace as global_trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from llmgine.bus import MessageBus
from llmgine.engine import ask
from llmgine.errors import ProviderRefusedError, ProviderUnavailableError
from llmgine.messages.chat import ToolCall, Usage
from llmgine.messages.commands import Author, DecideToolCallCommand, StopTurnCommand
from llmgine.messages.events import ToolCallStartedEvent, ToolCallWaitingEvent, TurnFinishedEvent, TurnStartedEvent
from llmgine.observability import Metric, MetricEvent, otel
from llmgine.observability.otel import OpenTelemetrySink
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedReply
from tests.llmgine.engine.chat import Held, call, prompt
from tests.llmgine.observability.application import application


@dataclass
class Export:
    """Everything that was exported, in memory."""

    spans: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    def __post_init__(self) -> None:
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)

    def sink(self, *, capture_content: bool = False) -> OpenTelemetrySink:
        return OpenTelemetrySink(self.tracers, self.meters, capture_content=capture_content)

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans.get_finished_spans() if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        (span,) = self.named(name)
        return span

    def histograms(self) -> dict[str, list[HistogramDataPoint]]:
        data = self.reader.get_metrics_data()
        found: dict[str, list[HistogramDataPoint]] = {}
        for metric in data.resource_metrics[0].scope_metrics[0].metrics if data else []:
            found[metric.name] = [p for p in metric.data.data_points if isinstance(p, HistogramDataPoint)]
        return found

    def text(self) -> str:
        """All of it, to search in."""
        spans = "".join(str(span.to_json()) for span in self.spans.get_finished_spans())
        data = self.reader.get_metrics_data()
        return spans + (str(data.to_json()) if data else "")


@pytest.fixture
def export() -> Iterator[Export]:
    export = Export()
    yield export
    export.tracers.shutdown()
    export.meters.shutdown()


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def times(span: ReadableSpan) -> tuple[int, int]:
    assert span.start_time is not None
    assert span.end_time is not None
    return span.start_time, span.end_time


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


async def test_a_turn_is_one_trace(tmp_path: Path, export: Export) -> None:
    """The turn is the root; its model calls and its tools, parallel ones too, are its children, inside its time."""
    usage = Usage(input_tokens=40, output_tokens=2, cached_tokens=30)
    script = [call("meet", "meet"), ChatReply(text="Done.", usage=usage, model="scripted")]
    both = asyncio.Barrier(2)

    async def meet() -> str:
        """Waits for the other call."""
        await both.wait()
        return "met"

    async with application(tmp_path, script, observers=[export.sink()]) as app:
        await app.engine.register_tool(meet)
        finished = await ask(app.bus, prompt())

    agent = export.one("invoke_agent llmgine")
    first, second = export.named("chat scripted")
    tools = export.named("execute_tool meet")
    children = [first, second, *tools]
    assert agent.parent is None
    assert len(tools) == 2
    assert {parent(span) for span in children} == {agent.context.span_id}
    assert {span.context.trace_id for span in children} == {agent.context.trace_id}
    assert len(export.spans.get_finished_spans()) == 5
    begin, end = times(agent)
    assert all(begin - 1000 <= times(span)[0] <= times(span)[1] <= end for span in children)
    assert max(times(tool)[0] for tool in tools) < min(times(tool)[1] for tool in tools)  # side by side
    assert times(first)[1] <= min(times(tool)[0] for tool in tools)
    assert (end - begin) / 1e9 == pytest.approx(finished.seconds, abs=0.2)
    assert {span.status.status_code for span in (agent, *children)} == {StatusCode.UNSET}


async def test_the_attributes_are_those_of_the_conventions(tmp_path: Path, export: Export) -> None:
    """Each kind of span says its operation, conversation, model, tokens, tool and how to find it in the log."""
    usage = Usage(input_tokens=40, output_tokens=2, cached_tokens=30)
    wanted = ToolCall(name="roll")
    script = [
        ChatReply(tool_calls=(wanted,), finish="tool_calls", model="scripted"),
        ChatReply(text="Four.", usage=usage, finish="length", model="scripted"),
    ]

    async def roll() -> int:
        """Roll a die."""
        return 4

    async with application(tmp_path, script, observers=[export.sink()]) as app:
        await app.engine.register_tool(roll)
        started: list[TurnStartedEvent] = []
        app.bus.register_event_handler(TurnStartedEvent, started.append)
        finished = await ask(app.bus, prompt())

    common = {"gen_ai.provider.name": "openai", "gen_ai.conversation.id": "s"}
    tokens = {
        "gen_ai.usage.input_tokens": 40,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.usage.cache_read.input_tokens": 30,
    }
    assert attributes(export.one("invoke_agent llmgine")) == common | tokens | {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "llmgine",
        "gen_ai.request.model": "scripted",
        "llmgine.turn.id": finished.turn_id,
        "llmgine.turn.attempt": 1,
        "llmgine.turn.resumed": False,
        "llmgine.trace_id": started[0].trace_id,
    }
    chat = export.named("chat scripted")[1]
    seen = attributes(chat)
    assert isinstance(seen.pop("gen_ai.response.time_to_first_chunk"), float)
    assert chat.kind is SpanKind.CLIENT
    assert seen == common | tokens | {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "scripted",
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "scripted",
        "gen_ai.response.finish_reasons": ("length",),
    }
    assert attributes(export.one("execute_tool roll")) == common | {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "roll",
        "gen_ai.tool.call.id": wanted.id,
        "gen_ai.tool.type": "function",
    }


CANARIES = ["canary-prompt", "canary-answer", "canary-argument", "canary-result", "canary-person", "canary-reason"]


async def content_turns(tmp_path: Path, sink: OpenTelemetrySink) -> None:
    """Turns that say a canary wherever something can be said."""
    script: list[ScriptedReply] = [
        ProviderUnavailableError("canary-reason"),
        ChatReply(
            text="canary-answer",
            tool_calls=(
                ToolCall(name="look", arguments='{"what": "canary-argument"}'),
                ToolCall(name="break_it", arguments='{"what": "canary-argument"}'),
            ),
            finish="tool_calls",
            model="scripted",
        ),
        "canary-answer",
        ProviderRefusedError("canary-reason"),
    ]

    async def look(what: str) -> str:
        """Look."""
        return f"canary-result {what}"

    async def break_it(what: str) -> None:
        """Break."""
        raise ValueError(f"canary-result {what}")

    async with application(tmp_path, script, observers=[sink]) as app:
        await app.engine.register_tool(look)
        await app.engine.register_tool(break_it)
        person = Author(id="1", name="canary-person")
        await ask(app.bus, prompt("canary-prompt", author=person))
        await ask(app.bus, prompt("canary-prompt", author=person))


async def test_nothing_anybody_said_is_exported(tmp_path: Path, export: Export) -> None:
    """By default no prompt, answer, argument, result, name or error text is anywhere in spans or metrics."""
    await content_turns(tmp_path, export.sink())

    assert export.one("execute_tool break_it").status.status_code is StatusCode.ERROR
    assert [canary for canary in CANARIES if canary in export.text()] == []


async def test_content_is_exported_when_asked_for(tmp_path: Path, export: Export) -> None:
    """With `capture_content`, answers, arguments, results and reasons stand in the conventions' attributes."""
    await content_turns(tmp_path, export.sink(capture_content=True))

    look = attributes(export.one("execute_tool look"))
    assert look["gen_ai.tool.call.arguments"] == '{"what": "canary-argument"}'
    assert look["gen_ai.tool.call.result"] == "canary-result canary-argument"
    (message,) = json.loads(str(attributes(export.named("chat scripted")[0])["gen_ai.output.messages"]))
    assert message["role"] == "assistant"
    assert [part["type"] for part in message["parts"]] == ["text", "tool_call", "tool_call"]
    assert export.named("invoke_agent llmgine")[1].status.description == "canary-reason"


async def test_retries_are_events_of_the_model_call(tmp_path: Path, export: Export) -> None:
    """A call that was tried twice is one span over both tries, with an event for the wait between them."""
    script: list[ScriptedReply] = [ProviderUnavailableError("down"), "Hello."]
    async with application(tmp_path, script, observers=[export.sink()]) as app:
        await ask(app.bus, prompt())

    chat = export.one("chat scripted")
    (retry,) = chat.events
    assert (retry.name, dict(retry.attributes or {})) == (
        "llmgine.model.retry",
        {"llmgine.retry.next_try": 2, "llmgine.retry.wait": 0.0},
    )
    assert times(chat)[0] <= retry.timestamp <= times(chat)[1]
    assert chat.status.status_code is StatusCode.UNSET


async def test_failures_are_marked(tmp_path: Path, export: Export) -> None:
    """A model call without a reply and its turn are errors, and say which class of ours it was."""
    async with application(tmp_path, [ProviderRefusedError("no")], observers=[export.sink()]) as app:
        await ask(app.bus, prompt())

    for span in (export.one("chat scripted"), export.one("invoke_agent llmgine")):
        assert span.status.status_code is StatusCode.ERROR
        assert attributes(span)["error.type"] == "ProviderRefusedError"


async def test_a_stopped_turn_is_marked_with_its_tools(tmp_path: Path, export: Export) -> None:
    """Stop ends the turn's span, and those of the tools that ran, as cancelled."""
    runs = asyncio.Event()

    async def wait() -> None:
        """Wait for ever."""
        runs.set()
        await asyncio.Event().wait()

    async with application(tmp_path, [call("wait")], observers=[export.sink()]) as app:
        await app.engine.register_tool(wait)
        answer = asyncio.create_task(ask(app.bus, prompt()))
        await runs.wait()
        await app.bus.execute(StopTurnCommand(session_id="s"))
        await answer

    for span in (export.one("execute_tool wait"), export.one("invoke_agent llmgine")):
        assert span.status.status_code is StatusCode.ERROR
        assert attributes(span)["error.type"] == "cancelled"


async def test_a_denied_call_is_no_execution(tmp_path: Path, export: Export) -> None:
    """A call that waited and was denied did not run: it is two events of the turn, and no span."""
    async with application(tmp_path, [call("delete"), "As you wish."], observers=[export.sink()]) as app:

        async def delete() -> None:
            """Delete everything."""

        async def deny(event: ToolCallWaitingEvent) -> None:
            who = Author(id="1", name="Ada")
            about = {"session_id": event.session_id, "turn_id": event.turn_id, "call_id": event.call.id}
            await app.bus.execute(DecideToolCallCommand(**about, approved=False, decided_by=who))

        await app.engine.register_tool(delete, requires_approval=True)
        app.bus.register_event_handler(ToolCallWaitingEvent, deny)
        await ask(app.bus, prompt())

    asked, decided = export.one("invoke_agent llmgine").events
    assert (asked.name, decided.name) == ("llmgine.approval.asked", "llmgine.approval.decided")
    assert dict(decided.attributes or {})["llmgine.approval.approved"] is False
    assert not export.named("execute_tool delete")


async def test_metrics_become_histograms(tmp_path: Path, export: Export) -> None:
    """The conventions' histograms have their buckets and attributes; a metric of anybody's becomes one too."""
    usage = Usage(input_tokens=40, output_tokens=2)
    script = [ChatReply(text="Hi.", usage=usage, model="scripted")]
    async with application(tmp_path, script, observers=[export.sink()]) as app:
        await app.bus.publish(MetricEvent(metrics=[Metric(name="files_processed", value=10, tags={"kind": "csv"})]))
        await ask(app.bus, prompt())

    found = export.histograms()
    (duration,) = found["gen_ai.client.operation.duration"]
    assert duration.count == 1
    assert duration.explicit_bounds[0] == 0.01
    assert duration.explicit_bounds[-1] == pytest.approx(81.92)
    sums = {dict(p.attributes or {})["gen_ai.token.type"]: p.sum for p in found["gen_ai.client.token.usage"]}
    assert sums == {"input": 40, "output": 2}
    assert found["gen_ai.client.token.usage"][0].explicit_bounds[-1] == 67108864
    assert "gen_ai.invoke_agent.duration" in found
    (files,) = found["files_processed"]
    assert (files.sum, dict(files.attributes or {})) == (10, {"kind": "csv"})


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
        ("llmgine.observability.otel", 1, 'ConfigurationError: OpenTelemetry is not installed. Run: pip install "llm'),
    ],
)
def test_without_the_extra(imported: str, code: int, said: str) -> None:
    """Without OpenTelemetry the package works, and whoever asks for the sink is told what to install."""
    program = f"import sys; sys.modules['opentelemetry'] = None; import {imported}"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == code
    assert said in done.stderr
