"""Processes that tests start: each ends with its block, also when the test fails or is given up."""

from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


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
