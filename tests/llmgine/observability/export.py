"""What OpenTelemetry exports, kept in memory, and ways to look at it."""

from dataclasses import dataclass, field

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from llmgine.observability.otel import OpenTelemetrySink


@dataclass
class Export:
    """Everything that was exported, in memory."""

    spans: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    def __post_init__(self) -> None:
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)

    def close(self) -> None:
        self.tracers.shutdown()
        self.meters.shutdown()

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


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def times(span: ReadableSpan) -> tuple[int, int]:
    assert span.start_time is not None
    assert span.end_time is not None
    return span.start_time, span.end_time


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None
