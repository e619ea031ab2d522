"""The terminal chat as a person runs it: a process of its own, behind pipes or in a pseudo-terminal.

    async with piped(tmp_path) as chat:
        chat.say("Can you calculate 24*7 for me?")
        await chat.until("168")
        assert await chat.end() == 0

Its data, log and outbox are in `tmp_path`, which is also its working folder, and it finds no settings but these.
"""

import asyncio
import codecs
import contextlib
import os
import pty
import re
import signal
import sys
import termios
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path

from tests.processes import python_path
from tests.waiting import NoProgressError, computing, noted, patience

ROOT = Path(__file__).resolve().parents[3]

MODULE = ("-m", "programs.function_chat")
EMAIL = "Send an email to test@example.com with subject 'Hello' and body 'Testing the function calling capability'"

# Makes its standard input the terminal that controls it, as a shell does, so that Ctrl-C is a signal.
_IN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_=>])")


def session_of(output: str) -> str:
    """The session that a chat's first line names."""
    found = re.search(r"terminal:[0-9a-f]{8}", output)
    assert found
    return found.group()


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """An environment with everything in `folder` and no model."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "USER": "ann",
        "TERM": "xterm-256color",
        "PYTHONPATH": python_path(),
        "PYTHONUTF8": "1",
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "DATABASE_URL": f"sqlite:///{folder}/data/chat.db",
        "LOG_DIR": str(folder / "logs"),
        "OUTBOX_DIR": str(folder / "outbox"),
        **settings,
    }


class Program:
    """A running program.

    Attributes:
        output: What it wrote to its standard output, or to its terminal; with `mixed`, to its standard error, too.
        errors: What it wrote to its standard error, if that is a pipe.
        descriptor: Our end of its terminal, if it has one.
    """

    def __init__(self, process: asyncio.subprocess.Process, write: Callable[[bytes], object]) -> None:
        self.process = process
        self.output = ""
        self.errors = ""
        self.descriptor = -1
        self._write = write
        self._changed = asyncio.Condition()

    @property
    def text(self) -> str:
        """The output without the terminal's escape sequences."""
        return _ESCAPES.sub("", self.output).replace("\r", "")

    def say(self, *lines: str) -> None:
        """Type lines."""
        self.type("".join(f"{line}\n" for line in lines))

    def type(self, keys: str | bytes) -> None:
        """Type exactly this."""
        self._write(keys if isinstance(keys, bytes) else keys.encode())

    async def paste(self, text: str) -> None:
        """Paste a text into the terminal, however long."""
        keys = f"\x1b[200~{text}\x1b[201~".encode()
        async with patience("the terminal to take a paste", computing(self.process.pid)):
            while keys:
                try:
                    keys = keys[os.write(self.descriptor, keys[:1024]) :]
                except BlockingIOError:  # it is full until the program reads
                    await asyncio.sleep(0.01)

    def end_input(self) -> None:
        """Close the pipe that it reads."""
        assert self.process.stdin
        self.process.stdin.close()

    def interrupt(self) -> None:
        """Send what Ctrl-C sends."""
        self.process.send_signal(signal.SIGINT)

    async def until(self, text: str, *, times: int = 1) -> None:
        """Wait until it wrote `text` so many times, wherever."""
        await self.until_state(lambda: (self.text + self.errors).count(text) >= times, repr(text))

    async def until_state(self, state: Callable[[], bool], what: str = "the state") -> None:
        """Wait for a state of the output."""
        try:
            async with patience(what, computing(self.process.pid)), self._changed:
                await self._changed.wait_for(state)
        except NoProgressError as error:
            error.add_note(f"There is:\n{self.text}\n{self.errors}")
            raise

    async def end(self) -> int:
        """Wait for its end; gives the exit code."""
        async with patience("the end of the program", computing(self.process.pid)):
            return await self.process.wait()

    async def took(self, output: str = "", errors: str = "") -> None:
        """Keep what it wrote."""
        self.output += output
        self.errors += errors
        noted()
        async with self._changed:
            self._changed.notify_all()


@contextlib.asynccontextmanager
async def piped(
    folder: Path,
    *arguments: str,
    command: Sequence[str] = MODULE,
    cwd: Path | None = None,
    mixed: bool = False,
    **settings: str,
) -> AsyncIterator[Program]:
    """The program behind pipes; with `mixed`, all it writes goes into one, so that it is in order."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        *arguments,
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.STDOUT if mixed else pipe,
        cwd=cwd or folder,
        env=environment(folder, **settings),
    )
    assert process.stdin
    assert process.stdout
    program = Program(process, process.stdin.write)
    stdout, stderr = process.stdout, process.stderr

    async def read_output() -> None:
        while data := await stdout.read(65536):
            await program.took(output=data.decode())

    async def read_errors() -> None:
        while stderr and (data := await stderr.read(65536)):
            await program.took(errors=data.decode())

    async with _running(program, read_output(), read_errors()):
        yield program
        process.stdin.close()


@contextlib.asynccontextmanager
async def in_terminal(folder: Path, *arguments: str, script: str = "", **settings: str) -> AsyncIterator[Program]:
    """The program in a terminal of 160 columns and 24 rows; with `script`, as a shell runs `"$@"` there."""
    program_line = [*(["/bin/sh", "-c", script, "sh"] if script else []), sys.executable, *MODULE, *arguments]
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (24, 160))
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-I",
            "-c",
            _IN_TERMINAL,
            *program_line,
        ),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        cwd=folder,
        # A terminal is set with `termios`, so it is not for `tests/hidden`.
        env=environment(folder, **settings) | {"PYTHONPATH": str(ROOT)},
    )
    os.close(theirs)
    os.set_blocking(ours, False)
    program = Program(process, lambda keys: os.write(ours, keys))
    program.descriptor = ours

    async def read_output() -> None:
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(ours, readable.set)
        decode = codecs.getincrementaldecoder("utf-8")().decode
        try:
            while True:
                await readable.wait()
                readable.clear()
                with contextlib.suppress(BlockingIOError):  # read already, with what came before it
                    await program.took(output=decode(os.read(ours, 65536)))
        except OSError:  # the terminal's other end is closed: the program has ended
            pass
        finally:
            loop.remove_reader(ours)

    try:
        async with _running(program, read_output()):
            yield program
    finally:
        os.close(ours)


@contextlib.asynccontextmanager
async def _running(program: Program, *readers: Coroutine[None, None, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(reader) for reader in readers]
    try:
        yield
        async with patience("the end of the program", computing(program.process.pid)):
            await program.process.wait()
            await asyncio.gather(*tasks)
    finally:
        if program.process.returncode is None:
            program.process.kill()
            await program.process.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def run(folder: Path, *arguments: str, lines: Sequence[str] = (), **settings: str) -> Program:
    """Run the program over these lines to its end."""
    async with piped(folder, *arguments, command=MODULE, cwd=folder, mixed=False, **settings) as program:
        program.say(*lines)
    return program


async def transcript(folder: Path, *arguments: str, lines: Sequence[str] = (), **settings: str) -> Program:
    """Run the program over these lines to its end, with all it writes in its output, in order."""
    async with piped(folder, *arguments, command=MODULE, cwd=folder, mixed=True, **settings) as program:
        program.say(*lines)
    return program
