"""Many transactions at once on PostgreSQL: in each other's way, cancelled, refused, and in turn."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from functools import partial

import pytest

from llmgine.errors import StoreError, UserError
from llmgine.sessions import SessionStore, open_store, postgres
from llmgine.sessions.database import Operation, Steps
from llmgine.sessions.leases import MARKS
from llmgine.sessions.schema import MIGRATIONS
from tests.llmgine.sessions.contents import directly
from tests.llmgine.sessions.examples import admit, prompt
from tests.postgres import PostgresServer
from tests.waiting import eventually


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[SessionStore]:
    opened = await open_store(postgres_url)
    await opened.sessions.ensure("a", 0, scopes=())
    await opened.sessions.ensure("b", 0, scopes=())
    yield opened
    await opened.close()


def rename(*sessions: str, name: str) -> Steps[int]:
    """Change sessions in this order; how many statements that took."""
    for session_id in sessions:
        yield "UPDATE session SET name = name || $2 WHERE id = $1", (session_id, name)
    return len(sessions)


async def names(store: SessionStore) -> dict[str, str]:
    def steps() -> Steps[dict[str, str]]:
        rows = yield "SELECT id, name FROM session", ()
        return {row["id"]: row["name"] for row in rows}

    return await store.run(steps, Operation("test.names", writes=False))


async def test_deadlocks_are_resolved(store: SessionStore) -> None:
    """Transactions that lock the same rows in opposite orders are all done, each once."""
    before = await names(store)
    tries = [0] * 4

    def crossing(number: int) -> Steps[int]:
        tries[number] += 1
        order = ("a", "b") if number % 2 else ("b", "a")
        yield from rename(order[0], name=str(number))
        yield "SELECT pg_sleep(0.1)", ()
        return (yield from rename(order[1], name=str(number)))

    operations = [store.run(partial(crossing, number), Operation("test.cross")) for number in range(len(tries))]
    assert await asyncio.gather(*operations) == [1] * len(tries)

    assert sum(tries) > len(tries)  # some were chosen as the victims
    for session_id, name in (await names(store)).items():
        added = name.removeprefix(before[session_id])
        assert sorted(added) == sorted(str(number) for number in range(len(tries)))


async def test_what_cannot_be_serialized_is_run_again(store: SessionStore) -> None:
    """A transaction that the server refuses because of others is run again, as a whole."""
    tries = 0

    def count() -> Steps[int]:
        nonlocal tries
        tries += 1
        rows = yield "SELECT name FROM session WHERE id = 'a'", ()
        if tries == 1:
            yield "DO $$ BEGIN RAISE serialization_failure; END $$", ()
        yield from rename("a", name="+")
        return len(rows)

    assert await store.run(count, Operation("test.count")) == 1

    assert tries == 2
    assert (await names(store))["a"].count("+") == 1


async def test_a_lock_that_is_not_given_back(
    store: SessionStore, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for it is told after some seconds; others go on meanwhile, and all do when it is free."""
    async with directly(postgres_url) as other, other.transaction():
        await other.execute("UPDATE session SET name = 'locked' WHERE id = 'a'")
        waiting = asyncio.ensure_future(store.run(lambda: rename("a", name="1"), Operation("test.rename")))
        assert await store.run(lambda: rename("b", name="2"), Operation("test.rename")) == 1
        with pytest.raises(StoreError, match="lock timeout"):
            await asyncio.wait_for(waiting, 20)

    assert await store.run(lambda: rename("a", name="3"), Operation("test.rename")) == 1
    assert (await names(store))["a"] == "locked3"


async def test_cancelled_callers(store: SessionStore, postgres_url: str) -> None:
    """The transactions of a thousand of them end whole; no connection is left in one, and none is missing."""
    calls = [asyncio.ensure_future(store.logins.count("test", number, 0)) for number in range(1000)]
    calls[500].add_done_callback(lambda _: [call.cancel() for call in calls])
    await asyncio.gather(*calls, return_exceptions=True)
    assert sum(call.cancelled() for call in calls) > 100

    async with directly(postgres_url) as other:
        await eventually(lambda: other.fetchval("SELECT COUNT(*) = 1000 FROM login"), "all transactions")
        open_now = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'llmgine' AND state <> 'idle'"
        await eventually(lambda: other.fetchval(open_now), "their ends", empty=True)
    assert len(await asyncio.gather(*(store.logins.count("other", n, 0) for n in range(MARKS)))) == MARKS


async def test_closing_while_operations_run(postgres_url: str) -> None:
    """Each is done whole and answered, or fails and says so; nothing goes on after the end."""
    store = await open_store(postgres_url)
    calls = [asyncio.ensure_future(admit(store, prompt(str(number)))) for number in range(60)]
    await eventually(lambda: any(call.done() for call in calls))

    await store.close()

    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(answer, StoreError) for answer in answers if isinstance(answer, BaseException))
    async with directly(postgres_url) as other:
        assert await other.fetchval("SELECT COUNT(*) FROM turn") == sum(
            not isinstance(answer, BaseException) for answer in answers
        )
        others = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name LIKE 'llmgine%' AND datname = $1"
        name = await other.fetchval("SELECT current_database()")
        await eventually(lambda: other.fetchval(others, name), "the connections' end", empty=True)


