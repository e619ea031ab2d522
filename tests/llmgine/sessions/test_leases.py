"""Leases on PostgreSQL: who counts as alive, and that who does not writes nothing."""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import asyncpg
import pytest

from llmgine.errors import StoreError
from llmgine.messages.steps import Turn
from llmgine.sessions import SessionStore, leases, open_store
from llmgine.sessions.database import Operation, Steps
from llmgine.sessions.leases import Leases, LeaseState
from tests.llmgine.sessions.examples import admitted
from tests.llmgine.sessions.postgres_proxy import PostgresProxy, proxy_to
from tests.postgres import PostgresServer
from tests.processes import ending
from tests.waiting import computing, eventually, patience

SECONDS = 1.8  # of the leases here: a busy machine has to renew them in time
OTHERS = 2  # processes beside the one that something happens to

Open = Callable[[str], Awaitable[SessionStore]]


@pytest.fixture
async def open_at() -> AsyncIterator[Open]:
    """Opens stores, each with a lease of its own."""
    async with AsyncExitStack() as stack:

        async def open_one(url: str) -> SessionStore:
            store = await open_store(url, lease_seconds=SECONDS)
            stack.push_async_callback(store.close)
            return store

        yield open_one


@asynccontextmanager
async def process(url: str) -> AsyncIterator[tuple[Process, str]]:
    """A process with a lease and a turn that it runs, and its id as an owner."""
    command = (sys.executable, "-m", "tests.llmgine.sessions.lease_process", url, str(SECONDS))
    async with ending(await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)) as child:
        yield child, await line(child)


async def line(child: Process) -> str:
    assert child.stdout is not None
    async with patience("a line of the process", computing(child.pid)):
        return (await child.stdout.readline()).decode().strip()


async def ask(child: Process, what: str) -> str:
    """What the process answers to a line."""
    tell(child, what)
    return await line(child)


def tell(child: Process, what: str) -> None:
    assert child.stdin is not None
    child.stdin.write(f"{what}\n".encode())


def lease(store: SessionStore) -> Leases:
    assert isinstance(store.owners, Leases)
    return store.owners


async def is_held(*stores: SessionStore) -> None:
    await eventually(lambda: all(lease(store).state is LeaseState.HELD for store in stores), "the leases")


async def dead(store: SessionStore, owner: str) -> None:
    """Wait until another process is taken for dead."""
    await eventually(lambda: store.owners.dead([owner]), f"the death of {owner}")


async def assert_taken_over_once(stores: list[SessionStore]) -> None:
    taken: list[list[Turn]] = await asyncio.gather(*(store.take_over(["test"], "s") for store in stores))
    [heir] = [store.owners.me for store, turns in zip(stores, taken, strict=True) if turns]
    [turn] = await stores[0].turns.unfinished("s")
    assert (turn.owner, turn.claim) == (heir, 2)


async def everything(store: SessionStore) -> list[object]:
    """All that late writes could change."""

    def steps() -> Steps[list[object]]:
        found: list[object] = []
        for table in ("turn", "inbox", "step", "spent", "login", "delivery"):
            found += [dict(row) for row in (yield f"SELECT * FROM {table} ORDER BY 1, 2", ())]  # noqa: S608  our own names
        return found

    return await store.run(steps, Operation("test.everything", writes=False))


async def test_a_stopped_process_is_dead_once_its_lease_has_passed(postgres_url: str, open_at: Open) -> None:
    """It is alive while it renews its lease; then one other runs its turn, and awake again it writes nothing."""
    others = [await open_at(postgres_url) for _ in range(OTHERS)]
    async with process(postgres_url) as (child, owner):
        seen = lease(others[0]).renewals
        await eventually(lambda: lease(others[0]).renewals > seen + 6, "renewals")
        assert await others[0].owners.dead([owner]) == set()
        child.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        await asyncio.gather(*(store.owners.death() for store in others))
        assert time.monotonic() - stopped > SECONDS / 2  # the last renewal was at most a third before
        await assert_taken_over_once(others)
        before = await everything(others[0])

        child.send_signal(signal.SIGCONT)

        assert set((await ask(child, "writes")).split(",")) == {"LeaseLostError"}
        assert await ask(child, "lost") == "lost, may post: False"
        assert await everything(others[0]) == before
        assert [lease(store).state for store in others] == [LeaseState.HELD] * OTHERS


async def test_a_process_that_hangs_in_a_transaction(postgres_url: str, open_at: Open) -> None:
    """What it has locked keeps nobody from its turns, and nothing of the transaction is stored."""
    other = await open_at(postgres_url)
    async with process(postgres_url) as (child, owner):
        before = await everything(other)
        tell(child, "hang")
        await dead(other, owner)
        assert await everything(other) == before

        child.send_signal(signal.SIGCONT)

        assert await line(child) == "LeaseLostError"
        assert await everything(other) == before


async def test_a_killed_process(postgres_url: str, open_at: Open) -> None:
    """Its turn goes to one other when its lease has passed."""
    others = [await open_at(postgres_url) for _ in range(OTHERS)]
    async with process(postgres_url) as (child, _):
        child.kill()
        await asyncio.gather(*(store.owners.death() for store in others))

        await assert_taken_over_once(others)


