"""The bot as people run it: a process of its own, told where everything is by its environment."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes import end, ending, python_path
from tests.waiting import computing, patience


@dataclass
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str


def environment(folder: Path, **settings: Any) -> dict[str, str]:
    """The environment of a program whose files are all in the folder; a setting of None is left out."""
    given = {
        "DATABASE_URL": f"sqlite:///{folder}/llmgine.db",
        "LOG_DIR": str(folder / "logs"),
        "OUTBOX_DIR": str(folder / "outbox"),
        "SESSION_TITLES": "false",  # so that a model's replies are those to what was said
        **settings,
    }
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return inherited | {"PYTHONPATH": python_path()} | {k: str(v) for k, v in given.items() if v is not None}


async def launch(module: str, *arguments: str, folder: Path, **settings: Any) -> Process:
    """Start a program in the folder."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "default::ResourceWarning",
        "-m",
        module,
        *arguments,
        cwd=folder,
        env=environment(folder, **settings),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )


async def ended(process: Process, typed: str = "") -> Ended:
    """Wait for the end of a process, after typing something; one that does not end is killed."""
    try:
        async with patience("the end of the program", computing(process.pid)):
            out, err = await process.communicate(typed.encode())
    finally:
        await end(process)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def running(module: str, *arguments: str, folder: Path, **settings: Any) -> AsyncIterator[Process]:
    """A program for as long as the block takes; it is killed at the end if it still runs."""
    async with ending(await launch(module, *arguments, folder=folder, **settings)) as process:
        yield process


async def address(process: Process) -> str:
    """The address of the playground, as it is printed."""
    assert process.stdout is not None
    async with patience("the playground's address", computing(process.pid)):
        async for line in process.stdout:
            if b"Open http://" in line:
                return line.split()[-1].decode()
    raise AssertionError("the program ended without an address")
