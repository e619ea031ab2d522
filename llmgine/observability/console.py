"""Metrics and spans for people: coloured in a terminal, plain elsewhere."""

import contextlib
from datetime import datetime

from rich.console import Console
from rich.text import Text

from llmgine.messages.message import Message
from llmgine.messages.text import escape
from llmgine.observability.telemetry import MetricEvent, TraceEvent


def _duration(event: TraceEvent) -> str:
    """How long a span took, or nothing where its times are not ISO 8601."""
    try:
        seconds = datetime.fromisoformat(event.end_time) - datetime.fromisoformat(event.start_time)
    except (ValueError, TypeError):  # TypeError: only one of the two has a time zone
        return ""
    return f" {seconds.total_seconds() * 1000:.1f} ms"


class ConsoleSink:
    """Prints metrics, spans, or both, to standard error unless given another console.

    One line each, never wrapped; what cannot be written is dropped.
    """

    def __init__(self, *, metrics: bool, traces: bool, console: Console | None = None) -> None:
        self._metrics = metrics
        self._traces = traces
        self._console = console or Console(stderr=True, highlight=False)

    def write(self, message: Message) -> None:
        """Print the message if it is of a kind that was asked for."""
        if self._metrics and isinstance(message, MetricEvent):
            for metric in message.metrics:
                tags = "".join(f" {name}={value}" for name, value in metric.tags.items())
                unit = f" {metric.unit}" if metric.unit else ""
                self._say("metric", "cyan", f"{metric.name} = {metric.value:g}{unit}{tags}")
        elif self._traces and isinstance(message, TraceEvent):
            colour = "green" if message.status == "OK" else "red"
            self._say("span", colour, f"{message.name} {message.status}{_duration(message)}")

    def _say(self, kind: str, colour: str, text: str) -> None:
        # Escaped: a name or tag comes from anywhere, and must not control the terminal.
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more, or the stream is closed
            self._console.print(Text.assemble((f"{kind:<7}", colour), escape(text)), soft_wrap=True)
