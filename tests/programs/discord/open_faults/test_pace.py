"""Who waits for whom: a live message for its own channel only, and all other reading for the answers."""

import asyncio

import pytest

from llmgine.sessions.sqlite import SqliteDatabase
from programs.playground.entities import ADA_ID, GENERAL_ID, RANDOM_ID, Channel
from tests.programs.discord.open_faults.faults import Reads, answered, given, open_fault, soon
from tests.programs.discord.scene import PATIENCE, Scene

MANY = 24  # channels; more than are read at the same time
SLOW = 8.0  # requests a second, so that their order shows


async def with_news(scene: Scene, count: int) -> list[Channel]:
    """So many channels, in each of which something was said while the bot was away; it is not started again."""
    channels = [scene.playground.world.add_channel(f"channel-{number}") for number in range(count)]
    for channel in channels:
        scene.say("before", channel=channel.id)
    await scene.restart()
    async with asyncio.timeout(PATIENCE):
        await scene.bot.caught_up()
    await scene.stop()
    for channel in reversed(channels):  # the first is the last in which something was said
        scene.say("just talking", channel=channel.id)
    return channels


@open_fault("so many reads are made at a time, so while they take long no other channel is read, and its messages wait")
async def test_a_live_message_waits_for_no_other_channel(settled: Scene, reads: Reads) -> None:
    """While the reads of all other channels take long, a question in the last one is answered."""
    scene = settled
    with given():
        last = (await with_news(scene, MANY))[-1]
        reads.hold(but=(last.id,))
        await scene.start()
        await asyncio.wait_for(reads.reached(), PATIENCE)

    scene.ask("is anybody there?", channel=last.id)

    await answered(scene, ["is anybody there?"], channel=last.id)


@pytest.mark.parametrize("kind", ["DM", "thread"])
@open_fault("messages of DMs, and of threads made meanwhile, wait until all channels are caught up with")
async def test_a_place_that_no_server_lists_waits_for_no_channel(settled: Scene, reads: Reads, kind: str) -> None:
    """While the read of a channel takes long, a message in a DM or in a new thread is answered."""
    scene = settled
    with given():
        dm = scene.playground.people.open_dm(ADA_ID)
        scene.say("hello", channel=dm.id)
        await scene.outcome(channel=dm.id)
        await scene.stop()
        scene.say("just talking", channel=RANDOM_ID)
        reads.hold(but=(dm.id,))
        known = len(scene.playground.requests)
        await scene.start()
        of_dm = f"/channels/{dm.id}/messages?"
        await scene.until(lambda: any(one.path.startswith(of_dm) for one in [*scene.playground.requests][known:]))
        await asyncio.wait_for(reads.reached(2), PATIENCE)
        place = dm if kind == "DM" else scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Made just now")
        if kind == "thread":
            reads.hold(but=(dm.id, place.id))

    scene.ask("is anybody there?", channel=place.id)

    await soon(scene, lambda: len(scene.outcomes(place.id)) == 1 + (kind == "DM"))


@open_fault("channels are read in the order of the server's list, whoever waits for an answer")
async def test_a_read_that_an_answer_waits_for_comes_first(settled: Scene, reads: Reads) -> None:
    """The channel in which somebody asks is read before the others that have news and nobody who waits."""
    scene = settled
    with given():
        last = (await with_news(scene, MANY))[-1]
        reads.begun.clear()
        await scene.start(bot={"rate": SLOW})
        await asyncio.wait_for(reads.reached(), PATIENCE)
        scene.ask("is anybody there?", channel=last.id)

    await soon(scene, lambda: last.id in reads.begun, seconds=4)

    assert reads.begun.index(last.id) < MANY // 2


@open_fault("reads of what was missed are as important as answers, which queue behind them")
async def test_answers_go_before_all_other_reads(settled: Scene, reads: Reads) -> None:
    """An answer in a channel without news is posted before the reads that are waiting for their turn."""
    scene = settled
    with given():
        await with_news(scene, MANY)
        reads.begun.clear()
        await scene.start(bot={"rate": SLOW})
        await asyncio.wait_for(reads.reached(), PATIENCE)
        scene.ask("is anybody there?")
        await asyncio.wait_for(scene.model.until(lambda: scene.model.requests != []), PATIENCE)
        begun = len(reads.begun)

    await soon(scene, lambda: scene.shown(GENERAL_ID), seconds=4)

    before = len(reads.begun) - begun
    assert before < 4


@open_fault("the first start writes the cursor of each channel in a transaction of its own")
async def test_the_first_start_makes_no_transaction_per_channel(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first start with many channels makes fewer transactions than there are channels."""
    channels, count = 100, 0
    for number in range(channels):
        unstarted.playground.world.add_channel(f"channel-{number}")
    run = SqliteDatabase.run

    async def counted(database: SqliteDatabase, *args: object, **options: object) -> object:
        nonlocal count
        count += 1
        return await run(database, *args, **options)  # type: ignore[arg-type]  # however it is called

    monkeypatch.setattr(SqliteDatabase, "run", counted)
    with given():
        scene = await unstarted.start()
        await asyncio.wait_for(scene.bot.caught_up(), PATIENCE)

    assert count < channels
