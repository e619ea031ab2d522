"""What comes in: messages that are not found, called missed, or read twice."""

import asyncio
import gc
from collections import Counter

import pytest

from programs.discord.incoming import feed
from programs.playground.entities import ADA_ID, GENERAL_ID, RANDOM_ID
from tests.programs.discord.answers import answered, asked
from tests.programs.discord.gate import Gate
from tests.programs.discord.reads import HISTORY, Reads
from tests.programs.discord.scene import MENTION, Scene
from tests.waiting import eventually, patience


async def caught_up(scene: Scene) -> None:
    """Wait until nothing is to be read."""
    async with patience("the bot to catch up"):
        await scene.bot.caught_up()


@pytest.mark.parametrize("kind", ["channel", "thread"])
async def test_a_lost_event_is_found_in_a_new_place(settled: Scene, kind: str) -> None:
    """A message of which no event came, in a channel or thread made since the start, is found by the rotation."""
    scene, playground = settled, settled.playground
    made = scene.bot.wait_for("guild_channel_create" if kind == "channel" else "thread_create")
    if kind == "channel":
        place = playground.admin.add_channel("new")
    else:
        place = playground.people.create_thread(GENERAL_ID, ADA_ID, "Made just now")
    async with patience("the bot to hear of it"):
        await made
    playground.gateway.lose("MESSAGE_CREATE")
    scene.ask("lost", channel=place.id)

    for _ in range(4):
        await scene.bot.check()

    await answered(scene, ["lost"], channel=place.id)


@pytest.mark.parametrize("kind", ["channel", "thread"])
async def test_a_place_made_during_an_outage(settled: Scene, kind: str) -> None:
    """What was asked in a place that was made during an outage is answered after it, also by the very first process."""
    scene, playground = settled, settled.playground
    playground.gateway.outage()
    if kind == "channel":
        place = playground.admin.add_channel("new")
    else:
        place = playground.people.create_thread(GENERAL_ID, ADA_ID, "Made meanwhile")
    scene.ask("in here", channel=place.id)

    playground.gateway.restore()

    await answered(scene, ["in here"], channel=place.id)


async def test_the_next_message_brings_a_lost_edit_and_a_lost_deletion(settled: Scene) -> None:
    """When a quiet channel is heard again, edits and deletions that were lost there are found."""
    scene = settled
    first, second = scene.ask("one"), scene.ask("two")
    await scene.outcome(2)
    await scene.restart()
    await caught_up(scene)
    scene.playground.gateway.lose("MESSAGE_UPDATE")
    scene.playground.people.edit(GENERAL_ID, first.id, ADA_ID, f"{MENTION} one, I mean")
    scene.playground.gateway.lose("MESSAGE_DELETE")
    scene.playground.people.delete(GENERAL_ID, second.id, ADA_ID)

    scene.ask("three")

    await scene.until(lambda: "one, I mean" in scene.shown()[0].content and len(scene.shown()) == 2)


async def test_a_queue_that_is_full_while_the_channel_is_read(
    settled: Scene, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More messages than a queue takes, while the read of what was missed is held: all are answered, in order."""
    scene, most = settled, 20
    monkeypatch.setattr(feed, "MAX_ITEMS", most)
    questions = [f"question {number}" for number in range(most + 5)]
    await scene.stop()
    scene.ask("missed")
    reads.hold()
    await scene.start()
    await reads.reached()
    last = scene.bot.wait_for("message", check=lambda message: message.content.endswith(questions[-1]))
    for question in questions:
        scene.ask(question)
    async with patience("the last question to be heard"):
        await last

    reads.release()

    await scene.until(lambda: len(scene.outcomes()) == 1 + len(questions))
    assert asked(scene) == ["missed", *questions]


async def test_each_dm_is_read_once(settled: Scene, reads: Reads) -> None:
    """At a start each DM is read once, for messages and for edits and deletions."""
    scene = settled
    people = [scene.playground.admin.join(f"Person {number}") for number in range(12)]
    dms = [scene.playground.people.open_dm(person_id) for person_id in people]
    for dm, person_id in zip(dms, people, strict=True):
        scene.say("hello", by=person_id, channel=dm.id)
    await scene.until(lambda: all(scene.outcomes(dm.id) for dm in dms))
    await scene.delivered()
    await scene.stop()
    reads.begun.clear()

    await scene.start()

    await caught_up(scene)
    assert {Counter(reads.begun)[dm.id] for dm in dms} == {1}


async def test_each_channel_of_a_late_server_is_read_once(settled: Scene, reads: Reads) -> None:
    """A server that comes late has each channel with news read once, for messages and for edits and deletions."""
    scene = settled
    for channel in (GENERAL_ID, RANDOM_ID):
        scene.ask("before", channel=channel)
        await scene.outcome(channel=channel)
    scene.playground.gateway.outage()
    for channel in (GENERAL_ID, RANDOM_ID):
        scene.say("just talking", channel=channel)
    reads.begun.clear()

    scene.playground.gateway.restore()

    await scene.until(lambda: {GENERAL_ID, RANDOM_ID} <= set(reads.begun))
    await scene.delivered()
    assert Counter(reads.begun) == {GENERAL_ID: 1, RANDOM_ID: 1}


async def test_a_long_rate_limit_of_reads(settled: Scene) -> None:
    """While the reads of a channel are limited for an hour, its live messages are answered."""
    scene = settled
    scene.playground.faults.plan("rate_limit", "GET", HISTORY, retry_after=3600, times=100)

    scene.ask("one")

    await answered(scene, ["one"])


async def test_an_admission_that_the_store_ends_late_is_no_error(
    settled: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that takes longer than the end over a message leaves no task behind that fails."""
    scene = settled
    gate = Gate(scene, "turns.admit")
    gate.holds = True
    scene.ask("one")
    async with patience("the store to be asked"):
        await gate.reached.wait()

    await scene.stop()

    gate.open.set()
    await eventually(lambda: [task for task in asyncio.all_tasks() if "._admit" in repr(task)], "the store", empty=True)
    gc.collect()
    assert "never retrieved" not in caplog.text
