"""Outages, second READYs and hidden channels, in whatever the bot was doing: nothing is lost, and the order is kept."""

import pytest

from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, RANDOM_ID, Permission
from tests.programs.discord.answers import answered, asked, asked_in_all
from tests.programs.discord.gate import Gate
from tests.programs.discord.reads import Reads
from tests.programs.discord.scene import MENTION, Scene
from tests.waiting import eventually, patience

ALWAYS = 1_000_000  # times

IMPATIENT = {"guild_ready_timeout": 0.02}  # a bot that does not wait for servers


async def caught_up(scene: Scene) -> None:
    """Wait until nothing is to be read."""
    async with patience("the bot to catch up"):
        await scene.bot.caught_up()


def changed(scene: Scene, message_id: int, text: str) -> None:
    """Ada edits a question of hers."""
    scene.playground.people.edit(GENERAL_ID, message_id, ADA_ID, f"{MENTION} {text}")


def shows(scene: Scene, *texts: str) -> bool:
    """Whether the bot's messages in the channel are these, in order."""
    shown = [message.content for message in scene.shown()]
    return len(shown) == len(texts) and all(text in content for text, content in zip(texts, shown, strict=True))


async def ready_again(scene: Scene) -> None:
    """Have the session invalidated; comes back when the bot has a new one."""
    ready = scene.bot.wait_for("ready")
    scene.playground.gateway.invalidate()
    async with patience("another READY"):
        await ready


async def test_all_that_was_missed_in_a_late_server(settled: Scene) -> None:
    """A late server brings an edit, a deletion, missed messages and a live one: each is processed, in order."""
    scene = settled
    first, second = scene.ask("one"), scene.ask("two")
    await scene.outcome(2)
    await scene.stop()
    changed(scene, first.id, "one, I mean")
    scene.playground.people.delete(GENERAL_ID, second.id, ADA_ID)
    scene.ask("three")
    scene.playground.gateway.outage()
    await scene.start(bot=IMPATIENT)
    await caught_up(scene)

    scene.playground.gateway.restore()
    scene.ask("four")

    await scene.until(lambda: shows(scene, "one, I mean", "three", "four"))
    await asked_in_all(scene, ["one", "two", "one, I mean", "three", "four"])


async def test_what_changes_while_a_late_server_is_read(settled: Scene, reads: Reads) -> None:
    """While the read of a late server is held, people write, edit and delete: all of it counts, in order."""
    scene = settled
    first, second = scene.ask("one"), scene.ask("two")
    await scene.outcome(2)
    await scene.stop()
    scene.ask("missed")
    scene.playground.gateway.outage()
    await scene.start(bot=IMPATIENT)
    await caught_up(scene)
    reads.begun.clear()
    reads.hold()
    scene.playground.gateway.restore()
    await reads.reached()
    live = scene.ask("live")
    changed(scene, live.id, "live, I mean")
    changed(scene, first.id, "one, I mean")
    scene.playground.people.delete(GENERAL_ID, second.id, ADA_ID)
    last = scene.bot.wait_for("raw_message_delete")
    async with patience("the deletion"):
        await last

    reads.release()

    await scene.until(lambda: shows(scene, "one, I mean", "missed", "live, I mean"))
    await scene.delivered()
    assert shows(scene, "one, I mean", "missed", "live, I mean")


async def test_an_outage_in_the_middle_of_catching_up(settled: Scene, reads: Reads) -> None:
    """An outage while what was missed is read: after it all is answered, once and in order."""
    scene, gateway = settled, settled.playground.gateway
    await scene.stop()
    scene.ask("one")
    reads.hold(but=(RANDOM_ID,))
    await scene.start()
    await reads.reached()
    gone = scene.bot.wait_for("guild_unavailable")
    gateway.outage()
    async with patience("the outage"):
        await gone
    scene.ask("two")
    reads.release()

    gateway.restore()
    scene.ask("three")

    await answered(scene, ["one", "two", "three"])


async def test_a_message_that_waits_when_an_outage_comes(settled: Scene, reads: Reads) -> None:
    """A live message that was heard, and waits for a read when an outage begins, is answered after it."""
    scene, gateway = settled, settled.playground.gateway
    reads.hold()
    scene.ask("one")
    await reads.reached()
    gone = scene.bot.wait_for("guild_unavailable")
    gateway.outage()
    async with patience("the outage"):
        await gone
    reads.release()

    gateway.restore()

    await answered(scene, ["one"])


