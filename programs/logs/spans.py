"""The records of a turn as a tree of spans: what took how long, and what it was caused by.

    prompt
    └── turn
        ├── round            a model call and the tool calls it asked for
        │   ├── model
        │   ├── approval
        │   └── tool         with whatever ran inside it
        └── …

A message is the child of the message whose handling built it; a beginning and its end are one span.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from llmgine.observability.reader import Record
from programs.logs.texts import Level, call, describe, level, tokens

# The events from which an application derives a span for its console, with the event's own ids.
_DERIVED_FROM = {"LLMResponseEvent", "ToolCallFinishedEvent", "TurnFinishedEvent"}

Kind = Literal["prompt", "command", "turn", "round", "model", "approval", "tool", "span", "event"]


@dataclass(eq=False)
class Span:
    """Something that took time, or (where `end` is `start`) happened at a moment. `end` is None while it runs."""

    kind: Kind
    name: str
    start: datetime
    end: datetime | None
    state: str = ""
    detail: str = ""
    round: int | None = None
    parent_id: str = ""
    children: list["Span"] = field(default_factory=list)

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        return None if self.end is None else max(0.0, (self.end - self.start).total_seconds())


def build(records: list[Record]) -> list[Span]:
    """The spans of one turn's records, as roots with their children, in order of their beginning."""
    builder = _Builder()
    ended = {record.text("span_id") for record in records if record.type in _DERIVED_FROM}
    for record in records:
        if not _repeats_spans(record, ended):
            builder.add(record)
    return builder.tree()


def _repeats_spans(record: Record, ended: set[str]) -> bool:
    """Whether a record has only metrics, or a span, that are derived from a turn's events: the tree shows the same."""
    if record.type == "TraceEvent":
        return record.text("span_context", "span_id") in ended
    metrics = record.part("metrics") if record.type == "MetricEvent" else None
    names = (
        [str(metric.get("name")) for metric in metrics if isinstance(metric, dict)] if isinstance(metrics, list) else []
    )
    return bool(names) and all(name.startswith(("gen_ai.", "llmgine.")) for name in names)


def walk(roots: list[Span]) -> Iterator[tuple[int, Span]]:
    """Every span with its depth, parents before children; as deep as it may be."""
    stack = [(0, span) for span in reversed(roots)]
    while stack:
        depth, span = stack.pop()
        yield depth, span
        stack.extend((depth + 1, child) for child in reversed(span.children))


