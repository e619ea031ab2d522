"""Metrics and spans for people: coloured in a terminal, plain elsewhere."""

import contextlib
from collections import OrderedDict
from datetime import datetime

from rich.console import Console
from rich.text import Text

from llmgine.messages.message import Message
from llmgine.messages.text import escape
from llmgine.observability.telemetry import MetricEvent, TraceEvent

_MOST_STARTED = 1_000  # spans whose end has not come; one that never ends must not be kept for ever


def _duration(start: str | None, end: str | None) -> str:
    """How long a span took, or nothing where a time is missing or not ISO 8601."""
    try:
        seconds = datetime.fromisoformat(end or "") - datetime.fromisoformat(start or "")
    except (ValueError, TypeError):  # TypeError: only one of the two has a time zone
        return ""
    return f" {seconds.total_seconds() * 1000:.1f} ms"


class ConsoleSink:
    """Prints metrics, spans, or both, to standard error unless given another console.

    One line each, never wrapped; what cannot be written is dropped. A span that is published as a start and an end has
    a line for each, the second with its duration.
    """

    def __init__(self, *, metrics: bool, traces: bool, console: Console | None = None) -> None:
        self._metrics = metrics
        self._traces = traces
        self._console = console or Console(stderr=True, highlight=False)
        self._started: OrderedDict[tuple[str, str], str] = OrderedDict()  # trace and span: when it started

    def write(self, message: Message) -> None:
        """Print the message if it is of a kind that was asked for."""
        if self._metrics and isinstance(message, MetricEvent):
            for metric in message.metrics:
                tags = "".join(f" {name}={value}" for name, value in metric.tags.items())
                unit = f" {metric.unit}" if metric.unit else ""
                self._say("metric", "cyan", f"{metric.name} = {metric.value:g}{unit}{tags}")
        elif self._traces and isinstance(message, TraceEvent):
            self._say_span(message)

    def _say_span(self, event: TraceEvent) -> None:
        span = (event.span_context.trace_id, event.span_context.span_id)
        if event.end_time is None:
            self._started[span] = event.start_time or ""
            if len(self._started) > _MOST_STARTED:
                self._started.popitem(last=False)
            self._say("span", "cyan", f"{event.name} started")
            return
        started = self._started.pop(span, None)
        took = _duration(event.start_time or started, event.end_time)
        colour = "red" if event.status == "ERROR" else "green"
        self._say("span", colour, f"{event.name} {event.status or 'ended'}{took}")

    def _say(self, kind: str, colour: str, text: str) -> None:
        # Escaped: a name or tag comes from anywhere, and must not control the terminal.
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more, or the stream is closed
            self._console.print(Text.assemble((f"{kind:<7}", colour), escape(text)), soft_wrap=True)
