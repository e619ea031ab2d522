"""The list of forgotten people beside the backups, by which a backup from before is erased too when it is restored.

The store has the same list. The file is for the case that the database is damaged or lost, which is when a backup is
restored. It has ids and times, and nothing else.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from llmgine.platforms import sync_folder
from llmgine.sessions.records import Forgotten
from llmgine.sessions.sqlite_copies import flush, forgotten_in

_NAME = "forgotten.json"


def write_list(database: Path, people: Iterable[Forgotten]) -> None:
    """Write the list beside the backups of a database, in addition to whom it has.

    Raises:
        OSError: It cannot be written.
    """
    folder = database.parent / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / _NAME
    before = _read(path)
    found = _latest(before, ((one.person, one.forgotten_at) for one in people))
    if found == before:
        return
    unfinished = path.with_name(f"{_NAME}.new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(found, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    flush(unfinished)
    unfinished.replace(path)
    sync_folder(folder)


def read_lists(database: Path) -> Mapping[str, int]:
    """Who was forgotten and when (microseconds): by the file, and by the database as far as it can be read.

    Raises:
        OSError: The file is there and cannot be read.
        ValueError: The file is damaged.
    """
    return _latest(_read(database.parent / "backups" / _NAME), forgotten_in(database))


def _read(path: Path) -> dict[str, int]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {str(person): int(at) for person, at in found.items()}


def _latest(known: Mapping[str, int], more: Iterable[tuple[str, int]]) -> dict[str, int]:
    found = dict(known)
    for person, at in more:
        found[person] = max(at, found.get(person, 0))
    return found