async def test_a_process_that_ends(postgres_url: str, open_at: Open) -> None:
    """It counts as dead at once, and the others are told without being asked, however short it lived."""
    other = await open_at(postgres_url)
    async with process(postgres_url) as (child, owner):
        assert await ask(child, "") == "closed"

        assert await other.owners.dead([owner]) == {owner}
        await other.owners.death()


async def test_a_process_that_ended_before_the_first_look(postgres_url: str, open_at: Open) -> None:
    """One that was alive when another started is missed by that one, however soon it ended."""
    first = await open_store(postgres_url, lease_seconds=SECONDS)
    second = await open_at(postgres_url)
    await first.close()

    await second.owners.death()


async def test_a_server_that_was_away_for_longer_than_a_lease(open_at: Open) -> None:
    """Nobody writes or posts meanwhile; when it is back all renew, and nobody is taken for dead."""
    with PostgresServer() as server:
        stores = [await open_at(server.url()) for _ in range(3)]
        everybody = [store.owners.me for store in stores]
        await asyncio.to_thread(server.stop)
        await eventually(lambda: all(lease(store).state is LeaseState.LATE for store in stores), "late leases")
        holding = [asyncio.ensure_future(store.owners.hold()) for store in stores]
        with pytest.raises(StoreError, match="cannot be read"):
            await stores[0].owners.dead(everybody)
        away = time.monotonic() + SECONDS
        await eventually(lambda: time.monotonic() > away, "a lease to pass")
        assert not any(task.done() for task in holding)

        await asyncio.to_thread(server.start)

        await asyncio.gather(*holding)
        seen = [lease(store).renewals for store in stores]
        await eventually(
            lambda: all(lease(store).renewals > count + 8 for store, count in zip(stores, seen, strict=True)),
            "renewals",
        )
        assert await stores[0].owners.dead(everybody) == set()
        assert not any(store.owners.lost.is_set() for store in stores)


@pytest.fixture
async def proxy(postgres_url: str) -> AsyncIterator[PostgresProxy]:
    async with proxy_to(postgres_url) as made:
        yield made


async def test_a_late_renewal(proxy: PostgresProxy, open_at: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that gets no answer in time neither writes nor posts, and goes on when it is answered."""
    monkeypatch.setattr(leases, "_PATIENCE", 0.2)
    store = await open_at(proxy.url)
    await admitted(store, "1")
    proxy.passing.clear()
    await eventually(lambda: lease(store).state is LeaseState.LATE, "a late lease")

    holding = asyncio.ensure_future(store.owners.hold())
    sent = len(proxy.messages)
    with pytest.raises(StoreError, match="has not answered for some seconds"):
        await store.logins.count("test", 1, 0)
    assert not [text for _, text in proxy.messages[sent:] if b"login" in text]
    assert not holding.done()
    proxy.passing.set()

    await holding
    assert await store.logins.count("test", 1, 0) == 1
    assert not store.owners.lost.is_set()


async def test_a_lease_counts_from_before_it_was_renewed(
    proxy: PostgresProxy, open_at: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that was long under way is worth nothing: by then others may have counted the lease as passed."""
    clock = 1000.0
    monkeypatch.setattr(leases, "clock", lambda: clock)
    store = await open_at(proxy.url)
    answered = lease(store).renewals
    proxy.passing.clear()
    sent = len(proxy.messages)
    await eventually(lambda: len(proxy.messages) > sent, "a renewal")
    clock += SECONDS
    proxy.passing.set()
    await eventually(lambda: lease(store).renewals > answered, "its answer")

    assert lease(store).state is LeaseState.LATE

    await is_held(store)


@pytest.mark.parametrize("days", [-400, 400])
async def test_the_date_does_not_matter(postgres_url: str, open_at: Open, days: int) -> None:
    """A server whose clock is set to another day ends no lease, though all times in it are of long ago or to come."""
    stores = [await open_at(postgres_url) for _ in range(2)]
    connection = await asyncpg.connect(postgres_url)
    for _ in range(6):  # which is two leases long
        seen = [lease(store).renewals for store in stores]
        await connection.execute("UPDATE process SET expires_at = expires_at + $1", days * 86_400_000_000)
        await eventually(partial(moved, stores, seen), "renewals")
        assert await stores[0].owners.dead([store.owners.me for store in stores]) == set()
    await connection.close()
    assert not any(store.owners.lost.is_set() for store in stores)


def moved(stores: list[SessionStore], seen: list[int]) -> bool:
    return all(lease(store).renewals > count for store, count in zip(stores, seen, strict=True))


async def test_a_closed_store_writes_nothing(postgres_url: str) -> None:
    """It says so, and closing again is harmless."""
    store = await open_store(postgres_url, lease_seconds=SECONDS)
    await store.close()
    await store.close()

    assert lease(store).state is LeaseState.CLOSED
    with pytest.raises(StoreError, match="closed"):
        await store.logins.count("test", 1, 0)
