"""Metrics and spans for people."""

import io

import pytest
from rich.console import Console

from llmgine.messages.events import Event
from llmgine.observability import Metric, MetricEvent, SpanContext, TraceEvent
from llmgine.observability.console import ConsoleSink


def shown(event: Event, *, metrics: bool = True, traces: bool = True) -> str:
    out = io.StringIO()
    ConsoleSink(metrics=metrics, traces=traces, console=Console(file=out, width=200)).write(event)
    return out.getvalue()


def span(start: str, end: str) -> TraceEvent:
    return TraceEvent(
        name="Import", span_context=SpanContext(trace_id="t", span_id="s"), start_time=start, end_time=end
    )


def test_a_metric_is_a_line_with_its_unit_and_tags() -> None:
    """Each value of the event has a line of its own; what looks like markup is shown as it is."""
    event = MetricEvent(
        metrics=[Metric(name="wait", value=0.25, unit="s", tags={"who": "[red]"}), Metric(name="files", value=10)]
    )

    assert shown(event) == "metric wait = 0.25 s who=[red]\nmetric files = 10\n"


@pytest.mark.parametrize(
    ("start", "end", "took"),
    [
        ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00.500+00:00", " 500.0 ms"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01", ""),
        ("<ISO>", "<ISO>", ""),
    ],
)
def test_a_span_is_a_line_with_its_duration_where_its_times_are_times(start: str, end: str, took: str) -> None:
    """Times of any text are allowed: those that cannot be compared give no duration, and no error."""
    assert shown(span(start, end)) == f"span   Import OK{took}\n"


def test_only_what_was_asked_for_is_shown() -> None:
    """Metrics and spans are switched one by one; other events are never shown."""
    metric, trace = MetricEvent(metrics=[Metric(name="n", value=1)]), span("", "")

    assert [bool(shown(e, metrics=True, traces=False)) for e in (metric, trace, Event())] == [True, False, False]
    assert [bool(shown(e, metrics=False, traces=True)) for e in (metric, trace, Event())] == [False, True, False]
