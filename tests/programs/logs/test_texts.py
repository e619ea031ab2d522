"""What a record says, how much it matters, and which are chosen."""

import pytest

from llmgine.messages import commands, events
from llmgine.messages.message import Message
from llmgine.observability import MetricEvent, TraceEvent
from llmgine.observability.reader import Record
from programs.logs.selection import Selection
from programs.logs.texts import Level, describe, level, one_line, seconds


def record(kind: str, **data: object) -> Record:
    return Record(1, kind, None, dict(data), 0)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (record("TurnFinishedEvent", state="failed"), Level.ERROR),
        (record("TurnFinishedEvent", state="stopped"), Level.WARNING),
        (record("TurnFinishedEvent", state="done"), Level.INFO),
        (record("ToolCallFinishedEvent", result={"ok": False}), Level.WARNING),
        (record("ToolCallFinishedEvent", result={"ok": True}), Level.INFO),
        (record("ToolCallDecidedEvent", approved=False), Level.WARNING),
        (record("LLMResponseEvent", finish="length"), Level.WARNING),
        (record("TraceEvent", status="ERROR"), Level.ERROR),
        (record("TraceEvent", status="OK"), Level.DEBUG),
        (record("HandlerFailedEvent"), Level.ERROR),
        (record("CommandErrorEvent"), Level.ERROR),
        (record("ModelRetryEvent"), Level.WARNING),
        (record("MetricEvent"), Level.DEBUG),
        (record("SomebodysEvent"), Level.INFO),
        (record(""), Level.INFO),
    ],
)
def test_every_record_has_a_level(one: Record, expected: Level) -> None:
    """Failures are errors, what people may want to know of is a warning, measuring is debug."""
    assert level(one) is expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0.0, "0.0 ms"),
        (0.0024, "2.4 ms"),
        (0.38, "380 ms"),
        (0.9999, "1.00 s"),
        (1.239, "1.24 s"),
        (187.0, "3 m 07 s"),
        (7_260.0, "2 h 01 m"),
    ],
)
def test_durations_are_short(value: float | None, text: str) -> None:
    """Two or three digits and a unit say enough."""
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines\tand\r\nmore", "two lines and more"),
        ("\x1b[2J\x1b]0;owned\x07", r"\u001b[2J\u001b]0;owned\u0007"),
        ("\u202egpj.exe \u200b", r"\u202egpj.exe \u200b"),
        ("\x9b31m \ud800", r"\u009b31m \ud800"),
        ("x" * 50, "x" * 19 + "…"),
    ],
)
def test_hostile_text_is_shown_as_text(text: str, shown: str) -> None:
    """Nothing that a terminal obeys, or that hides what stands there, is left."""
    assert one_line(text, 50 if "x" * 9 not in text else 20) == shown


def classes(base: type[Message]) -> list[type[Message]]:
    here = [*base.__subclasses__()]
    return [*here, *(deeper for one in here for deeper in classes(one))]


KINDS = sorted({one.__name__ for one in classes(Message) if one.__module__.startswith("llmgine.")})
VALUES: list[object] = [None, "text", 7, 1.5, True, [], [1, "x", None, {}], {}, {"ok": 3}, {"name": []}]


@pytest.mark.parametrize("kind", [*KINDS, "UnknownEvent", ""])
def test_any_record_can_be_told(kind: str) -> None:
    """Fields that are missing, or of any other type than expected, are no error."""
    names = {
        name
        for one in classes(Message)
        if one.__module__ in {commands.__name__, events.__name__, MetricEvent.__module__}
        for name in one.model_fields
    }
    assert isinstance(describe(record(kind)), str)
    for value in VALUES:
        odd = record(kind, **dict.fromkeys(names, value))
        assert isinstance(describe(odd), str)
        assert isinstance(level(odd), Level)


def test_what_is_not_known_is_told_by_its_fields() -> None:
    """A class of somebody's own needs nothing from us to be readable."""
    told = describe(record("GreetedEvent", id=1, trace_id="t", name="Ada", times=[1, 2], nothing=None))

    assert told == "name=Ada times=[1, 2]"
    assert TraceEvent.__name__ in KINDS


@pytest.mark.parametrize(("tries", "told"), [(4, "try 2 of 4 in 1.00 s: no"), (None, "try 2 in 1.00 s: no")])
def test_a_retry_is_told_with_its_number(tries: int | None, told: str) -> None:
    """Of how many tries it is one is told where they are counted, which those of a service that starts are not."""
    assert describe(record("ModelRetryEvent", next_try=2, tries=tries, wait_seconds=1.0, reason="no")) == told


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        (Selection(), True),
        (Selection(session="discord:12"), True),
        (Selection(session="discord:1"), True),
        (Selection(session="*:12"), True),
        (Selection(session="terminal"), False),
        (Selection(types=("ToolCallFinishedEvent",)), True),
        (Selection(types=("toolcall",)), True),
        (Selection(types=("*finished",)), True),
        (Selection(types=("Turn", "Tool")), True),
        (Selection(types=("Turn",)), False),
        (Selection(types=("Call",)), False),
        (Selection(level=Level.WARNING), True),
        (Selection(level=Level.ERROR), False),
        (Selection(session="discord", types=("Tool",), level=Level.ERROR), False),
    ],
)
def test_records_are_chosen_by_session_type_and_level(selection: Selection, *, chosen: bool) -> None:
    """Names fit by their beginning or by a pattern, and every part must fit."""
    one = record("ToolCallFinishedEvent", session_id="discord:12", result={"ok": False})

    assert (one in selection) is chosen


def test_a_record_of_the_application_has_no_session() -> None:
    """What belongs to no session is left out when one is asked for."""
    assert record("X", session_id=None) not in Selection(session="d")
    assert record("X", session_id=None) in Selection()