class _Builder:
    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._by_id: dict[str, Span] = {}
        self._open: dict[tuple[str, ...], Span] = {}  # spans whose end is not read yet
        self._denied: dict[tuple[str, str], str] = {}  # turn and call: that it was denied, or expired
        self._now = datetime.fromtimestamp(0, UTC)

    def add(self, record: Record) -> None:
        """Take the next record: a span, a moment, or the end of a span that began before."""
        self._now = record.at or self._now
        if record.type == "ToolCallDecidedEvent" and record.part("approved") is not True:
            self._denied[record.text("turn_id"), record.text("call", "id")] = _decision_state(record)
        span = self._end_of(record) or self._new(record)
        own = record.text("span_context", "span_id") if record.type == "TraceEvent" else ""
        for span_id in (record.text("span_id"), own):
            if span_id:
                self._by_id.setdefault(span_id, span)

    def _end_of(self, record: Record) -> Span | None:
        """The span that this record ends."""
        key = _end_key(record)
        span = self._open.pop(key, None) if key else None
        if span is None:
            return None
        span.end = self._now
        match record.type:
            case "TurnFinishedEvent":
                span.state, span.detail = record.text("state"), describe(record)
                self._end_what_is_open(record.text("turn_id"))
            case "LLMResponseEvent" | "ModelFailedEvent":
                span.state, span.detail = "", describe(record)
                _name(span, record)
            case "ToolCallFinishedEvent":
                span.state = self._result_state(record)
                span.detail = f"{call(record)}\n→ {record.text('result', 'content')}"
            case "ToolCallDecidedEvent":
                span.state = _decision_state(record)
                span.detail = describe(record)
            case "TraceEvent":
                span.state = "failed" if record.text("status") == "ERROR" else record.text("status").lower()
                span.detail = f"{span.detail}\n{describe(record)}"
                _read_span(span, record)
            case "CommandErrorEvent":
                span.state, span.detail = "failed", f"{span.detail}\n{record.text('error')}"
        return span

    def _end_what_is_open(self, turn_id: str) -> None:
        """A turn that has its outcome does nothing any more: what it did then was stopped with it."""
        for key in [key for key in self._open if key[1] == turn_id and key[0] not in {"command", "span"}]:
            span = self._open.pop(key)
            span.end, span.state = self._now, "stopped"

    def _new(self, record: Record) -> Span:
        kind, name, state = _KINDS.get(record.type, ("event", record.type or "?", ""))
        span = Span(kind, name, self._now, self._now, state, describe(record), parent_id=record.text("parent_id"))
        round_ = record.number("round")
        span.round = None if round_ is None else int(round_)
        if record.type == "TraceEvent":
            span.name = record.text("name") or "span"
            span.parent_id = record.text("span_context", "parent_id") or span.parent_id
            _read_span(span, record)
            if (started := _begin_key(record)) is not None:
                span.end, span.state, self._open[started] = None, "running", span
        elif record.type in {"LLMResponseEvent", "ModelFailedEvent", "ToolCallFinishedEvent"}:
            span.start = _before(self._now, record.number("seconds"))
            _name(span, record)
            if record.type == "ToolCallFinishedEvent":
                span.state = self._result_state(record)
        elif (begun := _begin_key(record)) is not None:
            span.end, self._open[begun] = None, span
            _name(span, record)
        if level(record) is Level.ERROR:
            span.state = "failed"
        self._spans.append(span)
        return span

    def _result_state(self, record: Record) -> str:
        """A call that was denied has a result that is no success, and did not fail."""
        if record.part("result", "ok") is not False:
            return "ok"
        return self._denied.get((record.text("turn_id"), record.text("call", "id")), "failed")

    def tree(self) -> list[Span]:
        """Put every span under its parent; what has none, or is its own ancestor, is a root."""
        for span in self._spans:
            parent = self._by_id.get(span.parent_id)
            if parent is not None and parent is not span:
                parent.children.append(span)
        known = {id(child) for span in self._spans for child in span.children}
        roots = [span for span in self._spans if id(span) not in known]
        seen: set[int] = set()
        for span in [*roots, *self._spans]:
            if id(span) not in seen:
                if id(span) in known:  # only a ring of parents is reached from no root
                    roots.append(span)
                _prune(span, seen)
        for span in self._spans:
            if span.kind == "turn":
                _group_rounds(span)
            span.children.sort(key=lambda child: child.start)
        return sorted(roots, key=lambda root: root.start)


def _prune(root: Span, seen: set[int]) -> None:
    """Mark all that is under the root, and cut what leads back to what was seen."""
    stack = [root]
    seen.add(id(root))
    while stack:
        span = stack.pop()
        span.children = [child for child in span.children if id(child) not in seen]
        seen.update(id(child) for child in span.children)
        stack.extend(span.children)


def _group_rounds(turn: Span) -> None:
    """Put the spans of each round under a span of the round."""
    rounds: dict[int, list[Span]] = {}
    for child in turn.children:
        if child.round is not None:
            rounds.setdefault(child.round, []).append(child)
    rest = [child for child in turn.children if child.round is None]
    for number, children in rounds.items():
        ends = [child.end for child in children]
        done = [end for end in ends if end is not None]
        end = max(done) if len(done) == len(ends) else None
        start = min(child.start for child in children)
        span = Span("round", f"round {number + 1}", start, end, round=number)
        span.children = sorted(children, key=lambda child: child.start)
        rest.append(span)
    turn.children = rest


