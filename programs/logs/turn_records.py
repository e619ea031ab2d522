"""The records of turns: which belong together, and what a turn was in one line."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from llmgine.errors import UserError
from llmgine.observability.reader import Record, read_log
from llmgine.turn_state import CallState, TurnState
from programs.logs.attempts import attempts_of
from programs.logs.spans import build
from programs.logs.texts import one_line
from programs.logs.waits import waits

MOST_RECORDS = 5_000  # of one turn; tools may publish any number of events
_MOST_SECONDS = 1e9  # of a turn; more is a damaged line
_MOST_TURNS = 500
_MOST_BYTES = 16 * 2**20  # of lines; as objects they take several times as much
_MOST_WAITING = 200  # traces that no turn is known of yet


@dataclass(frozen=True)
class Summary:
    """A turn in one line. Tokens and seconds are None where they are not known (yet).

    `prompt` is the first message as it was last edited. `seconds` are those of the last attempt, and `worked` are these
    without the time it waited for people.
    """

    id: str
    session: str
    prompt: str
    state: str
    model: str
    at: datetime | None
    seconds: float | None
    worked: float | None
    first_token: float | None
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    rounds: int
    tools: int
    failed_tools: int
    notice: str


def summarize(turn_id: str, records: list[Record]) -> Summary:
    """What the records of one turn say together."""
    by_type: dict[str, list[Record]] = {}
    for record in records:
        by_type.setdefault(record.type, []).append(record)
    replies = by_type.get("LLMResponseEvent", [])
    asked = by_type.get("ModelAskedEvent", [])
    finished = by_type.get("TurnFinishedEvent", [])[-1:]
    counted = finished or replies
    has_usage = any(isinstance(record.part("usage"), dict) for record in replies)
    tokens = {
        name: int(sum(record.number("usage", f"{name}_tokens") or 0 for record in counted)) if has_usage else None
        for name in ("input", "output", "cached")
    }
    attempts = attempts_of(records)
    calls = [call for attempt in attempts for call in attempt.calls.values() if call.result is not None]
    return Summary(
        id=turn_id,
        session=next((session for record in records if (session := record.text("session_id"))), ""),
        prompt=_prompt(records),
        state=_state(attempts[-1], records),
        model=next((model for record in reversed(finished or replies or asked) if (model := record.text("model"))), ""),
        at=next((record.at for record in records if record.at), None),
        seconds=finished[0].number("seconds") if finished else None,
        worked=_worked(finished[0], records) if finished else None,
        first_token=next((s for reply in replies if (s := reply.number("first_token_seconds")) is not None), None),
        input_tokens=tokens["input"],
        output_tokens=tokens["output"],
        cached_tokens=tokens["cached"],
        rounds=len(replies),
        tools=len(calls),
        failed_tools=sum(call.state is CallState.FAILED for call in calls),
        notice=finished[0].text("notice") if finished else "",
    )


def _prompt(records: list[Record]) -> str:
    """The first message that was not deleted, as it was last edited."""
    texts: dict[str, tuple[float, str]] = {}  # by message: its version and text
    for record in records:
        message, version = record.text("source_id"), record.number("version") or 0
        if record.type == "DeletePromptCommand" and len(texts) > 1:
            texts.pop(message, None)
        elif record.type in {"PromptCommand", "EditPromptCommand"} and version >= texts.get(message, (0, ""))[0]:
            texts[message] = version, record.text("text")
    return next((text for _, text in texts.values()), "")


def _worked(finished: Record, records: list[Record]) -> float | None:
    seconds = finished.number("seconds")
    if seconds is None or finished.at is None or not 0 <= seconds < _MOST_SECONDS:
        return seconds
    begin = finished.at - timedelta(seconds=seconds)
    waited = ((max(start, begin), min(end, finished.at)) for start, end in waits(build(records)))
    return max(0.0, seconds - sum((end - start).total_seconds() for start, end in waited if start < end))


def _state(turn: TurnState, records: list[Record]) -> str:
    """The latest that is known of a turn; an outcome of a kind that only a newer program knows, too."""
    if turn.outcome is not None:
        return turn.outcome.state
    types = [record.type for record in records]
    last = next((r for r in reversed(records) if r.type in {"TurnStartedEvent", "TurnFinishedEvent"}), None)
    if last is not None and last.type == "TurnFinishedEvent":
        return last.text("state")
    if turn.waiting:
        return "waiting"
    if "TurnStartedEvent" in types or turn.calls or turn.replies:
        return "running"
    return "queued" if "TurnAdmittedEvent" in types else ""


class RecentTurns:
    """The newest turns with their records, in bounded memory.

    A record belongs to the turn it names, and one that names none (the prompt, a metric) to the turn of its trace.
    """

    def __init__(self, most: int = _MOST_TURNS, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._turns: OrderedDict[str, list[Record]] = OrderedDict()
        self._summaries: dict[str, Summary] = {}
        self._turn_of_trace: dict[str, str] = {}
        self._waiting: OrderedDict[str, list[Record]] = OrderedDict()

    def add(self, record: Record) -> None:
        """Take the next record of the log."""
        trace, turn = record.text("trace_id"), record.text("turn_id")
        turn = turn or self._turn_of_trace.get(trace, "")
        if not turn:
            self._wait(trace, record)
            return
        if turn not in self._turns and record.type not in {"TurnAdmittedEvent", "TurnStartedEvent"}:
            return  # a turn that has been forgotten, or one that was never here
        records = self._turns.setdefault(turn, [])
        self._turn_of_trace[trace] = turn
        for one in (*self._waiting.pop(trace, ()), record):
            if len(records) < MOST_RECORDS:
                records.append(one)
                self._bytes += one.size
        self._summaries.pop(turn, None)
        while len(self._turns) > 1 and (len(self._turns) > self._most or self._bytes > self._most_bytes):
            self._forget_oldest()

    def _wait(self, trace: str, record: Record) -> None:
        self._waiting.setdefault(trace, []).append(record)
        if len(self._waiting) > _MOST_WAITING or len(self._waiting[trace]) > _MOST_WAITING:
            self._waiting.popitem(last=False)

    def _forget_oldest(self) -> None:
        turn, records = self._turns.popitem(last=False)
        self._bytes -= sum(record.size for record in records)
        self._summaries.pop(turn, None)
        for trace in {record.text("trace_id") for record in records}:
            self._turn_of_trace.pop(trace, None)

    def newest(self, count: int) -> Iterator[Summary]:
        """The newest turns, newest first."""
        for turn in [turn for turn, _ in zip(reversed(self._turns), range(count), strict=False)]:
            if turn not in self._summaries:
                self._summaries[turn] = summarize(turn, self._turns[turn])
            yield self._summaries[turn]

    def records(self, turn_id: str) -> list[Record]:
        """The records of a turn; none of one that is not known."""
        return self._turns.get(turn_id, [])


def find_turn(path: Path, wanted: str) -> tuple[str, list[Record]]:
    """The turn whose id begins with `wanted`, or the newest for "last", and its records.

    Raises:
        UserError: There is no such turn, or more than one.
    """
    traces: dict[str, set[str]] = {}
    for record in read_log(path):
        turn = record.text("turn_id")
        if wanted == "last" and record.type in {"TurnAdmittedEvent", "TurnStartedEvent"} and turn not in traces:
            traces = {turn: set()}
        if turn and (turn.startswith(wanted) if wanted != "last" else turn in traces) and len(traces) <= _MOST_TURNS:
            traces.setdefault(turn, set()).update(filter(None, [record.text("trace_id")]))
    if wanted in traces:
        traces = {wanted: traces[wanted]}
    if not traces:
        what = "no turn in the log yet" if wanted == "last" else f"no turn in the log whose id begins with {wanted!r}"
        raise UserError(f"There is {what}: list the ids with `tail --type TurnStarted`")
    if len(traces) > 1:
        some = ", ".join(one_line(turn, 40) for turn in list(traces)[:5])
        raise UserError(f"{len(traces)} turns begin with {wanted!r}, among them {some}: give more of the id")
    ((turn_id, of_turn),) = traces.items()
    mine = (
        record
        for record in read_log(path)
        if record.text("turn_id") == turn_id or (not record.text("turn_id") and record.text("trace_id") in of_turn)
    )
    return turn_id, list(islice(mine, MOST_RECORDS))
