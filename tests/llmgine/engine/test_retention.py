"""What is erased because it is old: idle conversations after a week of grace, and servers that were left."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llmgine.engine.auditing import entry
from llmgine.engine.retention import Retention
from llmgine.messages.commands import AuditOrigin, RegenerateTurnCommand
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import microseconds, now
from llmgine.sessions.records import Cursor
from tests.llmgine.sessions.conftest import open_another, store, url
from tests.llmgine.sessions.contents import rows
from tests.llmgine.sessions.examples import ADA, admit, begun, claimed, ended, finish, part, prompt, spent

__all__ = ["open_another", "store", "url"]

BOT, OTHER_BOT = 1, 2


class Clock:
    """A time that the test sets."""

    def __init__(self) -> None:
        self.days = 0.0

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=self.days)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def made(store: SessionStore, clock: Callable[[], datetime], days: int | None) -> Retention:
    return Retention(store, days=days, clock=clock)


async def there(store: SessionStore) -> set[str]:
    return {session.id for session in (await store.sessions.page(most=100)).sessions}


async def test_nothing_is_erased_in_the_first_week(store: SessionStore, url: str, clock: Clock) -> None:
    """When it is switched on, a week passes; then all that was idle for so long is gone, with every row of it."""
    await ended(store, "1", session_id="idle")
    clock.days = 60
    retention = made(store, clock, 30)
    await retention.erase_due()
    outlook = await retention.outlook()
    assert (outlook.idle, outlook.begins and outlook.begins.date()) == (1, (clock() + timedelta(days=7)).date())
    clock.days += 6.9
    await retention.erase_due()
    assert await there(store) == {"idle"}

    clock.days += 0.2
    await retention.erase_due()

    left = rows(url)
    assert {name for name, table in left.items() if table} <= {"schema_version", "setting", "spent"}


async def test_what_is_used_stays(store: SessionStore, clock: Clock) -> None:
    """A conversation that somebody used since, or in which something is open, is not idle."""
    await begun(store, "1", session_id="open")
    await ended(store, "2", session_id="used")
    await ended(store, "3", session_id="idle")
    clock.days = 20
    retention = made(store, clock, 30)
    await retention.erase_due()
    clock.days = 40
    await store.turns.admit(prompt("4", session_id="used"), "later", microseconds(clock()))
    claimed = await store.turns.claim("used")
    assert claimed is not None

    await retention.erase_due()

    assert await there(store) == {"open", "used"}


@pytest.mark.parametrize("days", [10, 90, None])
async def test_a_change_begins_another_week(store: SessionStore, clock: Clock, days: int | None) -> None:
    """Whoever sets another number, or switches it off and on, has a week again in which nothing is erased."""
    await ended(store, "1", session_id="idle")
    await made(store, clock, 30).erase_due()
    clock.days = 100
    await made(store, clock, days).erase_due()
    await made(store, clock, 30 if days is None else days).erase_due()
    assert await there(store) == {"idle"}

    clock.days = 107.1
    await made(store, clock, 30 if days is None else days).erase_due()

    assert await there(store) == set()


async def test_settings_of_a_channel_stay(store: SessionStore, clock: Clock) -> None:
    """They are of the channel, not of the conversation; approvals for always go."""
    await ended(store, "1", session_id="idle")
    for name in ("style", "approved:roll:1"):
        await store.settings.change("idle", name, "brief", None, now())
    retention = made(store, clock, 30)
    await retention.erase_due()
    clock.days = 60

    await retention.erase_due()

    assert [one.name for one in await store.settings.of(["idle"])] == ["style"]


async def test_a_large_conversation_goes_in_portions(store: SessionStore) -> None:
    """No transaction erases more than fifty turns."""
    for number in range(60):
        await ended(store, str(number))

    assert await store.purges.session("s", before=now() + 1)
    assert len(await store.turns.history("s")) == 10
    assert await store.purges.session("s", before=now() + 1)
    assert not await store.purges.session("s", before=now() + 1)
    assert await there(store) == set()


async def live_in(store: SessionStore, guild: int) -> None:
    """Something of each kind that is stored of a server."""
    here, server = f"test:{guild}1", f"test:server:{guild}"
    scopes = (here, f"test:category:{guild}", server)
    for scope in (*scopes, f"test:{guild}2"):
        await store.settings.change(scope, "style", "brief", None, now())
    for scope in (*scopes, f"test:{guild}2", f"{server}/test:person:1"):
        await store.allowances.settle(spent(5, scope))
    await admit(store, prompt(str(guild), session_id=here).model_copy(update={"scopes": scopes, "guild": guild}))
    await store.stops.request(here, None)
    await store.forget(here, (await store.turns.unfinished(here))[0].id)
    await store.cursors.move("test", [Cursor(f"{guild}{number}", 1, "channel", None, guild) for number in (1, 2)])
    origin = AuditOrigin(by=ADA, place=here, listed_under=server)
    for what in ("doctor", "audit"):
        await store.audit.add(entry("used", what, place=here, origin=origin))


async def test_a_server_that_was_left(store: SessionStore, url: str, clock: Clock) -> None:
    """A week later all that is stored of it is gone; what is stored of another server, of a DM and of people stays."""
    for guild in (7, 8):
        await live_in(store, guild)
    await ended(store, "dm", session_id="test:dm")
    await store.allowances.settle(spent(5, "test:person:1"))
    retention = made(store, clock, None)
    for guilds in ([7, 8], [8]):
        await retention.report_servers("test", BOT, guilds)
    clock.days = 6.9
    await retention.erase_due()
    assert "test:71" in await there(store)
    clock.days = 7.1

    await retention.erase_due()

    assert await there(store) == {"test:81", "test:dm"}
    assert len(rows(url)["setting"]) == 4
    assert {row["guild"] for row in rows(url)["cursor_of_place"]} == {8}
    assert {row["listed_under"] for row in rows(url)["audit"]} == {"test:server:8"}
    assert [row["scope"] for row in rows(url)["spent"] if "7" in row["scope"]] == []
    assert len(rows(url)["spent"]) == 7
    assert await store.purges.left() == []


async def test_coming_back_cancels_it(store: SessionStore, clock: Clock) -> None:
    """A server that the front end is in again is not erased, however long it was away."""
    await store.cursors.move("test", [Cursor("1", 1, "channel", None, 7)])
    retention = made(store, clock, None)
    for guilds, left in (([7], 0), ([], 1), ([7], 0)):
        assert await retention.report_servers("test", BOT, guilds) == left
    clock.days = 30

    await retention.erase_due()

    assert await store.cursors.at("test", ["1"])


async def test_leaving_is_noted_once(store: SessionStore) -> None:
    """Said again, the week counts from the first time."""
    await store.purges.note_servers("test", BOT, [7], 4)
    [first] = await store.purges.note_servers("test", BOT, [], 5)
    assert await store.purges.note_servers("test", BOT, [], 9) == [first]


@pytest.mark.parametrize("reported", [(), ("other", BOT), ("test", OTHER_BOT)])
async def test_only_who_left_erases(store: SessionStore, clock: Clock, reported: tuple[str, int]) -> None:
    """A process in which that account has not said where it is since the start erases nothing: it may be back."""
    await store.cursors.move("test", [Cursor("1", 1, "channel", None, 7)])
    for guilds in ([7], []):
        await made(store, clock, None).report_servers("test", BOT, guilds)
    clock.days = 30
    retention = made(store, clock, None)
    if reported:
        await retention.report_servers(*reported, [])

    await retention.erase_due()

    assert await store.cursors.at("test", ["1"])
    assert len(await store.purges.left()) == 1


async def test_another_account_leaves_nothing(store: SessionStore) -> None:
    """A bot that never was in a server, such as the playground's, has not left it, nor has one that another is in."""
    await store.cursors.move("test", [Cursor("1", 1, "channel", None, 7)])
    await store.purges.note_servers("test", BOT, [7], 4)
    for guilds in ([], [7], []):
        assert await store.purges.note_servers("test", OTHER_BOT, guilds, 5) == []
    assert [one.account for one in await store.purges.note_servers("test", BOT, [], 6)] == [OTHER_BOT, BOT]


