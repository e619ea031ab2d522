"""Files that tools give, in the terminal: saved in the folder that is named, and nothing there is replaced."""

import asyncio
import io
import os
import shutil
from pathlib import Path

import pytest

from llmgine.messages.commands import PromptCommand
from llmgine.tools.files import File, ToolOutput
from programs.application import Application
from programs.terminal.chat import Chat
from programs.terminal.command_line import read_options
from programs.terminal.current_session import CurrentSession
from programs.terminal.lines import PlainLines
from programs.terminal.plain_view import PlainView
from programs.terminal.tool_files import FOLDER
from tests.chat_completions import ChatCompletionsServer
from tests.programs.terminal.test_chat import config


async def draw() -> ToolOutput:
    """Draw something."""
    return ToolOutput("Drawn.", [File("../chart.png", b"\x89PNG"), File("data.csv", b"a,b\n")])


async def asked(folder: Path, model: ChatCompletionsServer, save_to: Path) -> tuple[int, str]:
    """Have the tool called, and answer; the exit code, and what is said around the answer."""
    model.reply(tool_calls=[("draw", "{}")])
    model.reply("There you are.")
    async with Application(config(folder, model)) as app:
        await app.engine.register_tool(draw)
        session, errors = CurrentSession(), io.StringIO()
        session.begin(None)
        lines = PlainLines(os.open(os.devnull, os.O_RDONLY), io.StringIO())
        view = PlainView(io.StringIO(), errors)
        chat = Chat(app, session, view=view, lines=lines, interactive=False, save_to=save_to)
        return await chat.run("draw"), errors.getvalue()


async def test_they_are_saved_and_named(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """The folder is made, the files are their owner's, and where each is is said."""
    code, said = await asked(tmp_path, model, tmp_path / "new" / "files")

    saved = tmp_path / "new" / "files"
    assert code == 0
    assert (saved / "chart.png").read_bytes() == b"\x89PNG"
    assert (saved / "data.csv").read_bytes() == b"a,b\n"
    assert {path.stat().st_mode & 0o777 for path in saved.iterdir()} == {0o600}
    assert f"note: Saved {saved / 'chart.png'}\nnote: Saved {saved / 'data.csv'}\n" in said


async def test_those_of_a_turn_that_a_killed_process_left_are_saved(
    tmp_path: Path, model: ChatCompletionsServer
) -> None:
    """What a tool gave before the process died is there when its turn goes on, and the tool is not run again."""
    model.reply(tool_calls=[("draw", "{}")])
    model.hold(asyncio.Event(), silent=True)
    session = CurrentSession()
    session.begin(None)
    after = tmp_path / "after"
    async with Application(config(tmp_path / "before", model)) as app:
        await app.engine.register_tool(draw)
        await app.bus.execute(PromptCommand(session_id=session.id, source="terminal", source_id="1", text="draw"))
        await model.until(lambda: len(model.requests) == 2)
        shutil.copytree(tmp_path / "before", after)  # as a process that is killed leaves it
    model.reply("There you are.")
    async with Application(config(after, model)) as app:
        await app.engine.register_tool(draw)
        lines, errors = PlainLines(os.open(os.devnull, os.O_RDONLY), io.StringIO()), io.StringIO()
        view = PlainView(io.StringIO(), errors)
        chat = Chat(app, session, view=view, lines=lines, interactive=False, save_to=tmp_path / "files")
        assert await chat.run(None) == 0

    assert f"note: Saved {tmp_path / 'files' / 'chart.png'}\n" in errors.getvalue()
    assert (tmp_path / "files" / "chart.png").read_bytes() == b"\x89PNG"


async def test_nothing_is_replaced(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """A name that is taken, also by a link that leads nowhere, gets a number."""
    (tmp_path / "chart.png").write_bytes(b"mine")
    (tmp_path / "chart-2.png").symlink_to(tmp_path / "nowhere")
    _code, said = await asked(tmp_path, model, tmp_path)

    assert (tmp_path / "chart.png").read_bytes() == b"mine"
    assert not (tmp_path / "nowhere").exists()
    assert (tmp_path / "chart-3.png").read_bytes() == b"\x89PNG"
    assert "chart-3.png" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_cannot_be_written(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """It is said, and the answer is there all the same."""
    (tmp_path / "closed").mkdir(mode=0o500)
    code, said = await asked(tmp_path, model, tmp_path / "closed")

    assert code == 0
    assert "chart.png could not be saved in" in said


async def test_a_file_in_place_of_the_folder(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """The same where the folder is none."""
    (tmp_path / "files").write_text("a file")
    code, said = await asked(tmp_path, model, tmp_path / "files")

    assert code == 0
    assert said.count("could not be saved in") == 2


def test_the_folder_is_an_option() -> None:
    """By default it is `files` in the current folder, where nothing else is put."""
    assert read_options(["hello"]).save_to == FOLDER == Path("files")
    assert read_options(["--save-to", "/tmp/x", "hello"]).save_to == Path("/tmp/x")  # noqa: S108  nothing is there
