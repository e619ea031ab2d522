"""A database of an older version: nothing in it is lost, and a copy of it is made before anything is changed."""

import logging
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from llmgine.sessions import open_store
from llmgine.sessions.backup import DailyBackup
from llmgine.sessions.records import TurnSteps
from llmgine.sessions.schema import MIGRATIONS
from tests.llmgine.sessions.data.old import OLD, content, copies_of, dump, reopened, rows, version, write_old
from tests.llmgine.sessions.examples import ADA, ended

NOW = len(MIGRATIONS)
GENERAL = "discord:100000000000000011"
RANDOM = "discord:100000000000000012"
TERMINAL = "terminal:0a1b2c3d"


@pytest.fixture(params=OLD)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A database of each older version there is a dump of."""
    path = tmp_path / "data" / "llmgine.db"
    write_old(path, request.param)
    return path


def said(steps: TurnSteps) -> tuple[str, str]:
    return steps.prompt.text, steps.text


class TestWhatIsKept:
    """An old database, opened by this version."""

    async def test_every_row_of_every_table(self, path: Path) -> None:
        """All tables are there, with all their rows, each as it was but for new columns."""
        before = rows(path)

        await reopened(path)

        after = rows(path)
        assert version(path) == NOW
        for table in before.keys() - {"schema_version"}:
            kept = [{name: row[name] for name in old} for old, row in zip(before[table], after[table], strict=True)]
            assert kept == before[table]

    async def test_sessions_and_their_settings(self, path: Path) -> None:
        """Sessions of Discord and of the terminal are listed with their turns, and settings apply where they did."""
        store = await open_store(f"sqlite:///{path}")

        turns = {session.id: session.turns for session in await store.sessions()}
        assert len(turns) == 6
        assert (turns[GENERAL], turns[RANDOM], turns[TERMINAL]) == (3, 4, 2)
        general = await store.session_settings(GENERAL)
        assert (general.system_prompt, general.style, general.daily_tokens) == ("Be kind.", "brief", 200_000)
        assert (await store.session_settings(TERMINAL)).system_prompt is None
        await store.close()

    async def test_the_history(self, path: Path) -> None:
        """Questions, answers, tool calls, files and images are read as they were written, and copied by a branch."""
        store = await open_store(f"sqlite:///{path}")

        tool, picture, last = await store.history(GENERAL)
        assert [said(steps) for steps in (tool, picture, last)] == [
            ("What is 24*7?", "It is 168."),
            ("What is this?", "A cat, and a list."),
            ("And I am Grace.", "Hello Grace."),
        ]
        assert [(one.result.name, one.result.content) for one in tool.results.values()] == [("calculate", "168")]
        assert [file.text for file in picture.prompt.attachments] == [None, "milk, bread"]
        assert [image[:22] for image in await store.images(picture.turn.id, [0])] == ["data:image/png;base64,"]
        outcomes = [steps.outcome for steps in await store.history(RANDOM)]
        assert [outcome.state for outcome in outcomes if outcome] == ["failed", "stopped"]
        branch = next(session.id for session in await store.sessions() if "On from" in session.name)
        assert [said(steps) for steps in await store.history(branch)] == [said(tool), said(picture), said(last)]
        await store.close()

    async def test_open_turns_are_found(self, path: Path) -> None:
        """What was queued, under way or waiting is this process's now, with the call that was started."""
        store = await open_store(f"sqlite:///{path}")

        turns = await store.take_over(["discord"])

        assert sorted(turn.state for turn in turns) == ["queued", "running", "waiting"]
        running = next(turn for turn in turns if turn.state == "running")
        steps = await store.turn(running.id)
        assert steps.started == {call.id for call in steps.replies[0].tool_calls}
        assert steps.results == {}
        await store.close()

    async def test_a_waiting_call_can_be_decided(self, path: Path) -> None:
        """The call that waits for approval is the one people were shown; it is decided once."""
        store = await open_store(f"sqlite:///{path}")
        [turn] = [turn for turn in await store.take_over(["discord"]) if turn.state == "waiting"]
        steps = await store.turn(turn.id)
        [call] = steps.replies[0].tool_calls
        assert steps.waiting[call.id].fingerprint == call.fingerprint
        assert steps.waiting[call.id].deadline > store.clock.now() + timedelta(days=365)

        assert await store.decide(turn.id, call.id, approved=True, decided_by=ADA)
        assert not await store.decide(turn.id, call.id, approved=False, decided_by=ADA)
        await store.close()

    async def test_it_is_used_as_any_other(self, path: Path) -> None:
        """New turns are added to old sessions, after the old ones, and messages that were seen are known."""
        store = await open_store(f"sqlite:///{path}")

        await ended(store, "new", "One more.", session_id=TERMINAL)

        assert [steps.prompt.text for steps in await store.history(TERMINAL)] == ["Line 1", "Line 2", "One more."]
        old = rows(path)["inbox"][0]
        assert await store.turn_of(str(old["source"]), str(old["source_id"])) == old["turn_id"]
        await store.close()


