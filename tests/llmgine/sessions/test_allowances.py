"""What calls cost in the store: reserved once, settled once, in every process, and nothing left behind."""

import asyncio
from collections.abc import Iterator, Mapping

import pytest

from llmgine.errors import AllowanceError
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import now
from llmgine.sessions.costs import NANO, Allowance, Asker, Cost, Reservation, Today
from llmgine.sessions.database import Operation, Steps
from llmgine.sessions.operations import Allowances
from tests.llmgine.sessions.conftest import Open
from tests.llmgine.sessions.contents import rows
from tests.llmgine.sessions.examples import spent
from tests.llmgine.sessions.processes import COUNT, Processes

LIMIT = Allowance(scope="s", unit="tokens", most=100)
ADA = Asker(person="test:person:1", roles=("7", "8"))


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    """Processes beside this one; they end with the last test."""
    running = Processes()
    try:
        yield running
    finally:
        running.stop()


def reservation(name: str = "r", tokens: int = 1_000, *, day: int = 1) -> Reservation:
    cost = Cost(tokens=tokens, nanodollars=tokens * 10)
    return Reservation(
        id=name, counted_in=("s", "server", "*"), day=day, most=cost, sent=Cost(tokens=20, nanodollars=200)
    )


def amounts(url: str) -> dict[str, tuple[int, int, int, int]]:
    """For each scope the tokens and the money that were used, and those that are reserved."""
    names = ("tokens", "nanodollars", "reserved_tokens", "reserved_nanodollars")
    found: list[Mapping[str, int]] = rows(url)["spent"]  # type: ignore[assignment]  # numbers but for the scope
    return {str(row["scope"]): (row[names[0]], row[names[1]], row[names[2]], row[names[3]]) for row in found}


async def test_what_is_reserved_is_settled(store: SessionStore, url: str) -> None:
    """A reservation counts in every scope until its call is settled; then only what that cost is left."""
    await store.allowances.reserve(reservation(), [LIMIT])
    before = amounts(url)
    cost = spent(60, "s", "server").model_copy(update={"cost": Cost(tokens=60, nanodollars=7), "reservation": "r"})

    await store.allowances.settle(cost)

    assert before == dict.fromkeys(("s", "server", "*"), (0, 0, 1_000, 10_000))
    assert amounts(url) == dict.fromkeys(("s", "server", "*"), (60, 7, 0, 0))
    assert rows(url)["reservation"] == []


async def reserve_one(store: SessionStore, number: int) -> bool:
    try:
        await store.allowances.reserve(reservation(f"r{number}"), [LIMIT])
    except AllowanceError:
        return False
    return True


async def test_room_for_one_is_taken_by_one(store: SessionStore, url: str, processes: Processes) -> None:
    """Of eight processes that reserve at once what is room for once, one does; the others reserve nothing."""
    await store.allowances.of(["s"], Today(day=1))  # it is there before they are

    found = processes.run(url, reserve_one)

    assert (found.count(True), len(found)) == (1, COUNT)
    assert amounts(url)["s"] == (0, 0, 1_000, 10_000)
    assert len(rows(url)["reservation"]) == 1


async def reserve_and_settle(store: SessionStore, number: int) -> None:
    limit = LIMIT.model_copy(update={"most": 10**9})
    for turn in range(10):
        name = f"{number}.{turn}"
        await store.allowances.reserve(reservation(name), [limit])
        cost = spent(1 + number, "s", "server").model_copy(update={"reservation": name})
        await store.allowances.settle(cost)


async def test_what_many_processes_reserve_and_settle_adds_up(
    store: SessionStore, url: str, processes: Processes
) -> None:
    """Whatever the order in which they do it, nothing is lost, counted twice or left reserved."""
    await store.allowances.of(["s"], Today(day=1))

    processes.run(url, reserve_and_settle)

    every = 10 * sum(range(1, COUNT + 1))
    assert amounts(url) == dict.fromkeys(("s", "server", "*"), (every, 0, 0, 0))


async def test_what_the_dead_reserved_is_settled(store: SessionStore, url: str, open_another: Open) -> None:
    """Who takes over counts the requests of a process that has ended; should that live after all, it counts no more."""
    dead = await open_another()
    await dead.allowances.reserve(reservation("r"), [LIMIT])
    await store.allowances.reserve(reservation("mine"), [])
    await store.take_over(["test"])
    alive = amounts(url)["s"]
    await dead.close()

    await store.take_over(["test"])
    await store.allowances.settle(spent(60, "s", "server").model_copy(update={"reservation": "r"}))

    assert alive == (0, 0, 2_000, 20_000)
    assert amounts(url)["s"] == (20, 200, 1_000, 10_000)
    assert [row["id"] for row in rows(url)["reservation"]] == ["mine"]


