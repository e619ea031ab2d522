"""The chat where nobody types: its exit codes, and what it leaves behind."""

import asyncio
import io
import os
from pathlib import Path

import pytest

from programs.application import Application
from programs.settings import ProgramConfig, ProgramSettings
from programs.terminal.chat import Chat
from programs.terminal.command_line import UsageError, read_options
from programs.terminal.current_session import CurrentSession
from programs.terminal.lines import PlainLines
from programs.terminal.opening import require_store
from programs.terminal.plain_view import PlainView
from tests.chat_completions import ChatCompletionsServer
from tests.programs.terminal.program import EMAIL
from tests.waiting import patience


def config(folder: Path, model: ChatCompletionsServer | None = None) -> ProgramConfig:
    """Everything in the folder, and nothing of this machine's settings."""
    settings = ProgramSettings(_env_file=None).model_copy(
        update={
            "database_url": f"sqlite:///{folder}/data/chat.db",
            "log_dir": folder / "logs",
            "outbox_dir": folder / "outbox",
            "openai_base_url": model.base_url if model else None,
            "openai_api_key": None,
            "openai_model": None,
        }
    )
    return ProgramConfig(settings=settings)


def one_question(app: Application) -> tuple[Chat, CurrentSession, io.StringIO]:
    """A chat without a person, its session, and what it answers."""
    session, out = CurrentSession(), io.StringIO()
    session.begin(None)
    lines = PlainLines(os.open(os.devnull, os.O_RDONLY), io.StringIO())
    return Chat(app, session, view=PlainView(out, io.StringIO()), lines=lines, interactive=False), session, out


async def test_the_exit_code_says_whether_it_was_done(tmp_path: Path) -> None:
    """0 for an answer, and 1 where a call was denied because there was nobody to ask."""
    async with Application(config(tmp_path)) as app:
        done, _, answer = one_question(app)
        assert (await done.run("calculate 1+1"), answer.getvalue()) == (0, "**Result:** 2\n")

        denied, _, _ = one_question(app)
        assert await denied.run(EMAIL) == 1
    assert not (tmp_path / "outbox").exists()


async def test_ctrl_c_ends_the_turn_before_it_ends_the_program(tmp_path: Path, model: ChatCompletionsServer) -> None:
    """The turn is stopped in the store, so that no later run takes it up; the exit code is 130."""
    model.hold(asyncio.Event(), before="Once upon a time")
    async with Application(config(tmp_path, model)) as app:
        chat, session, _ = one_question(app)
        running = asyncio.create_task(chat.run("Tell me a story"))
        await model.until(lambda: model.active == 1)

        chat.interrupt()

        async with patience("the end of the chat"):
            assert await running == 130
        assert [turn.turn.state for turn in await app.store.turns.history(session.id)] == ["stopped"]


@pytest.mark.parametrize("option", ["--continue", "--session=notes"])
def test_where_nothing_was_said_there_is_no_session_to_resume(tmp_path: Path, option: str) -> None:
    """It is a mistake in the command line, and asking makes no database."""
    with pytest.raises(UsageError, match=r"There (is|are) no session"):
        require_store(config(tmp_path), read_options([option]))

    assert list(tmp_path.iterdir()) == []
