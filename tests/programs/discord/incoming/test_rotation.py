"""The rotation over quiet places, which finds what Discord lost."""

import asyncio

import pytest

from programs.discord.incoming import feeds
from programs.playground.entities import ADA_ID, GENERAL_ID, Message
from tests.programs.discord.answers import answered
from tests.programs.discord.reads import Reads
from tests.programs.discord.scene import MENTION, Scene
from tests.waiting import patience

INTERVAL = 0.02


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each place may be looked at again at once."""
    monkeypatch.setattr(feeds, "_AGAIN_SECONDS", 0.0)


async def two_answered(scene: Scene) -> tuple[Message, Message]:
    """Two questions that were answered before the bot was started again, so that their channel is quiet."""
    first = scene.ask("one")
    await scene.outcome()
    second = scene.ask("two")
    await scene.outcome(2)
    return first, second


def lose_changes(scene: Scene, first: Message, second: Message) -> None:
    """The first question is edited and the second deleted, and Discord tells neither."""
    scene.playground.gateway.lose("MESSAGE_UPDATE")
    scene.playground.people.edit(GENERAL_ID, first.id, ADA_ID, f"{MENTION} one, I mean")
    scene.playground.gateway.lose("MESSAGE_DELETE")
    scene.playground.people.delete(GENERAL_ID, second.id, ADA_ID)


@pytest.mark.usefixtures("often")
async def test_it_finds_a_lost_edit_and_a_lost_deletion(settled: Scene) -> None:
    """In a quiet channel, a question whose edit was lost is answered again, and a deleted one is forgotten."""
    scene = settled
    first, second = await two_answered(scene)
    await scene.restart(bot={"look_interval": INTERVAL})
    async with patience("the bot to catch up"):
        await scene.bot.caught_up()

    lose_changes(scene, first, second)

    await scene.until(lambda: len(scene.shown()) == 1 and "one, I mean" in scene.shown()[0].content)


@pytest.mark.usefixtures("often")
async def test_it_finds_a_lost_message(settled: Scene) -> None:
    """A message of which no event came is answered, without anybody writing again."""
    scene = settled
    await scene.restart(bot={"look_interval": INTERVAL})
    scene.playground.gateway.lose("MESSAGE_CREATE")

    scene.ask("lost")

    await answered(scene, ["lost"])


@pytest.mark.usefixtures("often")
async def test_it_reads_one_place_in_an_interval(settled: Scene, reads: Reads) -> None:
    """However many quiet places there are, no more than one is read in each interval."""
    scene = settled
    for number in range(30):
        channel = scene.playground.admin.add_channel(f"channel-{number}")
        scene.say("just talking", channel=channel.id)
    await scene.restart(bot={"look_interval": INTERVAL})
    async with patience("the bot to catch up"):
        await scene.bot.caught_up()
    loop = asyncio.get_running_loop()
    reads.begun.clear()
    begun = loop.time()

    await reads.reached(30)

    seconds = loop.time() - begun
    assert len(reads.begun) <= seconds / INTERVAL + 3  # as many as may have been under way before and after


@pytest.mark.usefixtures("often")
async def test_it_reads_each_place_in_turn(settled: Scene, reads: Reads) -> None:
    """Every quiet place is read once before any is read again."""
    scene = settled
    for number in range(10):
        channel = scene.playground.admin.add_channel(f"channel-{number}")
        scene.say("just talking", channel=channel.id)
    await scene.restart(bot={"look_interval": INTERVAL})
    async with patience("the bot to catch up"):
        await scene.bot.caught_up()

    reads.begun.clear()
    await reads.reached(24)

    assert len(set(reads.begun[:12])) == 12
    assert reads.begun[:12] == reads.begun[12:24]
