"""A server that is a program: one JSON message a line on its standard input and output, each of a bounded length.

It gets none of this program's environment but what every program needs, so no token or key; what it writes to standard
error is kept for its status and never reaches the terminal; and it is killed with all that it has started.
"""

import asyncio
import contextlib
import logging
import re
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.shared.message import SessionMessage
from mcp.types import INTERNAL_ERROR, ErrorData, JSONRPCError, jsonrpc_message_adapter

from llmgine.errors import LLMgineError
from llmgine.mcp.config import ServerConfig
from llmgine.messages.visible_text import terminal_text, visible_line
from llmgine.platforms import ENVIRONMENT_OF_PROGRAMS, kill_with_children

LARGEST_MESSAGE = 16 * 2**20  # bytes
MOST_OBJECTS = 30_000  # in a message: 16 MiB may have so many that reading them takes seconds
TOO_LARGE = f"the server's answer has more than {LARGEST_MESSAGE // 2**20} MiB or {MOST_OBJECTS:,} objects"
_PIECE = 2**16  # bytes that are read at once
_HEAD = 200  # bytes in which the id of a message that is too large is looked for
_TAIL = 2_000  # bytes of standard error that are kept
_GRACE = 1.0  # seconds that a program has to end by itself, once its input is closed
_ID = re.compile(rb'"id"\s*:\s*(\d{1,15})\b')

_log = logging.getLogger(__name__)

Streams = tuple[ObjectReceiveStream[SessionMessage | Exception], ObjectSendStream[SessionMessage]]


class ServerEndedError(LLMgineError):
    """The program cannot be started, or ended; the text says what it wrote last."""


class StandardError:
    """The end of what a program wrote to its standard error."""

    def __init__(self) -> None:
        self._tail = b""

    async def read(self, stream: asyncio.StreamReader) -> None:
        """Read until it is closed."""
        while piece := await stream.read(_PIECE):
            self._tail = (self._tail + piece)[-_TAIL:]

    @property
    def last_line(self) -> str:
        """The last line that has text, or nothing."""
        lines = terminal_text(self._tail.decode(errors="replace")).splitlines()
        return visible_line(next((line for line in reversed(lines) if line.strip()), ""), 300)


@contextlib.asynccontextmanager
async def program(config: ServerConfig, said: StandardError, ended: Callable[[], object]) -> AsyncIterator[Streams]:
    """Start the program, and end it with the block.

    Args:
        config: Which one.
        said: Keeps what it writes to standard error.
        ended: Called when it ends, or closes its output.

    Raises:
        ServerEndedError: It cannot be started.
    """
    process = await _started(config)
    to_session, from_program = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    to_program, from_session = anyio.create_memory_object_stream[SessionMessage](0)
    tasks = [
        asyncio.create_task(_read(process, to_session), name="MCP reader"),
        asyncio.create_task(_write(process, from_session, to_session), name="MCP writer"),
    ]
    tasks[0].add_done_callback(lambda _: ended())
    if process.stderr is not None:
        tasks.append(asyncio.create_task(said.read(process.stderr), name="MCP standard error"))
    try:
        yield from_program, to_program
    finally:
        try:
            await _ended(process)
        finally:
            kill_with_children(process)
            for task in tasks:
                task.cancel()
            for stream in (to_session, from_program, from_session, to_program):
                stream.close()
            await asyncio.gather(*tasks, _reaped(process), return_exceptions=True)


async def _started(config: ServerConfig) -> Process:
    variables = {**ENVIRONMENT_OF_PROGRAMS, **config.inherited, **config.env}
    command = shutil.which(config.command or "", path=variables.get("PATH"))
    if command is None:
        raise ServerEndedError(f"there is no program {config.command!r}")
    try:
        return await asyncio.create_subprocess_exec(
            command,
            *config.args,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=variables,
            cwd=config.cwd,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise ServerEndedError(f"{config.command} cannot be started: {error}") from error


async def _ended(process: Process) -> None:
    """Close its input, at which a server ends by itself, and give it a moment for that."""
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GRACE):
            await process.wait()


async def _reaped(process: Process) -> None:
    """Take note of its end, also where a child that left its session holds its output open."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GRACE):
            await process.wait()
            return
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


async def _read(process: Process, to_session: ObjectSendStream[SessionMessage | Exception]) -> None:
    """Hand each line over as a message; the end of the lines is the end of the connection."""
    with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async with to_session:
            if process.stdout is not None:
                async for line, whole in _lines(process.stdout):
                    message = _message(line, whole=whole and line.count(b"{") <= MOST_OBJECTS)
                    if message is not None:
                        await to_session.send(message)


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
    """The lines of a program, and whether each is whole: of one that is too long there is only the beginning."""
    pieces: list[bytes] = []
    size = 0
    while piece := await stream.read(_PIECE):
        for number, part in enumerate(piece.split(b"\n")):
            if number:  # what was read before it ended a line
                yield b"".join(pieces), size <= LARGEST_MESSAGE
                pieces, size = [], 0
            size += len(part)
            if size <= LARGEST_MESSAGE:
                pieces.append(part)
            elif len(pieces) > 1:
                pieces = [b"".join(pieces)[:_HEAD]]


def _message(line: bytes, *, whole: bool) -> SessionMessage | None:
    """What a line says; None for one that is no message, such as what a program prints by mistake."""
    if not whole:
        found = _ID.search(line[:_HEAD])
        error = ErrorData(code=INTERNAL_ERROR, message=TOO_LARGE)
        return SessionMessage(JSONRPCError(jsonrpc="2.0", id=int(found[1]), error=error)) if found else None
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError:
        _log.debug("A server wrote a line that is no message")
        return None


async def _write(
    process: Process,
    from_session: ObjectReceiveStream[SessionMessage],
    to_session: ObjectSendStream[SessionMessage | Exception],
) -> None:
    """Write each message as a line; when that fails, the connection is at its end."""
    if process.stdin is None:
        return
    try:
        async for message in from_session:
            process.stdin.write(message.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
            await process.stdin.drain()
    except OSError:
        await to_session.aclose()
