"""The log of the bus: one JSON object a line, appended to a file that only its owner can read."""

import asyncio
import json
import logging
import os
from pathlib import Path

from pydantic_core import to_jsonable_python

from llmgine.messages.message import Message
from llmgine.observability.redaction import Redactor

VERSION = 1
_FLUSH_AFTER = 0.01  # seconds; lines of one moment reach the disk in one write

_log = logging.getLogger(__name__)


def _to_json(message: Message) -> str:
    """The message as a JSON object; what JSON cannot say is shown as `repr` would."""
    try:
        return type(message).__pydantic_serializer__.to_json(message, fallback=repr).decode()
    except Exception:  # values are anybody's: a lone surrogate, a list that holds itself, a repr that raises
        return "{" + ",".join(f'"{name}":{_value_to_json(value)}' for name, value in message) + "}"


def _value_to_json(value: object) -> str:
    try:
        return json.dumps(to_jsonable_python(value, fallback=repr))
    except Exception:  # as above; the field says at least what it held
        return f'"<{type(value).__name__}>"'


class JsonlSink:
    """Writes messages to `path`, in groups at most 10 ms after they came.

    A disk that is full or gone is said once on the program's own log; the messages of that time are lost to the
    file, never to the bus.
    """

    def __init__(self, path: Path, redact: Redactor) -> None:
        self.path = path
        self._redact = redact
        self._lines: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._file: int | None = None
        self._closed = False
        self._failing = False
        self._torn = False  # whether the file ends in the middle of a line

    def open(self) -> None:
        """Make the folder (0700) and the file (0600); a line that a crash tore is ended, so that ours begin well."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        size = os.fstat(self._file).st_size
        self._torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
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
        """Write what is waiting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._lines or self._file is None:
            return
        data = b"\n" * self._torn + b"\n".join(self._lines) + b"\n"
        self._lines.clear()
        try:
            while data:
                written = os.write(self._file, data)
                self._torn = not data[:written].endswith(b"\n")
                data = data[written:]
            self._failing = False
        except OSError as error:
            if not self._failing:
                _log.error("The log %s cannot be written: %s. The program goes on without it.", self.path, error)
            self._failing = True

    def close(self) -> None:
        """Flush and close; closing twice is harmless."""
        self.flush()
        self._closed = True
        if self._file is not None:
            os.close(self._file)
            self._file = None
