"""`python -m programs.backup`: restoring is a test, and what cannot be done is said in one sentence."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llmgine.sessions import open_store
from programs.backup import main
from tests.processes import ending
from tests.programs.discord.conftest import playground, scene, settled, unstarted
from tests.programs.discord.scene import Scene, people_said
from tests.waiting import computing, patience

__all__ = ["playground", "scene", "settled", "unstarted"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program finds the database, as settings say."""
    path = tmp_path / "llmgine.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    return path


async def _program(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Run the program as people do; its exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "programs.backup", *arguments),
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": f"sqlite:///{folder / 'llmgine.db'}",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with ending(process), patience("the program to end", computing(process.pid)):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def _lose(database: Path) -> None:
    for path in database.parent.glob("llmgine.db*"):
        path.unlink()


def _damage(database: Path) -> None:
    for path in database.parent.glob("llmgine.db*"):
        path.write_bytes(b"\xa5" * path.stat().st_size)


@pytest.mark.parametrize("ruin", [_lose, _damage])
async def test_restoring_a_conversation(unstarted: Scene, ruin: Callable[[Path], None]) -> None:
    """A copy made while the bot runs brings the conversation back, and the bot answers from it.

    What was asked and answered after the copy is not known any more, but it is not answered again either: the bot sees
    its own replies when it reads what it missed.
    """
    scene = await unstarted.start()
    scene.ask("remember me")
    await scene.outcome()
    code, out, _ = await _program(scene.folder)
    assert code == 0
    scene.ask("after the copy")
    await scene.outcome(2)
    code, _, err = await _program(scene.folder, "--restore", out.strip())
    assert (code, "is using" in err) == (1, True)
    await scene.stop()
    ruin(scene.folder / "llmgine.db")

    code, restored, err = await _program(scene.folder, "--restore", out.strip())

    assert (code, restored.partition(" ")[0], err) == (0, "Restored", "")
    await scene.start()
    await scene.bot.caught_up()
    scene.ask("what did I say first?")
    await scene.outcome(3)
    assert people_said(scene.model.requests[-1]) == ["remember me", "what did I say first?"]
    assert len(scene.model.requests) == 3


async def test_a_turn_that_was_open_in_the_copy(unstarted: Scene) -> None:
    """It is finished from the copy, as after a crash: its answer takes the place of the one that is there."""
    go_on = asyncio.Event()
    scene = await unstarted.start()
    scene.model.hold(go_on, before="It ", after="is so")
    scene.ask("tell me")
    await scene.until(scene.shown)
    code, out, _ = await _program(scene.folder)
    assert code == 0
    go_on.set()
    await scene.outcome()
    await scene.stop()

    assert (await _program(scene.folder, "--restore", out.strip()))[0] == 0

    await scene.start()
    await scene.until(lambda: [message for message in scene.outcomes() if "You said: tell me" in message.content])
    await scene.delivered()
    assert len(scene.shown()) == 1


async def test_a_copy_at_the_end_of_the_program(database: Path, tmp_path: Path) -> None:
    """The bot that is told to stop makes the copy that is due, and ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "programs.discord.bot"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PLAYGROUND_PORT": "0"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with ending(process), patience("the bot to start and to end", computing(process.pid)):
        assert process.stdout is not None
        await process.stdout.readuntil(b"Press Ctrl-C")
        store = await open_store(f"sqlite:///{database}")
        await store.sessions.ensure("written meanwhile", 1)
        await store.close()
        assert not (tmp_path / "backups").exists()
        process.send_signal(signal.SIGTERM)
        await process.communicate()

    assert process.returncode == 0
    [copy] = (tmp_path / "backups").glob("*.db")
    store = await open_store(f"sqlite:///{copy}")
    assert (await store.sessions.get("written meanwhile")).id
    await store.close()


def test_making_and_listing(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each call makes a copy and prints its path; the list has them in order, with time and size."""
    assert main(["--list"]) == 0
    assert capsys.readouterr() == ("", f"There are no backups in {database.parent / 'backups'} yet.\n")
    asyncio.run(_made(database))

    assert main([]) == main([]) == 0
    made = capsys.readouterr().out.splitlines()
    assert main(["--list"]) == 0

    listed = capsys.readouterr().out.splitlines()
    assert len(made) == 2
    assert [line.split()[-1] for line in listed] == made
    assert all(" UTC " in line and " MB " in line for line in listed)


async def _made(database: Path) -> None:
    await (await open_store(f"sqlite:///{database}")).close()


@pytest.mark.parametrize(
    ("arguments", "url", "code", "text"),
    [
        ([], None, 1, "There is no database at .*llmgine.db yet"),
        (["--restore", "nowhere.db"], None, 1, "There is no file nowhere.db"),
        ([], "postgresql://user@localhost/db", 78, "pg_dump"),
        (["--restore", "x.db"], "postgresql://user@localhost/db", 78, "pg_dump"),
        ([], "mysql://user@localhost/db", 78, "DATABASE_URL"),
        (["--list", "--restore", "x.db"], None, 2, "not allowed with argument"),
        (["x.db"], None, 2, "unrecognized arguments"),
    ],
)
def test_what_cannot_be_done(
    *,
    arguments: list[str],
    url: str | None,
    code: int,
    text: str,
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One sentence says why; the exit code is 1, 78 for a wrong setting, or 2 for a wrong command line."""
    if url is not None:
        monkeypatch.setenv("DATABASE_URL", url)
    if code == 2:
        with pytest.raises(SystemExit) as raised:
            main(arguments)
        assert raised.value.code == 2
    else:
        assert main(arguments) == code

    out, err = capsys.readouterr()
    assert out == ""
    assert code == 2 or len(err.splitlines()) == 1
    assert re.match(r"(.*python -m programs\.backup: )?error: ", err.splitlines()[-1])
    assert re.search(text, err)


async def test_a_running_program_is_named(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is restored under a program that is running, whatever it does at the moment."""
    store = await open_store(f"sqlite:///{database}")
    try:
        copying = await asyncio.to_thread(main, [])
        copy = capsys.readouterr().out.strip()
        assert copying == 0

        assert await asyncio.to_thread(main, ["--restore", copy]) == 1

        assert "The bot or a terminal chat is using" in capsys.readouterr().err
    finally:
        await store.close()
    assert await asyncio.to_thread(main, ["--restore", copy]) == 0
