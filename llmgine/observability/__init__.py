"""Metrics, spans, and the sinks that write down what passes over the bus."""

from llmgine.messages.message import SpanContext
from llmgine.observability.telemetry import Metric, MetricEvent, TraceEvent

__all__ = ["Metric", "MetricEvent", "SpanContext", "TraceEvent"]
