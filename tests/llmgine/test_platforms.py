"""What the systems do differently is in one file, and works where a system has less than Linux."""

import ast
import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmgine.platforms import ENDING_SIGNALS, FileLock, handle_signals, reset_signals
from programs.exit_codes import ExitCode
from tests.processes import python_path

ROOT = Path(__file__).parents[2]
PLATFORMS = ROOT / "llmgine" / "platforms.py"
MODULES = {"fcntl", "grp", "msvcrt", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty", "winreg"}
ATTRIBUTES = {
    *("add_reader", "add_signal_handler", "add_writer", "connect_read_pipe", "connect_write_pipe"),
    *("create_unix_connection", "create_unix_server", "open_unix_connection", "start_unix_server"),
    *("fchmod", "fork", "getuid", "mkfifo", "pread", "pwrite", "remove_signal_handler", "setsid", "umask"),
    *("CLOCK_BOOTTIME", "CLOCK_MONOTONIC", "O_BINARY", "O_NOFOLLOW", "SIGBREAK", "SIGHUP", "SIGKILL", "SIGUSR1"),
}
WHOLE = {"os.name", "sys.platform", "platform.system"}  # who asks for the system


def uses(path: Path) -> Iterator[str]:
    """What a file uses that not all systems have."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                yield from (name.name for name in names if name.name.partition(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in MODULES:
                yield module
            case ast.Attribute(attr=name) if name in ATTRIBUTES or ast.unparse(node) in WHOLE:
                yield ast.unparse(node)
            case ast.Constant(value=str(name)) if name in ATTRIBUTES:  # for getattr
                yield name


def test_what_systems_do_differently_is_in_one_file() -> None:
    """No other file of the library and the programs uses what one of the systems lacks, or asks which one it is."""
    files = [path for folder in ("llmgine", "programs") for path in (ROOT / folder).rglob("*.py")]

    found = {str(path.relative_to(ROOT)): used for path in files if path != PLATFORMS and (used := [*uses(path)])}

    assert found == {}
    assert {"termios", "msvcrt", "loop.add_signal_handler", "sys.platform", "O_NOFOLLOW"} <= {*uses(PLATFORMS)}


class LoopOfWindows(asyncio.SelectorEventLoop):
    """An event loop that knows no signals, as those of Windows."""

    def add_signal_handler(self, *_: object) -> None:
        raise NotImplementedError

    def remove_signal_handler(self, *_: object) -> bool:
        raise NotImplementedError


@pytest.mark.parametrize("loop", [asyncio.SelectorEventLoop, LoopOfWindows])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_loop(loop: type[asyncio.AbstractEventLoop], number: signal.Signals) -> None:
    """Whether the loop knows signals or not; once reset, it is Python's or the system's again."""
    before = signal.getsignal(number)

    async def wait_for_signal() -> None:
        came = asyncio.Event()
        handle_signals(came.set, *ENDING_SIGNALS)
        os.kill(os.getpid(), number)
        await asyncio.wait_for(came.wait(), 10)
        came.clear()
        reset_signals(signal.SIG_IGN, *ENDING_SIGNALS)
        os.kill(os.getpid(), number)
        await asyncio.sleep(0)
        assert not came.is_set()
        assert signal.getsignal(number) is signal.SIG_IGN
        reset_signals(signal.SIG_DFL, signal.SIGTERM)
        reset_signals(signal.default_int_handler, signal.SIGINT)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(wait_for_signal())
    signal.signal(number, before)


def test_a_signal_after_the_loop_has_ended_is_ignored() -> None:
    """A second Ctrl-C while a program ends is no traceback."""
    before = signal.getsignal(signal.SIGTERM)
    called: list[bool] = []

    async def handle() -> None:
        handle_signals(lambda: called.append(True), signal.SIGTERM)

    with asyncio.Runner(loop_factory=LoopOfWindows) as runner:
        runner.run(handle())
    os.kill(os.getpid(), signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)

    assert not called


def test_a_lock_is_one_processs_at_a_time(tmp_path: Path) -> None:
    """Until it is closed, or its process is killed; closing twice is harmless."""
    path = tmp_path / "the.lock"
    ours = FileLock(path)
    code = f"from llmgine.platforms import *; import time; print(FileLock(Path({str(path)!r})).acquire(), flush=True)"

    def theirs() -> str:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    assert ours.acquire()
    assert theirs() == "False"
    ours.close()
    ours.close()
    assert theirs() == "True"
    again = FileLock(path)
    assert again.acquire()  # the other process has ended without closing it
    again.remove()
    assert not path.exists()


def test_a_lock_follows_no_link(tmp_path: Path) -> None:
    """In a folder for everybody, somebody could make us empty another file."""
    (tmp_path / "file").write_text("kept")
    (tmp_path / "the.lock").symlink_to(tmp_path / "file")

    with pytest.raises(OSError, match="symbolic"):
        FileLock(tmp_path / "the.lock")


async def test_without_locks_a_program_says_so(tmp_path: Path) -> None:
    """On a system without any, it ends with a sentence; a file that names a process would be no substitute."""
    code = "import sys; sys.modules['fcntl'] = None; from programs.function_chat import main; sys.exit(main())"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-c", code),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": python_path()},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()

    assert process.returncode == ExitCode.CONFIGURATION
    assert errors.decode().startswith("error: DATABASE_URL: data/owners cannot be used: ")
    assert "without file locks" in errors.decode()
    assert len(errors.splitlines()) == 1
    assert [*(tmp_path / "data" / "owners").iterdir()] == []
