"""Saving the files that tools gave, each under a name that is free."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

from llmgine.errors import StoreError
from llmgine.messages.steps import Turn
from llmgine.platforms import create_private
from llmgine.sessions import SessionStore
from llmgine.turn_state import TurnState

FOLDER = Path("files")
_MOST_NAMES = 1_000  # that are tried


class ToolFiles:
    """Saves the files of turns in one folder, which is made for the first of them. It replaces no file.

    Args:
        store: Where the files are read.
        folder: Where they are saved.
    """

    def __init__(self, store: SessionStore, folder: Path = FOLDER) -> None:
        self._store = store
        self._folder = folder

    async def save(self, turn: Turn, state: TurnState) -> list[str]:
        """Save the files of a turn that has ended; returns what people are told, a line for each."""
        notes = []
        for call in state.calls.values():
            for number, file in enumerate(call.result.files if call.result is not None else ()):
                if file.note is not None:
                    notes.append(f"{file.name} {file.note}")
                else:
                    notes.append(await self._save(turn, call.call.id, number, file.name))
        return notes

    async def _save(self, turn: Turn, call_id: str, number: int, name: str) -> str:
        try:
            data = await self._store.result_files.read(turn.id, turn.attempt, call_id, number)
            if data is None:
                return f"{name} is not stored any more, so it was not saved."
            path = await asyncio.to_thread(_write, self._folder, name, data)
        except StoreError as error:
            return f"{name} could not be read, so it was not saved: {error}"
        except OSError as error:
            return f"{name} could not be saved in {self._folder}: {error.strerror or error}"
        return f"Saved {path}"


def _write(folder: Path, name: str, data: bytes) -> Path:
    """Write a new file that only its owner can read; one that is there already keeps its name."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in _paths(folder, name):
        try:
            descriptor = create_private(path)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        return path
    raise OSError(f"there are too many files called {name}")


def _paths(folder: Path, name: str) -> Iterator[Path]:
    """The path of a name in the folder, then with numbers; the name was made safe, and is looked at once more."""
    plain = Path(Path(name).name or "file")
    yield folder / plain
    for number in range(2, _MOST_NAMES):
        yield folder / f"{plain.stem}-{number}{plain.suffix}"
