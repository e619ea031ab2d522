"""Direct messages that came while the bot was away: Discord lists no DMs, so the bot must know where to look."""

import asyncio
import re
from contextlib import suppress
from pathlib import Path

from programs.discord.ids import SOURCE
from programs.playground.entities import ADA_ID, GENERAL_ID, Channel
from tests.durability.waiting import eventually
from tests.programs.discord.open_faults.faults import Reads, given, open_fault, soon
from tests.programs.discord.scene import PATIENCE, Scene, people_said

ROOT = Path(__file__).parents[4]
QUESTION = "is anybody there?"
MANY = 66  # DMs, or threads; a few more than were read before


def newcomers(scene: Scene, count: int) -> list[Channel]:
    """The DMs of so many people who joined just now."""
    joined = [scene.playground.world.join(f"Person {number}") for number in range(count)]
    return [scene.playground.people.open_dm(person_id) for person_id in joined]


def write(scene: Scene, dms: list[Channel], text: str) -> None:
    """Everybody writes to the bot, one after the other."""
    for dm in dms:
        assert dm.recipient_id is not None
        scene.say(text, by=dm.recipient_id, channel=dm.id)


async def greeted(scene: Scene, dms: list[Channel]) -> None:
    """Everybody wrote to the bot and was answered."""
    write(scene, dms, "hello")
    async with asyncio.timeout(PATIENCE):
        await scene.playground.wait_for(lambda _state: all(scene.outcomes(dm.id) for dm in dms))
    await scene.delivered()


def answered_twice(scene: Scene, dms: list[Channel]) -> int:
    """How many of them have a second answer."""
    return sum(len(scene.outcomes(dm.id)) == 2 for dm in dms)


async def all_answered(scene: Scene, reads: Reads, dms: list[Channel]) -> None:
    """Check that everybody has a second answer, once nothing is read, asked or answered any more."""
    done = -1

    def goes_on() -> bool:
        return len(reads.begun) + len(scene.model.requests) + answered_twice(scene, dms) > done

    with suppress(TimeoutError):
        while answered_twice(scene, dms) < len(dms):
            await soon(scene, goes_on)
            done = len(reads.begun) + len(scene.model.requests) + answered_twice(scene, dms)
    count, people = answered_twice(scene, dms), len(dms)
    assert count == people


def looks(scene: Scene) -> list[str]:
    """What the bot asked to know of channels."""
    return [one.path for one in scene.playground.requests if (one.method, one.route[:9]) == ("GET", "/channels")]


async def all_read(scene: Scene, channels: list[Channel]) -> bool:
    """Whether the bot knows up to where it has read each of them."""
    cursors = await scene.app.store.cursors.of(SOURCE)
    return all(str(channel.id) in cursors for channel in channels)


@open_fault("only the 64 DMs that were read last are looked at")
async def test_everybody_is_answered_however_many_there_are(settled: Scene, reads: Reads) -> None:
    """Of many people who wrote while the bot was away, each to whom it had spoken before is answered."""
    scene = settled
    with given():
        dms = newcomers(scene, MANY)
        await greeted(scene, dms)
        await scene.stop()
        write(scene, dms, "are you there?")

        await scene.start()

    await all_answered(scene, reads, dms)


@open_fault("archived threads that were read later take the places of the DMs among the 64")
async def test_archived_threads_keep_nobody_from_an_answer(settled: Scene, reads: Reads) -> None:
    """However many archived threads were read since, people who wrote in their DMs are answered."""
    scene = settled
    with given():
        dms = newcomers(scene, 3)
        await greeted(scene, dms)
        threads = [scene.playground.people.create_thread(GENERAL_ID, ADA_ID, f"t{number}") for number in range(MANY)]
        for thread in threads:
            message = scene.say("just talking", channel=thread.id)
            await scene.app.store.cursors.move(SOURCE, str(thread.id), message.id)  # as a read of the thread does
        await eventually(lambda: all_read(scene, threads))
        await scene.stop()
        for thread in threads:
            assert thread.thread is not None
            thread.thread.archived = True
            scene.playground.state.update_thread(thread)
        write(scene, dms, "are you there?")

        await scene.start()

    await all_answered(scene, reads, dms)


@open_fault("the DMs are read in the order in which they were read before, the oldest first")
async def test_the_newest_come_first(settled: Scene, reads: Reads) -> None:
    """The DM in which something was heard last is read before the one that has been quiet for longest."""
    scene = settled
    with given():
        dms = newcomers(scene, 12)
        await greeted(scene, dms)
        await scene.stop()
        write(scene, dms, "are you there?")
        reads.begun.clear()

        await scene.start()
        await scene.until(lambda: answered_twice(scene, dms) == len(dms))

    oldest, newest = reads.begun.index(dms[0].id), reads.begun.index(dms[-1].id)
    assert newest < oldest


@open_fault("the DMs are looked at with the importance of answers, which queue behind that")
async def test_answers_go_before_the_reading_of_dms(settled: Scene) -> None:
    """While the DMs are looked at one after the other, an answer in another channel waits for few of them."""
    scene = settled
    with given():
        await greeted(scene, newcomers(scene, 12))
        await scene.restart(bot={"rate": 5.0})
        scene.ask(QUESTION)
        await asyncio.wait_for(
            scene.model.until(lambda: people_said(scene.model.requests[-1])[-1:] == [QUESTION]), PATIENCE
        )
        begun = len(looks(scene))

    await soon(scene, lambda: scene.shown(GENERAL_ID), seconds=4)

    before = len(looks(scene)) - begun
    assert before < 4


@open_fault("/why says that it may still get to a first DM whose event was lost")
async def test_why_says_that_a_first_message_may_be_lost(settled: Scene) -> None:
    """In a DM in which nothing was received before, /why says that a first message can be missed for good."""
    scene = settled
    dm = scene.playground.people.open_dm(ADA_ID)
    scene.playground.gateway.lose("MESSAGE_CREATE")
    scene.say("hello?", channel=dm.id)
    scene.command("why", channel=dm.id)

    shown = await soon(scene, lambda: [message.content for message in scene.private(ADA_ID, dm.id) if message.content])

    assert re.search(r"\bfirst\b", shown[0])


@open_fault("no page says that a first DM can be missed")
def test_the_docs_say_that_a_first_message_may_be_lost() -> None:
    """The README or a page of docs/ says that a person's first direct message is not found when its event is lost."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]

    assert any(re.search(r"\bfirst (DM|direct message)\b", page.read_text(), re.IGNORECASE) for page in pages)
