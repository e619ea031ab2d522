"""A playground with people in a process of its own, who do what is asked of them; and a bot in this one to go there."""

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

from programs.bench.discord import settings_in
from programs.bench.turn_cost import model_service
from programs.settings import ProgramSettings

Kind = Literal["channels", "DMs"]

CALLS = 100  # of the model at once
_MODEL = "text:1:0"  # answers with one piece, at once
_TOLD_BYTES = 64 * 2**20


class Visit:
    """What this process knows of the playground, and how it asks for things.

    Args:
        process: The playground's, see `programs.bench.visitors`.
        facts: What it told at the beginning.
        settings: Of a bot that goes there.
    """

    def __init__(self, process: asyncio.subprocess.Process, facts: dict[str, Any], settings: ProgramSettings) -> None:
        self._process = process
        self.facts = facts
        self.settings = settings

    async def do(self, name: str, *arguments: float | str) -> Any:
        """Have a method of `Visitors` called there; gives what it gave.

        Raises:
            RuntimeError: It failed; why is on the standard error stream.
        """
        if self._process.stdin is None:
            raise RuntimeError("the playground has no pipes")
        self._process.stdin.write(json.dumps([name, *arguments]).encode() + b"\n")
        told: Any = await _told(self._process)
        return told


@contextlib.asynccontextmanager
async def visit(kind: Kind, places: int) -> AsyncIterator[Visit]:
    """Start a model service, and a playground with so many channels, or people with DMs; both end with the block."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "programs.bench.visitors", kind, str(places))
    async with model_service() as model:
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=_TOLD_BYTES)
        try:
            facts = await _told(process)
            with tempfile.TemporaryDirectory() as folder:
                yield Visit(process, facts, settings_in(Path(folder), facts, model_url=model, model=_MODEL))
        finally:
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()


async def _told(process: asyncio.subprocess.Process) -> Any:
    line = b"" if process.stdout is None else await process.stdout.readline()
    if not line:
        raise RuntimeError("the playground ended")
    return json.loads(line)
