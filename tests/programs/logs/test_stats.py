"""What the log adds up to, in bounded memory."""

import math
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.events import CommandErrorEvent, HandlerFailedEvent, ModelFailedEvent, ModelRetryEvent
from llmgine.observability import Metric, MetricEvent
from llmgine.observability.reader import Record, read_log
from programs.logs.quantiles import Quantiles
from programs.logs.stats import Stats
from tests.programs.logs.story import BEGIN, Story, Turn

CALL = ToolCall(id="call00001", name="get_weather")


def stats_of(story: Story) -> Stats:
    stats = Stats()
    stats.add_all(read_log(story.path))
    return stats


@given(st.lists(st.floats(min_value=1e-6, max_value=1e12), min_size=1, max_size=200), st.floats(0, 1))
def test_percentiles_are_within_one_percent(values: list[float], part: float) -> None:
    """Whatever the values, a percentile is the exact one, give or take one percent."""
    quantiles = Quantiles()
    for value in values:
        quantiles.add(value)

    exact = sorted(values)[max(1, math.ceil(part * len(values))) - 1]

    assert quantiles.at(part) == pytest.approx(exact, rel=0.011)
    assert quantiles.greatest == max(values)


def test_percentiles_of_nothing_and_of_zeros_are_zero() -> None:
    """Neither is an error."""
    quantiles = Quantiles()
    assert quantiles.at(0.5) == 0

    quantiles.add(0.0)
    quantiles.add(-5.0)

    assert quantiles.summary() == {"count": 2, "p50": 0, "p90": 0, "p99": 0, "max": 0}


async def test_turns_models_and_tools_are_counted(story: Story) -> None:
    """Outcomes, tokens, durations, first tokens and failures stand where they belong."""
    states: list[Literal["done", "failed", "stopped"]] = ["done", "done", "failed", "stopped"]
    for number, state in enumerate(states):
        turn = Turn(story, f"t{number}")
        turn.reply(seconds=number + 1.0, first=0.1)
        with turn.tool(CALL, seconds=0.5, ok=number > 0):
            pass
        turn.finish(state, seconds=number + 2.0)
    running = Turn(story, "t9")
    running.tell(ModelRetryEvent, round=0, next_try=2, tries=2, wait_seconds=1, reason="busy")
    running.tell(ModelFailedEvent, round=0, model="large", error="E", reason="no", seconds=9.0)
    story.tell(CommandErrorEvent, command_id=1, command_type="X", error="no")
    story.tell(HandlerFailedEvent, handler="h", event_id=1, event_type="X", error="no")
    story.tell(MetricEvent, metrics=[Metric(name="lag", value=0.5, unit="s"), Metric(name="lag", value=1.5, unit="s")])

    data = stats_of(story).as_data()

    turns = data["turns"]
    assert {name: turns[name] for name in ("done", "failed", "stopped", "unfinished")} == {
        "done": 2,
        "failed": 1,
        "stopped": 1,
        "unfinished": 1,
    }
    assert turns["seconds"]["p50"] == pytest.approx(3.0, rel=0.011)
    assert turns["seconds"]["max"] == 5.0
    assert data["tokens"] == {"input": 400, "output": 40, "cached": 160}
    small, large = data["models"]["small"], data["models"]["large"]
    assert (small["calls"], small["failed"], large["calls"], large["failed"]) == (4, 0, 1, 1)
    assert small["seconds"]["p99"] == pytest.approx(4.0, rel=0.011)
    assert small["first_token_seconds"]["p50"] == pytest.approx(0.1, rel=0.011)
    assert small["tokens"] == {"input": 400, "output": 40, "cached": 160}
    tool = data["tools"]["get_weather"]
    assert (tool["calls"], tool["failed"], tool["seconds"]["count"]) == (4, 1, 4)
    assert (data["model_retries"], data["failed_commands"], data["failed_handlers"]) == (1, 1, 1)
    assert data["metrics"]["lag [s]"]["count"] == 2
    assert data["records"] == len(story.records())


@pytest.mark.parametrize("denied", [True, False])
async def test_a_call_that_did_not_run_has_no_duration(story: Story, *, denied: bool) -> None:
    """It does not make the tool look fast, and counts as failed unless it was denied."""
    turn = Turn(story, "t1")
    if denied:
        turn.approval(CALL, approved=False)
    turn.end_tool(CALL, seconds=0.0, ok=False)

    tool = stats_of(story).tools["get_weather"]

    assert (tool.calls, tool.failed, tool.denied, tool.seconds.count) == (1, not denied, denied, 0)


async def test_older_records_can_be_left_out(story: Story) -> None:
    """Only what happened since then counts."""
    Turn(story, "t1").finish()
    story.wait(3_600)
    Turn(story, "t2").finish()

    stats = Stats(BEGIN + timedelta(minutes=30))
    stats.add_all(story.records())

    assert stats.outcomes["done"] == 1
    assert stats.first
    assert stats.first > BEGIN + timedelta(minutes=30)


def test_names_from_outside_cannot_fill_the_memory() -> None:
    """A model may invent tools without end: past two hundred they are counted together."""
    stats = Stats()

    stats.add_all(
        Record(1, "ToolCallFinishedEvent", None, {"call": {"name": f"tool{number}"}, "seconds": 1}, 0)
        for number in range(1_000)
    )

    assert len(stats.tools) == 201
    assert stats.tools["(others)"].calls == 800


@pytest.mark.parametrize("kind", ["TurnFinishedEvent", "LLMResponseEvent", "ToolCallFinishedEvent", "MetricEvent", "X"])
@pytest.mark.parametrize("value", [None, "x", -1, 1e308, [], [None, {"value": "x"}], {"value": {}}])
def test_odd_fields_are_no_error(kind: str, value: object) -> None:
    """Whatever stands in the log, the rest is counted."""
    names = ("usage", "seconds", "state", "turn_id", "model", "call", "result", "metrics", "first_token_seconds")
    stats = Stats()

    stats.add_all([Record(1, kind, None, dict.fromkeys(names, value), 0)])

    assert stats.as_data()["records"] == 1


def test_a_long_log_is_added_up_in_bounded_memory(tmp_path: Path) -> None:
    """50,000 lines of turns need less than 2 MB, open turns and all."""
    path = tmp_path / "events.jsonl"
    with path.open("w") as file:
        for number in range(12_500):
            about = f'"v":1,"at":"2026-01-01T12:00:00Z","session_id":"s","turn_id":"t{number}"'
            file.write(f'{{"type":"TurnStartedEvent",{about}}}\n')
            file.write(f'{{"type":"LLMResponseEvent",{about},"model":"m","seconds":{number / 1000}}}\n')
            file.write(f'{{"type":"ToolCallFinishedEvent",{about},"call":{{"name":"t"}},"seconds":{number}}}\n')
            file.write(f'{{"type":"TurnFinishedEvent",{about},"state":"done","seconds":{number}}}\n')
    stats = Stats()
    tracemalloc.start()
    try:
        stats.add_all(read_log(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert stats.outcomes["done"] == 12_500
    assert stats.models["m"].seconds.at(0.5) == pytest.approx(6.25, rel=0.011)
    assert peak < 2 * 2**20
