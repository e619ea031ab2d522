"""Run a tool in a process of its own, which can be killed: for code of others, and for work that keeps a CPU busy.

The process is a new Python that imports the function by its name. It gets none of this program's environment but what
Python itself needs, so no token or key; it speaks by one pipe of a bounded length; and it is killed with all that it
has started when the call ends, whatever it is doing. Its memory and CPU time are bounded where the system can do that,
which Windows cannot. It is no sandbox: it may read files and use the network, as the user whom this program runs as.
"""

import asyncio
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from llmgine.errors import ToolError
from llmgine.messages.chat_messages import Source
from llmgine.platforms import ENDED_BY_CPU_LIMIT, ENVIRONMENT_OF_PROGRAMS, kill_with_children
from llmgine.tools.context import tool_context
from llmgine.tools.files import MOST_BYTES, File, ToolOutput
from llmgine.tools.folder_package import folder_of
from llmgine.tools.result_text import MAX_RESULT_BYTES, NotDone

_LONGEST_LINE = 2**16  # bytes; it names ten files at most
_LONGEST_TEXT = 8 * MAX_RESULT_BYTES  # bytes
_PIECE = 2**18  # bytes that are handed over at once, so that the loop does other things in between
_TOO_MUCH = "it gave too much and was stopped"


class BrokenLimitError(ToolError):
    """The process used more than it may, or died of it."""


@dataclass(frozen=True)
class Isolation:
    """The limits of a process that runs a tool.

    Attributes:
        memory: Bytes of address space; Python itself takes some 50 million. Not on Windows, and hardly on macOS.
        cpu: Seconds of CPU time. Not on Windows.
    """

    memory: int = 1_000_000_000
    cpu: int = 30


def check_importable(function: Callable[..., object], name: str) -> None:
    """Check that a process of its own finds the function.

    Raises:
        TypeError: It does not; the text says what to do.
    """
    module, path = function.__module__, function.__qualname__
    found: object = None
    if module != "__main__" and "<" not in path:
        with suppress(ImportError, AttributeError, TypeError):
            found = function_at(module, path)
    if found is not function:
        raise TypeError(
            f"tool {name!r} cannot run in a process of its own: define the function at the top level of a module "
            "that can be imported, without a decorator that replaces it"
        )


def function_at(module: str, path: str) -> Callable[..., object]:
    """The function with this qualified name in a module."""
    found: object = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{module}.{path} is no function")
    return found


async def run_isolated(function: Callable[..., object], arguments: str, limits: Isolation) -> object:
    """What the function gives for these arguments: its text, see `result_text.to_text`.

    Where it gives files or names sources, it is a `ToolOutput` with all of it.

    Args:
        function: A function that `check_importable` has passed.
        arguments: JSON, as the model wrote it.
        limits: The limits of the process.

    Raises:
        ToolError: The function raised, or its process broke a limit or died.
        StoreError: The images that came with the question cannot be read.
    """
    context = tool_context.get(None)
    told = context and [context.session_id, context.turn_id, context.author_id, context.author_name]
    images = [image.encode() for image in await context.images()] if context else []
    request = _request(function, limits, arguments=arguments, context=told, images=[*map(len, images)])
    output = await _run(request, b"".join(images), limits, _LONGEST_TEXT)
    return output if output.files or output.sources else output.text


async def run_isolated_on(
    function: Callable[..., str], data: bytes, options: Mapping[str, object], limits: Isolation, *, most: int
) -> str:
    """What the function gives for the bytes of a stranger, word for word.

    Args:
        function: A function at the top level of a module that can be imported. It is called with the bytes, and with
            the options by their names.
        data: The bytes.
        options: What JSON can say.
        limits: The limits of the process. Its time is the caller's: when the call is cancelled, the process is killed.
        most: Bytes of the answer.

    Raises:
        BrokenLimitError: Its process used more than it may, or died.
        ToolError: The function raised.
    """
    request = _request(function, limits, options=dict(options), data=len(data))
    return str((await _run(request, data, limits, most)).text)


