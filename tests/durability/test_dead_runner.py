"""What people do to a question whose process was killed, and on PostgreSQL counts as alive for a while."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID
from tests.durability.databases import Databases
from tests.durability.world import HELLO, World

_QUIET = "SELECT (SELECT COUNT(*) FROM open_turn) = 0 AND (SELECT COUNT(*) FROM delivery WHERE sent = 0) = 0"


@pytest.fixture
async def world(tmp_path: Path, databases: Databases) -> AsyncIterator[World]:
    """A world whose bot was killed while it answered."""
    async with World.open(tmp_path, databases) as made:
        died, _ = await made.run(say=True, kill_at="commit deliveries.place text1.1")
        assert died
        yield made


def _shown(world: World) -> list[str]:
    return [message.content.split("\n")[0] for message in world.shown()]


async def _settled(world: World, shown: list[str]) -> None:
    await world.live(None, lambda: _shown(world) == shown and world.rows(_QUIET) == [(1,)])


async def test_a_question_that_was_taken_back_meanwhile(world: World) -> None:
    """Nothing is left of it, and nothing of its answer."""
    messages = world.playground.state.channels[GENERAL_ID].messages.values()
    [asked] = [message for message in messages if message.author_id == ADA_ID]
    world.playground.people.delete(GENERAL_ID, asked.id, ADA_ID)

    await _settled(world, [])

    assert world.rows("SELECT state FROM turn") == [("forgotten",)]
    assert world.rows("SELECT * FROM step") == []


async def test_a_question_that_was_changed_meanwhile(world: World) -> None:
    """It is answered as it is now, in the first of the messages that are there, and paid for once."""
    first = world.shown()[0]
    world.edit()

    await _settled(world, [HELLO])

    assert [message.id for message in world.shown()] == [first.id]
    assert world.effects("pay") == 1


async def test_another_question_meanwhile(world: World) -> None:
    """It waits for the one before it, and both are answered in order."""
    world.playground.people.send(GENERAL_ID, ADA_ID, f"<@{BOT_ID}> just say hello")

    await world.live(None, lambda: _shown(world)[-1:] == [HELLO] and world.rows(_QUIET) == [(1,)])

    assert world.rows("SELECT state, seq FROM turn ORDER BY seq") == [("done", 1), ("done", 2)]
    assert world.effects("pay") == 1
