"""Metrics and spans for people."""

import io

import pytest
from pydantic import ValidationError
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


def test_a_start_and_its_end_are_two_lines_and_the_second_has_the_duration() -> None:
    """They are matched by trace and span, each start once; an end that has no start has no duration."""
    out = io.StringIO()
    sink = ConsoleSink(metrics=True, traces=True, console=Console(file=out, width=200))
    here, there = (SpanContext(trace_id="t", span_id=name) for name in "ab")
    start, end = "2026-01-01T00:00:00", "2026-01-01T00:00:02"

    sink.write(TraceEvent(name="Start", span_context=here, start_time=start))
    sink.write(TraceEvent(name="Other end", span_context=there, end_time=end, status="ERROR"))
    sink.write(TraceEvent(name="End", span_context=here, end_time=end))
    sink.write(TraceEvent(name="Again", span_context=here, end_time=end))

    assert out.getvalue().splitlines() == [
        "span   Start started",
        "span   Other end ERROR",
        "span   End OK 2000.0 ms",
        "span   Again OK",
    ]


def test_spans_that_never_end_do_not_fill_the_memory() -> None:
    """Past a thousand, the start of the oldest is forgotten."""
    sink = ConsoleSink(metrics=True, traces=True, console=Console(file=io.StringIO()))

    for number in range(1_100):
        span = SpanContext(trace_id="t", span_id=f"{number}")
        sink.write(TraceEvent(name="Start", span_context=span, start_time=""))

    assert len(sink._started) == 1_000


def test_a_span_needs_a_time() -> None:
    """With neither a start nor an end there is nothing to tell."""
    with pytest.raises(ValidationError, match="a TraceEvent needs a start_time, an end_time, or both"):
        TraceEvent(name="Import", span_context=SpanContext(trace_id="t", span_id="s"))
