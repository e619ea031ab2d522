"""What comes in for a channel: late servers, a second READY, lost events, and what is not the bot's to answer."""

import asyncio

import pytest

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID, GUILD_ID, RANDOM_ID
from tests.programs.discord.answers import answered, asked_in_all
from tests.programs.discord.reads import HISTORY, Reads
from tests.programs.discord.scene import MENTION, Scene
from tests.waiting import eventually, patience

IMPATIENT = {"guild_ready_timeout": 0.02}  # a bot that does not wait for servers


async def caught_up(scene: Scene) -> None:
    """Wait until nothing is to be read."""
    async with patience("the bot to catch up"):
        await scene.bot.caught_up()


async def start_without_server(scene: Scene) -> None:
    """Start the bot while the server is unavailable."""
    scene.playground.gateway.outage()
    await scene.start(bot=IMPATIENT)
    await caught_up(scene)


class TestLateServers:
    """Servers that are not there when the bot is ready."""

    async def test_a_server_that_comes_late_is_caught_up_with(self, settled: Scene) -> None:
        """What was missed in a server whose GUILD_CREATE comes after READY is answered then, in order."""
        scene = settled
        await scene.stop()
        scene.ask("one")
        scene.ask("two")
        await start_without_server(scene)

        scene.playground.gateway.restore()

        await answered(scene, ["one", "two"])

    async def test_live_messages_wait_for_what_was_missed_in_a_late_server(self, settled: Scene) -> None:
        """What is said right after a late server came is answered after what was missed in it."""
        scene = settled
        await scene.stop()
        scene.ask("missed")
        await start_without_server(scene)

        scene.playground.gateway.restore()
        scene.ask("live")

        await answered(scene, ["missed", "live"])

    async def test_a_server_back_from_an_outage_is_caught_up_with(self, settled: Scene) -> None:
        """What was said during an outage of the server is answered when it is available again, in order."""
        scene, gateway = settled, settled.playground.gateway
        gateway.outage()
        scene.ask("one")
        scene.ask("two")

        gateway.restore()

        await answered(scene, ["one", "two"])

    async def test_edits_and_deletions_during_an_outage_are_seen(self, settled: Scene) -> None:
        """A question that was changed during an outage is answered again, and one that was deleted is forgotten."""
        scene, gateway = settled, settled.playground.gateway
        first = scene.ask("one")
        await scene.outcome()
        second = scene.ask("two")
        await scene.outcome(2)
        gateway.outage()
        scene.playground.people.edit(GENERAL_ID, first.id, ADA_ID, f"{MENTION} one, I mean")
        scene.playground.people.delete(GENERAL_ID, second.id, ADA_ID)

        gateway.restore()

        await scene.until(lambda: len(scene.shown()) == 1 and "one, I mean" in scene.shown()[0].content)

    async def test_one_read_serves_messages_and_edits(self, settled: Scene, reads: Reads) -> None:
        """A channel with a question that may have been edited, and with a missed message, is read once at the start."""
        scene = settled
        scene.ask("one")
        await scene.outcome()
        await scene.bot.check()
        await scene.stop()
        scene.say("just talking")
        reads.begun.clear()

        await scene.start()

        await caught_up(scene)
        await scene.delivered()
        assert reads.begun == [GENERAL_ID]


async def interrupted(scene: Scene, reads: Reads) -> None:
    """Come to where a live message waits for what was missed, and Discord says READY again."""
    await scene.stop()
    scene.ask("missed")
    reads.hold(but=(RANDOM_ID,))
    await scene.start()
    await reads.reached()
    scene.ask("live")
    ready = scene.bot.wait_for("ready")
    scene.playground.gateway.invalidate()
    async with patience("a second READY"):
        await ready


@pytest.mark.usefixtures("hurried")
class TestSecondReady:
    """Two reconnects in quick succession: the second READY comes while what was missed before the first is read."""

    async def test_the_channel_is_not_deaf(self, settled: Scene, reads: Reads) -> None:
        """After a second READY during catch-up, what is said in the channel is still answered."""
        scene = settled
        await interrupted(scene, reads)
        reads.release()
        await scene.until(lambda: len(scene.outcomes()) == 2)

        scene.ask("later")

        await answered(scene, ["missed", "live", "later"])

    async def test_edits_still_work(self, settled: Scene, reads: Reads) -> None:
        """After a second READY during catch-up, an edited question of the channel is answered again."""
        scene = settled
        question = scene.ask("one")
        await scene.outcome()
        await interrupted(scene, reads)
        reads.release()
        await scene.until(lambda: len(scene.outcomes()) == 3)

        scene.playground.people.edit(GENERAL_ID, question.id, ADA_ID, f"{MENTION} one, I mean")

        await scene.until(lambda: "one, I mean" in scene.shown()[0].content)

    async def test_deletions_still_work(self, settled: Scene, reads: Reads) -> None:
        """After a second READY during catch-up, a deleted question of the channel is forgotten."""
        scene = settled
        question = scene.ask("one")
        await scene.outcome()
        await interrupted(scene, reads)
        reads.release()
        await scene.until(lambda: len(scene.outcomes()) == 3)

        scene.playground.people.delete(GENERAL_ID, question.id, ADA_ID)

        await scene.until(lambda: len(scene.shown()) == 2)


