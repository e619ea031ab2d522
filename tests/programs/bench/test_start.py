"""The bench of a start measures a real bot, and what it costs does not depend on how many places there are."""

import pytest

from programs.bench import start
from programs.bench.tables import start_table
from programs.bench.visit import Kind

READS = "GET /channels/{channel_id}/messages"
PLACES = 12  # more than any operation of the store is needed for a start with a single place


@pytest.mark.parametrize("kind", ["channels", "DMs"])
async def test_each_place_is_read_and_each_question_answered_once(kind: Kind) -> None:
    """Channels with news and known DMs are read, within Discord's limits.

    Three reads more there may be: of the playground's own two channels, and of the place in which somebody asks
    meanwhile, where the one that the question waits for may come before its turn.
    """
    measured = await start.measure_start(kind, PLACES, questions=2)

    assert PLACES <= measured.reads <= PLACES + 3
    assert measured.requests[READS] == measured.reads
    assert measured.limited == 0
    assert measured.transactions["turns.admit"] == 2 + 1
    assert 0 < measured.ready < measured.read
    assert measured.live > 0
    assert measured.answered > 0
    assert start_table([measured]).row_count == 13


async def test_no_place_costs_a_transaction_before_the_bot_is_ready() -> None:
    """Neither at the very first start, nor at a later one with news everywhere."""
    measured = await start.measure_start("channels", PLACES, questions=0)

    assert measured.first_start["cursors.move"] == 1
    assert max(measured.first_start.values()) < PLACES
    assert max(measured.until_ready.values()) < PLACES
    assert measured.until_ready.keys() <= measured.transactions.keys()
