"""How metrics and spans reach a terminal, a pipe, and a stream that is gone."""

import io

import pytest
from rich.console import Console

from llmgine.bus import MessageBus
from llmgine.observability import Metric, MetricEvent, SpanContext, TraceEvent
from llmgine.observability.console import ConsoleSink

HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202eevil\r\n\x9b31m[red]"


def metric(name: str, tag: str = "") -> MetricEvent:
    return MetricEvent(metrics=[Metric(name=name, value=1, tags={"tag": tag})])


def span(name: str) -> TraceEvent:
    return TraceEvent(name=name, span_context=SpanContext(trace_id="t", span_id="s"), start_time="", end_time="")


def shown(event: MetricEvent | TraceEvent, *, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, color_system="standard" if terminal else None, width=40)
    ConsoleSink(metrics=True, traces=True, console=console).write(event)
    return out.getvalue()


def test_in_a_terminal_it_is_coloured_and_elsewhere_plain() -> None:
    """Colours are for people who look; a file or a pipe gets text only."""
    assert "\x1b[36m" in shown(metric("n"), terminal=True)
    assert shown(metric("n"), terminal=False) == "metric n = 1 tag=\n"


def test_a_line_stays_one_line() -> None:
    """However narrow the terminal is, a value is on one line, so that it can be searched for."""
    assert shown(metric("long " * 30, "tag"), terminal=False).count("\n") == 1


@pytest.mark.parametrize("event", [metric(HOSTILE), metric("n", HOSTILE), span(HOSTILE)])
@pytest.mark.parametrize("terminal", [True, False])
def test_names_and_tags_cannot_command_the_terminal(event: MetricEvent | TraceEvent, *, terminal: bool) -> None:
    """Escapes, control characters and changes of direction are shown as text."""
    text = shown(event, terminal=terminal).replace("\x1b[36m", "").replace("\x1b[32m", "").replace("\x1b[0m", "")

    assert all(c.isprintable() for c in text.rstrip("\n"))
    assert r"\u001b]0;owned\u0007" in text
    assert "[red]" in text


def test_a_stream_that_is_gone_is_no_error() -> None:
    """The bus goes on when nobody reads its console any more."""
    out = io.StringIO()
    sink = ConsoleSink(metrics=True, traces=True, console=Console(file=out))
    out.close()

    sink.write(metric("n"))


@pytest.mark.parametrize(("metrics", "traces"), [(True, False), (False, True), (True, True), (False, False)])
async def test_the_bus_prints_what_its_switches_say(
    capsys: pytest.CaptureFixture[str], *, metrics: bool, traces: bool
) -> None:
    """Metrics and spans reach standard error only where the constructor was told so; standard output never."""
    bus = MessageBus(enable_console_metrics=metrics, enable_console_traces=traces)
    await bus.start()
    await bus.publish(metric("files_processed"))
    await bus.publish(span("Import"))
    await bus.stop()

    captured = capsys.readouterr()
    assert ("files_processed" in captured.err, "Import" in captured.err) == (metrics, traces)
    assert captured.out == ""