async def test_two_outages_in_quick_succession(settled: Scene) -> None:
    """A server that comes, goes and comes again is caught up with once."""
    scene, gateway = settled, settled.playground.gateway
    for text in ("one", "two", "three"):
        gateway.outage()
        scene.ask(text)
        gateway.restore()

    await answered(scene, ["one", "two", "three"])


async def test_a_thread_made_during_an_outage(settled: Scene) -> None:
    """What was asked in a thread that was made during an outage is answered after it."""
    scene, gateway = settled, settled.playground.gateway
    await scene.restart()
    await caught_up(scene)
    gateway.outage()
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Made meanwhile")
    scene.ask("in here", channel=thread.id)

    gateway.restore()

    await answered(scene, ["in here"], channel=thread.id)


async def test_a_dm_waits_for_no_outage(settled: Scene) -> None:
    """During an outage of the server direct messages are answered."""
    scene = settled
    dm = scene.playground.people.open_dm(ADA_ID)
    scene.playground.gateway.outage()

    scene.say("psst", channel=dm.id)

    await answered(scene, ["psst"], channel=dm.id)


@pytest.mark.usefixtures("hurried")
async def test_ready_three_times_in_a_row(settled: Scene, reads: Reads) -> None:
    """READY comes three times while what was missed is read: all is answered once, and the channel is not deaf."""
    scene = settled
    await scene.stop()
    scene.ask("missed")
    reads.hold()
    await scene.start()
    await reads.reached()
    for text in ("one", "two", "three"):
        await ready_again(scene)
        scene.ask(text)

    reads.release()
    await scene.until(lambda: len(scene.outcomes()) == 4)
    scene.ask("later")

    await answered(scene, ["missed", "one", "two", "three", "later"])


@pytest.mark.usefixtures("hurried")
async def test_ready_while_a_feed_is_blocked(
    settled: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """READY comes while a question cannot be stored: it is answered once the store works, and before the next one."""
    scene = settled
    gate = Gate(scene, "turns.admit")
    gate.failures = ALWAYS
    scene.ask("one")
    await eventually(lambda: "is looked at again later" in caplog.text)
    await ready_again(scene)
    scene.ask("two")

    gate.failures = 0

    await eventually(lambda: asked(scene) == ["one", "two"])
    await scene.until(lambda: len(scene.outcomes()) == 2)
    await scene.delivered()
    assert asked(scene) == ["one", "two"]
    caplog.clear()  # that nothing could be stored was logged, as it should be


@pytest.mark.parametrize("spoken", [True, False], ids=["active", "quiet"])
async def test_a_channel_that_was_hidden_for_a_while(settled: Scene, *, spoken: bool) -> None:
    """What was asked while the bot could not see the channel is answered before what is said after."""
    scene = settled
    before = ["before"] * spoken
    for text in before:
        scene.ask(text)
        await scene.outcome()
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.VIEW_CHANNEL)
    scene.ask("hidden")

    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID)
    scene.ask("shown")

    await answered(scene, [*before, "hidden", "shown"])


async def test_a_channel_that_is_hidden_while_it_is_read(settled: Scene, reads: Reads) -> None:
    """A channel that is hidden while what was missed is read is caught up with when it is shown again."""
    scene = settled
    await scene.stop()
    scene.ask("missed")
    reads.hold(but=(RANDOM_ID,))
    await scene.start()
    await reads.reached()
    hidden = scene.bot.wait_for("guild_channel_update")
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.VIEW_CHANNEL)
    async with patience("the channel to be hidden"):
        await hidden
    reads.release()
    await caught_up(scene)

    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID)
    scene.ask("shown")

    await answered(scene, ["missed", "shown"])


async def test_what_was_missed_is_told_by_a_sign_where_the_bot_may_not_write(settled: Scene) -> None:
    """The newest message that is not answered, as more came after it than are, gets a sign in place of a notice."""
    scene = settled
    await scene.stop()
    missed = [scene.ask(f"question {number}") for number in range(12)]
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.SEND_MESSAGES)

    await scene.start()

    await scene.until(lambda: BOT_ID in missed[1].reactions.get("❌", ()))
    assert scene.shown() == []
