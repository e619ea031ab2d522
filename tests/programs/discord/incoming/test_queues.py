"""The queue of a channel: what waits in it, what comes twice, and what happens when it is full."""

import pytest

from llmgine.sessions.clock import now
from programs.discord.incoming import feed
from programs.playground.entities import ADA_ID, GENERAL_ID
from tests.programs.discord.answers import answered, asked_in_all
from tests.programs.discord.gate import Gate
from tests.programs.discord.reads import Reads
from tests.programs.discord.scene import MENTION, Scene
from tests.waiting import eventually, patience

ALWAYS = 1_000_000  # times
MOST = 20  # items of a queue, in place of `feed.MAX_ITEMS`


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queues are full early."""
    monkeypatch.setattr(feed, "MAX_ITEMS", MOST)


async def ask_many(scene: Scene, count: int) -> list[str]:
    """Ask so many questions, until the bot has heard them all; gives them."""
    questions = [f"question {number}" for number in range(count)]
    last = scene.bot.wait_for("message", check=lambda message: message.content.endswith(questions[-1]))
    for question in questions:
        scene.ask(question)
    async with patience("the last question to be heard"):
        await last
    return questions


@pytest.mark.usefixtures("small")
async def test_a_full_queue_while_the_store_hangs(settled: Scene) -> None:
    """More messages than a queue takes, while the store does not answer: each is answered, once and in order."""
    scene = settled
    gate = Gate(scene, "turns.admit")
    gate.holds = True
    scene.ask("first")
    async with patience("the store to be asked"):
        await gate.reached.wait()
    questions = await ask_many(scene, 2 * MOST + 5)

    gate.open.set()

    await answered(scene, ["first", *questions])
    assert not any("offline" in message.content for message in scene.shown())


@pytest.mark.usefixtures("small")
async def test_no_more_waits_than_a_queue_takes(settled: Scene) -> None:
    """However much comes in while the store does not answer, memory holds no more of it; the rest is read later."""
    scene = settled
    gate = Gate(scene, "turns.admit")
    gate.holds = True
    scene.ask("first")
    async with patience("the store to be asked"):
        await gate.reached.wait()

    questions = await ask_many(scene, MOST + 5)

    assert len(scene.bot._feeds._feeds[GENERAL_ID]._items or ()) <= MOST
    gate.open.set()
    await answered(scene, ["first", *questions])


@pytest.mark.usefixtures("small")
async def test_a_full_queue_while_the_store_fails(settled: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """The same while the store fails: people are told that once, and nobody that the bot was offline."""
    scene = settled
    scene.ask("before")
    await scene.outcome()
    gate = Gate(scene, "turns.admit")
    gate.failures = ALWAYS
    questions = await ask_many(scene, MOST + 5)
    await eventually(lambda: "is looked at again later" in caplog.text)

    gate.failures = 0

    await answered(scene, ["before", *questions])
    others = [message.content for message in scene.shown() if message not in scene.outcomes()]
    assert len(others) <= 1
    assert "offline" not in str(others)
    caplog.clear()  # that nothing could be stored was logged, as it should be


@pytest.mark.usefixtures("small")
async def test_a_full_queue_of_edits_and_deletions(settled: Scene) -> None:
    """Edits and deletions that a full queue does not take are found by the read that follows."""
    scene = settled
    first, second = scene.ask("one"), scene.ask("two")
    await scene.outcome(2)
    gate = Gate(scene, "turns.admit")
    gate.holds = True
    scene.ask("three")
    async with patience("the store to be asked"):
        await gate.reached.wait()
    scene.playground.people.delete(GENERAL_ID, second.id, ADA_ID)
    for number in range(MOST + 2):
        scene.playground.people.edit(GENERAL_ID, first.id, ADA_ID, f"{MENTION} one, {number}")
    last = scene.bot.wait_for("raw_message_edit", check=lambda payload: payload.message.content.endswith(str(MOST + 1)))
    async with patience("the last edit to be heard"):
        await last

    gate.open.set()

    await scene.until(lambda: len(scene.shown()) == 2 and f"one, {MOST + 1}" in scene.shown()[0].content)
    await scene.delivered()
    assert ["three" in message.content for message in scene.shown()] == [False, True]


async def test_an_event_told_twice_while_a_read_is_under_way(settled: Scene, reads: Reads) -> None:
    """A live message that is told twice while the channel is read is answered once, after what was missed."""
    scene = settled
    await scene.stop()
    scene.ask("missed")
    reads.hold()
    await scene.start()
    await reads.reached()
    scene.ask("live")
    scene.playground.gateway.repeat("MESSAGE_CREATE")
    await ask_many(scene, 1)

    reads.release()

    await answered(scene, ["missed", "live", "question 0"])


async def test_a_missed_message_is_told_while_it_is_read(settled: Scene, reads: Reads) -> None:
    """A message that a read brings, and that is told live only then, is answered once."""
    scene = settled
    scene.ask("one")
    await scene.outcome()
    reads.hold()
    scene.playground.gateway.lose("MESSAGE_CREATE")
    lost = scene.ask("two")
    await scene.bot.check()
    await reads.reached()
    reads.release()
    await scene.outcome(2)

    payload = scene.playground.state.message_payload(lost, ADA_ID)
    scene.playground.gateway.send_event("MESSAGE_CREATE", payload)
    scene.ask("three")

    await answered(scene, ["one", "two", "three"])


async def test_what_waits_is_judged_as_the_read_judged_it(settled: Scene, reads: Reads) -> None:
    """A read admits a mention, and so the bot joins the thread: what was said before it is still not for the bot.

    That was told live while the read was under way, so its turn comes after the mention was admitted.
    """
    scene = settled
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Ours")
    scene.say("hello everybody", channel=thread.id)
    await eventually(lambda: thread.id in reads.begun)
    async with patience("the bot to catch up"):
        await scene.bot.caught_up()
    reads.begun.clear()
    reads.hold()
    await scene.bot.check()  # reads the thread to its end, as nothing waits there
    await eventually(lambda: thread.id in reads.begun)
    # What is set somewhere else makes the bot look up again what is set here, so that nothing is dismissed at once.
    await scene.app.store.settings.change("discord:server:1", "cards", "quiet", None, now())
    scene.say("not for the bot", channel=thread.id)
    scene.playground.gateway.lose("MESSAGE_CREATE")
    scene.ask("come in", channel=thread.id)
    heard = scene.bot.wait_for("message")
    scene.ask("now you", channel=thread.id)
    async with patience("the last message to be heard"):
        await heard

    reads.release()

    await scene.until(lambda: len(scene.outcomes(thread.id)) == 2)
    await asked_in_all(scene, ["come in", "now you"])