class TestTheCopy:
    """What is made before a migration."""

    async def test_it_has_all_that_was_there(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """The copy is the old database, line by line; only its owner can read it, and the log says where it is."""
        caplog.set_level(logging.INFO)
        before = dump(path)

        await reopened(path)

        [copy] = copies_of(path)
        assert copy.name == f"before-schema-{NOW}.db"
        assert dump(copy) == before
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
        assert [str(copy) in record.getMessage() for record in caplog.records] == [True]

    async def test_it_can_be_used_in_place_of_the_database(self, path: Path) -> None:
        """Put back, it is migrated as the first one was."""
        await reopened(path)
        [copy] = copies_of(path)
        after = dump(path)
        again = path.parent / "again" / "llmgine.db"
        again.parent.mkdir()
        shutil.copy(copy, again)

        await reopened(again)

        assert dump(again) == after

    async def test_a_second_start_makes_none(self, path: Path) -> None:
        """Once migrated there is nothing to do: the database and its copy stay as they are."""
        await reopened(path)
        [copy] = copies_of(path)
        before = dump(path), copy.stat().st_mtime_ns

        await reopened(path)

        assert copies_of(path) == [copy]
        assert (dump(path), copy.stat().st_mtime_ns) == before

    async def test_a_new_database_has_none(self, tmp_path: Path) -> None:
        """Where there was nothing, there is nothing to copy."""
        await reopened(tmp_path / "new.db")

        assert not (tmp_path / "backups").exists()

    @pytest.mark.parametrize("old", range(1, NOW))
    async def test_every_older_schema_has_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: int) -> None:
        """However many migrations are missing, one copy is made, before the first of them."""
        path = tmp_path / "old.db"
        with monkeypatch.context() as patched:
            patched.setattr("llmgine.sessions.migrate.MIGRATIONS", MIGRATIONS[:old])
            await reopened(path)
        before = dump(path)

        await reopened(path)

        [copy] = copies_of(path)
        assert copy.name == f"before-schema-{NOW}.db"
        assert dump(copy) == before
        assert version(path) == NOW

    async def test_the_daily_copies_leave_it_alone(self, path: Path) -> None:
        """It is not counted among the copies of the last days and never becomes too old."""
        await reopened(path)
        [copy] = copies_of(path)
        os.utime(copy, (0, 0))
        for day in range(1, 10):
            (copy.parent / f"2001-01-0{day}.db").touch()

        await DailyBackup(path).look()

        assert copy in copies_of(path)
        assert version(copy) != NOW

    async def test_one_of_other_content_is_kept_too(self, path: Path) -> None:
        """Somebody who went back to the older version and used it has both copies after the next update."""
        await reopened(path)
        [first] = copies_of(path)
        old = content(first)
        for file in path.parent.glob("llmgine.db*"):
            file.unlink()
        shutil.copy(first, path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE session SET name = 'Used again'")
            connection.commit()
        before = dump(path)

        await reopened(path)

        assert [copy.name for copy in copies_of(path)] == [f"before-schema-{NOW}-2.db", f"before-schema-{NOW}.db"]
        assert content(first) == old
        assert dump(copies_of(path)[0]) == before
