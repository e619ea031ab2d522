"""Direct messages that came while the bot was away: Discord lists no DMs, so the bot must know where to look."""

import asyncio
import re

import pytest

from llmgine.sessions.records import Cursor
from programs.discord.ids import SOURCE
from programs.playground.entities import ADA_ID, GENERAL_ID, GUILD_ID, Channel
from tests.programs.discord.gate import Gate
from tests.programs.discord.reads import Reads
from tests.programs.discord.scene import Scene, people_said
from tests.waiting import eventually, patience

QUESTION = "is anybody there?"
AGAIN = "are you there?"
MANY = 66  # DMs, or threads


def newcomers(scene: Scene, count: int) -> list[Channel]:
    """The DMs of so many people who joined just now."""
    joined = [scene.playground.admin.join(f"Person {number}") for number in range(count)]
    return [scene.playground.people.open_dm(person_id) for person_id in joined]


def write(scene: Scene, dms: list[Channel], text: str) -> None:
    """Everybody writes to the bot, one after the other."""
    for dm in dms:
        assert dm.recipient_id is not None
        scene.say(text, by=dm.recipient_id, channel=dm.id)


async def greeted(scene: Scene, dms: list[Channel]) -> None:
    """Everybody wrote to the bot and was answered."""
    write(scene, dms, "hello")
    await scene.until(lambda: all(scene.outcomes(dm.id) for dm in dms))
    await scene.delivered()


async def all_answered(scene: Scene, dms: list[Channel]) -> None:
    """Check that everybody has a second answer, and one only, once nothing is under way."""
    await scene.until(lambda: all(len(scene.outcomes(dm.id)) > 1 for dm in dms))
    await scene.delivered()
    assert {len(scene.outcomes(dm.id)) for dm in dms} == {2}


def looks(scene: Scene) -> list[str]:
    """What the bot asked to know of channels, but for what was written before questions."""
    asked = [one.path for one in scene.playground.requests if (one.method, one.route[:9]) == ("GET", "/channels")]
    return [path for path in asked if "before=" not in path]


async def all_read(scene: Scene, channels: list[Channel]) -> bool:
    """Whether the bot knows up to where it has read each of them."""
    cursors = await scene.cursors()
    return all(str(channel.id) in cursors for channel in channels)


async def test_everybody_is_answered_however_many_there_are(settled: Scene, reads: Reads) -> None:
    """Of 150 people who wrote while the bot was away, each to whom it had spoken before is answered.

    Their DMs are read, and nothing else is asked of them.
    """
    scene = settled
    dms = newcomers(scene, 150)
    await greeted(scene, dms)
    await scene.stop()
    write(scene, dms, AGAIN)
    reads.begun.clear()
    asked_before = len(looks(scene))

    await scene.start()

    await all_answered(scene, dms)
    assert {dm.id for dm in dms} <= set(reads.begun)
    assert len(looks(scene)) - asked_before == len(reads.begun)