async def test_a_database_that_is_opened_by_many(postgres_url: str) -> None:
    """Eight programs that open a new database at one moment make its tables once, and none of them fails."""
    stores = await asyncio.gather(*(open_store(postgres_url) for _ in range(8)))
    async with directly(postgres_url) as other:
        assert [row["version"] for row in await other.fetch("SELECT version FROM schema_version")] == [len(MIGRATIONS)]
        assert [row["number"] for row in await other.fetch("SELECT number FROM announcement")] == [0]
        assert await other.fetchval("SELECT COUNT(*) FROM process") == len(stores)
    await asyncio.gather(*(store.close() for store in stores))


async def test_a_program_that_waits_for_the_migration_of_another(postgres_url: str) -> None:
    """However long the other takes: it is no lock that was held too long."""
    async with directly(postgres_url) as other:
        await other.execute("SELECT pg_advisory_lock($1)", postgres._EXCLUSIVE)
        opening = asyncio.ensure_future(open_store(postgres_url))
        late = "wait_event = 'advisory' AND clock_timestamp() - query_start > '5.5 s'"
        waits = f"SELECT COUNT(*) FROM pg_stat_activity WHERE {late}"  # noqa: S608  our own words
        await eventually(lambda: other.fetchval(waits), "a wait longer than any other")
        assert not opening.done()
    await (await opening).close()


async def test_slow_reads_leave_connections_to_writes(store: SessionStore, postgres_url: str) -> None:
    """More slow reads than there are connections keep no write waiting."""
    async with directly(postgres_url) as other:
        await other.execute("SELECT pg_advisory_lock(9)")

        def slow() -> Steps[int]:
            return len((yield "SELECT pg_advisory_xact_lock_shared(9)", ()))

        reads = [asyncio.ensure_future(store.run(slow, Operation("test.slow", writes=False))) for _ in range(30)]
        await eventually(
            lambda: other.fetchval("SELECT COUNT(*) > 3 FROM pg_stat_activity WHERE wait_event = 'advisory'"),
            "the reads",
        )
        await asyncio.gather(*(store.logins.count("test", n, 0) for n in range(30)))
        assert not any(read.done() for read in reads)
        await other.execute("SELECT pg_advisory_unlock(9)")
    assert await asyncio.gather(*reads) == [1] * 30


async def test_writes_are_begun_in_turn(store: SessionStore) -> None:
    """Of two hundred callers, those that came first are served first, also where others come in meanwhile."""
    begun: list[int] = []

    def note(number: int) -> Steps[None]:
        begun.append(number)
        yield "SELECT 1", ()

    async def call(number: int) -> None:
        await store.run(lambda: note(number), Operation("test.note"))
        if number < 100:
            later.append(asyncio.ensure_future(call(200 + number)))

    later: list[asyncio.Future[None]] = []
    await asyncio.gather(*(call(number) for number in range(200)))
    await asyncio.gather(*later)

    assert sorted(begun) == list(range(300))
    for place, number in enumerate(begun):
        # Who was let in before may still wait for its connection; there are no more of these than writes at a time.
        assert sum(one < min(number, 200) for one in begun[place + 1 :]) < MARKS


async def test_a_value_that_no_column_can_have(store: SessionStore) -> None:
    """It is the operation's own fault: it is not tried again, and not said to be the server's or the address's."""
    tries = 0

    def much() -> Steps[None]:
        nonlocal tries
        tries += 1
        yield "INSERT INTO login (source, at) VALUES ('x', $1)", (2**70,)

    with pytest.raises(StoreError, match=r"^The session store failed: ") as failed:
        await store.run(much, Operation("test.much"))

    assert tries == 1
    assert "\n" not in str(failed.value)


async def test_a_refusal_is_not_an_error_of_the_store(store: SessionStore) -> None:
    """What an operation raises of its own goes to its caller, and nothing of it is stored."""
    before = await names(store)

    def refuse() -> Steps[None]:
        yield from rename("a", name="!")
        raise UserError("no")

    with pytest.raises(UserError):
        await store.run(refuse, Operation("test.refuse"))
    assert await names(store) == before


async def test_a_full_disk() -> None:
    """What cannot be stored is an error in a sentence; nothing of it is there, and with room again it all goes on."""
    with PostgresServer(wal_segment=1) as server:
        store = await open_store(server.url())
        await admit(store, prompt("1"))
        await asyncio.to_thread(server.limit_files, 2 * 1024 * 1024)  # more than a file of the log
        answered: list[int] = []

        async def fill() -> None:
            for number in range(2, 400):
                await admit(store, prompt(str(number), secrets.token_hex(20_000), session_id=str(number)))
                answered.append(number)

        with pytest.raises(StoreError, match=r"could not extend file") as failed:
            await fill()
        assert "\n" not in str(failed.value)
        await asyncio.to_thread(server.limit_files, None)

        assert len(await store.turns.unfinished_of(["test"])) == 1 + len(answered)
        assert (await admit(store, prompt("last"))).place == 1
        await store.close()
