"""A database of an older version: nothing in it is lost, and a copy of it is made before anything is changed."""

import json
import logging
import re
import shutil
import sqlite3
import stat
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from llmgine.messages.steps import OutcomeStep, PromptStep, ReplyStep, ResultStep, StartedStep, WaitingStep
from llmgine.sessions import open_store
from llmgine.sessions.clock import microseconds
from llmgine.sessions.records import TurnSteps
from llmgine.sessions.schema import MIGRATIONS
from tests.llmgine.sessions.data.old import OLD, content, copies_of, dump, reopened, rows, version, write_old
from tests.llmgine.sessions.examples import decide, ended, of_kind, said

NOW = len(MIGRATIONS)
BEFORE_CLAIMS = (5, 6)  # the schemas in which turns had no claims, and requests to stop no table
GENERAL = "discord:100000000000000011"
RANDOM = "discord:100000000000000012"
TERMINAL = "terminal:0a1b2c3d"


@pytest.fixture(params=OLD)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A database of each older version there is a dump of."""
    path = tmp_path / "data" / "llmgine.db"
    write_old(path, request.param)
    return path


def talk(steps: TurnSteps) -> tuple[str, str]:
    """What was said, and what was answered at last."""
    return said(steps), of_kind(steps, ReplyStep)[-1].text


def as_it_is_now(row: dict[str, object]) -> dict[str, object]:
    """An old row without what became rows or columns of their own, with its times as numbers."""
    now = {name: value for name, value in row.items() if name not in {"origin", "stop_requested"}}
    for name in now.keys() & {"updated_at", "created_at", "changed_at", "learnt_at"}:
        if isinstance(now[name], str):
            now[name] = microseconds(datetime.fromisoformat(str(now[name])))
    if isinstance(now.get("day"), str):
        now["day"] = (date.fromisoformat(str(now["day"])) - date(1970, 1, 1)).days
    return now


def is_made_by_the_update(table: str, row: dict[str, object]) -> bool:
    """Servers that are known keep what they know: that what was written before a question is not read."""
    return table == "setting" and (row["name"], row["value"], row["changed_by"]) == ("context", "off", "")


def change(path: Path, statement: str) -> None:
    """Change an old database by hand."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


