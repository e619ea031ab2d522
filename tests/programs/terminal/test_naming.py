"""Which session the command line names: the last one, or one by its id, its name or a part of that."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.clock import now
from tests.programs.terminal.program import environment, run

HOSTILE = "\x1b]0;owned\x07Weather\x1b[2J"


@contextlib.asynccontextmanager
async def sessions(folder: Path, **names: str) -> AsyncIterator[SessionStore]:
    """A store with these sessions, the last one used last; `discord_1` is that of a channel."""
    store = await open_store(environment(folder)["DATABASE_URL"])
    try:
        for number, (session, name) in enumerate(names.items()):
            session_id = session.replace("_", ":")
            await store.sessions.ensure(session_id, now() + number, name)
        yield store
    finally:
        await store.close()


async def test_a_session_is_found_by_its_name(tmp_path: Path) -> None:
    """Just this name comes before one that begins with it, and that before one that contains it."""
    async with sessions(
        tmp_path, terminal_1="Notes", terminal_2="Notes of May", terminal_3="Old notes of May"
    ) as store:
        await store.sessions.rename("terminal:3", "Diary", now())
        for name, found in (("notes", 1), ("notes O", 2), ("old", 3), ("diary", 3), ("terminal:2", 2)):
            chat = await run(tmp_path, "--session", name)
            assert f"note: session terminal:{found}, 0 turns: " in chat.errors, name
            assert chat.process.returncode == 0


async def test_several_that_fit_are_listed(tmp_path: Path) -> None:
    """On the standard error, harmless whatever their names are, with exit code 2."""
    async with sessions(tmp_path, terminal_1=HOSTILE, discord_1="May weather"):
        chat = await run(tmp_path, "--session", "weather", "hello")

    assert "  terminal:1  " in chat.errors
    assert "  discord:1  " in chat.errors
    assert chat.errors.endswith("error: 2 sessions fit 'weather'; give the id of one of them to --session\n")
    assert "\x1b" not in chat.errors
    assert (chat.output, chat.process.returncode) == ("", 2)


async def test_continue_takes_the_last_session_of_the_terminal(tmp_path: Path) -> None:
    """However many of Discord were used since; where there are only those, there is none."""
    async with sessions(tmp_path, discord_0="#random") as store:
        none = await run(tmp_path, "-c")
        for number, name in enumerate(["terminal:1", "terminal:2", *(f"discord:{n}" for n in range(1, 450))]):
            await store.sessions.ensure(name, now() + number, name)
        chat = await run(tmp_path, "-c")

    assert (none.process.returncode, none.output) == (2, "")
    assert "error: There is no session to continue;" in none.errors
    assert "note: session terminal:2, 0 turns: terminal:2\n" in chat.errors


async def test_a_name_for_an_old_session_renames_it(tmp_path: Path) -> None:
    """Also one that was renamed before."""
    async with sessions(tmp_path, terminal_1="First") as store:
        await store.sessions.rename("terminal:1", "Second", now())
        chat = await run(tmp_path, "--session", "second", "--session-name", "Third", lines=["/export"])
        named = (await store.sessions.get("terminal:1")).title

    assert "note: session terminal:1, 0 turns: Third\n" in chat.errors
    assert json.loads(chat.output)["session"]["id"] == "terminal:1"
    assert named == "Third"
