"""Restoring a backup without what people had said who were forgotten since.

The backup is copied into a folder of its own, erased there, and only then put in the place of the database: so nobody
ever uses a database with words of forgotten people in it, wherever this is killed.
"""

import asyncio
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from llmgine.errors import StoreError
from llmgine.sessions.clock import now as time_now
from llmgine.sessions.forgetting import erase_own_sessions, erase_person
from llmgine.sessions.forgotten_list import read_lists
from llmgine.sessions.records import Forgotten
from llmgine.sessions.sqlite_restore import copy_checked, restore
from llmgine.sessions.store import SessionStore, open_store


async def restore_without_forgotten(copy: Path, database: Path, now: datetime) -> tuple[Path | None, int]:
    """Put a copy in the place of a database; see `restore` for the arguments and what is raised.

    Returns:
        Where the database that was there is kept, and how many people were erased from the copy.
    """
    remove_unfinished(database)
    try:
        people = await asyncio.to_thread(read_lists, database)
    except ValueError as error:
        raise StoreError(
            f"The list of people who were forgotten, {database.parent / 'backups' / 'forgotten.json'}, is damaged: "
            f"repair it, so that what they said does not come back ({error})"
        ) from error
    if not people:
        return await asyncio.to_thread(restore, copy, database, now), 0
    erased = _folder(database) / database.name
    try:
        await asyncio.to_thread(copy_checked, copy, database, erased)
        count = await _erase(erased, people)
        return await asyncio.to_thread(restore, erased, database, now), count
    finally:
        remove_unfinished(database)


def _folder(database: Path) -> Path:
    """Where a copy is prepared."""
    return database.with_name(f"{database.stem}-restoring")


def remove_unfinished(database: Path) -> None:
    """Delete what a restoring that was killed has left."""
    shutil.rmtree(_folder(database), ignore_errors=True)


async def _erase(path: Path, people: Mapping[str, int]) -> int:
    """Erase the people from the copy as far as it is from before; it gets the current schema for that."""
    store = await open_store(f"sqlite:///{path}")
    try:
        known = {one.person: one for one in await store.people.forgotten()}
        count = 0
        for person, at in people.items():
            if person not in known or known[person].forgotten_at < at or not known[person].finished:
                await _erase_one(store, Forgotten(person=person, forgotten_at=at, finished=0))
                count += 1
        await store.overwrite_deleted()
        return count
    finally:
        await store.close()


async def _erase_one(store: SessionStore, one: Forgotten) -> None:
    await store.people.begin(one.person, one.forgotten_at)
    await erase_person(store, one.person, one.forgotten_at)
    if await erase_own_sessions(store, one.person):
        await store.people.finish(one.person, one.forgotten_at, time_now())
