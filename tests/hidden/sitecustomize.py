"""Makes Linux a little like Windows for our code, in every Python that starts with this folder on PYTHONPATH.

- The modules that Windows lacks cannot be imported, except by the libraries and tests that are named here.
- Event loops have no `add_signal_handler`, which prompt_toolkit uses where there is one.
- A file that this process has open can be neither renamed, replaced nor removed; nothing is renamed over a file.
- A file that is open for reading only cannot be written out with `os.fsync`.
"""

import asyncio
import builtins
import errno
import fcntl
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

MISSING = {"fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"}
# Who may have them: libraries that look at the system themselves, and tests of terminals and servers.
NAMED = (
    "filelock",
    "prompt_toolkit",
    "pty",
    "tty",
    "tests.postgres",
    "tests.programs.logs.test_main",
    "tests.programs.terminal.program",
    "tests.programs.terminal.test_in_terminal",
)
_OURS = ("llmgine", "programs")
_BETWEEN = {"pathlib", "contextlib", "shutil", "os", __name__}  # whose calls are those of their callers

_import = builtins.__import__


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def _import_what_is_there(name: str, globals_: Any = None, *more: Any, **named: Any) -> ModuleType:
    importer = str((globals_ or {}).get("__name__"))
    if name.partition(".")[0] in MISSING and not _within(importer, NAMED):
        raise ModuleNotFoundError(f"No module named {name!r}, which is hidden from {importer}", name=name)
    return _import(name, globals_, *more, **named)


def _caller() -> str:
    """The module that made the call, `python -m` or not."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _BETWEEN:
        frame = frame.f_back
    if frame is None:
        return ""
    return getattr(frame.f_globals.get("__spec__"), "name", None) or str(frame.f_globals.get("__name__"))


def _is_open(path: Any) -> bool:
    try:
        this = Path(path).stat()
    except OSError:
        return False
    for descriptor in os.listdir("/proc/self/fd"):  # noqa: PTH208  numbers
        with suppress(OSError):
            if os.path.samestat(os.fstat(int(descriptor)), this):
                return True
    return False


def _guarded(name: str, *, may_replace: bool) -> Any:
    """The function of `os`, which refuses our code what Windows refuses."""
    original = getattr(os, name)

    def function(path: Any, *more: Any, **named: Any) -> None:
        if _within(_caller(), _OURS):
            if _is_open(path) or any(_is_open(target) for target in more):
                raise PermissionError(errno.EACCES, "it is being used by another process", str(path))
            if not may_replace and any(os.path.lexists(target) for target in more):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        original(path, *more, **named)

    return function


def _fsync(descriptor: int) -> None:
    read_only = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
    if read_only and _within(_caller(), _OURS) and not stat.S_ISDIR(os.fstat(descriptor).st_mode):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    _os_fsync(descriptor)


def _only_for_libraries(name: str) -> Any:
    """The method of an event loop, which our code does not find implemented."""
    original = getattr(asyncio.SelectorEventLoop, name)

    def method(*arguments: Any) -> Any:
        if _within(_caller(), _OURS):
            raise NotImplementedError
        return original(*arguments)

    return method


_os_fsync = os.fsync
builtins.__import__ = _import_what_is_there  # type: ignore[assignment]  # it passes on whatever it gets
for _name in ("rename", "replace", "unlink", "remove"):
    setattr(os, _name, _guarded(_name, may_replace=_name == "replace"))
os.fsync = _fsync  # type: ignore[assignment]  # our code gives numbers only
for _name in ("add_signal_handler", "remove_signal_handler"):
    setattr(asyncio.SelectorEventLoop, _name, _only_for_libraries(_name))
