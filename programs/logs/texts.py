"""What a record says, in one line that can do no harm to a terminal."""

import json
from collections.abc import Callable
from enum import IntEnum

from llmgine.messages.text import collapse_spaces, escape, shorten
from llmgine.observability.reader import Record

_ENVELOPE = {"v", "type", "id", "at", "session_id", "trace_id", "span_id", "parent_id"}


class Level(IntEnum):
    """How much a record matters."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


_FIXED = {
    "MetricEvent": Level.DEBUG,
    "CommandResultEvent": Level.DEBUG,
    "ModelRetryEvent": Level.WARNING,
    "ModelFailedEvent": Level.ERROR,
    "CommandErrorEvent": Level.ERROR,
    "HandlerFailedEvent": Level.ERROR,
}
_OF_STATE = {"failed": Level.ERROR, "stopped": Level.WARNING}


def level(record: Record) -> Level:
    """Errors are failures, warnings what people may want to know of, debug what measures; all else is information."""
    match record.type:
        case "TurnFinishedEvent":
            return _OF_STATE.get(record.text("state"), Level.INFO)
        case "ToolCallFinishedEvent":
            return Level.WARNING if record.part("result", "ok") is False else Level.INFO
        case "ToolCallDecidedEvent":
            return Level.WARNING if record.part("approved") is False else Level.INFO
        case "LLMResponseEvent":
            return Level.WARNING if record.text("finish") in {"length", "filtered"} else Level.INFO
        case "TraceEvent":
            return Level.ERROR if record.text("status") == "ERROR" else Level.DEBUG
    return _FIXED.get(record.type, Level.INFO)


def one_line(text: str, longest: int) -> str:
    """The text on one line of at most `longest` characters, with everything that does not print escaped."""
    return shorten(escape(collapse_spaces(text[: longest * 2])), longest)


def seconds(value: float | None) -> str:
    """A duration as people read it: `2.4 ms`, `380 ms`, `1.24 s`, `3 m 07 s`; empty where there is none."""
    if value is None:
        return ""
    if value < 0.01:
        return f"{value * 1000:.1f} ms"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.2f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} m {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} m"


def call(record: Record) -> str:
    """The tool call of a record: `get_weather({"location": "Paris"})`."""
    return f"{record.text('call', 'name') or '?'}({record.text('call', 'arguments')})"


def tokens(record: Record) -> str:
    """The tokens of a reply or turn: `520 → 20 tokens, 64 cached`; empty where the service does not count."""
    sent, got, cached = (int(record.number("usage", f"{name}_tokens") or 0) for name in ("input", "output", "cached"))
    if not sent and not got:
        return ""
    return f"{sent:,} → {got:,} tokens" + (f", {cached:,} cached" if cached else "")


def describe(record: Record) -> str:
    """What the record says, as text of any length and content: show it through `one_line`."""
    teller = _TELLERS.get(record.type)
    if teller is not None:
        return teller(record)
    rest = {name: value for name, value in record.data.items() if name not in _ENVELOPE and value not in (None, {}, [])}
    return " ".join(f"{name}={value if isinstance(value, str) else _json(value)}" for name, value in rest.items())


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "…"


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _reply(record: Record) -> str:
    calls = record.part("tool_calls")
    names = [one.get("name") for one in calls if isinstance(one, dict)] if isinstance(calls, list) else []
    asked = " ".join(f"{name}(…)" for name in names if isinstance(name, str))
    first = seconds(record.number("first_token_seconds"))
    facts = _joined(
        record.text("model"),
        tokens(record),
        seconds(record.number("seconds")),
        f"first token {first}" if first else "",
        record.text("finish"),
    )
    return f"{facts}: {record.text('text') or asked}"


def _metrics(record: Record) -> str:
    metrics = record.part("metrics")
    shown = []
    for metric in metrics if isinstance(metrics, list) else []:
        if isinstance(metric, dict):
            value, unit = metric.get("value"), metric.get("unit")
            number = f"{value:.4g}" if isinstance(value, float) else value
            shown.append(f"{metric.get('name')}={number}{f' {unit}' if unit else ''}")
    return ", ".join(shown)


def _finished(record: Record) -> str:
    facts = _joined(record.text("state"), seconds(record.number("seconds")), tokens(record))
    return f"{facts}: {record.text('notice') or record.text('text')}"


def _decided(record: Record) -> str:
    by = record.text("decided_by", "name")
    if record.part("approved") is not True and not by:
        return f"{call(record)} denied: nobody decided in time"
    return f"{call(record)} {'approved' if record.part('approved') is True else 'denied'} by {by}"


_TELLERS: dict[str, Callable[[Record], str]] = {
    "PromptCommand": lambda r: r.text("text"),
    "CommandResultEvent": lambda r: r.text("command_type"),
    "CommandErrorEvent": lambda r: f"{r.text('command_type')}: {r.text('error')}",
    "HandlerFailedEvent": lambda r: f"{r.text('handler')} on {r.text('event_type')}: {r.text('error')}",
    "TurnAdmittedEvent": lambda r: f"turn {r.text('turn_id')}, {r.number('place') or 0:g} before it",
    "TurnStartedEvent": lambda r: (
        f"turn {r.text('turn_id')}, attempt {r.number('attempt') or 1:g}"
        + (", after a restart" if r.part("resumed") is True else "")
    ),
    "LLMResponseEvent": _reply,
    "ModelAskedEvent": lambda r: r.text("model"),
    "ModelRetryEvent": lambda r: (
        f"try {r.number('next_try') or 0:g}"
        + (f" of {tries:g}" if (tries := r.number("tries")) is not None else "")  # none for a service that starts
        + f" in {seconds(r.number('wait_seconds'))}: {r.text('reason')}"
    ),
    "ModelFailedEvent": lambda r: f"{r.text('model')}, {seconds(r.number('seconds'))}: {r.text('reason')}",
    "ToolCallStartedEvent": call,
    "ToolCallWaitingEvent": lambda r: f"{call(r)} until {r.text('deadline')}",
    "ToolCallDecidedEvent": _decided,
    "ToolCallFinishedEvent": lambda r: f"{call(r)} → {r.text('result', 'content')}",
    "TurnFinishedEvent": _finished,
    "MetricEvent": _metrics,
    "TraceEvent": lambda r: f"{r.text('name')} {r.text('status') or 'started'}",
}