async def test_a_limit_in_dollars_is_one(store: SessionStore) -> None:
    """Dollars are counted as whole billionths, so that what costs a tenth of a cent ten times costs a cent."""
    await store.settings.change("s", "daily_dollars", "0.01", None, now())
    for _ in range(9):
        await store.allowances.settle(spent(1).model_copy(update={"cost": Cost(nanodollars=NANO // 1_000)}))
    [nearly] = await store.allowances.of(["s"], Today(day=1))

    await store.allowances.settle(spent(1).model_copy(update={"cost": Cost(nanodollars=NANO // 1_000)}))

    [reached] = await store.allowances.of(["s"], Today(day=1))
    assert (nearly.is_used_up, nearly.is_nearly_used_up) == (False, True)
    assert (reached.is_used_up, reached.used) == (True, reached.most)


@pytest.mark.parametrize("value", ["", "0", "0.0", "-1", "1e3", "NaN", "1.00000", "٣", "$2", "12345678"])
async def test_what_is_no_amount_limits_nothing(store: SessionStore, value: str) -> None:
    """Whatever was written as a setting, it breaks no turn."""
    await store.settings.change("s", "daily_dollars", value, None, now())

    assert await store.allowances.of(["s"], Today(day=1)) == []


class TestPeople:
    """Limits of each person in a server."""

    @pytest.fixture
    async def made(self, store: SessionStore) -> SessionStore:
        """A server with a limit for each person, and for each of three roles."""
        for whose, most in (("person", 100), ("role:7", 50), ("role:8", 500), ("role:9", 900)):
            await store.settings.change("server", f"daily_tokens:{whose}", str(most), None, now())
        return store

    @pytest.mark.parametrize(
        ("asker", "most"),
        [
            (ADA, [500]),
            (Asker(person="test:person:2"), [100]),
            (Asker(person="test:person:2", roles=("7",)), [50]),
            (Asker(), []),
        ],
    )
    async def test_the_most_generous_role_counts(self, made: SessionStore, asker: Asker, most: list[int]) -> None:
        """In place of what each person may use; where nobody asks there is no limit of a person."""
        found = await made.allowances.of(["s", "server"], Today(day=1), asker)

        assert [one.most for one in found] == most

    async def test_each_is_counted_by_themselves(self, made: SessionStore) -> None:
        """And in each server apart, but for the limit of the program, which counts what they use anywhere."""
        await made.sessions.ensure("s", 0, scopes=("server",))
        counted, _ = await made.allowances.of_session("s", Today(day=1), ADA)
        await made.allowances.settle(spent(60, *counted))
        today = Today(day=1, person_tokens=1_000)

        def used(found: list[Allowance]) -> list[tuple[int, int]]:
            return [(one.most, one.used) for one in found]

        assert used(await made.allowances.of(["s", "server"], today, ADA)) == [(500, 60), (1_000, 60)]
        assert used(await made.allowances.of(["t", "other"], today, ADA)) == [(1_000, 60)]
        grace = Asker(person="test:person:2")
        assert used(await made.allowances.of(["s", "server"], today, grace)) == [(100, 0), (1_000, 0)]


async def test_people_are_warned_once(store: SessionStore) -> None:
    """Once for each scope and day, however many ask at once."""
    await store.allowances.settle(spent(80))

    found = await asyncio.gather(*(store.allowances.warn(["s", "*", "empty"], 1) for _ in range(5)))

    assert sorted(map(len, found)) == [0, 0, 0, 0, 2]


async def test_a_month_is_kept(store: SessionStore, url: str) -> None:
    """What was used on each of the last 31 days can be read; what is older is deleted."""
    for day in (1, 2, 32):
        await store.allowances.settle(spent(5, day=day))

    assert await store.allowances.sweep(32) is False
    assert await store.allowances.sweep(33) is False

    assert [one.day for one in await store.allowances.used("s", 0)] == [2, 32]
    assert amounts(url)["s"] == (5, 0, 0, 0)


async def test_a_refused_reservation_is_run_again_as_one(store: SessionStore, url: str) -> None:
    """A refusal leaves nothing, whether the operation is run once or twice."""
    await store.allowances.settle(spent(100))
    refused: list[AllowanceError] = []
    for _ in range(2):
        try:
            await store.run(lambda: _reserve(store), Operation("test.reserve"))
        except AllowanceError as error:
            refused.append(error)

    assert len(refused) == 2
    assert amounts(url)["s"] == (100, 0, 0, 0)
    assert rows(url)["reservation"] == []


def _reserve(store: SessionStore) -> Steps[list[Allowance]]:
    return Allowances.reserve.steps(store.allowances, reservation(), [LIMIT])
