"""What people typed in earlier chats, in a file that only they can read, for the arrow keys to bring back."""

import contextlib
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit.history import FileHistory

from llmgine.sessions.store import database_file
from llmgine.settings import Settings

_MOST = 2**20  # bytes of the file; of a longer one, the newer half is kept
_LONGEST = 10_000  # characters of an entry; a longer one is remembered in this chat only

_log = logging.getLogger(__name__)


def history_path(settings: Settings) -> Path:
    """Where it is: beside the database, or in `data` where that is on a server."""
    file = database_file(settings.database_url)
    return (Path("data") if file is None else file.parent) / "terminal-history"


class TypedHistory(FileHistory):
    """The lines of all chats, the newest last. A line that begins with a space, or has a secret, is not written.

    Args:
        path: The file; it is made when something is written.
        redact: Takes secrets out of a text.
    """

    def __init__(self, path: Path, redact: Callable[[str], str]) -> None:
        super().__init__(str(path))
        self._path = path
        self._redact = redact

    def load_history_strings(self) -> Iterable[str]:
        """The lines, the newest first; a file that cannot be read has none."""
        try:
            self._shorten()
            return list(super().load_history_strings())
        except OSError as error:
            _log.warning("%s cannot be read: %s", self._path, error.strerror)
            return []

    def store_string(self, string: str) -> None:
        """Add a line."""
        if string.startswith(" ") or len(string) > _LONGEST or self._redact(string) != string:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
            super().store_string(string)
        except (OSError, UnicodeError) as error:
            _log.warning("%s cannot be written: %s", self._path, getattr(error, "strerror", None) or error)

    def _shorten(self) -> None:
        """Cut off the older half of a file that has grown too long, at the beginning of an entry."""
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_size <= _MOST:
                return
            data = self._path.read_bytes()[-_MOST // 2 :]
            new = self._path.with_name(f"{self._path.name}.{os.getpid()}")
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(data[max(0, data.find(b"\n# ")) :])
            new.replace(self._path)
