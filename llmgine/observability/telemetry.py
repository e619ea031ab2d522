"""Metrics and spans, which travel over the bus like any other event."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

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


def _status(data: dict[str, Any]) -> Literal["OK"] | None:
    return None if data.get("end_time") is None else "OK"


class TraceEvent(Event):
    """A span that ended, or its start alone or its end alone, which belong together by their `span_context`.

    `start_time` and `end_time` are ISO 8601 texts, in local time where they name no time zone; one of them may be
    missing. `status` is None until the span ends.

    Raises:
        ValueError: Both times are missing.
    """

    name: str
    span_context: SpanContext
    start_time: str | None = None
    end_time: str | None = None
    status: Literal["OK", "ERROR"] | None = Field(default_factory=_status)
    attributes: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        if self.start_time is None and self.end_time is None:
            raise ValueError("a TraceEvent needs a start_time, an end_time, or both")
        return self
