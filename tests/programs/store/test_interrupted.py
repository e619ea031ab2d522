"""A copy that is interrupted: the same command goes on with it, and nothing is lost, doubled or taken for finished."""

import re
import signal

import pytest

from llmgine.errors import StoreError, UserError
from llmgine.sessions import open_store
from programs.store.copying import copy
from tests.postgres import PostgresServer
from tests.programs.store.conftest import ENGINES, New, change, file_of, read, rows, run, silent

# Runs the program so that it is killed, after a batch of four rows of a table was written or before it.
KILLED = """
import os, signal
from programs.store import ends, postgres_end, sqlite_end

ends._FIRST = ends.BATCH = 4

def killed(End):
    write, analyze = End.write, End.analyze
    batches = []

    async def dying(self, table, columns, rows):
        batches.append(table)
        if (table, batches.count(table)) == ({table!r}, {batch}) and not {after}:
            os.kill(os.getpid(), signal.SIGKILL)
        await write(self, table, columns, rows)
        if (table, batches.count(table)) == ({table!r}, {batch}):
            os.kill(os.getpid(), {how})

    async def dying_at_the_end(self):
        if {table!r} == "the end":
            os.kill(os.getpid(), signal.SIGKILL)
        await analyze(self)

    End.write, End.analyze = dying, dying_at_the_end

killed(postgres_end.PostgresEnd)
killed(sqlite_end.SqliteEnd)
"""
PLACES = (("unfinished_copy", 1), ("turn", 3), ("step", 9), ("the end", 0))


def killed(table: str, batch: int, *, after: bool, how: signal.Signals = signal.SIGKILL) -> str:
    return KILLED.format(table=table, batch=batch, after=after, how=int(how))


async def kill(source: str, url: str, table: str, batch: int, *, after: bool = True) -> None:
    """Begin a copy that is killed on the way."""
    code, out, _ = await run("copy", source, url, before=killed(table, batch, after=after))
    assert (code, out) == (-signal.SIGKILL, "")


async def counted(url: str) -> int:
    """How many rows there are in all tables."""
    return sum(map(len, (await rows(url)).values()))


@pytest.mark.parametrize("target", ENGINES)
@pytest.mark.parametrize(("table", "batch"), PLACES)
async def test_a_killed_copy_goes_on(source: str, target: str, new: New, table: str, batch: int) -> None:
    """Wherever it is killed, what was copied is not copied again, and then all is there once."""
    url = new(target)
    await kill(source, url, table, batch)
    there = await counted(url)

    copied = await copy(source, url, silent)

    assert copied.found == there
    assert await rows(url) == await rows(source)
    await (await open_store(url)).close()


@pytest.mark.parametrize("source", ["postgres"], indirect=True)
async def test_a_copy_from_postgres_goes_on(source: str, new: New) -> None:
    """The rows come in the same order again, though PostgreSQL keeps none."""
    url = new("sqlite")
    await kill(source, url, "step", 5)
    there = await counted(url)
    await change(source, "UPDATE step SET attempt = attempt WHERE seq = 1")  # moves rows, and changes no value

    copied = await copy(source, url, silent)

    assert copied.found == there
    assert await rows(url) == await rows(source)


async def test_ctrl_c_says_how_to_go_on(source: str, new: New) -> None:
    """Whoever interrupts a copy is told that nothing is lost by it, and it is not."""
    url = new("postgres")

    code, out, err = await run("copy", source, url, before=killed("step", 3, after=True, how=signal.SIGINT))

    assert (code, out) == (130, "")
    assert err.endswith("Interrupted. Run the same command again to continue the copy.\n")
    assert "Traceback" not in err
    assert (await copy(source, url, silent)).found > 0
    assert await rows(url) == await rows(source)


