"""The first lines of the log, and one playground per folder."""

import asyncio
import signal
from pathlib import Path

import pytest

from programs.discord.start_lines import log_start, shown
from programs.exit_codes import ExitCode
from programs.playground.server import Playground
from programs.settings import ProgramSettings
from tests.programs.discord.process import address, ended, launch, running
from tests.programs.discord.test_process import assert_one_sentence, of
from tests.waiting import computing, patience

BOT = "programs.discord.bot"
FIRST = ("LLMgine ", "Settings: ", "Database: ", "Model: ", "Discord: ")


async def first_lines(process: asyncio.subprocess.Process) -> list[str]:
    """What the bot logs until it is in, without time and level."""
    assert process.stderr is not None
    lines: list[str] = []
    async with patience("the bot to be in", computing(process.pid)):
        while not lines or "Logged in as" not in lines[-1]:
            lines.append((await process.stderr.readline()).decode().partition(": ")[2].strip())
    return lines


async def test_the_first_lines_are_ours(tmp_path: Path, playground: Playground) -> None:
    """Version, settings, database, model and Discord come before any word of discord.py, and no secret is in them."""
    (tmp_path / ".env").write_text("OPENAI_MODEL=small\n")
    settings = {**of(playground), "OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": "not-a-key"}
    async with running(BOT, folder=tmp_path, **settings) as process:
        lines = await first_lines(process)

    for line, words in zip(lines, FIRST, strict=False):
        assert line.startswith(words)
    assert lines[1].endswith(str(tmp_path / ".env"))
    assert str(tmp_path / "llmgine.db") in lines[2]
    assert lines[3] == "Model: small, at http://127.0.0.1:9/v1"
    assert lines[4] == f"Discord: {playground.api_base}"
    assert not any(secret in "".join(lines) for secret in (playground.token, "not-a-key"))


def test_without_settings_the_lines_say_what_that_means(caplog: pytest.LogCaptureFixture) -> None:
    """No token is the playground, and no model service is the demo model."""
    caplog.set_level("INFO")

    log_start(ProgramSettings(_env_file=None))

    said = [record.getMessage() for record in caplog.records]
    assert said[3:] == [
        "Model: the offline demo model",
        "Discord: the playground, because DISCORD_TOKEN is not set",
    ]


@pytest.mark.parametrize(
    ("address", "place"), [(None, "anthropic"), ("https://ada:secret@claude.example/v1", "https://claude.example/v1")]
)
def test_the_provider_of_the_model_is_named(caplog: pytest.LogCaptureFixture, address: str | None, place: str) -> None:
    """The address is that of the provider which the model's name begins with."""
    caplog.set_level("INFO")
    model, other = "anthropic:claude-a", "https://other.example/v1"

    log_start(ProgramSettings(_env_file=None, openai_model=model, openai_base_url=other, anthropic_base_url=address))

    assert f"Model: claude-a, at {place}" in [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://me:pass@db1,db2:5432/chat?password=word", "postgresql://db1,db2:5432/chat"),
        ("postgresql:///chat?host=/run/pg&password=pass", "postgresql:///chat?host=/run/pg"),
        ("https://me:pass@host/v1#pass", "https://host/v1"),
        ("https://[pass/", "an address that cannot be read"),
    ],
)
def test_addresses_are_shown_without_passwords(url: str, words: str) -> None:
    """Neither user nor password, wherever it is written, is logged."""
    assert shown(url) == words


async def test_a_second_playground_in_the_folder_is_refused(tmp_path: Path) -> None:
    """Whatever its port, it ends with a sentence; once the first one was killed, the next one starts."""
    async with running(BOT, folder=tmp_path, PLAYGROUND_PORT=0) as first:
        await address(first)

        second = await ended(await launch(BOT, folder=tmp_path, PLAYGROUND_PORT=0))

        assert second.code == ExitCode.FAULT
        assert_one_sentence(second.err, "Another playground is running on", "playground.json", "another folder")
        first.kill()
        await first.wait()
    async with running(BOT, folder=tmp_path, PLAYGROUND_PORT=0) as third:
        assert await address(third)
        third.send_signal(signal.SIGTERM)
        assert (await ended(third)).code == ExitCode.STOPPED


async def test_a_second_playground_on_a_postgresql_database_is_refused(tmp_path: Path, postgres_url: str) -> None:
    """There is no file there, so the database's address says that it is in use."""
    settings = {"DATABASE_URL": postgres_url, "PLAYGROUND_PORT": 0}
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    async with running(BOT, folder=tmp_path / "first", **settings) as first:
        await address(first)

        second = await ended(await launch(BOT, folder=tmp_path / "second", **settings))

        assert second.code == ExitCode.FAULT
        assert_one_sentence(second.err, "Another playground is running on this DATABASE_URL", str(first.pid))