@pytest.mark.usefixtures("hurried")
class TestEnding:
    """It ends within `SHUTDOWN_GRACE`, here 0, plus 5 s."""

    async def test_it_ends_after_a_second_ready(self, settled: Scene, reads: Reads) -> None:
        """After a second READY during catch-up the bot winds down in time."""
        await interrupted(settled, reads)
        reads.release()

        await asyncio.wait_for(settled.bot.wind_down(0.0), 5)

    async def test_it_ends_while_a_read_gets_no_answer(self, settled: Scene, reads: Reads) -> None:
        """While a live message waits for a read that Discord does not answer, the bot winds down in time."""
        scene = settled
        await scene.stop()
        scene.ask("missed")
        reads.hold()
        await scene.start()
        await reads.reached()
        heard = scene.bot.wait_for("message")
        scene.ask("live")
        async with patience("the live message"):
            await heard

        await asyncio.wait_for(scene.bot.wind_down(0.0), 5)


class TestLostEvents:
    """Events that Discord never told, where nothing else was heard."""

    async def test_it_is_found_though_the_channel_is_quiet(self, settled: Scene) -> None:
        """A message of which no event came, in a quiet channel, is found by looking at one after the other."""
        settled.playground.gateway.lose("MESSAGE_CREATE")
        settled.ask("lost", channel=RANDOM_ID)

        for _ in range(4):
            await settled.bot.check()

        await answered(settled, ["lost"], channel=RANDOM_ID)

    @pytest.mark.parametrize("kind", ["channel", "thread"])
    async def test_it_is_found_once_the_place_is_heard_again(self, settled: Scene, kind: str) -> None:
        """The next message of a quiet channel or a new thread brings the lost one, which is answered before it."""
        people = settled.playground.people
        place = RANDOM_ID if kind == "channel" else people.create_thread(GENERAL_ID, ADA_ID, "Made just now").id
        settled.playground.gateway.lose("MESSAGE_CREATE")
        settled.ask("lost", channel=place)

        settled.ask("heard", channel=place)

        await answered(settled, ["lost", "heard"], channel=place)


class TestTakenForDirectMessages:
    """Only what was written in a DM needs no mention."""

    @pytest.mark.parametrize("listed", [False, True], ids=["unknown", "listed"])
    async def test_a_message_of_an_unavailable_server(self, unstarted: Scene, *, listed: bool) -> None:
        """What people say to each other in a server that is unavailable is not answered, also when READY named none."""
        scene, gateway = unstarted, unstarted.playground.gateway
        gateway.outage(listed=listed)
        await scene.start(bot=IMPATIENT)
        await caught_up(scene)

        for said in (scene.say("just talking"), scene.ask("to the bot")):
            payload = scene.playground.state.message_payload(said, BOT_ID)
            gateway.send_event("MESSAGE_CREATE", payload | {"guild_id": str(GUILD_ID)})

        await answered(scene, ["to the bot"])
        assert len(scene.model.requests) == 1

    async def test_an_edit_in_an_archived_thread(self, settled: Scene) -> None:
        """A question edited while the bot was away so that it is for somebody else keeps its answer, as elsewhere."""
        scene = settled
        thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Soon archived")
        question = scene.ask("one", channel=thread.id)
        await scene.outcome(channel=thread.id)
        await scene.stop()
        scene.playground.people.edit(thread.id, question.id, ADA_ID, f"<@{GRACE_ID}> what do you say?")
        assert thread.thread is not None
        thread.thread.archived = True
        scene.playground.state.update_thread(thread)

        await scene.start()

        await caught_up(scene)
        await asked_in_all(scene, ["one"])


class TestMalformed:
    """One that cannot be read costs nobody else anything."""

    async def test_a_malformed_history_costs_no_other_channel(
        self, settled: Scene, reads: Reads, caplog: pytest.LogCaptureFixture
    ) -> None:
        """While one channel's history cannot be read, what was missed in another is answered."""
        scene = settled
        await scene.stop()
        scene.ask("elsewhere", channel=RANDOM_ID)
        scene.ask("one")
        reads.instead[RANDOM_ID] = [{"id": "nonsense"}]
        reads.hold(but=(RANDOM_ID,))
        await scene.start()
        await eventually(lambda: f"Channel {RANDOM_ID} could not be read" in caplog.text)

        reads.release()

        await answered(scene, ["one"])
        del reads.instead[RANDOM_ID]
        await answered(scene, ["elsewhere"], channel=RANDOM_ID)
        caplog.clear()  # what could not be read was logged, as it should be

    async def test_a_refused_read_costs_no_other_channel(self, settled: Scene) -> None:
        """While Discord refuses one channel's history, what was missed in another is answered."""
        scene = settled
        await scene.stop()
        scene.ask("one")
        scene.ask("two", channel=RANDOM_ID)
        scene.playground.faults.plan("error", "GET", HISTORY, status=403)

        await scene.start()

        await scene.until(lambda: scene.outcomes() or scene.outcomes(RANDOM_ID))

    async def test_a_malformed_event_costs_no_session(self, settled: Scene, caplog: pytest.LogCaptureFixture) -> None:
        """After an event that cannot be read the bot goes on in the same gateway session."""
        scene, gateway = settled, settled.playground.gateway
        begun = gateway.start_limit()["remaining"]
        gateway.send_event("MESSAGE_CREATE", {"id": "nonsense"})
        scene.ask("after")

        await answered(scene, ["after"])
        assert gateway.start_limit()["remaining"] == begun
        assert "An event from Discord cannot be read: MESSAGE_CREATE" in caplog.text
        caplog.clear()  # it was logged, as it should be
