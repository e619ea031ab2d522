"""The bench of the bot measures a real one on the playground."""

import json
import sys
from pathlib import Path

import pytest

from programs.bench import __main__, discord
from programs.bench.tables import busy_table


async def test_every_channel_is_answered_and_measured() -> None:
    """All that the table tells was seen, and no request was over Discord's limits."""
    busy = await discord.measure(channels=3, seconds=3.0, ramp=0.3)

    assert busy.channels == 3
    assert busy.limited == {}
    assert busy.longest_wait > 0
    assert busy.shares > 0
    assert all(middle <= worst for middle, worst in (busy.first_text, busy.final, busy.acknowledged, busy.loop_lag))
    assert busy_table([busy]).row_count == 7


def test_all_rows_are_printed_and_written_as_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Idle feeds, starts, the one busy channel beside quiet ones, and many busy ones."""
    monkeypatch.setattr(__main__, "_BUSY", ((2, 2.0, 0.2),))
    monkeypatch.setattr(__main__, "_STARTS", (("channels", 3, 1), ("DMs", 2, 1)))
    monkeypatch.setattr(__main__, "_IDLE", 3)
    monkeypatch.setattr(__main__, "_QUIET", 2)
    monkeypatch.setattr(__main__, "_TALK", (1.0, 0.5, 2))
    monkeypatch.setattr(sys, "argv", ["bench", "discord", "--json", str(tmp_path / "discord.json")])

    assert __main__.main() == 0

    data = json.loads((tmp_path / "discord.json").read_text(encoding="utf-8"))
    printed = " ".join(capsys.readouterr().out.split())
    assert [busy["channels"] for busy in data["discord"]] == [2]
    assert [(one["places"], one["kind"]) for one in data["starts"]] == [(3, "channels"), (2, "DMs")]
    assert [one["transactions"]["turns.admit"] for one in data["starts"]] == [2, 2]
    assert (data["idle"]["feeds"], data["idle"]["tasks"]) == (3, 0)
    assert (data["one_busy"]["quiet"], data["one_busy"]["questions"]) == (2, 2)
    for words in ("3 idle feeds take", "3 channels", "2 DMs", "One busy channel beside 2 quiet ones", "2 channels"):
        assert words in printed
