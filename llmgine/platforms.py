"""What differs between Linux, macOS and Windows: locks on files, signals, the keyboard, folders, users, clocks.

Everything else is written once for all three. On Windows an open file can be neither renamed nor removed, a folder
cannot be opened, and nobody else can read the first byte of a locked file.
"""

import asyncio
import contextlib
import errno
import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import lock_descriptor, unlock_descriptor

# Those that ask a program to end: Ctrl-C, a service manager's, and on Windows Ctrl-Break.
ENDING_SIGNALS: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
ENVIRONMENT_OF_PROGRAMS: dict[str, str] = {}  # without these variables no program can be started

if sys.platform == "win32":
    import msvcrt

    termios = None
    ENDING_SIGNALS = (*ENDING_SIGNALS, signal.SIGBREAK)
    POSTGRES_HERE = "localhost"  # where a PostgreSQL server on this machine listens by default
    ENVIRONMENT_OF_PROGRAMS["SYSTEMROOT"] = os.path.expandvars("%SYSTEMROOT%")
    ENDED_BY_CPU_LIMIT: int | None = None  # the exit code of a process that used more CPU time than it may
else:
    ENDED_BY_CPU_LIMIT = -signal.SIGXCPU
    try:
        import termios
    except ImportError:  # a Python that knows no terminals
        termios = None  # type: ignore[assignment]  # typeshed has no such Python
    POSTGRES_HERE = "/run/postgresql,/var/run/postgresql,/tmp,localhost"

_CHANGEABLE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO

_NO_LOCKS = "the system or the file system is without file locks; use a local disk"


def keep_private(path: Path) -> bool:
    """Take from others what they may do with a file, as one that was copied or made by hand may allow them.

    Returns:
        Whether nobody else can read it now, as far as its mode says; True where files have none.
    """
    if sys.platform == "win32":
        return True
    with contextlib.suppress(OSError):  # it is somebody else's
        if mode := stat.S_IMODE(path.stat().st_mode) & _OTHERS:
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~mode)
    return not path.exists() or not path.stat().st_mode & _OTHERS


def changeable_by_others(path: Path) -> Path | None:
    """What lets other users of this machine change a file or a folder: itself, or a folder above it.

    root is trusted, and a file system that is mounted to be read only can be changed by nobody.

    Returns:
        What they can change; None for nothing. Windows says by lists who may change a file: they are not looked at.
    """
    if sys.platform == "win32" or os.statvfs(path).f_flag & os.ST_RDONLY:
        return None
    for one in (path, *path.parents):
        status = one.stat()
        in_shared = one != path and status.st_mode & stat.S_ISVTX  # as in /tmp: each may only change their own
        if status.st_uid not in (0, os.getuid()) or (status.st_mode & _CHANGEABLE and not in_shared):
            return one
    return None


def create_private(path: Path) -> int:
    """Make a file that only its owner can read, and open it for writing bytes.

    Returns:
        Its descriptor, to be closed by the caller.

    Raises:
        FileExistsError: It is there already.
        OSError: It cannot be made.
    """
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)


