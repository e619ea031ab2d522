"""The end in every state of a feed: in time, and the next start answers everything once, in order."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from programs.discord.incoming.feed_state import FeedState
from programs.playground.entities import GENERAL_ID, RANDOM_ID
from tests.programs.discord.answers import answered, asked
from tests.programs.discord.gate import Gate
from tests.programs.discord.reads import HISTORY, Reads
from tests.programs.discord.scene import Scene
from tests.waiting import eventually, patience

ALWAYS = 1_000_000  # times
GRACE = 0.0
MARGIN = 5.0  # seconds beyond the grace in which it ends

# Comes to a state; gives what holds operations of the store.
Setting = Callable[[Scene, Reads], Awaitable[list[Gate]]]


def state(scene: Scene, channel: int = GENERAL_ID) -> FeedState | None:
    """What the feed of a channel is at; None when there is none."""
    feed = scene.bot._feeds._feeds.get(channel)
    return None if feed is None else feed.state


async def reach(scene: Scene, wanted: FeedState) -> None:
    """Wait until the feed of the channel is in this state."""
    await eventually(lambda: state(scene) is wanted, wanted.name)


async def let_go(gates: list[Gate]) -> None:
    """Have the store go on, and wait until what was being stored is."""
    for gate in gates:
        gate.open.set()
    await eventually(lambda: [task for task in asyncio.all_tasks() if "._admit" in repr(task)], "the store", empty=True)


async def away(scene: Scene) -> None:
    """Something is asked while the bot is not there."""
    await scene.stop()
    scene.ask("one")


async def unknown(scene: Scene, reads: Reads) -> list[Gate]:
    """The cursor is being looked up."""
    await away(scene)
    scene.playground.gateway.outage()
    await scene.start()
    gates = [Gate(scene, "cursors.newest"), Gate(scene, "cursors.newest")]  # for the server's look and the feed's
    for gate in gates:
        gate.holds = True
    scene.playground.gateway.restore()
    scene.ask("two")
    async with patience("the store to be asked"):
        for gate in gates:
            await gate.reached.wait()
    await reach(scene, FeedState.UNKNOWN)
    return gates


async def behind(scene: Scene, reads: Reads) -> list[Gate]:
    """Other channels are read, so many as are at a time, and it is not its turn."""
    others = [scene.playground.admin.add_channel(f"channel-{number}").id for number in range(8)]
    for other in others:
        scene.say("before", channel=other)
    await scene.restart()
    await scene.bot.caught_up()
    scene.playground.gateway.outage()
    for other in others:
        scene.say("just talking", channel=other)
    reads.begun.clear()
    reads.hold()
    scene.playground.gateway.restore()
    await reads.reached(8)
    scene.playground.gateway.lose("MESSAGE_CREATE")
    scene.ask("one")
    await scene.bot.check()
    await reach(scene, FeedState.BEHIND)
    return []


async def reading(scene: Scene, reads: Reads) -> list[Gate]:
    """What was missed is read, and a live message waits."""
    await away(scene)
    reads.hold()
    await scene.start()
    await reads.reached()
    heard = scene.bot.wait_for("message")
    scene.ask("two")
    async with patience("the live message"):
        await heard
    await reach(scene, FeedState.READING)
    return []


async def live(scene: Scene, reads: Reads) -> list[Gate]:
    """A message is being stored."""
    gate = Gate(scene, "turns.admit")
    gate.holds = True
    scene.ask("one")
    scene.ask("two")
    async with patience("the store to be asked"):
        await gate.reached.wait()
    await reach(scene, FeedState.LIVE)
    return [gate]


async def blocked(scene: Scene, reads: Reads) -> list[Gate]:
    """The store failed, and it is not time to try again."""
    await scene.restart(bot={"first_wait": 60.0})
    Gate(scene, "turns.admit").failures = ALWAYS
    scene.ask("one")
    scene.ask("two")
    await reach(scene, FeedState.BLOCKED)
    return []


async def unreadable(scene: Scene, reads: Reads) -> list[Gate]:
    """The history cannot be read; what is said live is answered."""
    await away(scene)
    scene.playground.faults.plan("error", "GET", HISTORY, status=503, times=ALWAYS)
    await scene.start()
    await reach(scene, FeedState.UNREADABLE)
    return []


async def gone(scene: Scene, reads: Reads) -> list[Gate]:
    """The server is in an outage."""
    heard = scene.bot.wait_for("guild_unavailable")
    scene.playground.gateway.outage()
    async with patience("the outage"):
        await heard
    scene.ask("one")
    await reach(scene, FeedState.GONE)
    return []


SETTINGS: dict[FeedState, Setting] = {
    FeedState.UNKNOWN: unknown,
    FeedState.BEHIND: behind,
    FeedState.READING: reading,
    FeedState.LIVE: live,
    FeedState.BLOCKED: blocked,
    FeedState.UNREADABLE: unreadable,
    FeedState.GONE: gone,
}


@pytest.mark.parametrize("wanted", FeedState, ids=lambda one: one.name.lower())
async def test_it_ends_in_every_state(
    settled: Scene, reads: Reads, caplog: pytest.LogCaptureFixture, wanted: FeedState
) -> None:
    """Told to end while a feed is in this state, the bot ends in time; the next one answers all of it, in order."""
    scene = settled
    gates = await SETTINGS[wanted](scene, reads)

    async with asyncio.timeout(GRACE + MARGIN):
        await scene.bot.wind_down(GRACE)

    caplog.clear()  # what failed was logged, as it should be
    await let_go(gates)
    await scene.stop()
    reads.release()
    scene.playground.faults.clear()
    scene.playground.gateway.restore()
    questions = [text for text in ("one", "two") if any(text in one.content for one in scene.messages())]
    await scene.start()
    scene.ask("after")
    await answered(scene, [*questions, "after"])


async def test_it_ends_while_nobody_is_ready(settled: Scene, reads: Reads) -> None:
    """It ends in time also while it has heard messages and READY's work is not done; they are answered later."""
    scene = settled
    await away(scene)
    reads.hold()
    await scene.start()
    gate = Gate(scene, "turns.asked_lately")
    gate.holds = True
    scene.playground.gateway.outage()
    scene.playground.gateway.restore()
    async with patience("the store to be asked"):
        await gate.reached.wait()
    scene.ask("elsewhere", channel=RANDOM_ID)

    async with asyncio.timeout(GRACE + MARGIN):
        await scene.bot.wind_down(GRACE)

    await let_go([gate])
    await scene.stop()
    reads.release()
    await scene.start()
    await scene.until(lambda: scene.outcomes() and scene.outcomes(RANDOM_ID))
    await scene.delivered()
    assert sorted(asked(scene)) == ["elsewhere", "one"]
