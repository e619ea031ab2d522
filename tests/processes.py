"""Processes that tests start: each ends with its block, also when the test fails or is given up."""

import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_ROOT = Path(__file__).parent.parent


def python_path() -> str:
    """The PYTHONPATH of a program with an environment of its own: this repository, and what the tests have."""
    return os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))


async def end(process: Process) -> None:
    """Kill a process that still runs, and wait for it."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    await process.communicate()


@asynccontextmanager
async def ending(process: Process) -> AsyncIterator[Process]:
    """A process for as long as the block takes."""
    try:
        yield process
    finally:
        await end(process)
