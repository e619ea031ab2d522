"""Connections to PostgreSQL that are cut: what a transaction wrote is there once, or not at all and that is said."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from llmgine.errors import StoreError
from llmgine.messages.commands import PromptCommand
from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.clock import now
from tests.llmgine.sessions.contents import directly
from tests.llmgine.sessions.examples import DONE, begun, claimed, part, prompt, spent
from tests.llmgine.sessions.postgres_proxy import Cut, PostgresProxy, proxy_to
from tests.waiting import eventually

# Long enough to be renewed on a machine that is busy.
LEASE = 6.0
# A COMMIT waits for an advisory lock where the transaction wrote to this table.
_SLOW_COMMIT = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT OR UPDATE ON {table}
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()
"""


@pytest.fixture
async def proxy(postgres_url: str) -> AsyncIterator[PostgresProxy]:
    async with proxy_to(postgres_url) as made:
        yield made


@pytest.fixture
async def store(proxy: PostgresProxy) -> AsyncIterator[SessionStore]:
    """A store by the proxy."""
    opened = await open_store(proxy.url, lease_seconds=LEASE)
    yield opened
    await opened.close()


async def value(url: str, statement: str) -> object:
    async with directly(url) as connection:
        return await connection.fetchval(statement)


@pytest.mark.parametrize("how", Cut)
async def test_a_commit_without_an_answer_is_done_once(
    store: SessionStore, proxy: PostgresProxy, postgres_url: str, how: Cut
) -> None:
    """Whoever counts a login at a connection that is cut in the COMMIT is told the right number, and it is counted."""
    assert await store.logins.count("test", 10, 0) == 1
    proxy.cut_at_commit(how)

    assert await store.logins.count("test", 11, 0) == 2

    assert proxy.cuts == 1
    assert await value(postgres_url, "SELECT COUNT(*) FROM login") == 2


@pytest.mark.parametrize("how", Cut)
async def test_tokens_are_counted_once(store: SessionStore, proxy: PostgresProxy, postgres_url: str, how: Cut) -> None:
    """What was spent adds up, however the COMMIT ended: nobody has to guess, and nothing is counted twice."""
    await store.sessions.ensure("s", 0, scopes=())
    await store.allowances.settle(spent(5))
    proxy.cut_at_commit(how)

    await store.allowances.settle(spent(7))

    assert proxy.cuts == 1
    assert await value(postgres_url, "SELECT tokens FROM spent WHERE scope = '*'") == 12


async def test_a_commit_that_is_still_under_way_is_waited_for(
    store: SessionStore, proxy: PostgresProxy, postgres_url: str
) -> None:
    """The client is cut off while the server waits within the COMMIT: it is not run again meanwhile, but found done."""
    async with directly(postgres_url) as other:
        await other.execute(_SLOW_COMMIT.format(table="login"))
        await other.execute("SELECT pg_advisory_lock(7)")
        proxy.cut_at_commit(Cut.DURING)
        counting = asyncio.ensure_future(store.logins.count("test", 10, 0))
        asks = "query LIKE '%FROM mark%FOR UPDATE' AND wait_event_type = 'Lock'"
        asked = f"SELECT COUNT(*) FROM pg_stat_activity WHERE {asks}"  # noqa: S608  our own words
        await eventually(lambda: other.fetchval(asked), "the question whether it was done")
        assert not counting.done()

        await other.execute("SELECT pg_advisory_unlock(7)")

        assert await counting == 1
    assert await value(postgres_url, "SELECT COUNT(*) FROM login") == 1


async def admit_and_finish(store: SessionStore, message: PromptCommand, turn_id: str) -> bool:
    """A turn from its admission to its outcome; False where one of its transactions failed and said so."""
    try:
        await store.turns.admit(message, turn_id, now())
        turn = await claimed(store)
        await store.runs.finish(turn, "done", [(2, DONE)], [part(turn, "text", 0, 0)])
    except StoreError:
        return False
    return True


@pytest.mark.parametrize("how", [Cut.BEFORE, Cut.AFTER])
async def test_a_connection_cut_at_any_message(
    store: SessionStore, proxy: PostgresProxy, postgres_url: str, how: Cut
) -> None:
    """A turn whose connection is cut at any one message, in either direction, is stored once and whole."""
    await begun(store, "0")  # the statements are prepared, and all that follows sends the same messages
    turn = (await store.turns.unfinished("s"))[0]
    await store.runs.finish(turn, "done", [(2, DONE)], ())
    before = len(proxy.messages)
    assert await admit_and_finish(store, prompt("first"), "t-first")
    messages = [kind for kind, text in proxy.messages[before:] if b"process" not in text]
    assert len(messages) > 15

    for number in range(len(messages)):
        proxy.cut_at_number(number, how)
        assert await admit_and_finish(store, prompt(f"m{number}"), f"t-{number}")
        await eventually(lambda: proxy.cuts > number, "the cut")  # noqa: B023  it is over before the next one

    turns = await store.turns.history("s")
    assert [turn.turn.seq for turn in turns] == list(range(1, len(messages) + 3))
    for table in ("turn", "inbox", "step WHERE body LIKE '%outcome%'", "delivery"):
        found = await value(postgres_url, f"SELECT COUNT(*) FROM {table}")  # noqa: S608  our own names
        assert found == len(messages) + (1 if table == "delivery" else 2), table
