"""Messages of places of which little is known: none is taken for a DM, where everything is for the bot."""

import json
import sqlite3

import pytest

from llmgine.sessions.clock import now
from programs.discord.ids import SOURCE, Kind, Origin, Place
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, GRACE_ID, GUILD_ID, RANDOM_ID, Message
from programs.playground.forms import ThreadChanges
from tests.durability.waiting import eventually
from tests.programs.discord.scene import MENTION, Scene, people_said


@pytest.fixture
async def away(unstarted: Scene) -> Scene:
    """A scene in which the server is in an outage, and the bot has never heard of it."""
    unstarted.playground.gateway.outage(listed=False)
    return await unstarted.start()


def say_elsewhere(scene: Scene, text: str) -> Message:
    """Have the gateway tell of a message in #random all the same."""
    message = Message(scene.playground.state.ids.next(), RANDOM_ID, ADA_ID, text)
    message.mentions = [BOT_ID] if MENTION in text else []
    payload = scene.playground.state.message_payload(message, BOT_ID) | {"guild_id": str(GUILD_ID)}
    scene.playground.gateway.send_event("MESSAGE_CREATE", payload)
    return message


async def test_a_server_that_is_not_available_is_no_dm(away: Scene) -> None:
    """What is said there without a mention is not answered; what mentions the bot is, and its server is stored."""
    say_elsewhere(away, "just among us")
    asked = say_elsewhere(away, f"{MENTION} hello")

    await away.outcome(channel=RANDOM_ID)

    assert [people_said(request) for request in away.model.requests] == [["hello"]]
    turn_id = str(await away.app.store.turns.of_message(SOURCE, str(asked.id)))
    place = Origin.of((await away.app.store.turns.get(turn_id)).turn).asked
    assert place == Place(Kind.UNKNOWN, RANDOM_ID, guild_id=GUILD_ID)
    assert (await away.app.store.sessions.get(f"discord:{RANDOM_ID}")).scopes == place.scopes


async def test_a_server_is_learnt_from_a_later_event(away: Scene) -> None:
    """A deletion does not say what server its channel is in; the message after it does, and that is stored."""
    state = away.playground.state
    away.playground.gateway.send_event("MESSAGE_DELETE", {"id": str(state.ids.next()), "channel_id": str(RANDOM_ID)})

    asked = say_elsewhere(away, f"{MENTION} hello")

    await away.outcome(channel=RANDOM_ID)
    turn_id = str(await away.app.store.turns.of_message(SOURCE, str(asked.id)))
    assert Origin.of((await away.app.store.turns.get(turn_id)).turn).asked.guild_id == GUILD_ID


async def test_a_setting_of_a_server_that_is_not_available_holds(away: Scene) -> None:
    """What is set for a server is known by its id alone."""
    await away.app.store.settings.change(f"discord:server:{GUILD_ID}", "listen", "always", None, now())
    say_elsewhere(away, "just so")

    await away.outcome(channel=RANDOM_ID)

    assert [people_said(request) for request in away.model.requests] == [["just so"]]


async def test_roles_of_a_server_that_is_not_available(away: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Where only some roles are answered, a message waits until it can be looked up who has them."""
    await away.app.store.settings.change(f"discord:server:{GUILD_ID}", "roles", "1", None, now())

    asked = say_elsewhere(away, f"{MENTION} hello")

    await eventually(lambda: f"Message {asked.id} is looked at again later" in caplog.text)
    assert await away.app.store.turns.of_message(SOURCE, str(asked.id)) is None
    assert away.model.requests == []


async def test_a_dm_stores_that_it_is_one(scene: Scene) -> None:
    """After a restart Discord lists no DMs, so a turn's origin says what it was asked in."""
    dm = scene.playground.people.open_dm(ADA_ID)
    asked = scene.say("psst", channel=dm.id)
    await scene.outcome(channel=dm.id)

    turn_id = str(await scene.app.store.turns.of_message(SOURCE, str(asked.id)))

    assert Origin.of((await scene.app.store.turns.get(turn_id)).turn).asked == Place(Kind.DM, dm.id)


async def asked_and_left(scene: Scene) -> tuple[Message, Message]:
    """Have a question answered in a thread and another one in #general, read to their end, and stop the bot.

    While it is away the first is changed so that it is for somebody else, in a thread that is archived then, and the
    second so that it is another question.
    """
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Ours")
    first = scene.ask("one", channel=thread.id)
    await scene.outcome(channel=thread.id)
    second = scene.ask("two")
    await scene.outcome()
    await scene.bot.check()
    await scene.stop()
    scene.playground.people.edit(thread.id, first.id, ADA_ID, f"<@{GRACE_ID}> what do you think?")
    scene.playground.people.edit(GENERAL_ID, second.id, ADA_ID, f"{MENTION} three")
    scene.playground.people.change_thread(thread.id, ADA_ID, ThreadChanges(archived=True))
    return first, second


async def attempts(scene: Scene, message: Message) -> int:
    turn_id = str(await scene.app.store.turns.of_message(SOURCE, str(message.id)))
    return (await scene.app.store.turns.get(turn_id)).turn.attempt


async def test_an_archived_thread_is_no_dm(scene: Scene) -> None:
    """Discord does not list it after a restart: what was changed there so that it is not for the bot is let be."""
    first, second = await asked_and_left(scene)

    await scene.start()

    await scene.until(lambda: "three" in scene.shown()[0].content)
    await scene.delivered()
    assert (await attempts(scene, first), await attempts(scene, second)) == (1, 2)


async def test_a_place_that_an_older_version_stored_is_no_dm(scene: Scene) -> None:
    """It stored the channel's id only: there, too, an edit for somebody else is let be."""
    first, second = await asked_and_left(scene)
    with sqlite3.connect(scene.folder / "llmgine.db") as database:
        for turn_id, origin in database.execute("SELECT id, origin FROM turn").fetchall():
            old = {name: json.loads(origin)[name] for name in ("channel_id", "message_id", "cards")}
            database.execute("UPDATE turn SET origin = ? WHERE id = ?", (json.dumps(old), turn_id))
    database.close()

    await scene.start()

    await scene.until(lambda: "three" in scene.shown()[0].content)
    await scene.delivered()
    assert (await attempts(scene, first), await attempts(scene, second)) == (1, 2)


async def test_an_edit_in_an_archived_thread_is_answered(scene: Scene) -> None:
    """A question without a mention in a thread of the bot's, edited while it was away and archived since, counts."""
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "talk")
    scene.ask("one", channel=thread.id)
    await scene.outcome(channel=thread.id)
    question = scene.say("two", channel=thread.id)
    await scene.outcome(2, channel=thread.id)
    await scene.stop()
    scene.playground.people.edit(thread.id, question.id, ADA_ID, "two, changed")
    assert thread.thread is not None
    thread.thread.archived = True
    scene.playground.state.update_thread(thread)

    await scene.start()

    await scene.until(lambda: any("two, changed" in message.content for message in scene.shown(thread.id)))