_KINDS: dict[str, tuple[Kind, str, str]] = {
    "PromptCommand": ("prompt", "prompt", ""),
    "TurnAdmittedEvent": ("event", "admitted", ""),
    "TurnStartedEvent": ("turn", "turn", "running"),
    "TurnFinishedEvent": ("event", "outcome", ""),
    "ModelAskedEvent": ("model", "model", "running"),
    "LLMResponseEvent": ("model", "model", ""),
    "ModelFailedEvent": ("model", "model", "failed"),
    "ModelRetryEvent": ("event", "retry", "retried"),
    "ToolCallWaitingEvent": ("approval", "approval", "waiting"),
    "ToolCallDecidedEvent": ("event", "decided", ""),
    "ToolCallStartedEvent": ("tool", "tool", "running"),
    "ToolCallFinishedEvent": ("tool", "tool", ""),
    "TraceEvent": ("span", "span", ""),
    "MetricEvent": ("event", "metrics", ""),
}


_BEGINS = {
    "TurnStartedEvent": "turn",
    "ModelAskedEvent": "model",
    "ToolCallStartedEvent": "tool",
    "ToolCallWaitingEvent": "approval",
}
_ENDS = {
    "TurnFinishedEvent": "turn",
    "LLMResponseEvent": "model",
    "ModelFailedEvent": "model",
    "ToolCallFinishedEvent": "tool",
    "ToolCallDecidedEvent": "approval",
}


def _begin_key(record: Record) -> tuple[str, ...] | None:
    """What the end of this span will be found by; None for what happens at a moment."""
    if record.type.endswith("Command"):
        return ("command", str(record.part("id")))
    if record.type == "TraceEvent":
        return _own_span(record) if record.part("end_time") is None else None
    return _key(_BEGINS.get(record.type), record)


def _end_key(record: Record) -> tuple[str, ...] | None:
    if record.type in {"CommandResultEvent", "CommandErrorEvent"}:
        return ("command", str(record.part("command_id")))
    if record.type == "TraceEvent":
        return _own_span(record) if record.part("start_time") is None else None
    return _key(_ENDS.get(record.type), record)


def _key(kind: str | None, record: Record) -> tuple[str, ...] | None:
    turn = record.text("turn_id")
    match kind:
        case None:
            return None
        case "turn":
            return (kind, turn)
        case "model":
            return (kind, turn, str(record.part("round")))
    return (kind, turn, record.text("call", "id"))


def _own_span(record: Record) -> tuple[str, ...]:
    return ("span", record.text("span_context", "trace_id"), record.text("span_context", "span_id"))


def _name(span: Span, record: Record) -> None:
    """Say which model, tool or command it is."""
    match span.kind:
        case "model":
            span.name = " · ".join(part for part in (f"model {record.text('model')}", tokens(record)) if part)
            span.state = "failed" if record.type == "ModelFailedEvent" else span.state
        case "tool" | "approval":
            span.name = f"{span.kind} {record.text('call', 'name')}".strip()
        case "event":
            span.kind, span.name = "command", record.type


def _decision_state(record: Record) -> str:
    if record.part("approved") is True:
        return "approved"
    return "denied" if record.part("decided_by") else "expired"


def _read_span(span: Span, record: Record) -> None:
    """A program's own span has its own times; one that is missing or unreadable is that of its record."""
    start = _time(record.text("start_time")) or span.start
    end = _time(record.text("end_time")) or span.end
    if end is None or start <= end:
        span.start, span.end = start, end


def _time(text: str) -> datetime | None:
    """The time; local time where it names no time zone, as `datetime.now().isoformat()` does not."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _before(end: datetime, seconds: float | None) -> datetime:
    try:
        return end - timedelta(seconds=max(0.0, seconds or 0.0))
    except OverflowError:
        return end
