"""Functions that a process of its own can import; most of them misbehave."""

import os
import subprocess
import sys
import time
from pathlib import Path

from llmgine.errors import ToolError
from llmgine.tools.context import current_tool_context
from llmgine.tools.result_text import NotDone


def add(a: int, b: int = 1) -> dict[str, int]:
    """Add.

    Args:
        a: One.
        b: The other.
    """
    print("this is no answer")  # noqa: T201  that is what is tested
    return {"sum": a + b}


async def add_later(a: int) -> str:
    """Add one."""
    return f"{a + 1} for {current_tool_context().author_name}"


def whereabouts() -> dict[str, str]:
    """Tell what is known of the surroundings."""
    return {"pid": str(os.getpid()), **os.environ}


def refuse() -> str:
    """Say no."""
    raise ToolError("not like this")


def fail() -> str:
    """Fail."""
    raise KeyError("lost")


def leave() -> str:
    """End the program."""
    sys.exit(3)


def not_today() -> str:
    """Do nothing."""
    return NotDone("it is Sunday")


def flood() -> str:
    """Give much."""
    return "x" * 10_000_000


def flood_the_pipe() -> str:
    """Write past the answer, to every pipe there is."""
    for descriptor in range(3, 20):
        try:
            while True:
                os.write(descriptor, b"x" * 65_536)
        except OSError:
            continue
    return "done"


def eat() -> str:
    """Use memory."""
    return str(len([bytearray(50_000_000) for _ in range(1_000)]))


def spin() -> str:
    """Use the CPU."""
    while True:
        pass


def die() -> str:
    """Crash."""
    os.abort()


def hang_with_child(note: str) -> str:
    """Start another program, tell both ids, and hang.

    Args:
        note: The file for them.
    """
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    Path(note).write_text(f"{os.getpid()} {child.pid}", encoding="utf-8")
    time.sleep(600)
    return ""


def leave_child(note: str) -> str:
    """Start a program that goes on, and return.

    Args:
        note: The file for its id.
    """
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    Path(note).write_text(f"{child.pid}", encoding="utf-8")
    return "left"


def padded(before: int, text: str) -> str:
    """Give a text in the middle of a long one.

    Args:
        before: Characters before it.
        text: The text.
    """
    return "a" * before + text + "a" * 60_000
