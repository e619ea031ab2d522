"""How programs end: an error becomes one sentence, and the exit code says whether starting again can help."""

import sys
from collections.abc import Callable
from enum import IntEnum

from llmgine.errors import ConfigurationError, DamagedStoreError, LLMgineError, NewerStoreError
from llmgine.messages.visible_text import terminal_text


class ExitCode(IntEnum):
    """The codes, of which an init system may restart a program after FAULT, and only after that."""

    STOPPED = 0
    FAULT = 1
    USAGE = 2  # argparse's own
    CONFIGURATION = 78  # EX_CONFIG of sysexits.h
    INTERRUPTED = 130  # 128 and SIGINT, as shells report it


MEANINGS = {
    ExitCode.STOPPED: "It did its work, or was stopped; the bot also by Ctrl-C and SIGTERM.",
    ExitCode.FAULT: "A fault that may pass: no network, a database that is down, a full disk, a bug. "
    "Starting it again may help.",
    ExitCode.USAGE: "The command line is wrong.",
    ExitCode.CONFIGURATION: "Starting it again can't help before somebody changes something: "
    "a setting, a refused token, a damaged database.",
    ExitCode.INTERRUPTED: "Ctrl-C ended it before it was done (all but the bot).",
}
_LASTING = (ConfigurationError, NewerStoreError, DamagedStoreError)


def run(program: Callable[[], int | None]) -> int:
    """Run a program; what it raises on purpose becomes one sentence on standard error.

    Returns:
        The exit code; see `ExitCode`.
    """
    try:
        return program() or ExitCode.STOPPED
    except LLMgineError as error:
        sys.stderr.write(f"error: {terminal_text(str(error))}\n")
        return ExitCode.CONFIGURATION if isinstance(error, _LASTING) else ExitCode.FAULT
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
