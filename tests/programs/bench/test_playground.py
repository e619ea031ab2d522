"""The benchmark of the playground: it counts what really went through."""

from programs.bench.playground import rates


async def test_both_ways_are_measured() -> None:
    """People's messages and a bot's, all of them, each at a rate."""
    told, posted = await rates(messages=50)

    assert (told.messages, posted.messages) == (50, 50)
    assert min(told.rate, posted.rate) > 0