class FileLock:
    """A file that one process at a time can lock. The system frees the lock when the process ends, however it ends.

    There is no substitute where a system has no such locks: a file that names its process outlives it, and says
    nothing in another container.

    Args:
        path: The file, which only its owner can read; a symbolic link is refused.
        create: Whether it is made if it is not there.
        new: Whether it must not be there yet.

    Attributes:
        descriptor: The open file; -1 once it is closed.

    Raises:
        FileNotFoundError: It is not there, and is not to be made.
        OSError: It cannot be opened.
    """

    def __init__(self, path: Path, *, create: bool = True, new: bool = False) -> None:
        flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        flags |= (os.O_CREAT if create else 0) | (os.O_EXCL if new else 0)
        self._path = path
        self.descriptor = os.open(path, flags, 0o600)

    @property
    def is_open(self) -> bool:
        """Whether it is not closed yet."""
        return self.descriptor >= 0

    @property
    def is_in_place(self) -> bool:
        """Whether the open file still has its name: another process may have removed it before it was locked."""
        try:
            return os.path.samestat(os.fstat(self.descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def acquire(self) -> bool:
        """Lock the file.

        Returns:
            False if another process has locked it.

        Raises:
            OSError: There are no locks here.
        """
        try:
            return lock_descriptor(self.descriptor, blocking=False)
        except OSError as error:
            if error.errno in {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}:
                raise OSError(error.errno, _NO_LOCKS) from error
            raise

    def close(self) -> None:
        """Free the lock and close the file; closing twice is harmless."""
        if self.is_open:
            with contextlib.suppress(OSError):
                unlock_descriptor(self.descriptor)  # Windows may take its time if the file is only closed
            os.close(self.descriptor)
            self.descriptor = -1

    def remove(self) -> None:
        """Remove the file, which this process has locked, and close it. Its name must not be used again.

        Where that is possible it is removed first, so that nobody locks it who would not notice. Windows removes
        nothing that is open, and so no file that another process has locked meanwhile either.
        """
        with contextlib.suppress(OSError):
            self._path.unlink()
        self.close()
        with contextlib.suppress(OSError):
            self._path.unlink()


def handle_signals(callback: Callable[[], object], *signals: int) -> None:
    """Call `callback` in the running loop when one of the signals comes. Must be called in the main thread."""
    loop = asyncio.get_running_loop()

    def on_signal(*_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(callback)

    for number in signals:
        try:
            loop.add_signal_handler(number, callback)
        except NotImplementedError:  # the loops of Windows; they wake up for a signal by themselves
            signal.signal(number, on_signal)


def reset_signals(handler: "Callable[..., object] | signal.Handlers", *signals: int) -> None:
    """End `handle_signals`: the signals are handled by `handler` of the module `signal` again."""
    loop = asyncio.get_running_loop()
    for number in signals:
        with contextlib.suppress(NotImplementedError):
            loop.remove_signal_handler(number)
        signal.signal(number, handler)


@contextlib.contextmanager
def typing_hidden() -> Iterator[None]:
    """Keep what is typed inside this block for the next read without showing it.

    A console of Windows shows what is typed only while a program reads, so nothing is to be done there.
    """
    if sys.platform == "win32" or termios is None:
        yield
    else:
        before = termios.tcgetattr(sys.stdin)
        silent = termios.tcgetattr(sys.stdin)
        silent[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(sys.stdin, termios.TCSANOW, silent)
        try:
            yield
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def discard_typing() -> None:
    """Forget what was typed at the terminal and not read yet."""
    if sys.platform == "win32":
        while msvcrt.kbhit():
            msvcrt.getwch()
    elif termios is not None:
        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names of the files in a folder. Windows offers nothing to wait for.

    Raises:
        OSError: The folder cannot be read, or the disk failed.
    """
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def user_id() -> str:
    """The user's number, for names in a folder that users share; empty on Windows, where they share none."""
    if sys.platform == "win32":
        return ""
    return str(os.getuid())


def clock() -> float:
    """Seconds of a clock that is never set and also runs while the machine sleeps."""
    if sys.platform == "win32":
        return time.monotonic()
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def limit_this_process(*, memory: int, cpu: int) -> None:
    """Bound what this process may use, as far as the system can: Windows has no such limits, macOS not all of them.

    Args:
        memory: Bytes.
        cpu: Seconds of CPU time.
    """
    if sys.platform != "win32":
        try:
            import resource  # noqa: PLC0415  a Python for Windows has none
        except ImportError:
            return
        most = {resource.RLIMIT_AS: (memory, memory), resource.RLIMIT_CPU: (cpu, cpu + 1), resource.RLIMIT_CORE: (0, 0)}
        for kind, bounds in most.items():
            with contextlib.suppress(OSError, ValueError):  # a limit that is lower already stays
                resource.setrlimit(kind, bounds)


def kill_with_children(process: asyncio.subprocess.Process) -> None:
    """End a process that was started with `start_new_session`, and what it has started, which Windows leaves running.

    If they have ended already, nothing happens.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