def _request(function: Callable[..., object], limits: Isolation, **what: object) -> bytes:
    where = {
        "module": function.__module__,
        "folder": folder_of(function.__module__),
        "path": function.__qualname__,
        "limits": [limits.memory, limits.cpu],
    }
    return json.dumps(where | what).encode() + b"\n"


async def _run(request: bytes, data: bytes, limits: Isolation, most: int) -> ToolOutput:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "llmgine.tools.isolated"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
        start_new_session=True,
    )
    try:
        answer, given = await _exchange(process, request, data, most)
    finally:
        kill_with_children(process)
        code = await process.wait()
    return _read(answer, given, code, limits)


def _environment() -> dict[str, str]:
    """What Python needs, and where it finds modules; nothing of this program's own environment."""
    needed = {
        "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
        "PYTHONUTF8": "1",
        "PATH": os.defpath,
        "HOME": str(Path.home()),
        "TMPDIR": tempfile.gettempdir(),
    }
    return needed | ENVIRONMENT_OF_PROGRAMS


async def _exchange(process: asyncio.subprocess.Process, request: bytes, data: bytes, most: int) -> tuple[bytes, bytes]:
    """Hand over what to run, and read the answer up to its end.

    Returns:
        Its first line, which has the sizes of its text and files, and these.

    Raises:
        BrokenLimitError: It is longer than any answer.
    """
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process has no pipes")
    with suppress(ConnectionError):  # it died before it read that; how, its exit code says
        process.stdin.write(request)
        for start in range(0, len(data), _PIECE):
            process.stdin.write(data[start : start + _PIECE])
            await process.stdin.drain()
        await process.stdin.drain()
    answer = bytearray()
    end = -1  # of the line
    size = _LONGEST_LINE  # up to which it is read: not to the end of the pipe, which a process may keep open
    while len(answer) < size and (piece := await process.stdout.read(2**16)):
        answer += piece
        if end < 0 and (end := answer.find(b"\n", -len(piece))) >= 0:
            size = end + 1 + _size(bytes(answer[:end]), most)
        if end < 0 and len(answer) >= size:
            raise BrokenLimitError(_TOO_MUCH)
    end = len(answer) if end < 0 else end
    return bytes(answer[:end]), bytes(answer[end + 1 : size])


def _size(line: bytes, most: int) -> int:
    """The size of what follows a line; what is no answer has none."""
    try:
        told = json.loads(line)
        text, sizes = int(told["text"]), [int(size) for _name, _type, size in told["files"]]
    except (ValueError, KeyError, TypeError):
        return 0
    if min(text, *sizes, 0) < 0 or text > most or sum(sizes) > MOST_BYTES:
        raise BrokenLimitError(_TOO_MUCH)
    return text + sum(sizes)


def _read(answer: bytes, data: bytes, code: int, limits: Isolation) -> ToolOutput:
    """The result in an answer, and in the data after it.

    Raises:
        ToolError: It is an error, or there is none.
    """
    try:
        told = json.loads(answer)
        length, kind = int(told["text"]), told["kind"]
        named = [(str(name), str(media_type), int(size)) for name, media_type, size in told["files"]]
        sources = [Source(title=title, url=url) for title, url in told["sources"]]
    except (ValueError, KeyError, TypeError):
        if code == ENDED_BY_CPU_LIMIT:
            raise BrokenLimitError(f"it used more than {limits.cpu} seconds of CPU time and was stopped") from None
        raise BrokenLimitError(f"its process died (exit code {code})") from None
    if kind == "memory":
        raise BrokenLimitError(f"it used more than {limits.memory / 1e6:,.0f} MB of memory and was stopped")
    if length + sum(size for _name, _type, size in named) != len(data):
        raise BrokenLimitError(f"its process died while it answered (exit code {code})")
    text = data[:length].decode(errors="replace")
    if kind == "error":
        raise ToolError(text)
    files, begin = list[File](), length
    for name, media_type, size in named:
        files.append(File(name, data[begin : begin + size], media_type))
        begin += size
    return ToolOutput(NotDone(text) if kind == "not done" else text, files, sources)
