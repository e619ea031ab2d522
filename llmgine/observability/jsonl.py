"""The log of the bus: one JSON object a line, appended to a file that only its owner can read."""

import asyncio
import json
import logging
import time
from pathlib import Path

from pydantic_core import to_jsonable_python

from llmgine.messages.message import Message
from llmgine.observability.logfile import LogFile
from llmgine.observability.redaction import Redactor

VERSION = 1
MAX_BYTES = 50 * 2**20
KEEP = 5
_FLUSH_AFTER = 0.01  # seconds; lines of one moment reach the disk in one write
_LOOK_AGAIN = 0.001  # seconds between tries to write, when closing while another process writes

_log = logging.getLogger(__name__)


def _to_json(message: Message) -> str:
    """The message as a JSON object; what JSON cannot say is shown as `repr` would."""
    try:
        return type(message).__pydantic_serializer__.to_json(message, fallback=repr).decode()
    except Exception:  # values come from anywhere: a lone surrogate, a list that contains itself, a repr that raises
        return "{" + ",".join(f'"{name}":{_value_to_json(value)}' for name, value in message) + "}"


def _value_to_json(value: object) -> str:
    try:
        return json.dumps(to_jsonable_python(value, fallback=repr))
    except Exception:  # as above; the field at least names the type
        return f'"<{type(value).__name__}>"'


class JsonlSink:
    """Writes messages to `path`, in groups at most 10 ms after they came; several processes may write one file.

    A disk that is full or gone is reported once in the program's own log; the messages of that time are missing in
    the file, not on the bus.

    Args:
        path: The file; its folder is made.
        redact: Removes secrets.
        max_bytes: How large the file may become before it is rotated (see logfile.py).
        keep: How many rotated files are kept.
    """

    def __init__(self, path: Path, redact: Redactor, *, max_bytes: int = MAX_BYTES, keep: int = KEEP) -> None:
        self.path = path
        self._redact = redact
        self._file = LogFile(path, max_bytes=max_bytes, keep=keep)
        self._lines: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._failing = False

    def open(self) -> None:
        """Make the folder (0700) and the file (0600)."""
        self._file.open()
        self.flush()

    def write(self, message: Message) -> None:
        """Take one message; it is turned into its line at once and written with its neighbours."""
        if self._closed:
            return
        line = f'{{"v":{VERSION},"type":"{type(message).__name__}",{_to_json(message)[1:]}'
        self._lines.append(self._redact.in_json(line).encode(errors="backslashreplace"))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_AFTER, self.flush)

    def flush(self) -> None:
        """Write what is waiting, once the file is open; while another process writes, a moment later."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._lines and self._file.is_open and not self._append():
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_AFTER, self.flush)

    def _append(self) -> bool:
        """Whether the lines are dealt with: written, or dropped."""
        try:
            if not self._file.append(b"\n".join(self._lines) + b"\n"):
                return False
            self._failing = False
        except OSError as error:
            if not self._failing:
                _log.error("The log %s cannot be written: %s. The program continues without it.", self.path, error)
            self._failing = True
        self._lines.clear()
        return True

    def close(self) -> None:
        """Write what is waiting, and close; closing twice is harmless."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._lines and self._file.is_open and not self._append():
            time.sleep(_LOOK_AGAIN)
        self._file.close()