class TestWhatIsKept:
    """An old database, opened by this version."""

    async def test_every_row_of_every_table(self, path: Path) -> None:
        """All tables are there, with all their rows, each as it was but for times and what has moved."""
        before = rows(path)

        await reopened(path)

        after = rows(path)
        assert version(path) == NOW
        for table in before.keys() - {"schema_version"}:
            old = sorted(map(as_it_is_now, before[table]), key=repr)
            columns = old[0].keys() if old else ()
            new = [
                {name: row[name] for name in columns} for row in after[table] if not is_made_by_the_update(table, row)
            ]
            assert (table, sorted(new, key=repr)) == (table, old)

    async def test_where_it_was_said_is_a_column(self, path: Path) -> None:
        """A turn of Discord has its channel and, where there is one, its server; the other origins are as they were."""
        before = {row["id"]: json.loads(str(row["origin"])) for row in rows(path)["turn"]}

        await reopened(path)

        turns = rows(path)["turn"]
        for turn in turns:
            old = before[turn["id"]]
            if turn["source"] == "branch" and not old:
                continue  # a column already
            assert turn["place"] == (old.get("asked_in") or old.get("channel_id"))
            assert turn["copied_from"] == (old.get("copied_from") if turn["source"] == "branch" else None)
            assert json.loads(str(turn["origin"])) == ({} if turn["source"] == "branch" else old)
        guilds = {turn["guild"] for turn in turns if turn["session_id"] in {GENERAL, RANDOM}}
        assert guilds == {100000000000000001}
        assert {turn["guild"] for turn in turns if turn["source"] == "terminal"} == {None}

    @pytest.mark.parametrize("path", BEFORE_CLAIMS, indirect=True)
    async def test_a_request_to_stop(self, path: Path) -> None:
        """Whose turn is open still is to be stopped; whose has ended is not."""
        change(path, "UPDATE turn SET stop_requested = 1")

        await reopened(path)

        found = rows(path)
        open_turns = [turn for turn in found["turn"] if turn["state"] in {"queued", "running", "waiting"}]
        assert len(open_turns) == 3
        expected = {(turn["id"], turn["attempt"]) for turn in open_turns}
        assert {(row["turn_id"], row["attempt"]) for row in found["stop_request"]} == expected

    @pytest.mark.parametrize("path", BEFORE_CLAIMS, indirect=True)
    async def test_of_two_turns_under_way_the_first(self, path: Path) -> None:
        """What dead processes left running beside each other runs one after the other."""
        change(path, f"UPDATE turn SET state = 'running' WHERE state = 'queued' AND session_id = '{RANDOM}'")  # noqa: S608

        await reopened(path)

        turns = sorted((turn["seq"], turn["state"]) for turn in rows(path)["turn"] if turn["session_id"] == RANDOM)
        assert turns[-2:] == [(3, "running"), (4, "queued")]

    async def test_how_many_messages_were_posted(self, path: Path) -> None:
        """Each message of a turn counts once, so that no nonce of it is used again."""
        await reopened(path)

        found = rows(path)
        assert any(turn["posts"] for turn in found["turn"])
        for turn in found["turn"]:
            posted = {row["message_id"] for row in found["delivery"] if row["turn_id"] == turn["id"]}
            assert turn["posts"] == len(posted - {None})

    async def test_sessions_and_their_settings(self, path: Path) -> None:
        """Sessions of Discord and of the terminal are listed with their turns, and settings apply where they did."""
        store = await open_store(f"sqlite:///{path}")

        turns = {session.id: session.turns for session in (await store.sessions.page(most=100)).sessions}
        assert len(turns) == 6
        assert (turns[GENERAL], turns[RANDOM], turns[TERMINAL]) == (3, 4, 2)
        general = await store.settings.of_session(GENERAL)
        assert (general.system_prompt, general.style, general.daily_tokens) == ("Be kind.", "brief", 200_000)
        assert (await store.settings.of_session(TERMINAL)).system_prompt is None
        await store.close()

    async def test_the_history(self, path: Path) -> None:
        """Questions, answers, tool calls, files and images are read as they were written, and copied by a branch."""
        store = await open_store(f"sqlite:///{path}")

        tool, picture, last = await store.turns.history(GENERAL)
        assert [talk(steps) for steps in (tool, picture, last)] == [
            ("What is 24*7?", "It is 168."),
            ("What is this?", "A cat, and a list."),
            ("And I am Grace.", "Hello Grace."),
        ]
        assert [(one.result.name, one.result.content) for one in of_kind(tool, ResultStep)] == [("calculate", "168")]
        assert [file.text for file in of_kind(picture, PromptStep)[0].attachments] == [None, "milk, bread"]
        assert [image[:22] for image in await store.turns.images(picture.turn.id, [0])] == ["data:image/png;base64,"]
        outcomes = [one for steps in await store.turns.history(RANDOM) for one in of_kind(steps, OutcomeStep)]
        assert [one.state for one in outcomes] == ["failed", "stopped"]
        branch = next(
            session.id
            for session in (await store.sessions.page(most=100)).sessions
            if any(words in session.name for words in ("On from", "Continued from"))
        )
        assert [talk(steps) for steps in await store.turns.history(branch)] == [talk(tool), talk(picture), talk(last)]
        await store.close()

    async def test_open_turns_are_found(self, path: Path) -> None:
        """What was queued, under way or waiting is this process's now, with the call that was started."""
        store = await open_store(f"sqlite:///{path}")

        turns = await store.take_over(["discord"])

        assert sorted(turn.state for turn in turns) == ["queued", "running", "waiting"]
        running = next(turn for turn in turns if turn.state == "running")
        steps = await store.turns.get(running.id)
        assert {one.call_id for one in of_kind(steps, StartedStep)} == {
            call.id for call in of_kind(steps, ReplyStep)[0].tool_calls
        }
        assert of_kind(steps, ResultStep) == []
        await store.close()

    async def test_a_waiting_call_can_be_decided(self, path: Path) -> None:
        """The call that waits for approval is the one people were shown; it is decided once."""
        store = await open_store(f"sqlite:///{path}")
        [turn] = [turn for turn in await store.take_over(["discord"]) if turn.state == "waiting"]
        steps = await store.turns.get(turn.id)
        [call] = of_kind(steps, ReplyStep)[0].tool_calls
        [waiting] = of_kind(steps, WaitingStep)
        assert (waiting.call_id, waiting.fingerprint) == (call.id, call.fingerprint)
        assert waiting.deadline > store.clock.now() + timedelta(days=365)

        assert await decide(store, turn, call.id, approved=True)
        assert not await decide(store, turn, call.id, approved=False)
        await store.close()

    async def test_it_is_used_as_any_other(self, path: Path) -> None:
        """New turns are added to old sessions, after the old ones, and messages that were seen are known."""
        store = await open_store(f"sqlite:///{path}")

        await ended(store, "new", "One more.", session_id=TERMINAL)

        assert [said(steps) for steps in await store.turns.history(TERMINAL)] == ["Line 1", "Line 2", "One more."]
        old = rows(path)["inbox"][0]
        assert await store.turns.of_message(str(old["source"]), str(old["source_id"])) == old["turn_id"]
        await store.close()


class TestTheCopy:
    """What is made before a migration."""

    async def test_it_has_all_that_was_there(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """The copy is the old database, line by line; only its owner can read it, and the log says where it is."""
        caplog.set_level(logging.INFO)
        before = dump(path)

        await reopened(path)

        [copy] = copies_of(path)
        assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d-\d\d-\d\dZ-before-schema-{NOW}\.db", copy.name)
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
        assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d-\d\d-\d\dZ-before-schema-{NOW}\.db", copy.name)
        assert dump(copy) == before
        assert version(path) == NOW

    async def test_one_of_other_content_is_kept_too(self, path: Path) -> None:
        """Somebody who went back to the older version and used it has both copies after the next update."""
        await reopened(path)
        [first] = copies_of(path)
        old = content(first)
        for file in path.parent.glob("llmgine.db*"):
            file.unlink()
        shutil.copy(first, path)
        change(path, "UPDATE session SET name = 'Used again'")
        before = dump(path)

        await reopened(path)

        assert [copy for copy in copies_of(path) if copy != first] == copies_of(path)[1:]
        assert content(first) == old
        assert dump(copies_of(path)[1]) == before