async def test_it_may_be_killed_again_and_again(source: str, new: New) -> None:
    """Each try goes on where the one before was killed, also before it had written anything."""
    url = new("postgres")
    for table, batch, after in (("turn", 2, True), ("turn", 1, False), ("step", 2, True), ("the end", 0, True)):
        await kill(source, url, table, batch, after=after)

    code, out, _ = await run("copy", source, url)

    assert code == 0
    total = await counted(source)
    assert f"{total:,} of them had already been copied before the interruption." in out
    assert await rows(url) == await rows(source)


@pytest.mark.parametrize("target", ENGINES)
async def test_a_half_copy_is_not_opened(source: str, target: str, new: New) -> None:
    """No program works on a copy that is not finished, or begins another one in it."""
    url = new(target)
    await kill(source, url, "turn", 2)
    before = await rows(url)

    with pytest.raises(StoreError, match="unfinished copy of another one: finish it with"):
        await open_store(url)
    other = new("sqlite")
    await (await open_store(other)).close()
    with pytest.raises(UserError, match=f"has an unfinished copy of {re.escape(source)}"):
        await copy(other, url, silent)

    assert await rows(url) == before


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE step SET body = '{}'", "its table step has other values"),
        ("DELETE FROM login", r"its table login has \d instead of 0 rows"),
    ],
)
async def test_a_source_that_was_used_meanwhile_is_noticed(source: str, new: New, statement: str, said: str) -> None:
    """When what was copied is no longer what the source has, the copy is not taken for finished."""
    url = new("postgres")
    await kill(source, url, "the end", 0)
    await change(source, statement)

    with pytest.raises(StoreError, match=said):
        await copy(source, url, silent)

    with pytest.raises(StoreError, match="unfinished copy"):
        await open_store(url)


async def test_a_connection_that_breaks_is_a_sentence(source: str, new: New, postgres: PostgresServer) -> None:
    """When the server ends the connection in the middle, the copy ends with a sentence, and then goes on."""
    url = new("postgres")

    def break_off(doing: str, table: str, there: int, expected: int) -> None:
        if (doing, table, there) == ("copying", "step", 16):
            postgres.sql(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'llmgine copy'"
            )

    with pytest.raises(StoreError, match="the connection was lost"):
        await copy(source, url, break_off)

    copied = await copy(source, url, silent)
    assert copied.found > 0
    assert await rows(url) == await rows(source)


# Prints by how many MB the program's memory has grown when it ends.
GROWTH = """
import atexit, resource

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

begin = []
from programs.store import copying, postgres_end
copy_tables = copying._copy_tables

async def measured(*arguments):
    begin.append(peak())
    return await copy_tables(*arguments)

copying._copy_tables = measured
atexit.register(lambda: print("grown by", peak() - begin[0], "MB"))
"""


@pytest.mark.parametrize("target", ENGINES)
async def test_memory_does_not_grow_with_the_store(source: str, target: str, new: New) -> None:
    """100,000 rows and images of together 200 MB are copied with little memory."""
    await change(
        source,
        """
        WITH RECURSIVE number (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM number WHERE n < 100009)
        INSERT INTO step (turn_id, attempt, seq, body)
        SELECT (SELECT MIN(id) FROM turn), 99, n, hex(zeroblob(500)) FROM number
        """,
    )
    await change(
        source,
        """
        WITH RECURSIVE number (n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM number WHERE n < 149)
        INSERT INTO image (turn_id, number, data)
        SELECT (SELECT MIN(id) FROM turn), n, hex(zeroblob(1000000)) FROM number
        """,
    )
    url = new(target)

    code, out, _ = await run("copy", source, url, before=GROWTH)

    assert code == 0
    [(steps,)] = await read(source, "SELECT COUNT(*) FROM step")
    assert [line.split()[1] for line in out.splitlines() if line.startswith("step ")] == [f"{steps:,}"]
    grown = re.search(r"grown by (\d+) MB", out)
    assert grown is not None
    assert int(grown[1]) < 50
    assert file_of(source).stat().st_size > 200_000_000
