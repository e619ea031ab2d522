"""A PostgreSQL server that goes away, hangs or is replaced: what was answered is there once, and it all goes on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from llmgine.errors import StoreError
from llmgine.sessions import SessionStore, open_store, postgres
from llmgine.sessions.database import Operation, Steps
from tests.llmgine.sessions.examples import admit, prompt
from tests.llmgine.sessions.examples import spent as spent_now
from tests.llmgine.sessions.postgres_proxy import proxy_to
from tests.postgres import PostgresServer, Stop
from tests.waiting import eventually

CALLERS = 20
EACH = 5  # operations that each caller gets an answer to, before and after
UNKNOWN = "It is not known"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of our own, to be stopped."""
    # What was answered has to outlive a killed server.
    with PostgresServer(settings={"synchronous_commit": "on"}) as made:
        yield made


@pytest.fixture
async def store(server: PostgresServer) -> AsyncIterator[SessionStore]:
    opened = await open_store(server.url(server.database()))
    await opened.sessions.ensure("s", 0, scopes=())
    yield opened
    await opened.close()


class Caller:
    """Spends one token after the other and counts the answers."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self.answered = self.unknown = 0

    async def call(self, times: int) -> None:
        """Until there are so many answers more."""
        end = self.answered + times
        while self.answered < end:
            try:
                await self._store.allowances.settle(spent_now(1))
                self.answered += 1
            except StoreError as error:
                self.unknown += UNKNOWN in str(error)


async def spent(store: SessionStore) -> int:
    def steps() -> Steps[int]:
        rows = yield "SELECT tokens FROM spent WHERE scope = 's'", ()
        return int(rows[0]["tokens"])

    return await store.run(steps, Operation("test.spent", writes=False))


async def call(callers: list[Caller]) -> None:
    await asyncio.gather(*(caller.call(EACH) for caller in callers))


async def assert_counted_once(store: SessionStore, callers: list[Caller]) -> None:
    answered = sum(caller.answered for caller in callers)
    assert answered <= await spent(store) <= answered + sum(caller.unknown for caller in callers)


@pytest.mark.parametrize("how", Stop)
async def test_a_restarted_server(server: PostgresServer, store: SessionStore, how: Stop) -> None:
    """However it ends among transactions of twenty callers, each answer is stored once, and all go on afterwards."""
    callers = [Caller(store) for _ in range(CALLERS)]
    await call(callers)

    calling = asyncio.ensure_future(call(callers))
    await eventually(lambda: any(caller.answered > EACH for caller in callers), "transactions")
    await asyncio.to_thread(server.restart, how)
    await calling
    await call(callers)

    await assert_counted_once(store, callers)
    assert sum(caller.unknown for caller in callers) == 0  # the server was back soon enough to say


async def test_a_server_that_is_away(server: PostgresServer, store: SessionStore) -> None:
    """It is said in a sentence, for writes, reads and the look at others, and afterwards all goes on."""
    await asyncio.to_thread(server.stop)
    try:
        for attempt in (store.allowances.settle(spent_now(1)), store.turns.unfinished("s"), store.version()):
            with pytest.raises(StoreError, match=r"is PostgreSQL running|has not answered"):
                await asyncio.wait_for(attempt, 20)
    finally:
        await asyncio.to_thread(server.start)

    caller = Caller(store)
    await caller.call(1)
    assert await spent(store) == 1


async def test_a_server_that_hangs(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes connections and says nothing is given up, on new connections and old ones, and comes back."""
    monkeypatch.setattr(postgres, "_PATIENCE", 1.0)
    async with proxy_to(server.url(server.database())) as proxy:
        store = await open_store(proxy.url)
        await store.sessions.ensure("s", 0, scopes=())
        proxy.passing.clear()
        for _ in range(2):
            with pytest.raises(StoreError, match=r"no answer in time"):
                await asyncio.wait_for(store.turns.unfinished("s"), 20)
        with pytest.raises(StoreError, match=r"no answer in time|has not answered"):
            await asyncio.wait_for(store.allowances.settle(spent_now(1)), 20)

        proxy.passing.set()

        await Caller(store).call(1)
        assert await spent(store) == 1
        await store.close()


async def test_a_full_server(server: PostgresServer, store: SessionStore) -> None:
    """Too many connections to the server are a sentence, and afterwards all goes on."""
    url = server.url()
    taken: list[asyncpg.Connection[asyncpg.Record]] = []
    with contextlib.suppress(asyncpg.TooManyConnectionsError):
        while True:
            taken += [await asyncpg.connect(url)]
    server_is_full = [store.turns.unfinished("s") for _ in range(10)]
    found = await asyncio.gather(*server_is_full, return_exceptions=True)
    with pytest.raises(StoreError, match=r"too many clients|connection slots"):
        await open_store(url)
    for connection in taken:
        await connection.close()

    assert {str(one).partition(": ")[2] for one in found if one != []} <= {"sorry, too many clients already"}
    assert await store.turns.unfinished("s") == []


class TestFailover:
    """A second server follows the first and takes its place."""

    @pytest.mark.parametrize("silent", [False, True])
    async def test_another_server_takes_over(self, silent: bool) -> None:
        """What was answered by the first is there once on the second, and writes go on there without a restart."""
        with PostgresServer(settings={"synchronous_commit": "remote_apply"}) as first, first.standby() as second:
            first.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            first.sql("SELECT pg_reload_conf()")
            async with proxy_to(first.url()) as proxy:
                folder = proxy.url.partition("host=")[2]
                store = await open_store(f"postgresql://postgres@/postgres?host={folder},{second.folder}")
                await store.sessions.ensure("s", 0, scopes=())
                callers = [Caller(store) for _ in range(CALLERS)]
                await call(callers)

                calling = asyncio.ensure_future(call(callers))
                await eventually(lambda: any(caller.answered > EACH for caller in callers), "transactions")
                if silent:
                    proxy.passing.clear()
                await asyncio.to_thread(first.stop, Stop.KILL)
                await asyncio.to_thread(second.sql, "SELECT pg_promote()")
                await calling
                await call(callers)

                await assert_counted_once(store, callers)
                assert (await admit(store, prompt("1"))).place == 0
                await store.close()

    async def test_a_replica_is_refused(self) -> None:
        """A server that only follows is named as such, at the start."""
        with PostgresServer() as first, first.standby() as second:
            with pytest.raises(StoreError, match="it is read-only, like a replica") as refused:
                await open_store(second.url())
            assert "\n" not in str(refused.value)
