"""The budget of requests: how many a second, and who goes first."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from programs.discord.rate_limiter import Importance, RateLimiter, as_courtesy, paid_by
from tests.waiting import patience

_ONE_AT_A_TIME = 20.0  # requests a second: slow enough that a queue forms


class Server:
    """Writes down which paths were asked for, and when."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.times: list[float] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        self.times.append(asyncio.get_running_loop().time())
        return web.Response()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_get("/{path:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


def _session(budget: RateLimiter) -> aiohttp.ClientSession:
    trace = aiohttp.TraceConfig()
    budget.add_to(trace)
    return aiohttp.ClientSession(trace_configs=[trace])


async def _get(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(url) as answer:
        assert answer.status == 200


async def test_the_rate_is_kept_over_all_routes(server: Server) -> None:
    """However many requests are wanted at once, no second sees more than the limit that the rate is below."""
    async with _session(RateLimiter(100.0)) as session:
        await asyncio.gather(*(_get(session, f"{server.url}/{number}") for number in range(60)))

    window = 0.2  # seconds, in which 20 are due beside the few that were saved
    for at in server.times:
        assert sum(at <= other < at + window for other in server.times) <= 20 + 2 + 4  # the last for late wakings


async def test_what_people_wait_for_goes_first(server: Server) -> None:
    """Courtesies wait for previews and these for all else; among equals the first comes first."""
    budget = RateLimiter(_ONE_AT_A_TIME)
    async with _session(budget) as session, asyncio.TaskGroup() as group:

        async def preview(path: str) -> None:
            with paid_by(budget.ticket(Importance.PREVIEW)):
                await _get(session, f"{server.url}/{path}")

        async def courtesy(path: str) -> None:
            with as_courtesy():
                await _get(session, f"{server.url}/{path}")

        for number in range(2):  # what was saved
            group.create_task(_get(session, f"{server.url}/saved{number}"))
        await asyncio.sleep(0)
        for path in ("c1", "c2"):
            group.create_task(courtesy(path))
        for path in ("p1", "p2"):
            group.create_task(preview(path))
        for path in ("f1", "f2"):
            group.create_task(_get(session, f"{server.url}/{path}"))

    assert server.asked[2:] == ["/f1", "/f2", "/p1", "/p2", "/c1", "/c2"]


async def test_a_ticket_may_hurry(server: Server) -> None:
    """A preview that became the final text overtakes the previews before it."""
    budget = RateLimiter(_ONE_AT_A_TIME)
    for _ in range(2):
        await budget.ticket(Importance.FIRST).called
    earlier, later = budget.ticket(Importance.PREVIEW), budget.ticket(Importance.PREVIEW)
    budget.hurry(later)

    await later.called

    assert not earlier.called.done()
    await earlier.called


async def test_who_gave_up_costs_nothing() -> None:
    """A ticket that nobody waits for any more is not called, so the next one is."""
    now = 0.0
    budget = RateLimiter(_ONE_AT_A_TIME, clock=lambda: now)
    for _ in range(2):
        await budget.ticket(Importance.FIRST).called
    given_up, next_one = budget.ticket(Importance.FIRST), budget.ticket(Importance.FIRST)
    given_up.called.cancel()

    now += 1 / _ONE_AT_A_TIME
    last = budget.ticket(Importance.FIRST)

    assert next_one.called.done()
    assert not last.called.done()


async def test_answers_to_interactions_are_free(server: Server) -> None:
    """What Discord does not count over all never waits."""
    budget = RateLimiter(0.001)
    for _ in range(2):
        await budget.ticket(Importance.FIRST).called
    async with _session(budget) as session, patience("two answers"):
        await _get(session, f"{server.url}/api/v10/interactions/1/t/callback")
        await _get(session, f"{server.url}/api/v10/webhooks/1/t/messages/@original")
