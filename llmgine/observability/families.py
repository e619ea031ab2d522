"""What the metrics on the bus are called in Prometheus, and which of their tags become labels there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from llmgine.observability import names

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


class Kind(Enum):
    """What a family does with a value."""

    COUNT = "It counts the values."
    SUM = "It adds the values up."
    HISTOGRAM = "It sorts the values into buckets, counts them and adds them up."
    GAUGE = "It shows the last value."


@dataclass(frozen=True)
class Family:
    """One metric of Prometheus.

    Attributes:
        metric: The name of the metric on the bus that it is made from.
        name: Its name, without the ending `_total` that Prometheus gives to what is counted or added up.
        kind: What it does with the values.
        help: What it says, in one sentence.
        labels: For each label the tag that it is taken from, and what it is where there is no such tag. The values of
            a tag must be few: no ids of channels, people or turns.
        buckets: The upper bounds of a histogram's buckets.
    """

    metric: str
    name: str
    kind: Kind
    help: str
    labels: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    buckets: tuple[float, ...] = _SECONDS


_OUTCOME = {"outcome": (names.ERROR_TYPE, "done")}
_MODEL = {"model": (names.REQUEST_MODEL, "")}

FAMILIES = (
    Family(
        names.AGENT_DURATION, "llmgine_turns", Kind.COUNT, "Turns with an outcome: done, failed or stopped.", _OUTCOME
    ),
    Family(names.AGENT_DURATION, "llmgine_turn_duration_seconds", Kind.HISTOGRAM, "How long turns took."),
    Family(
        names.FIRST_TEXT,
        "llmgine_turn_first_text_seconds",
        Kind.HISTOGRAM,
        "How long people waited for the first text of an answer.",
    ),
    Family(
        names.CHAT_DURATION,
        "llmgine_model_call_duration_seconds",
        Kind.HISTOGRAM,
        "How long model calls took; the outcome is done, or the class of the error.",
        {**_MODEL, **_OUTCOME},
    ),
    Family(
        names.CHAT_FIRST_CHUNK,
        "llmgine_model_first_chunk_seconds",
        Kind.HISTOGRAM,
        "How long the model took to its first piece of text.",
        _MODEL,
    ),
    Family(
        names.TOKEN_USAGE,
        "llmgine_tokens",
        Kind.SUM,
        "Tokens that the model counted, of type input or output.",
        {**_MODEL, "type": (names.TOKEN_TYPE, "")},
    ),
    Family(names.CACHED_TOKEN_USAGE, "llmgine_cached_tokens", Kind.SUM, "Input tokens that came from a cache.", _MODEL),
    Family(
        names.TOOL_DURATION,
        "llmgine_tool_duration_seconds",
        Kind.HISTOGRAM,
        "How long tools ran; the outcome is done or tool_error.",
        {"tool": (names.TOOL_NAME, ""), **_OUTCOME},
    ),
    Family(
        names.LOOP_LAG,
        "llmgine_event_loop_lag_seconds",
        Kind.GAUGE,
        "How late the latest timer of the event loop was, in the last minute or since a worse one.",
    ),
    Family(names.QUEUED, "llmgine_bus_queued_events", Kind.GAUGE, "Most events that waited on the bus, in that time."),
)
