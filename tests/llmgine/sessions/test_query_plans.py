"""No statement looks through a table that grows: each is found by an index, however much is stored."""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from llmgine.sessions import SessionStore
from llmgine.sessions.migrate import migrate
from llmgine.sessions.owners import LockFiles, Owners
from llmgine.sessions.postgres import PostgresDatabase
from llmgine.sessions.sqlite import SqliteDatabase
from llmgine.sessions.store import sqlite_path
from tests.llmgine.sessions.everything import do_everything
from tests.llmgine.sessions.statements import Made, Recording, operation_names, written

# Tables whose rows do not become more with what people say: they may be looked through.
BOUNDED = {
    "lesson": "a few for each model",
    "reservation": "one for each call that is under way",
    "forgotten": "one for each person who asked to be forgotten",
    "reported_server": "one for each server that a bot is in",
}
# What may look through a table all the same, on each engine.
_STOPS = {("stops.sweep", "stop_request"): "once a day, and what it leaves are the requests of turns that are open"}
_SPENT = {("allowances.sweep", "spent"): "once a day, and what it leaves is what was used in a month"}
_AUDIT = {("audit.sweep", "audit"): "once a day, and by an index where there are many rows"}
_PERSON = "when a person is forgotten or asks for a copy, and there are far fewer of these rows than of steps"
_PEOPLE = {
    ("people.elsewhere", "setting"): _PERSON,
    ("people.elsewhere", "audit"): _PERSON,
    ("people.elsewhere", "spent"): _PERSON,
    ("people.erase_elsewhere", "setting"): _PERSON,
    ("people.erase_elsewhere", "audit"): _PERSON,
    ("people.erase_dms", "setting"): _PERSON,
}
_DMS = {("people.erase_dms", "cursor_of_place"): _PERSON}
_DMS_AUDIT = {("people.erase_dms", "audit"): _PERSON}
_LEFT = {("purges.places", "spent"): "when a server that was left is erased, and what it looks through is of a month"}
EXCEPT = {"sqlite": _STOPS | _PEOPLE | _LEFT | _DMS, "postgresql": _STOPS | _SPENT | _AUDIT | _PEOPLE | _DMS_AUDIT}

_SCAN = re.compile(r"SCAN (\S+)")


def scans_on_sqlite(url: str, statements: Iterable[Made]) -> Mapping[str, set[str]]:
    """What each statement looks through on SQLite: tables, by their names or those they have in the statement."""
    found: dict[str, set[str]] = {}
    with closing(sqlite3.connect(sqlite_path(url))) as connection:
        for made in statements:
            values = {str(number): value for number, value in enumerate(made.values, 1)}
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {made.sql}", values)]
            named = {match[1] for line in plan if (match := _SCAN.match(line))}
            found[made.sql] = {name for name in named if not _is_made_here(name, made.sql)}
    return found


def _is_made_here(name: str, sql: str) -> bool:
    """Whether what is looked through is no table: values of the statement, or what a part of it gave."""
    return name.isdecimal() or name.startswith(("CONSTANT", "(")) or re.search(rf"\) AS {name}\b", sql) is not None


def scans_on_postgres(url: str, statements: Iterable[Made]) -> Mapping[str, set[str]]:
    """The same on PostgreSQL, which looks through a table of a test in any case unless that is forbidden."""

    async def explained() -> dict[str, set[str]]:
        connection = await asyncpg.connect(url, server_settings={"enable_seqscan": "off"})
        try:
            found: dict[str, set[str]] = {}
            for made in statements:
                plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {made.sql}", *made.values)
                found[made.sql] = set(_looked_through(json.loads(plan)[0]["Plan"]))
            return found
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:  # whoever asks has a loop of its own
        return thread.submit(asyncio.run, explained()).result()


def _looked_through(node: Mapping[str, Any]) -> Iterator[str]:
    """The tables that a node of a plan, or one below it, reads all rows of."""
    of_a_table, kind = "Relation Name" in node, node["Node Type"]
    if of_a_table and kind != "ModifyTable" and "Index Cond" not in node and kind != "Bitmap Heap Scan":
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from _looked_through(child)


# An engine's function takes the address of the database and statements, and says which tables each looks through.
SCANS: Mapping[str, Callable[[str, Iterable[Made]], Mapping[str, set[str]]]] = {
    "sqlite": scans_on_sqlite,
    "postgresql": scans_on_postgres,
}


@pytest.fixture
async def recording(url: str, tmp_path: Path) -> AsyncIterator[Recording]:
    """A database in which everything was done that a store can do."""
    database: SqliteDatabase | PostgresDatabase
    if url.startswith("sqlite:"):
        database = await SqliteDatabase.open(sqlite_path(url))
        owners: Owners = LockFiles(tmp_path / "owners")
    else:
        database = await PostgresDatabase.open(url, lease_seconds=60.0)
        owners = database.leases
    await migrate(database)
    recording = Recording(database)
    store = SessionStore(recording, owners)
    await do_everything(store)
    yield recording
    await store.close()


async def test_every_statement_of_every_operation_is_made(recording: Recording) -> None:
    """What the test of the plans does not see would be as good as not tested: each operation, each statement."""
    places = {(made.place.file, made.place.line) for made in recording.made}

    assert sorted(operation_names() - {made.operation for made in recording.made}) == []
    never = [f"{file}:{lines.start}" for file, lines in written() if not any((file, line) in places for line in lines)]
    assert never == []


async def test_no_statement_looks_through_a_growing_table(recording: Recording, url: str) -> None:
    """Tables of which each conversation, question or message has rows are only searched by an index."""
    engine = url.partition(":")[0]
    scans = SCANS[engine](url, recording.made)

    found = {(made.operation, table) for made in recording.made for table in scans[made.sql] if table not in BOUNDED}

    assert sorted(found - set(EXCEPT[engine])) == []
    assert sorted(set(EXCEPT[engine]) - found) == [], "not so any more: take it off the list"


async def test_a_statement_without_an_index_is_seen(recording: Recording, url: str) -> None:
    """The function that reads the plans tells one that looks through a table from one that does not."""
    place = recording.made[0].place
    slow = Made("test", place, "SELECT id FROM turn WHERE attempt = $1", (7,))
    named = Made("test", place, "SELECT id FROM turn AS other WHERE NOT EXISTS (SELECT 1 FROM session)", ())
    fast = Made("test", place, "SELECT id FROM turn WHERE id = $1", ("x",))

    scans = SCANS[url.partition(":")[0]](url, [slow, named, fast])

    assert [bool(scans[made.sql]) for made in (slow, named, fast)] == [True, True, False]
