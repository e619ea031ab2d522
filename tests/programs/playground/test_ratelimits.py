"""Rate limits: counted as Discord counts, and waited out by the real discord.py."""

import asyncio

from programs.playground.entities import GENERAL_ID, RANDOM_ID
from programs.playground.ratelimits import RateLimits, Verdict
from programs.playground.rules import Rules, Window
from programs.playground.server import Playground
from tests.programs.playground.conftest import Connect
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
