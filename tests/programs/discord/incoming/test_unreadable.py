"""Histories that Discord refuses, or answers with something else: no channel becomes deaf by it."""

import pytest

from programs.playground.entities import GENERAL_ID
from tests.programs.discord.answers import answered
from tests.programs.discord.reads import HISTORY, Reads
from tests.programs.discord.scene import Scene
from tests.programs.discord.test_slash import told
from tests.waiting import eventually

ALWAYS = 100  # times
NONSENSE = [{"id": "nonsense"}]


@pytest.mark.parametrize("status", [400, 403, 404, 503])
async def test_live_messages_are_answered_though_nothing_can_be_read(settled: Scene, status: int) -> None:
    """While Discord refuses the history of a channel, what is said there is answered, in order."""
    scene = settled
    scene.playground.faults.plan("error", "GET", HISTORY, status=status, times=ALWAYS)

    scene.ask("one")
    scene.ask("two")

    await answered(scene, ["one", "two"])


@pytest.mark.parametrize("status", [500, 503])
async def test_what_was_missed_is_answered_when_it_can_be_read(settled: Scene, status: int) -> None:
    """After a failed read of what was missed it is read again, and what was said live comes after it."""
    scene = settled
    await scene.stop()
    scene.ask("missed")
    scene.playground.faults.plan("error", "GET", HISTORY, status=status)
    await scene.start()

    scene.ask("live")

    await answered(scene, ["missed", "live"])


@pytest.mark.parametrize("nonsense", [NONSENSE, "nonsense", [None], {"message": "an object"}], ids=str)
async def test_live_messages_are_answered_though_the_history_is_malformed(
    settled: Scene, reads: Reads, caplog: pytest.LogCaptureFixture, nonsense: object
) -> None:
    """While the history of a channel is none, what is said there is answered, and later the channel is read again."""
    scene = settled
    reads.instead[GENERAL_ID] = nonsense
    scene.ask("one")
    scene.ask("two")
    await answered(scene, ["one", "two"])
    begun = len(reads.begun)

    del reads.instead[GENERAL_ID]

    await eventually(lambda: len(reads.begun) > begun)
    await answered(scene, ["one", "two"])
    caplog.clear()  # that it could not be read was logged, as it should be


async def test_a_read_that_gets_no_answer_is_made_again(settled: Scene) -> None:
    """A connection that is cut while what was missed is read costs no message."""
    scene = settled
    await scene.stop()
    scene.ask("missed")
    scene.playground.faults.plan("reset", "GET", HISTORY, committed=False, times=2)

    await scene.start()
    scene.ask("live")

    await answered(scene, ["missed", "live"])


async def test_where_a_new_place_begins_is_known_though_it_could_not_be_read(settled: Scene) -> None:
    """What was said in a new DM while the bot was away is answered, though it could not be read before that.

    Nothing else tells the next process of the DM: what was heard there was undone.
    """
    scene = settled
    person = scene.playground.admin.join("Newcomer")
    dm = scene.playground.people.open_dm(person)
    scene.playground.faults.plan("rate_limit", "GET", HISTORY, retry_after=3600, times=ALWAYS)
    scene.say("heard", by=person, channel=dm.id)
    scene.click(await scene.outcome(channel=dm.id), "Undo", by=person)
    await told(scene, "forgotten that question", person, dm.id)
    await scene.stop()
    scene.playground.faults.clear()
    scene.say("missed", by=person, channel=dm.id)

    await scene.start()

    await scene.until(lambda: any("You said: missed" in one.content for one in scene.outcomes(dm.id)))
