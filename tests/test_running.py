"""What docs/running.md tells people to type works, on a real server."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmgine.sessions import open_store
from tests.postgres import PostgresServer

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```bash\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if re.search(r"^(createuser|createdb|pg_\w+) |programs\.store ", line)
]
ADDRESS = "postgresql://llmgine@db.example.com"
PROGRAM = "uv run --extra postgres python"


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


def run(command: str, server: PostgresServer, folder: Path) -> None:
    """Run a command of the document against the server of the test."""
    command = re.sub(rf"{ADDRESS}/(\w+)", lambda found: server.url(found[1]).replace("postgres@", "llmgine@"), command)
    command = command.replace(PROGRAM, sys.executable).replace("--pwprompt ", "")  # there is nobody to ask
    program, *arguments = shlex.split(command)
    environment = {
        "PATH": f"{server.programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PGHOST": str(server.folder),
        "PGUSER": "postgres",
    }
    done = subprocess.run(
        [program, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"


async def test_the_commands_of_the_document(server: PostgresServer, tmp_path: Path) -> None:
    """From a SQLite store through a copy and a dump to a restored database: each command does what is said of it."""
    store = await open_store(f"sqlite:///{tmp_path / 'data' / 'llmgine.db'}")
    await store.sessions.ensure("discord:1", 1)
    await store.close()
    copy = [command for command in COMMANDS if "programs.store" in command]
    made = [
        command for command in COMMANDS if command.startswith(("createuser", "createdb")) and "restored" not in command
    ]
    others = [command for command in COMMANDS if command not in {*copy, *made}]
    assert [len(copy), len(made), len(others)] == [1, 2, 3]

    for command in [*made, *copy, *others]:
        run(command, server, tmp_path)

    for database in ("llmgine", "restored"):
        store = await open_store(server.url(database).replace("postgres@", "llmgine@"))
        try:
            assert (await store.sessions.get("discord:1")).id == "discord:1"
        finally:
            await store.close()
