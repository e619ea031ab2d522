"""The log of the bus: one JSON object a line, appended to a file that only its owner can read."""

import asyncio
import json
import logging
import os
from pathlib import Path

from pydantic_core import PydanticSerializationError

from llmgine.messages.message import Message
from llmgine.observability.redaction import Redactor

VERSION = 1
_FLUSH_AFTER = 0.01  # seconds; lines of one moment reach the disk in one write

_log = logging.getLogger(__name__)


def _to_json(message: Message) -> str:
    """The message as a JSON object; what JSON cannot say is shown as `repr` would."""
    try:
        return type(message).__pydantic_serializer__.to_json(message, fallback=repr).decode()
    except PydanticSerializationError:  # a lone surrogate in a text that was not cleaned
        return json.dumps(message.model_dump(), default=repr)


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
        self._failing = False

    def open(self) -> None:
        """Make the folder (0700) and the file (0600)."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, message: Message) -> None:
        """Take one message; it is turned into its line at once and written with its neighbours."""
        line = f'{{"v":{VERSION},"type":"{type(message).__name__}",{_to_json(message)[1:]}'
        self._lines.append(self._redact(line).encode())
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_AFTER, self.flush)

    def flush(self) -> None:
        """Write what is waiting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._lines or self._file is None:
            return
        data = b"\n".join(self._lines) + b"\n"
        self._lines.clear()
        try:
            while data:
                data = data[os.write(self._file, data) :]
            self._failing = False
        except OSError as error:
            if not self._failing:
                _log.error("The log %s cannot be written: %s. The program goes on without it.", self.path, error)
            self._failing = True

    def close(self) -> None:
        """Flush and close; closing twice is harmless."""
        self.flush()
        if self._file is not None:
            os.close(self._file)
            self._file = None
