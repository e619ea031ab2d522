"""The benchmarks measure what they say: every row does its work, and the tables hold what was measured."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path

import pytest

from programs.bench import __main__, bus, turn_cost
from programs.bench.measure import Row, Timing, Work, alone, time_side_by_side


def test_a_ratio_is_ours_to_the_floor() -> None:
    """Medians are compared; peers are counted in times of ours."""
    times = {
        name: Timing(p50=p50, p99=p50, rate=1.0) for name, p50 in {"ours": 3.0, "floor": 2.0, "other": 30.0}.items()
    }
    row = Row("a row", "what it means", times, target=2.2)

    assert row.ratio == 1.5
    assert row.peers == {"other": 10.0}


async def test_works_are_timed_in_turns() -> None:
    """One round of all after another, after one that warms up, so that a slow moment hits all alike."""
    calls: list[str] = []

    async def one() -> None:
        calls.append("one")

    async def other() -> None:
        calls.append("other")

    times = await time_side_by_side({"one": Work(one, 1), "other": Work(other, 10)}, rounds=2)

    assert calls == ["one", "other"] * 3
    assert all(timing.p50 > 0 for timing in times.values())


async def leave_a_task_that_survives(answer: int) -> int:
    """What some libraries do: a task that does not end when it is cancelled."""

    async def survive() -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    task = asyncio.create_task(survive())
    await asyncio.sleep(0)  # it begins
    assert not task.done()
    return answer


async def test_a_measurement_ends_whatever_it_leaves_running() -> None:
    """The process of its own gives the result and ends, also with a task that survives being cancelled."""
    assert await alone(leave_a_task_that_survives, 42) == 42


def test_the_bus_bench_prints_each_row_and_writes_it_as_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--json FILE` holds the ratios of the table, with the machine's size and the date."""
    monkeypatch.setattr(bus, "_ROUNDS", 1)
    monkeypatch.setattr(bus, "_PEER_ROUNDS", 1)
    monkeypatch.setattr(bus, "_QUEUED", 100)
    monkeypatch.setattr(sys, "argv", ["bench", "bus", "--json", str(tmp_path / "bus.json")])

    assert __main__.main() == 0

    data = json.loads((tmp_path / "bus.json").read_text(encoding="utf-8"))
    printed = capsys.readouterr().out
    assert {"date", "python", "cores"} <= data.keys()
    assert len(data["rows"]) == 8
    assert all(row["ratio"] > 0 and row["meaning"] in " ".join(printed.split()) for row in data["rows"])


def _shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a measurement of streams take a moment."""
    monkeypatch.setattr(turn_cost, "_RAMP", 0.05)
    monkeypatch.setattr(turn_cost, "_SETTLE", 0.2)
    monkeypatch.setattr(turn_cost, "_WINDOW", 0.2)


@pytest.mark.parametrize("api", turn_cost.APIS)
@pytest.mark.parametrize("side", [turn_cost.ours, turn_cost.bare_sdk])
async def test_turns_and_streams_are_real(
    side: turn_cost.Side, api: turn_cost.Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides get a tool call and an answer over real HTTP by both APIs, and see every piece of a stream."""
    _shorten(monkeypatch)
    async with turn_cost.model_service() as url:
        done = await turn_cost.measure_turns(side, url, sessions=2, turns=2, api=api)
        flowing = await turn_cost.measure_streams(side, url, streams=2, api=api)

    assert done.p50 > 0
    assert done.rate > 0
    assert 0 < flowing.delay_p50 <= flowing.delay_p99


@pytest.mark.parametrize("api", turn_cost.APIS)
async def test_both_sides_get_the_same_answers(api: turn_cost.Api) -> None:
    """A question is answered with every piece, after a tool call where a tool is offered, and each piece is told of."""
    async with turn_cost.model_service() as url:
        for side in (turn_cost.ours, turn_cost.bare_sdk):
            recorder = turn_cost.Recorder()
            for tools in (False, True):
                async with side(url, "chunks:3:0.15", recorder, tools=tools, api=api) as chat:
                    await chat(0, 0)
            assert len(recorder.delays) >= 6


@pytest.mark.parametrize("api", turn_cost.APIS)
async def test_the_first_text_is_timed_from_the_question(api: turn_cost.Api) -> None:
    """On both sides, and the difference is what ours adds."""
    async with turn_cost.model_service() as url:
        first = await turn_cost.measure_first_text(url, questions=2, api=api)

    assert first.ours > 0
    assert first.sdk > 0
    assert first.added == first.ours - first.sdk


def test_the_turns_bench_prints_both_apis_and_writes_them_as_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each API has its tables, its time to first text and its ratio beside what is to be reached."""
    _shorten(monkeypatch)
    monkeypatch.setattr(__main__, "_SESSIONS", ((1, 2),))
    monkeypatch.setattr(__main__, "_STREAMS", (2,))
    monkeypatch.setattr(__main__, "_QUESTIONS", 2)
    monkeypatch.setattr(sys, "argv", ["bench", "turns", "--json", str(tmp_path / "turns.json")])

    assert __main__.main() == 0

    data = json.loads((tmp_path / "turns.json").read_text(encoding="utf-8"))
    printed = " ".join(capsys.readouterr().out.split())
    assert [one["api"] for one in data["apis"]] == ["chat", "responses"]
    assert all({"turns", "first_text", "streams"} <= one.keys() for one in data["apis"])
    assert all(f"{title}: turns with one tool call" in printed for title in turn_cost.APIS.values())
    assert printed.count("(to reach: 2.2)") == printed.count("(to stay under: 5)") == 2