async def test_what_is_still_to_be_sent_stays(store: SessionStore, clock: Clock) -> None:
    """An answer that was never shown keeps its conversation; once it is, that can go."""
    turn = await begun(store, "1", session_id="owed")
    await finish(store, turn, part(turn, "text", 0, 0))
    retention = made(store, clock, 30)
    await retention.erase_due()
    clock.days = 60
    await retention.erase_due()
    assert await there(store) == {"owed"}
    assert not await store.purges.session("owed", before=microseconds(clock()))
    assert await there(store) == {"owed"}

    await store.deliveries.settle(turn, [], 0)
    await retention.erase_due()

    assert await there(store) == set()


async def test_what_was_regenerated_was_used(store: SessionStore) -> None:
    """Whoever asks for another answer uses the conversation."""
    turn = await ended(store, "1")
    before = now()
    assert await store.purges.idle(before, 1) == ["s"]
    await store.turns.regenerate(RegenerateTurnCommand(session_id="s", turn_id=turn.id))
    await finish(store, await claimed(store))

    assert await store.purges.idle(before, 1) == []


async def test_the_log_is_kept_for_its_days(store: SessionStore, clock: Clock, tmp_path: Path) -> None:
    """What is older than that is erased from it."""
    log = tmp_path / "events.jsonl"
    log.write_text(f'{{"v":1,"type":"Old","at":"{clock().isoformat()}"}}\n')
    retention = Retention(store, log_days=30, log=log, clock=clock)
    clock.days = 29
    await retention.erase_due()
    assert "Old" in log.read_text()
    clock.days = 31

    await retention.erase_due()

    assert "Old" not in log.read_text()
