"""OpenTelemetry over the wire: the real OTLP exporter, and a receiver that decodes what it sends."""

import asyncio
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from llmgine.engine import ask
from llmgine.messages.chat_messages import Usage
from llmgine.messages.events import TurnFinishedEvent
from llmgine.observability.otel import OpenTelemetrySink
from llmgine.providers.base import ChatReply
from tests.llmgine.engine.chat import call, prompt
from tests.llmgine.observability.application import application
from tests.llmgine.observability.collector import Collector

_PATIENCE = 1  # seconds for an export with its retries


def values(attributes: list[KeyValue]) -> dict[str, object]:
    return {item.key: getattr(item.value, str(item.value.WhichOneof("value"))) for item in attributes}


async def run_turn(tmp_path: Path, url: str) -> TurnFinishedEvent:
    """A turn with two tools, exported to this address as an application would set it up."""
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces", timeout=_PATIENCE)))
    metric_exporter = OTLPMetricExporter(f"{url}/v1/metrics", timeout=_PATIENCE)
    reader = PeriodicExportingMetricReader(metric_exporter, export_interval_millis=60_000)
    meters = MeterProvider([reader], shutdown_on_exit=False)
    usage = Usage(input_tokens=40, output_tokens=2)
    script = [call("good", "bad"), ChatReply(text="canary-answer", usage=usage, model="scripted")]

    async def good() -> str:
        """Work."""
        return "canary-result"

    async def bad() -> None:
        """Fail."""
        raise ValueError

    async with application(tmp_path, script, observers=[OpenTelemetrySink(tracers, meters)]) as app:
        await app.engine.register_tool(good)
        await app.engine.register_tool(bad)
        finished = await ask(app.bus, prompt("canary-prompt"))
    # The exporters block, and the receiver lives in this loop.
    await asyncio.to_thread(tracers.shutdown)
    await asyncio.to_thread(meters.shutdown)
    return finished


async def test_a_collector_receives_the_turn(tmp_path: Path) -> None:
    """Spans arrive as one tree with their attributes, times and errors, metrics as histograms; content does not."""
    async with Collector().listening() as collector:
        await run_turn(tmp_path, collector.url)

    spans: dict[str, list[Span]] = {}
    for span in collector.spans:
        spans.setdefault(span.name, []).append(span)
    (agent,) = spans.pop("invoke_agent llmgine")
    assert {name: len(found) for name, found in spans.items()} == {
        "chat scripted": 2,
        "execute_tool good": 1,
        "execute_tool bad": 1,
    }
    assert agent.parent_span_id == b""
    assert {span.parent_span_id for found in spans.values() for span in found} == {agent.span_id}
    assert {span.trace_id for span in collector.spans} == {agent.trace_id}
    assert values(list(agent.attributes))["gen_ai.usage.input_tokens"] == 40
    (bad,) = spans["execute_tool bad"]
    assert bad.status.code == Status.STATUS_CODE_ERROR
    assert values(list(bad.attributes))["error.type"] == "tool_error"
    assert agent.start_time_unix_nano <= bad.start_time_unix_nano <= bad.end_time_unix_nano <= agent.end_time_unix_nano
    (duration,) = [m for m in collector.metrics if m.name == "gen_ai.client.operation.duration"]
    assert (duration.unit, duration.histogram.data_points[0].count) == ("s", 2)
    assert b"canary" not in collector.raw


async def test_a_collector_that_is_not_there_harms_nothing(tmp_path: Path) -> None:
    """With nobody listening the turn is answered all the same; the SDK gives up at its shutdown."""
    async with Collector().listening() as collector:
        url = collector.url

    finished = await run_turn(tmp_path, url)

    assert finished.state == "done"
    assert not collector.spans
