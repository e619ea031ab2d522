"""Tools that misbehave, each twice: as an async function, and as one that blocks."""

import asyncio
import sys
import threading
from pathlib import Path

from llmgine import File, ToolOutput, current_tool_context

HOSTILE = "\ud800\x00\x1b[31mred\u202e hidden\u200b"
LENGTH = 1_000_000


def _is_second(note: str) -> bool:
    """Write down that a call began, where the test looks for it, if anywhere; whether one began there before."""
    if not note:
        return False
    second = Path(note).exists()
    with Path(note).open("a", encoding="utf-8") as file:
        file.write("begun\n")
    return second


def hang(note: str = "") -> str:
    """Hang, unless one has begun there before."""
    if not _is_second(note):
        threading.Event().wait(20)
    return "again"


async def hang_async(note: str = "") -> str:
    """Hang, unless one has begun there before."""
    if not _is_second(note):
        await asyncio.Event().wait()
    return "again"


def huge() -> str:
    """Give far too much."""
    return f"begin{'x' * LENGTH}end"


async def huge_async() -> str:
    """Give far too much."""
    return huge()


def binary() -> bytes:
    """Give bytes that are no text."""
    return b"\x89PNG\xff\xfe\x00 and text"


async def binary_async() -> bytes:
    """Give bytes that are no text."""
    return binary()


def hostile() -> str:
    """Give hostile text."""
    return HOSTILE


async def hostile_async() -> str:
    """Give hostile text."""
    return HOSTILE


def crash() -> str:
    """End the program."""
    sys.exit("I crashed")


async def crash_async() -> str:
    """Fail."""
    raise RuntimeError("I crashed")


def picture() -> ToolOutput:
    """Give a file."""
    return ToolOutput("A picture.", [File("../picture.png", b"\x89PNG")])


async def picture_async() -> ToolOutput:
    """Give a file."""
    return picture()


async def images() -> str:
    """Count the images that came with the question."""
    return f"{len(await current_tool_context().images())} images"
