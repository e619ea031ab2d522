"""Rate limits: counted as Discord counts, and waited out by the real discord.py."""

import asyncio
from typing import Any

import pytest

from programs.playground.entities import GENERAL_ID, RANDOM_ID
from programs.playground.ratelimits import RateLimits, Verdict
from programs.playground.rules import Rules, Window
from programs.playground.server import Playground
from tests.programs.playground.conftest import Connect, Raw
from tests.waiting import patience

MESSAGES = "/channels/{channel_id}/messages"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def create(limits: RateLimits, channel: int = GENERAL_ID) -> Verdict:
    return limits.take("POST", MESSAGES, {"channel_id": str(channel)}, counts_globally=True)


def test_a_bucket_counts_down_and_refills() -> None:
    """Five creates pass, the sixth is a 429 that says how long; after the window they pass again."""
    clock = Clock()
    limits = RateLimits(Rules(), clock)

    left = [create(limits).headers["X-RateLimit-Remaining"] for _ in range(5)]
    clock.now += 2
    refused = create(limits)

    assert left == ["4", "3", "2", "1", "0"]
    assert refused.refusal == {"message": "You are being rate limited.", "retry_after": 3.0, "global": False}
    assert refused.headers["X-RateLimit-Scope"] == "user"
    assert int(refused.headers["Retry-After"]) >= 3
    assert "Via" in refused.headers
    clock.now += 3
    assert create(limits).refusal is None


def test_channels_do_not_share_a_bucket() -> None:
    """The channel is a major parameter: another one has its own count, under the same bucket hash."""
    limits = RateLimits(Rules(), Clock())
    spent = [create(limits) for _ in range(6)][-1]

    other = create(limits, RANDOM_ID)

    assert spent.refusal is not None
    assert other.refusal is None
    assert other.headers["X-RateLimit-Bucket"] == spent.headers["X-RateLimit-Bucket"]


def test_everything_together_has_a_limit() -> None:
    """Past the global limit a 429 says so; interactions are not counted."""
    limits = RateLimits(Rules(everything=Window(2, 1.0)), Clock())
    create(limits, 1)
    create(limits, 2)

    refused = create(limits, 3)
    free = limits.take("POST", "/interactions/{id}", {"id": "1"}, counts_globally=False)

    assert refused.refusal is not None
    assert refused.refusal["global"] is True
    assert refused.headers["X-RateLimit-Global"] == "true"
    assert free.refusal is None


_READ = f"/channels/{GENERAL_ID}/messages"
_NO_ROUTE = f"/channels/{GENERAL_ID}/nonsense"
_BUCKET = {f"X-RateLimit-{name}" for name in ("Limit", "Remaining", "Reset", "Reset-After", "Bucket")}


async def _told_of_limits(playground: Playground, raw: Raw, path: str, token: str) -> tuple[int, set[str]]:
    """The status of a read, and which headers of a bucket are on the answer."""
    async with raw.session.get(playground.api_base + path, headers={"Authorization": f"Bot {token}"}) as answer:
        return answer.status, _BUCKET & set(answer.headers)


@pytest.mark.parametrize(("path", "status"), [(_READ, 200), (f"{_READ}/1", 404)])
async def test_every_answer_of_a_route_tells_of_its_bucket(
    playground: Playground, raw: Raw, path: str, status: int
) -> None:
    """Errors too."""
    assert await _told_of_limits(playground, raw, path, playground.token) == (status, _BUCKET)


async def test_where_no_route_counted_there_is_no_bucket(playground: Playground, raw: Raw) -> None:
    """Neither for a path that is no route's, nor for a stranger."""
    assert await _told_of_limits(playground, raw, _NO_ROUTE, playground.token) == (404, set())
    assert await _told_of_limits(playground, raw, _READ, "not.the.token") == (401, set())


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"effect": "rate_limit", "scope": "user"}, (429, _BUCKET)),
        ({"effect": "rate_limit", "scope": "shared"}, (429, _BUCKET)),
        ({"effect": "rate_limit", "scope": "global"}, (429, set())),
        ({"effect": "html", "status": 502}, (502, set())),
    ],
)
async def test_the_proxy_and_the_global_limit_know_no_bucket(
    playground: Playground, raw: Raw, fault: dict[str, Any], told: tuple[int, set[str]]
) -> None:
    """Their answers are not a route's; those of a route's own limits are."""
    playground.faults.plan(method="GET", route=MESSAGES, **fault)

    assert await _told_of_limits(playground, raw, _READ, playground.token) == told


async def test_discord_py_waits_a_limit_out(start: Connect) -> None:
    """A burst past the limit arrives whole and in order, without a refusal."""
    async with Playground(rules=Rules(create=Window(2, 0.2))) as playground:
        bot = await start(playground)
        async with patience("five messages to be sent"):
            for n in range(5):
                await bot.general.send(str(n))

        posted = [one.content for one in playground.state.channels[GENERAL_ID].messages.values()]
        assert posted == ["0", "1", "2", "3", "4"]
        await bot.close()


async def test_discord_py_obeys_a_429(start: Connect) -> None:
    """A refused request is tried again by the client after the time the answer names."""
    async with Playground(rules=Rules(create=Window(1, 0.2))) as playground:
        bots = [await start(playground), await start(playground)]
        async with patience("two messages to be sent"):
            await asyncio.gather(*(bot.general.send("x") for bot in bots))

        assert 429 in [record.status for record in playground.requests]
        assert len(playground.state.channels[GENERAL_ID].messages) == 2
        for bot in bots:
            await bot.close()
