"""The programs, and the tests of what systems do differently, without what Windows lacks: see `tests/hidden`."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from programs.playground.entities import BOT_ID
from tests.processes import ending, python_path
from tests.programs.discord.process import address, ended, launch, running
from tests.programs.discord.test_process import asked
from tests.waiting import patience

ROOT = Path(__file__).parent.parent
HIDDEN = f"{ROOT / 'tests' / 'hidden'}{os.pathsep}{python_path()}"

# What the suite is run for in this state by every run of the tests; docs/extending.md says how to run all of it.
TESTS = (
    "tests/llmgine/test_platforms.py",
    "tests/llmgine/sessions/test_owners.py",
    "tests/llmgine/sessions/test_migration.py::TestTheCopy",
    "tests/llmgine/observability/test_rotation.py",
    "tests/durability/test_connection.py::test_one_process_per_token",
    "tests/programs/terminal/test_slash.py::test_exports_the_session",
    "tests/programs/test_function_chat.py::test_answers_the_three_prompts_of_the_readme",
    "tests/programs/test_function_chat.py::test_lists_the_sessions",
    "tests/programs/test_function_chat.py::test_sends_nothing_without_a_yes",
    "tests/programs/test_settings.py",
    "tests/programs/playground/test_storage.py",
    "tests/programs/tools/test_email.py",
)


@pytest.mark.parametrize("module", ["fcntl", "termios", "pwd"])
def test_what_windows_lacks_is_hidden(module: str) -> None:
    """Otherwise the tests below would show nothing."""
    run = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        env={"PYTHONPATH": HIDDEN},
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"No module named '{module}'" in run.stderr


async def test_all_programs_work(tmp_path: Path) -> None:
    """The bot answers in the playground, the terminal chat in a pipe, the page shows both; each ends with Ctrl-C."""
    async with running("programs.discord.bot", folder=tmp_path, PLAYGROUND_PORT=0, PYTHONPATH=HIDDEN) as bot:
        await asked(await address(bot), f"<@{BOT_ID}> What is 24*7?", answers=1)
        chat = await ended(await launch("programs.function_chat", folder=tmp_path, PYTHONPATH=HIDDEN), "What is 6*7?\n")
        async with running("programs.logs", "serve", "--port", "0", folder=tmp_path, PYTHONPATH=HIDDEN) as page:
            assert page.stdout
            url = (await page.stdout.readline()).decode().split()[-1]
            turns = await _turns(url, "24*7", "6*7")
            page.send_signal(signal.SIGINT)
            page_end = await ended(page)
        bot.send_signal(signal.SIGINT)
        bot_end = await ended(bot)

    assert (bot_end.code, chat.code, page_end.code) == (0, 0, 0), bot_end.err + chat.err + page_end.err
    assert "42" in chat.out
    assert "done" in turns
    assert not any("Traceback" in end.err for end in (bot_end, chat, page_end))


async def _turns(url: str, *prompts: str) -> str:
    """What the page is told, once these prompts are in it: it reads the log after it has begun to answer."""
    async with patience("the turns"), aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"{url}api/turns") as response:
                turns = await response.text()
            if all(prompt in turns for prompt in prompts):
                return turns
            await asyncio.sleep(0.05)


async def test_the_tests_of_what_systems_do_differently_pass() -> None:
    """Locks, owners, the log's files, migrations, the token, the terminal, settings: without what Windows lacks."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "--timeout", "100", *TESTS),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": HIDDEN, "PYTEST_ADDOPTS": ""},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with ending(process):
        output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()[-10_000:]
