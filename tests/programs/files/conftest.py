"""Reading, watched: nothing blocks the loop, and no process is left."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from programs.files.limits import MAX_DOCUMENT, MAX_SHOWN
from programs.files.reading import Content, FileReader
from tests.cpu import moment

Read = Callable[[bytes], Awaitable[Content]]
_LONGEST = 5.0  # moments of CPU that nothing else on the loop gets: a tenth of a second


def reader(*, vision: bool = True, image_bytes: int = 18_000_000) -> FileReader:
    """A reader as the bot has it."""
    return FileReader(vision=vision, image_bytes=image_bytes, characters=MAX_SHOWN, document=MAX_DOCUMENT)


def children() -> list[int]:
    """The processes that this one has started and that run, where the system says so."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[:2]
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        if int(parent) == os.getpid() and state != "Z" and b"llmgine.tools.isolated" in command:
            found.append(int(stat.parent.name))
    return found


@pytest.fixture
async def read() -> AsyncIterator[Read]:
    """Reads files as the bot does. After the test no process may be left, nor the loop have been blocked."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        before = time.thread_time()
        while True:
            await asyncio.sleep(0.002)
            now = time.thread_time()
            longest, before = max(longest, now - before), now

    files = reader()

    async def one(data: bytes) -> Content:
        watching = asyncio.create_task(watch())
        await asyncio.sleep(0.01)
        try:
            return await files.read(data, cut=False)
        finally:
            await asyncio.sleep(0.01)
            watching.cancel()

    yield one
    assert longest < _LONGEST * moment()
    assert children() == []
