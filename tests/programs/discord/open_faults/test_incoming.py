"""What comes in for a channel: late servers, a second READY, lost events, and what is not the bot's to take."""

import asyncio
from contextlib import suppress

import pytest

from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, RANDOM_ID
from programs.playground.server import Playground
from tests.programs.discord.open_faults.faults import (
    LONG_ENOUGH,
    SOON,
    LateServer,
    Reads,
    answered,
    given,
    open_fault,
    served,
    soon,
    unasked,
)
from tests.programs.discord.scene import MENTION, PATIENCE, Scene


class TestLateServers:
    """Servers that are not there when the bot is ready."""

    @open_fault("only READY begins catching up, so a server that comes after it is never caught up with")
    async def test_a_server_that_comes_late_is_caught_up_with(
        self, settled: Scene, playground: Playground, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What was missed in a server whose GUILD_CREATE comes after READY is answered then, in order."""
        scene = settled
        with given():
            await scene.stop()
            scene.ask("one")
            scene.ask("two")
            server = LateServer(playground, monkeypatch)
            await scene.start()
            await asyncio.wait_for(scene.bot.caught_up(), PATIENCE)

        server.arrive()

        await answered(scene, ["one", "two"])

    @open_fault(
        "nothing holds live messages back while a late server is caught up with, and what was missed is not read"
    )
    async def test_live_messages_wait_for_what_was_missed_in_a_late_server(
        self, settled: Scene, playground: Playground, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is said right after a late server came is answered after what was missed in it."""
        scene = settled
        with given():
            await scene.stop()
            scene.ask("missed")
            server = LateServer(playground, monkeypatch)
            await scene.start()
            await asyncio.wait_for(scene.bot.caught_up(), PATIENCE)

        server.arrive()
        scene.ask("live")

        await answered(scene, ["missed", "live"])

    @open_fault("a server that returns from an outage is not read")
    async def test_a_server_back_from_an_outage_is_caught_up_with(self, settled: Scene) -> None:
        """What was said during an outage of the server is answered when it is available again, in order."""
        scene, gateway = settled, settled.playground.gateway
        gateway.outage()
        gateway.lose("MESSAGE_CREATE", 2)
        scene.ask("one")
        scene.ask("two")

        gateway.restore()

        await answered(scene, ["one", "two"])

    @open_fault("what was edited or deleted is looked for after READY only, not when a server returns")
    async def test_edits_and_deletions_during_an_outage_are_seen(self, settled: Scene) -> None:
        """A question that was changed during an outage is answered again, and one that was deleted is forgotten."""
        scene, gateway = settled, settled.playground.gateway
        with given():
            first = scene.ask("one")
            await scene.outcome()
            second = scene.ask("two")
            await scene.outcome(2)
        gateway.outage()
        gateway.lose("MESSAGE_UPDATE")
        gateway.lose("MESSAGE_DELETE")
        scene.playground.people.edit(GENERAL_ID, first.id, ADA_ID, f"{MENTION} one, I mean")
        scene.playground.people.delete(GENERAL_ID, second.id, ADA_ID)

        gateway.restore()

        await soon(scene, lambda: len(scene.shown()) == 1 and "one, I mean" in scene.shown()[0].content)

    @open_fault("missed messages and missed edits are read by two mechanisms, each with requests of its own")
    async def test_one_read_serves_messages_and_edits(self, settled: Scene, reads: Reads) -> None:
        """A channel with a question that may have been edited, and with a missed message, is read once at the start."""
        scene = settled
        with given():
            scene.ask("one")
            await scene.outcome()
            await scene.bot.check()
            await scene.stop()
            scene.say("just talking")
            reads.begun.clear()
            await scene.start()
            await asyncio.wait_for(scene.bot.caught_up(), PATIENCE)

        with suppress(TimeoutError):
            await asyncio.wait_for(reads.reached(2), LONG_ENOUGH)

        assert reads.begun == [GENERAL_ID]


async def interrupted(scene: Scene, reads: Reads) -> None:
    """Come to where a live message waits for what was missed, and Discord says READY again."""
    with given():
        await scene.stop()
        scene.ask("missed")
        reads.hold(but=(RANDOM_ID,))
        await scene.start()
        await asyncio.wait_for(reads.reached(), PATIENCE)
        scene.ask("live")
        ready = scene.bot.wait_for("ready", timeout=PATIENCE)
        scene.playground.gateway.invalidate()
        await ready


@pytest.mark.usefixtures("hurried")
class TestSecondReady:
    """Two reconnects in quick succession: the second READY comes while what was missed before the first is read."""

    @open_fault(
        "a message that waits while READY comes again waits for ever, and all later ones of its channel behind it"
    )
    async def test_the_channel_is_not_deaf(self, settled: Scene, reads: Reads) -> None:
        """After a second READY during catch-up, what is said in the channel is still answered."""
        scene = settled
        await interrupted(scene, reads)
        reads.release()
        with given():
            await soon(scene, lambda: len(scene.outcomes()) == 2, seconds=PATIENCE)

        scene.ask("later")

        await answered(scene, ["missed", "live", "later"])

    @open_fault("edits stand in the channel's queue behind a message that waits for ever")
    async def test_edits_still_work(self, settled: Scene, reads: Reads) -> None:
        """After a second READY during catch-up, an edited question of the channel is answered again."""
        scene = settled
        with given():
            question = scene.ask("one")
            await scene.outcome()
        await interrupted(scene, reads)
        reads.release()
        with given():
            await soon(scene, lambda: len(scene.outcomes()) == 3, seconds=PATIENCE)

        scene.playground.people.edit(GENERAL_ID, question.id, ADA_ID, f"{MENTION} one, I mean")

        await soon(scene, lambda: "one, I mean" in scene.shown()[0].content)

    @open_fault("deletions stand in the channel's queue behind a message that waits for ever")
    async def test_deletions_still_work(self, settled: Scene, reads: Reads) -> None:
        """After a second READY during catch-up, a deleted question of the channel is forgotten."""
        scene = settled
        with given():
            question = scene.ask("one")
            await scene.outcome()
        await interrupted(scene, reads)
        reads.release()
        with given():
            await soon(scene, lambda: len(scene.outcomes()) == 3, seconds=PATIENCE)

        scene.playground.people.delete(GENERAL_ID, question.id, ADA_ID)

        await soon(scene, lambda: len(scene.shown()) == 2)


@pytest.mark.usefixtures("hurried")
class TestEnding:
    """It ends within `SHUTDOWN_GRACE`, here 0, plus 5 s."""

    @open_fault("the end waits for a message that waits for ever")
    async def test_it_ends_after_a_second_ready(self, settled: Scene, reads: Reads) -> None:
        """After a second READY during catch-up the bot winds down in time."""
        await interrupted(settled, reads)
        reads.release()

        await asyncio.wait_for(settled.bot.wind_down(0.0), 5)

    @open_fault("the end waits for the read that a live message waits for, however long Discord takes")
    async def test_it_ends_while_a_read_gets_no_answer(self, settled: Scene, reads: Reads) -> None:
        """While a live message waits for a read that Discord does not answer, the bot winds down in time."""
        scene = settled
        with given():
            await scene.stop()
            scene.ask("missed")
            reads.hold()
            await scene.start()
            await asyncio.wait_for(reads.reached(), PATIENCE)
            heard = scene.bot.wait_for("message", timeout=PATIENCE)
            scene.ask("live")
            await heard

        await asyncio.wait_for(scene.bot.wind_down(0.0), 5)


def quiet_place(scene: Scene, kind: str) -> int:
    """A channel in which nobody has written since the start, or a thread that was opened since."""
    if kind == "channel":
        return RANDOM_ID
    return scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Made just now").id


@pytest.mark.parametrize("kind", ["channel", "thread"])
class TestLostEvents:
    """Events that Discord never told, where nothing else was heard."""

    @open_fault("only channels in which something was heard since the start are looked at")
    async def test_it_is_found_though_the_place_is_quiet(self, settled: Scene, kind: str) -> None:
        """A message of which no event came, in a quiet channel or a new thread, is found by looking at one by one."""
        place = quiet_place(settled, kind)
        settled.playground.gateway.lose("MESSAGE_CREATE")
        settled.ask("lost", channel=place)

        for _ in range(4):
            await settled.bot.check()

        await answered(settled, ["lost"], channel=place, seconds=4)

    @open_fault("a live message is admitted without a look at what was said before it in a quiet place")
    async def test_it_is_found_once_the_place_is_heard_again(self, settled: Scene, kind: str) -> None:
        """The next message of the place brings the lost one, which is answered before it."""
        place = quiet_place(settled, kind)
        settled.playground.gateway.lose("MESSAGE_CREATE")
        settled.ask("lost", channel=place)

        settled.ask("heard", channel=place)

        await answered(settled, ["lost", "heard"], channel=place)


class TestTakenForDirectMessages:
    """Only what was written in a DM needs no mention."""

    @pytest.mark.parametrize("listed", [False, True], ids=["unknown", "listed"])
    async def test_a_message_of_an_unavailable_server(
        self, unstarted: Scene, playground: Playground, monkeypatch: pytest.MonkeyPatch, *, listed: bool
    ) -> None:
        """What people say to each other in a server that is unavailable is not answered, also when READY named none."""
        LateServer(playground, monkeypatch, listed=listed)
        with given():
            scene = await unstarted.start()
            await asyncio.wait_for(scene.bot.caught_up(), PATIENCE)
            heard = scene.bot.wait_for("message", timeout=PATIENCE)
            scene.say("just talking")
            await heard

        await unasked(scene)

    async def test_an_edit_in_an_archived_thread(self, settled: Scene) -> None:
        """A question edited while the bot was away so that it is for somebody else keeps its answer, as elsewhere."""
        scene = settled
        with given():
            thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Soon archived")
            question = scene.ask("one", channel=thread.id)
            await scene.outcome(channel=thread.id)
            await scene.stop()
            scene.playground.people.edit(thread.id, question.id, ADA_ID, f"<@{GRACE_ID}> what do you say?")
            assert thread.thread is not None
            thread.thread.archived = True
            scene.playground.state.update_thread(thread)
            await scene.start()
            await scene.bot.looked_back()

        await unasked(scene, but=1)


class TestMalformed:
    """One that cannot be read costs nobody else anything."""

    @open_fault("an error in reading one channel ends the catching up of all others")
    async def test_a_malformed_history_costs_no_other_channel(self, settled: Scene, reads: Reads) -> None:
        """While one channel's history cannot be read, what was missed in another is answered."""
        scene = settled
        with given():
            await scene.stop()
            scene.ask("elsewhere", channel=RANDOM_ID)
            scene.ask("one")
            reads.instead[RANDOM_ID] = [{"id": "nonsense"}]
            reads.hold(but=(RANDOM_ID,))
            await scene.start()
            await asyncio.wait_for(reads.reached(2), PATIENCE)
        with suppress(TimeoutError):
            await asyncio.wait_for(scene.bot.caught_up(), LONG_ENOUGH)  # it does not wait for a read that is held

        reads.release()

        await answered(scene, ["one"])

    async def test_a_refused_read_costs_no_other_channel(self, settled: Scene) -> None:
        """While Discord refuses one channel's history, what was missed in another is answered."""
        scene = settled
        await scene.stop()
        scene.ask("one")
        scene.ask("two", channel=RANDOM_ID)
        scene.playground.faults.plan("error", "GET", "/channels/{channel_id}/messages", status=403)

        await scene.start()

        await scene.until(lambda: scene.outcomes() or scene.outcomes(RANDOM_ID))

    @open_fault("a malformed event ends the client: the gateway session, and with it what is under way, begins anew")
    async def test_a_malformed_event_costs_no_session(self, unstarted: Scene) -> None:
        """After an event that cannot be read the bot goes on in the same gateway session."""
        scene, gateway = unstarted, unstarted.playground.gateway

        async with served(scene) as bot:
            with given():
                await bot.is_in()
                await asyncio.wait_for(bot.bot.caught_up(), PATIENCE)
            gateway.send_event("MESSAGE_CREATE", {"id": "nonsense"})
            scene.ask("after")

            await answered(scene, ["after"], seconds=SOON)
