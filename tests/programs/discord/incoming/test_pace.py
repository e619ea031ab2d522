"""Who waits for whom: a live message for its own channel only, and all other reading for the answers."""

import pytest

from llmgine.sessions.sqlite import SqliteDatabase
from programs.playground.entities import ADA_ID, GENERAL_ID, RANDOM_ID, Channel
from tests.programs.discord.answers import answered
from tests.programs.discord.reads import Reads
from tests.programs.discord.scene import Scene
from tests.waiting import patience

MANY = 24  # channels; more than are read at the same time
SLOW = 8.0  # requests a second, so that their order shows
QUESTION = "is anybody there?"


async def with_news(scene: Scene, count: int) -> list[Channel]:
    """So many channels, in each of which something was said while the bot was away; it is not started again."""
    channels = [scene.playground.admin.add_channel(f"channel-{number}") for number in range(count)]
    for channel in channels:
        scene.say("before", channel=channel.id)
    await scene.restart()
    async with patience("the bot to catch up"):
        await scene.bot.caught_up()
    await scene.stop()
    for channel in reversed(channels):  # the first is the last in which something was said
        scene.say("just talking", channel=channel.id)
    return channels


async def test_a_live_message_waits_for_no_other_channel(settled: Scene, reads: Reads) -> None:
    """While the reads of all other channels take long, a question in the last one is answered."""
    scene = settled
    last = (await with_news(scene, MANY))[-1]
    reads.hold(but=(last.id,))
    await scene.start()
    await reads.reached()

    scene.ask(QUESTION, channel=last.id)

    await scene.until(lambda: scene.outcomes(last.id))
    reads.release()
    await answered(scene, [QUESTION], channel=last.id)


@pytest.mark.parametrize("kind", ["DM", "thread"])
async def test_a_place_that_no_server_lists_waits_for_no_channel(settled: Scene, reads: Reads, kind: str) -> None:
    """While the read of a channel takes long, a message in a DM or in a new thread is answered."""
    scene = settled
    dm = scene.playground.people.open_dm(ADA_ID)
    scene.say("hello", channel=dm.id)
    await scene.outcome(channel=dm.id)
    await scene.stop()
    scene.say("just talking", channel=RANDOM_ID)
    reads.hold(but=(dm.id,))
    reads.begun.clear()
    await scene.start()
    await scene.until(lambda: {dm.id, RANDOM_ID} <= set(reads.begun))
    place = dm if kind == "DM" else scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Made just now")
    reads.hold(but=(dm.id, place.id))

    scene.ask(QUESTION, channel=place.id)

    await scene.until(lambda: len(scene.outcomes(place.id)) == 1 + (kind == "DM"))


async def test_a_read_that_an_answer_waits_for_comes_first(settled: Scene, reads: Reads) -> None:
    """The channel in which somebody asks is read before the others that have news and nobody who waits."""
    scene = settled
    last = (await with_news(scene, MANY))[-1]
    reads.begun.clear()
    await scene.start(bot={"rate": SLOW})
    await reads.reached()
    scene.ask(QUESTION, channel=last.id)

    await scene.until(lambda: last.id in reads.begun)

    assert reads.begun.index(last.id) < MANY // 2


async def test_answers_go_before_all_other_reads(settled: Scene, reads: Reads) -> None:
    """An answer in a channel without news is posted before the reads that are waiting for their turn."""
    scene = settled
    await with_news(scene, MANY)
    reads.begun.clear()
    await scene.start(bot={"rate": SLOW})
    await reads.reached()
    scene.ask(QUESTION)
    async with patience("the model to be asked"):
        await scene.model.until(lambda: scene.model.requests != [])
    begun = len(reads.begun)

    await scene.until(lambda: scene.shown(GENERAL_ID))

    before = len(reads.begun) - begun
    assert before < 4


async def test_the_first_start_makes_no_transaction_per_channel(
    unstarted: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first start with many channels makes as many transactions as one with few."""
    scene, count = unstarted, 0
    run = SqliteDatabase.run

    async def counted(database: SqliteDatabase, *args: object, **options: object) -> object:
        nonlocal count
        count += 1
        return await run(database, *args, **options)  # type: ignore[arg-type]  # however it is called

    monkeypatch.setattr(SqliteDatabase, "run", counted)
    for number in range(100):
        channel = scene.playground.admin.add_channel(f"channel-{number}")
        scene.say("long ago", channel=channel.id)

    await scene.start()
    async with patience("the bot to catch up"):
        await scene.bot.caught_up()

    assert len(await scene.cursors()) > 100
    assert count < 55
