"""The breaker: when Discord wants no more requests, none is made; and nothing else stops them."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from programs.discord.breaker import Breaker
from programs.discord.delivery.refusals import BreakerOpenError

_MINUTE = 60.0  # seconds
_VIA_DISCORD = {"Via": "1.1 google"}  # Discord itself answers; Cloudflare in front of it adds no such line


class World:
    """A server that gives the answer it is told to, and a breaker with a clock that is turned by hand."""

    def __init__(self) -> None:
        self.answer = web.Response()
        self.asked = 0
        self.refused = 0
        self.now = 1_000.0
        self.breaker = Breaker(self._refuse, clock=lambda: self.now)
        self.url = ""
        self.session: aiohttp.ClientSession

    def _refuse(self) -> None:
        self.refused += 1

    async def respond(self, _request: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(status=self.answer.status, headers=self.answer.headers)

    async def get(self, path: str = "/api/v10/channels/1") -> int:
        """Make a request; the status of its answer."""
        async with self.session.get(self.url + path) as answer:
            return answer.status


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    app = web.Application()
    app.router.add_get("/{path:.*}", world.respond)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    world.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    trace = aiohttp.TraceConfig()
    world.breaker.add_to(trace)
    async with aiohttp.ClientSession(trace_configs=[trace]) as world.session:
        yield world
    await runner.cleanup()


async def test_after_a_refused_token_no_request_is_made(world: World) -> None:
    """However long one waits: Discord shuts out who keeps asking with a token that it does not take."""
    world.answer = web.Response(status=401, headers=_VIA_DISCORD)
    await world.get()
    world.now += 1_000 * _MINUTE

    with pytest.raises(BreakerOpenError):
        await world.get()

    assert (world.asked, world.refused) == (1, 1)


@pytest.mark.parametrize(
    "path", ["/api/v10/webhooks/1/token/messages/@original", "/api/v10/interactions/1/token/callback"]
)
async def test_the_token_of_an_interaction_is_not_the_bots(world: World, path: str) -> None:
    """That it has run out stops nothing else."""
    world.answer = web.Response(status=401, headers=_VIA_DISCORD)

    await world.get(path)

    assert await world.get(path) == 401
    assert (world.refused, world.breaker.open) == (0, False)


@pytest.mark.parametrize(("told", "minutes"), [("120", 2), (None, 10), ("soon", 10)])
async def test_a_ban_by_the_proxy_is_kept(world: World, told: str | None, minutes: int) -> None:
    """No request until its time is over: the one it says, or ten minutes; then they are made again."""
    world.answer = web.Response(status=429, headers={} if told is None else {"Retry-After": told})
    await world.get()

    world.now += minutes * _MINUTE - 1
    with pytest.raises(BreakerOpenError):
        await world.get()
    world.now += 1

    assert await world.get() == 429
    assert (world.asked, world.refused) == (2, 0)


async def test_an_ordinary_limit_stops_nothing(world: World) -> None:
    """A 429 of Discord's own is of one route, and the others go on; it is counted for an hour."""
    world.answer = web.Response(status=429, headers={**_VIA_DISCORD, "Retry-After": "120"})

    await world.get()

    assert await world.get() == 429
    assert world.breaker.limited_lately == 2
    world.now += 61 * _MINUTE
    assert world.breaker.limited_lately == 0