async def test_a_dm_that_was_let_go_is_answered(settled: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the DMs that were read few are kept in memory; who writes in another is answered, now and after a restart."""
    monkeypatch.setattr("programs.discord.incoming.unlisted._KEPT", 2)
    monkeypatch.setattr("programs.discord.incoming.unlisted._PAGE", 3)
    monkeypatch.setattr("programs.discord.incoming.unlisted._LATE", 0)
    scene = settled
    dms = newcomers(scene, 12)
    await greeted(scene, dms)
    for _ in range(2):  # the first time answers are new in each of them
        await scene.restart()
        await scene.bot.caught_up()
    kept = {dm.id for dm in dms} & set(scene.bot._feeds._feeds)

    write(scene, dms, AGAIN)
    await all_answered(scene, dms)
    await scene.stop()
    write(scene, dms, QUESTION)
    await scene.start()

    await scene.until(lambda: all(len(scene.outcomes(dm.id)) > 2 for dm in dms))
    await scene.delivered()
    assert {len(scene.outcomes(dm.id)) for dm in dms} == {3}
    assert len(kept) <= 2


async def test_a_dm_that_the_bot_opened_is_known(settled: Scene) -> None:
    """Who answers what the bot wrote to them first, while it is away, is answered after the next start."""
    scene = settled
    person = scene.playground.admin.join("Newcomer")
    channel = await scene.bot.create_dm(await scene.bot.fetch_user(person))
    await channel.send("Your answer could not be shown.")
    dm = scene.playground.people.open_dm(person)
    await eventually(lambda: all_read(scene, [dm]))
    await scene.stop()
    write(scene, [dm], QUESTION)

    await scene.start()

    await scene.outcome(channel=dm.id)


async def test_a_dm_is_known_before_anything_is_said_in_it(settled: Scene) -> None:
    """A DM that the bot opens is stored first, so that a kill just after it wrote there loses no reply."""
    scene = settled
    person = await scene.bot.fetch_user(scene.playground.admin.join("Newcomer"))
    gate = Gate(scene, "cursors.move")
    gate.holds = True
    opening = asyncio.create_task(scene.bot.create_dm(person))
    async with patience("the store to be asked"):
        await gate.reached.wait()
    assert not opening.done()

    gate.open.set()
    dm = await opening

    assert str(dm.id) in await scene.cursors()


async def test_archived_threads_keep_nobody_from_an_answer(settled: Scene) -> None:
    """However many archived threads were read since, people who wrote in their DMs are answered."""
    scene = settled
    dms = newcomers(scene, 3)
    await greeted(scene, dms)
    threads = [scene.playground.people.create_thread(GENERAL_ID, ADA_ID, f"t{number}") for number in range(MANY)]
    for thread in threads:
        message = scene.say("just talking", channel=thread.id)
        cursor = Cursor(str(thread.id), message.id, "thread", str(GENERAL_ID), GUILD_ID)
        await scene.app.store.cursors.move(SOURCE, [cursor])  # as a read of the thread does
    await eventually(lambda: all_read(scene, threads))
    await scene.stop()
    for thread in threads:
        assert thread.thread is not None
        thread.thread.archived = True
        scene.playground.state.update_thread(thread)
    write(scene, dms, AGAIN)

    await scene.start()

    await all_answered(scene, dms)


async def test_the_newest_come_first(settled: Scene, reads: Reads) -> None:
    """The DM in which something was heard last is read before the one that has been quiet for longest."""
    scene = settled
    dms = newcomers(scene, 12)
    await greeted(scene, dms)
    await scene.stop()
    write(scene, dms, AGAIN)
    reads.begun.clear()

    await scene.start()

    await all_answered(scene, dms)
    assert reads.begun.index(dms[-1].id) < reads.begun.index(dms[0].id)


async def test_answers_go_before_the_reading_of_dms(settled: Scene) -> None:
    """While the DMs are looked at one after the other, an answer in another channel waits for few of them."""
    scene = settled
    await greeted(scene, newcomers(scene, 12))
    await scene.restart(bot={"rate": 5.0})
    scene.ask(QUESTION)
    async with patience("the model to be asked"):
        await scene.model.until(lambda: people_said(scene.model.requests[-1])[-1:] == [QUESTION])
    begun = len(looks(scene))

    await scene.until(lambda: scene.shown(GENERAL_ID))

    before = len(looks(scene)) - begun
    assert before < 4


async def test_why_says_that_a_first_message_may_be_lost(settled: Scene) -> None:
    """In a DM in which nothing was received before, /why says that a first message can be missed for good."""
    scene = settled
    dm = scene.playground.people.open_dm(ADA_ID)
    scene.playground.gateway.lose("MESSAGE_CREATE")
    scene.say("hello?", channel=dm.id)
    scene.command("why", channel=dm.id)

    shown = await scene.until(lambda: [message.content for message in scene.private(ADA_ID, dm.id) if message.content])

    assert re.search(r"\bfirst\b", shown[0])
