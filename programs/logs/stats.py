"""`stats`: what the log adds up to."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from llmgine.observability.reader import Record
from programs.logs.quantiles import Quantiles

_MOST_NAMES = 200  # different models, tools or metrics; names come from outside, and memory is bounded
_MOST_DENIED = 10_000  # calls that wait for their result; those of a process that died get none
_OTHERS = "(others)"
TROUBLES = {
    "ModelRetryEvent": "model_retries",
    "CommandErrorEvent": "failed_commands",
    "HandlerFailedEvent": "failed_handlers",
}

T = TypeVar("T")


def _of(table: dict[str, T], make: Callable[[], T], name: str) -> T:
    """The entry of that name, made when there is none."""
    name = name if name in table or len(table) < _MOST_NAMES else _OTHERS
    if name not in table:
        table[name] = make()
    return table[name]


def _call(record: Record) -> tuple[str, str]:
    return record.text("turn_id"), record.text("call", "id")


@dataclass
class Tokens:
    """Tokens counted by the service. `cached` is the part of `input` that was read from a cache."""

    input: int = 0
    output: int = 0
    cached: int = 0

    def add(self, record: Record) -> None:
        """Count those of a reply."""
        for name in ("input", "output", "cached"):
            count = int(record.number("usage", f"{name}_tokens") or 0)
            setattr(self, name, getattr(self, name) + count)


@dataclass
class Timed:
    """Calls of one model or tool: how many failed or were not approved, and how long those that ran took."""

    failed: int = 0
    denied: int = 0
    calls: int = 0
    seconds: Quantiles = field(default_factory=Quantiles)
    first_token: Quantiles = field(default_factory=Quantiles)
    tokens: Tokens = field(default_factory=Tokens)

    def add(self, seconds: float | None, *, ok: bool, denied: bool = False) -> None:
        """Count a call; one that did not run has no duration, and one that was denied did not fail."""
        self.calls += 1
        self.denied += denied
        self.failed += not ok and not denied
        if seconds:
            self.seconds.add(seconds)


class Stats:
    """Adds up records in bounded memory.

    Args:
        since: Leave out what is older.
    """

    def __init__(self, since: datetime | None = None) -> None:
        self.since = since
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.records = 0
        self.outcomes = {"done": 0, "failed": 0, "stopped": 0}
        self.turn_seconds = Quantiles()
        self.tokens = Tokens()
        self.troubles: Counter[str] = Counter()
        self.models: dict[str, Timed] = {}
        self.tools: dict[str, Timed] = {}
        self.metrics: dict[str, Quantiles] = {}
        self._open: set[str] = set()
        self._denied: set[tuple[str, str]] = set()  # turn and call, until the call's result

    def add_all(self, records: Iterable[Record]) -> None:
        """Count every record."""
        for record in records:
            if self.since is None or (record.at is not None and record.at >= self.since):
                self._add(record)

    @property
    def unfinished(self) -> int:
        """Turns that began and have no outcome: they run, or their program died."""
        return len(self._open)

    def _add(self, record: Record) -> None:
        self.records += 1
        if record.at is not None:
            self.first = min(self.first or record.at, record.at)
            self.last = max(self.last or record.at, record.at)
        if record.type in TROUBLES:
            self.troubles[record.type] += 1
        match record.type:
            case "TurnAdmittedEvent" | "TurnStartedEvent":
                self._open.add(record.text("turn_id"))
            case "TurnFinishedEvent":
                self._finish(record)
            case "LLMResponseEvent":
                self._reply(record)
            case "ModelFailedEvent":
                _of(self.models, Timed, record.text("model") or "?").add(record.number("seconds"), ok=False)
            case "ToolCallDecidedEvent" | "ToolCallFinishedEvent":
                self._tool(record)
            case "MetricEvent":
                self._measure(record)

    def _finish(self, record: Record) -> None:
        self._open.discard(record.text("turn_id"))
        state = record.text("state")
        if state in self.outcomes:
            self.outcomes[state] += 1
        self.turn_seconds.add(record.number("seconds") or 0.0)

    def _tool(self, record: Record) -> None:
        if record.type == "ToolCallDecidedEvent":
            if record.part("approved") is False and len(self._denied) < _MOST_DENIED:
                self._denied.add(_call(record))
            return
        tool = _of(self.tools, Timed, record.text("call", "name") or "?")
        ok, denied = record.part("result", "ok") is not False, _call(record) in self._denied
        tool.add(record.number("seconds"), ok=ok, denied=denied)
        self._denied.discard(_call(record))

    def _reply(self, record: Record) -> None:
        model = _of(self.models, Timed, record.text("model") or "?")
        model.add(record.number("seconds"), ok=True)
        model.tokens.add(record)
        self.tokens.add(record)
        first = record.number("first_token_seconds")
        if first is not None:
            model.first_token.add(first)

    def _measure(self, record: Record) -> None:
        metrics = record.part("metrics")
        for metric in metrics if isinstance(metrics, list) else []:
            one = Record(record.version, record.type, record.at, {"metric": metric}, 0)
            value = one.number("metric", "value")
            if value is not None:
                unit = one.text("metric", "unit")
                name = one.text("metric", "name") + (f" [{unit}]" if unit else "")
                _of(self.metrics, Quantiles, name).add(value)

    def as_data(self) -> dict[str, Any]:
        """Everything as plain data; durations in seconds."""
        return {
            "since": self.since and self.since.isoformat(),
            "first": self.first and self.first.isoformat(),
            "last": self.last and self.last.isoformat(),
            "records": self.records,
            "turns": {**self.outcomes, "unfinished": self.unfinished, "seconds": self.turn_seconds.summary()},
            "tokens": vars(self.tokens).copy(),
            **{name: self.troubles[kind] for kind, name in TROUBLES.items()},
            "models": {
                name: {
                    "calls": model.calls,
                    "failed": model.failed,
                    "seconds": model.seconds.summary(),
                    "first_token_seconds": model.first_token.summary(),
                    "tokens": vars(model.tokens).copy(),
                }
                for name, model in self.models.items()
            },
            "tools": {
                name: {
                    "calls": tool.calls,
                    "failed": tool.failed,
                    "denied": tool.denied,
                    "seconds": tool.seconds.summary(),
                }
                for name, tool in self.tools.items()
            },
            "metrics": {name: values.summary() for name, values in self.metrics.items()},
        }
