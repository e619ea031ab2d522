"""The benchmarks measure what they say: every row does its work, and the tables hold what was measured."""

import json
import sys
from pathlib import Path

import pytest

from programs.bench import __main__, bus, others, turns
from programs.bench.measure import Row, Timing, Work, time_side_by_side


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


def test_the_bus_bench_prints_each_row_and_writes_it_as_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--json FILE` holds the ratios of the table, with the machine's size and the date."""
    monkeypatch.setattr(bus, "_ROUNDS", 1)
    monkeypatch.setattr(bus, "_QUEUED", 100)
    monkeypatch.setattr(others, "_module", lambda _name: None)
    monkeypatch.setattr(sys, "argv", ["bench", "bus", "--json", str(tmp_path / "bus.json")])

    assert __main__.main() == 0

    data = json.loads((tmp_path / "bus.json").read_text(encoding="utf-8"))
    printed = capsys.readouterr().out
    assert {"date", "python", "cores"} <= data.keys()
    assert len(data["rows"]) == 8
    assert all(row["ratio"] > 0 and row["meaning"] in " ".join(printed.split()) for row in data["rows"])


@pytest.mark.parametrize("side", [turns.ours, turns.bare_sdk])
async def test_turns_and_streams_are_real(side: turns.Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides get a tool call and an answer over real HTTP, and see every piece of a stream."""
    monkeypatch.setattr(turns, "_RAMP", 0.05)
    monkeypatch.setattr(turns, "_SETTLE", 0.2)
    monkeypatch.setattr(turns, "_WINDOW", 0.2)
    async with turns.model_service() as url:
        done = await turns.measure_turns(side, url, sessions=2, turns=2)
        flowing = await turns.measure_streams(side, url, streams=2)

    assert done.p50 > 0
    assert done.rate > 0
    assert 0 < flowing.delay_p50 <= flowing.delay_p99
