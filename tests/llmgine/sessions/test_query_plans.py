"""No statement looks through a table that grows: each is found by an index, however much is stored."""

import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from llmgine.sessions import SessionStore
from llmgine.sessions.migrate import migrate
from llmgine.sessions.owners import Owners
from llmgine.sessions.sqlite import SqliteDatabase
from llmgine.sessions.store import sqlite_path
from tests.llmgine.sessions.everything import do_everything
from tests.llmgine.sessions.statements import Made, Recording, operation_names, written

# Tables whose rows do not become more with what people say: they may be looked through.
BOUNDED = {"lesson": "a few for each model"}
# What may look through a table all the same.
EXCEPT = {("stops.sweep", "stop_request"): "once a day, and what it leaves are the requests of turns that are open"}

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


# An engine's function takes the address of the database and statements, and says which tables each looks through.
SCANS: Mapping[str, Callable[[str, Iterable[Made]], Mapping[str, set[str]]]] = {"sqlite": scans_on_sqlite}


@pytest.fixture
async def recording(url: str, tmp_path: Path) -> AsyncIterator[Recording]:
    """A database in which everything was done that a store can do."""
    database = await SqliteDatabase.open(sqlite_path(url))
    await migrate(database)
    recording = Recording(database)
    store = SessionStore(recording, Owners(tmp_path / "owners"))
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
    scans = SCANS[url.partition(":")[0]](url, recording.made)

    found = {(made.operation, table) for made in recording.made for table in scans[made.sql] if table not in BOUNDED}

    assert sorted(found - set(EXCEPT)) == []
    assert sorted(set(EXCEPT) - found) == [], "not so any more: take it off the list"


async def test_a_statement_without_an_index_is_seen(recording: Recording, url: str) -> None:
    """The function that reads the plans tells one that looks through a table from one that does not."""
    place = recording.made[0].place
    slow = Made("test", place, "SELECT id FROM turn WHERE attempt = $1", (7,))
    named = Made("test", place, "SELECT id FROM turn AS other WHERE NOT EXISTS (SELECT 1 FROM session)", ())
    fast = Made("test", place, "SELECT id FROM turn WHERE id = $1", ("x",))

    scans = SCANS[url.partition(":")[0]](url, [slow, named, fast])

    assert [bool(scans[made.sql]) for made in (slow, named, fast)] == [True, True, False]
