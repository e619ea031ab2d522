"""The bench of the path names what a message really passes through."""

import json
import sys
from pathlib import Path

import pytest

from programs.bench import __main__, path
from programs.bench.path import Trace, Transaction

KINDS = ("plain", "one tool call", "edit", "not for the bot")


def traces_in(file: Path) -> dict[tuple[str, bool], Trace]:
    """What was written as data, by kind and whether it was warm."""
    rows = json.loads(file.read_text(encoding="utf-8"))["path"]
    traces = [
        Trace(
            kind=row["kind"],
            warm=row["warm"],
            transactions=tuple(Transaction(**one) for one in row["transactions"]),
            functions=tuple(row["functions"]),
            core=tuple(row["core"]),
        )
        for row in rows
    ]
    assert [row["numbers"] for row in rows] == [trace.numbers for trace in traces]
    return {(trace.kind, trace.warm): trace for trace in traces}


def test_all_kinds_are_traced_and_printed_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind is counted, and a message that is not for the bot costs less than a plain one, warm and cold."""
    profile = sys.getprofile()
    monkeypatch.setattr(sys, "argv", ["bench", "path", "--json", str(tmp_path / "path.json")])

    assert __main__.main() == 0

    traces = traces_in(tmp_path / "path.json")
    printed = capsys.readouterr().out
    assert set(traces) == {(kind, warm) for kind in KINDS for warm in (False, True)}
    for warm in (False, True):
        plain, tool, edit, other = (traces[kind, warm] for kind in KINDS)
        for number, value in other.numbers.items():
            assert value <= plain.numbers[number]
        for number in ("transactions", "files", "functions"):
            assert other.numbers[number] < plain.numbers[number] < tool.numbers[number]
            assert edit.numbers[number] > other.numbers[number]
    _figures_are_reached(traces)
    _names_are_those_of_the_code(traces)
    assert all(f"\n{kind}, warm\n" in printed and f"\n{kind}, cold, besides\n" in printed for kind in KINDS)
    assert "W turns.admit 4" in printed
    assert sys.getprofile() == profile


def _figures_are_reached(traces: dict[tuple[str, bool], Trace]) -> None:
    """A plain message, one with a tool call and one that is not for the bot cost no more than they may."""
    for kind, warm, most in (
        ("plain", True, 8),
        ("plain", False, 12),
        ("one tool call", True, 13),
        ("one tool call", False, 17),
        ("not for the bot", True, 0),
    ):
        trace = traces[kind, warm]
        assert len(trace.transactions) <= most, trace.name
        assert all(one.statements <= 4 for one in trace.transactions), trace.name  # each is a round trip elsewhere
    other = traces["not for the bot", True].numbers
    assert (other["files"] <= 6, other["functions"] <= 20) == (True, True)


def _names_are_those_of_the_code(traces: dict[tuple[str, bool], Trace]) -> None:
    plain, tool = traces["plain", True], traces["one tool call", True]
    files = {name.partition(":")[0] for trace in traces.values() for name in trace.functions}
    on_the_sql_thread = {name for name in plain.functions if name.startswith("llmgine/sessions/operations/")}

    assert all((Path(__file__).parents[3] / file).is_file() for file in files)
    assert not [file for file in files if not file.startswith(("llmgine/", "programs/"))]
    assert not [file for file in files if file.startswith(("programs/playground", "programs/bench", "programs/web"))]
    assert on_the_sql_thread
    assert not on_the_sql_thread & set(plain.core)
    assert "programs/discord/client.py:Bot.on_message" in plain.core
    assert "programs/tools/calculator.py:calculate" in set(tool.functions) - set(plain.functions)
    assert {one.writes for one in plain.transactions} == {False, True}
    assert next(one.writes for one in plain.transactions if one.name == "turns.admit")
    assert not any(one.writes for one in plain.transactions if one.name == "runs.before_call")


async def test_it_says_what_does_not_come_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for in vain is an error that says what it was."""
    monkeypatch.setattr(path, "_PATIENCE", 0.05)

    with pytest.raises(TimeoutError, match="No answer after 0 s; meanwhile ran: nothing"):
        await path.Recorder().until(lambda: False, "No answer")
