"""Every command that documents and programs tell people to type is started, and ends: by itself, or when stopped."""

import ast
import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ending, python_path
from tests.waiting import computing, patience

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_COMMAND = re.compile(r"(?:python -m |(?=\./run_function_chat\.sh))([\w./]+)([^`\n|;&#()\[\]]*)")
_LONGEST = 180  # seconds; a command that ends takes a tenth of it

# What a command is called by and its arguments in the test, then how much less it does here, as Python.
ENDS = {
    "programs.function_chat": ("", ""),
    "programs.function_chat --list-sessions": ("", ""),
    "programs.function_chat --continue": ("", ""),
    "programs.logs stats": ("--since 12h", ""),
    "programs.logs trace": ("last", ""),
    "programs.playground --table": ("", ""),
    "programs.discord.slash.command_table": ("", ""),
    "programs.backup": ("", ""),
    "programs.bench --help": ("", ""),
    "programs.bench bus": ("", "bus._ROUNDS = bus._PEER_ROUNDS = 1; bus._QUEUED = 100"),
    "programs.bench playground": ("", "playground.rates.__kwdefaults__['messages'] = 100"),
    "programs.bench store": ("--sessions 100", "main._LOOKS = 1"),
}
# What runs until it is stopped, and its arguments in the test.
STOPPED = {
    "programs.discord.bot": "",
    "programs.playground": "--port 0",
    "programs.logs serve": "--port 0",
    "programs.logs tail": "",
}
# What is started elsewhere.
ELSEWHERE = {
    "programs.bench turns": "tests/programs/bench/test_bench.py, to its end",
    "programs.bench discord": "tests/programs/bench/test_discord.py, to its end",
    "programs.bench path": "tests/programs/bench/test_path.py, to its end",
    "programs.bench safety": "tests/programs/bench/test_safety.py, to its end",
    "programs.discord.health": "tests/programs/discord/test_health.py",
    "programs.backup --restore": "tests/programs/test_backup.py",
    "programs.mcp": "tests/programs/test_mcp.py",
    "programs.mcp accept": "tests/programs/test_mcp.py",
    "programs.mcp diff": "tests/programs/test_mcp.py",
    "programs.store copy": "tests/test_running.py, on a real PostgreSQL",
    "programs.bench.crowd": "by `programs.bench discord`",
    "programs.bench.visitors": "by `programs.bench discord`",
    "programs.bench.model_server": "by `programs.bench turns`",
}


def texts() -> list[str]:
    """All that names commands: the documents, and what programs say of themselves."""
    programs = sorted((ROOT / "programs").rglob("*.py"))
    docstrings = [ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in programs]
    return [*(path.read_text(encoding="utf-8") for path in DOCUMENTS), *docstrings]


def documented() -> set[str]:
    """The programs' commands, each as its module and what follows; those of tests are started by CI itself."""
    found = set()
    for text in texts():
        for module, rest in _COMMAND.findall(text):
            name = "programs.function_chat" if module.endswith("run_function_chat.sh") else module
            if name.startswith("programs."):
                found.add(" ".join([name.rstrip("."), *rest.split()]).rstrip(".,:"))
    return found


def known_as(command: str) -> str | None:
    """The longest beginning of a command that is in one of the tables."""
    words = command.split()
    tables = {*ENDS, *STOPPED, *ELSEWHERE}
    return next((name for n in range(len(words), 0, -1) if (name := " ".join(words[:n])) in tables), None)


def environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": python_path(),
        "PYTHONUNBUFFERED": "1",
        "PLAYGROUND_PORT": "0",
    }


def run(command: str, folder: Path, *, said: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command of a table to its end."""
    module, *arguments = command.split()
    more, smaller = ENDS.get(command, ("", ""))
    start = ["-m", module]
    if smaller:
        names = "__main__ as main, bus, playground"
        start = ["-c", f"import sys; from {module} import {names}; {smaller}; sys.exit(main.main())"]
    return subprocess.run(
        [sys.executable, *start, *arguments, *more.split()],
        cwd=folder,
        env=environment(folder),
        input=said,
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which somebody chatted."""
    made = tmp_path_factory.mktemp("chatted")
    done = run("programs.function_chat", made, said="What is 24*7?\n")
    assert (done.returncode, "168" in done.stdout) == (0, True), done.stderr
    return made


def test_every_documented_command_is_started_by_a_test() -> None:
    """Whoever documents a command says in a table above whether it ends, and how it is made short here."""
    commands = documented()

    assert len(commands) >= 12
    assert {command for command in commands if known_as(command) is None} == set()


@pytest.mark.parametrize("command", ENDS)
def test_a_command_that_should_end_ends(command: str, folder: Path) -> None:
    """By itself, with exit code 0, having said something."""
    done = run(command, folder)

    assert done.returncode == 0, done.stderr
    assert done.stdout or done.stderr


@pytest.mark.parametrize("command", STOPPED)
async def test_a_command_that_runs_until_it_is_stopped_ends_then(command: str, folder: Path) -> None:
    """Ctrl-C ends it without a traceback, once it has said something."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command.split(), *STOPPED[command].split()),
        cwd=folder,
        env=environment(folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with ending(process), patience(f"{command} to start and to end", computing(process.pid)):
        assert process.stdout is not None
        assert await process.stdout.readline()

        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()

        assert process.returncode in {0, 130}, errors.decode()
        assert b"Traceback" not in errors
