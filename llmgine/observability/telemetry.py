"""Metrics and spans, which travel over the bus like any other event."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from llmgine.messages.events import Event
from llmgine.messages.message import SpanContext


class Metric(BaseModel):
    """One measured value. `unit` is a UCUM code ("s", "By", "{token}"), as OpenTelemetry's are."""

    model_config = ConfigDict(frozen=True)

    name: str
    value: float
    unit: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)


class MetricEvent(Event):
    """Values measured together."""

    metrics: list[Metric]


class TraceEvent(Event):
    """A span that ended. `start_time` and `end_time` are ISO 8601 texts."""

    name: str
    span_context: SpanContext
    start_time: str
    end_time: str
    status: Literal["OK", "ERROR"] = "OK"
    attributes: dict[str, JsonValue] = Field(default_factory=dict)
