"""The conversation before a question: what of it is read, and what becomes of it."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from llmgine.messages.commands import BranchSessionCommand
from llmgine.messages.erasing_commands import ForgetPersonCommand
from llmgine.sessions.clock import microseconds, now
from llmgine.sessions.database import Operation, Steps
from programs import person_export
from programs.discord.ids import SOURCE
from programs.export import turn_as_data
from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    RANDOM_ID,
    ChannelType,
    Message,
    Permission,
    User,
)
from programs.playground.snowflakes import EPOCH_MS
from tests.durability.waiting import eventually
from tests.programs.discord.scene import MENTION, Scene, people_said

HISTORY = "/channels/{channel_id}/messages"
HOUR = 3_600.0


def earlier(request: dict[str, Any]) -> list[dict[str, Any]]:
    """What was written before the last question of a request."""
    asked = [message["content"] for message in request["messages"] if message["role"] == "user"][-1]
    return list(json.loads(asked).get("earlier", [])) if asked.startswith("{") else []


def texts(request: dict[str, Any]) -> list[str]:
    return [one["text"] for one in earlier(request)]


def written(scene: Scene, text: str, *, age: float, by: int = GRACE_ID) -> Message:
    """A message that was written some seconds ago; older ones first."""
    at = int(scene.playground.state.ids.now().timestamp() * 1_000 - age * 1_000)
    message = Message((at - EPOCH_MS) << 22, GENERAL_ID, by, text)
    scene.playground.state.add_message(message)
    return message


async def stored(scene: Scene) -> int:
    """How many messages the store has of what was written before questions."""

    def count() -> Steps[int]:
        rows = yield "SELECT COUNT(*) AS found FROM context_message", ()
        return int(rows[0]["found"])

    return await scene.app.store.run(count, Operation("test.count", writes=False))


async def is_set(scene: Scene, scope: str, value: str) -> bool:
    """Whether somebody has set in a scope how much is read."""
    made = await scene.app.store.settings.of([scope])
    return any((one.name, one.value) == ("context", value) for one in made)


async def is_admitted(scene: Scene, message: Message) -> bool:
    """Whether a message is known as a question."""
    return await scene.app.store.turns.of_message(SOURCE, str(message.id)) is not None


async def has_left(scene: Scene, count: int) -> bool:
    """Whether it has so many of them."""
    return await stored(scene) == count


async def test_it_is_sent_as_data_with_its_question_only(settled: Scene) -> None:
    """Authors, times and order; not as said by the asker, and not with later questions."""
    settled.model.reply("Because.")
    grace = settled.say("The deploy failed at ten.", by=GRACE_ID)
    settled.say(f"<@{GRACE_ID}> which one?")
    settled.ask("why?")
    await settled.outcome()
    settled.ask("and now?")
    await settled.outcome(2)

    first, second = settled.model.requests
    assert people_said(first) == ["why?"]
    found = earlier(first)
    assert [one["from"]["name"] for one in found] == ["Grace", "Ada"]
    assert [one["text"] for one in found] == ["The deploy failed at ten.", f"<@{GRACE_ID}> which one?"]
    assert found[1]["mentions"] == {f"<@{GRACE_ID}>": "Grace"}
    at = settled.playground.state.ids.now().strftime("%Y-%m-%d")
    assert found[0]["at"].startswith(at)
    assert found[0]["from"]["id"] == str(GRACE_ID)
    assert "earlier" not in json.loads(second["messages"][1]["content"])
    assert earlier(second) == []  # the bot spoke since
    assert grace.content not in json.dumps(second)
    # All that comes before it is the same in the later request.
    old, new = first["messages"][1]["content"], second["messages"][1]["content"]
    assert first["messages"][0] == second["messages"][0]
    assert old.startswith(new.removesuffix("}"))


async def test_it_is_what_came_since_the_bot_spoke_and_no_question(settled: Scene) -> None:
    settled.say("before the answer", by=GRACE_ID)
    settled.ask("one")
    await settled.outcome()
    settled.say("after the answer", by=GRACE_ID)
    held = asyncio.Event()
    settled.model.hold(held, silent=True)
    settled.ask("two", by=GRACE_ID)
    last = settled.ask("three")
    await eventually(lambda: is_admitted(settled, last))
    held.set()
    await settled.outcome(3)

    assert texts(settled.model.requests[1]) == ["after the answer"]
    assert "two" not in texts(settled.model.requests[2])


@pytest.mark.parametrize(("setting", "most"), [("some", 10), ("much", 40)])
async def test_the_newest_are_read(settled: Scene, setting: str, most: int) -> None:
    await settled.app.store.settings.change(f"discord:{GENERAL_ID}", "context", setting, None, now())
    for number in range(most + 1):
        settled.say(f"n{number}", by=GRACE_ID)
    settled.ask("why?")
    await settled.outcome()

    assert texts(settled.model.requests[-1]) == [f"n{number}" for number in range(1, most + 1)]


@pytest.mark.parametrize(("setting", "hours"), [("some", 1), ("much", 24)])
async def test_old_ones_are_left_out(settled: Scene, setting: str, hours: int) -> None:
    written(settled, "too old", age=hours * HOUR + 60)
    written(settled, "just in time", age=hours * HOUR - 60)
    await settled.app.store.settings.change(f"discord:{GENERAL_ID}", "context", setting, None, now())
    settled.ask("why?")
    await settled.outcome()

    assert texts(settled.model.requests[-1]) == ["just in time"]


async def test_tokens_are_bounded(settled: Scene) -> None:
    """The newest win; the one that does not fit whole is shortened."""
    for mark in "abc":
        settled.say(mark * 1_900, by=GRACE_ID)
    settled.ask("why?")
    await settled.outcome()

    first, last = texts(settled.model.requests[-1])
    assert last == "c" * 1_900
    assert first.startswith("bb")
    assert first.endswith("…")
    assert len(json.dumps(earlier(settled.model.requests[-1]))) <= 3_100


async def test_bots_and_webhooks_are_named_as_such(settled: Scene, playground: Any) -> None:
    state = playground.state
    state.users[77] = User(77, "other", "Other", bot=True)
    state.add_message(Message(state.ids.next(), GENERAL_ID, 77, embeds=[{"title": "Build 7", "description": "failed"}]))
    hook = Message(state.ids.next(), GENERAL_ID, 77, "from a webhook")
    state.add_message(hook)
    drawn = state.message_payload

    def payload(message: Message, *args: Any) -> Any:
        found = drawn(message, *args)
        return found | {"webhook_id": "78"} if message.id == hook.id else found

    state.message_payload = payload
    settled.ask("why?")
    await settled.outcome()

    found = earlier(settled.model.requests[-1])
    assert [(one["from"].get("is"), one["text"]) for one in found] == [
        ("bot", "[embed] Build 7\nfailed"),
        ("webhook", "from a webhook"),
    ]


async def test_a_crash_reads_the_same(settled: Scene) -> None:
    """What was read at admission is sent after a restart, byte for byte, whatever was written or lost since."""
    settled.say("It fails since noon.", by=GRACE_ID)
    never = asyncio.Event()
    settled.model.hold(never, silent=True)
    settled.ask("why?")
    await settled.model.until(lambda: len(settled.model.requests) == 1)
    await settled.restart()
    settled.say("written later", by=GRACE_ID)
    await settled.outcome()

    never.set()
    first, second = (request["messages"] for request in settled.model.requests[:2])
    assert first == second
    assert texts({"messages": first}) == ["It fails since noon."]


async def test_an_edit_and_a_new_answer_keep_it(settled: Scene) -> None:
    settled.say("It fails since noon.", by=GRACE_ID)
    asked = settled.ask("why?")
    await settled.outcome()
    settled.click(settled.shown()[-1], "Regenerate")
    await settled.model.until(lambda: len(settled.model.requests) == 2)
    await settled.outcome()
    settled.playground.people.edit(GENERAL_ID, asked.id, ADA_ID, f"{MENTION} since when?")
    await settled.model.until(lambda: len(settled.model.requests) == 3)
    await settled.outcome()

    assert [texts(request) for request in settled.model.requests] == [["It fails since noon."]] * 3


async def test_a_deleted_message_is_erased(settled: Scene) -> None:
    """Nothing of it is left in the database, nor ever was in the log."""
    settled.model.reply("Because.")
    gone, stays = settled.say("Erase-me-soon.", by=GRACE_ID), settled.say("Keep this.", by=GRACE_ID)
    settled.ask("why?")
    await settled.outcome()
    assert await stored(settled) == 2

    settled.playground.people.delete(GENERAL_ID, gone.id, GRACE_ID)
    await settled.until(lambda: gone.id not in settled.playground.state.channels[GENERAL_ID].messages)
    await eventually(lambda: has_left(settled, 1))
    await settled.stop()

    files = [file.read_bytes() for file in settled.folder.rglob("*") if file.is_file()]
    assert not any(b"Erase-me-soon." in content for content in files)
    assert any(stays.content.encode() in content for content in files)


async def test_what_is_deleted_while_the_bot_is_away_is_erased(settled: Scene) -> None:
    gone = settled.say("Erase me.", by=GRACE_ID)
    settled.ask("why?")
    await settled.outcome()
    await settled.stop()
    settled.playground.people.delete(GENERAL_ID, gone.id, GRACE_ID)

    await settled.start()

    await eventually(lambda: has_left(settled, 0))
    settled.ask("still there?")
    await settled.outcome(2)


async def test_what_a_forgotten_person_wrote_is_erased(settled: Scene) -> None:
    settled.say("Grace's words.", by=GRACE_ID)
    settled.say(f"<@{GRACE_ID}> said so")
    asked = settled.ask("why?")
    await settled.outcome()

    export = b"".join([part async for part in person_export.parts(settled.app.store, str(GRACE_ID), "json", 10_000)])
    assert b"Grace's words." in export

    (await settled.app.bus.execute(ForgetPersonCommand(person=str(GRACE_ID)))).unwrap()

    turn_id = await settled.app.store.turns.of_message(SOURCE, str(asked.id))
    assert turn_id is not None
    left = await settled.app.store.context_messages.of(turn_id)
    assert [one.text for one in left] == ["<@0> said so"]
    assert left[0].mentions == {}


async def test_it_is_erased_after_seven_days(settled: Scene) -> None:
    settled.say("Old news.", by=GRACE_ID)
    settled.ask("why?")
    await settled.outcome()
    store = settled.app.store
    day = timedelta(days=1)
    present = settled.playground.state.ids.now()

    assert not await store.context_messages.erase_older(microseconds(present - day))
    assert await stored(settled) == 1
    assert await store.context_messages.erase_older(microseconds(present + day))
    assert await stored(settled) == 0


async def test_it_is_forgotten_with_its_question(settled: Scene) -> None:
    settled.say("Old news.", by=GRACE_ID)
    asked = settled.ask("why?")
    await settled.outcome()

    settled.playground.people.delete(GENERAL_ID, asked.id, ADA_ID)
    await settled.until(lambda: not settled.shown())

    assert await stored(settled) == 0


async def test_a_forgotten_question_does_not_come_back(settled: Scene) -> None:
    """What is still in the channel of a question that was undone is not told as what was before the next one."""
    settled.ask("my secret plan")
    answer = await settled.outcome()
    settled.click(answer, "Undo")
    await settled.until(lambda: not settled.shown())
    settled.ask("hello")
    await settled.outcome()

    assert "my secret plan" not in json.dumps(settled.model.requests[-1])


async def test_only_who_may_read_the_history_is_told_of_it(settled: Scene) -> None:
    settled.say("for others")
    settled.playground.admin.overwrite(GENERAL_ID, GRACE_ID, deny=Permission.READ_MESSAGE_HISTORY)
    settled.ask("why?", by=GRACE_ID)
    await settled.outcome()

    assert earlier(settled.model.requests[-1]) == []


async def test_without_the_permission_it_is_answered_without(settled: Scene) -> None:
    settled.say("before", by=GRACE_ID)
    settled.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.READ_MESSAGE_HISTORY)
    settled.ask("why?")
    await settled.outcome()

    assert earlier(settled.model.requests[-1]) == []


@pytest.mark.parametrize(("effect", "times"), [("hang", 1), ("error", 9)])
async def test_a_discord_that_does_not_tell_delays_nothing(settled: Scene, effect: Any, times: int) -> None:
    settled.ask("hello")  # from here on nothing else is read there
    await settled.outcome()
    settled.say("before", by=GRACE_ID)
    planned = settled.playground.faults.plan(effect, "GET", HISTORY, times=times)
    settled.ask("why?")
    await settled.outcome(2)
    planned.release()

    assert earlier(settled.model.requests[-1]) == []


async def test_off_is_off_and_inherited(settled: Scene) -> None:
    settled.command("context", {"value": "off", "where": "server"})
    await eventually(lambda: is_set(settled, f"discord:server:{GUILD_ID}", "off"))
    thread = settled.playground.people.create_thread(RANDOM_ID, ADA_ID, "Talk")
    for channel in (RANDOM_ID, thread.id):
        settled.say("before", by=GRACE_ID, channel=channel)
        settled.ask("why?", channel=channel)
        await settled.outcome(channel=channel)
    assert [earlier(request) for request in settled.model.requests] == [[], []]

    settled.command("context", {"value": "some"}, channel=RANDOM_ID)
    await eventually(lambda: is_set(settled, f"discord:{RANDOM_ID}", "some"))
    await settled.until(lambda: len(settled.shown(RANDOM_ID)) == 2)
    settled.say("now it is read", by=GRACE_ID, channel=RANDOM_ID)
    settled.ask("why?", channel=RANDOM_ID)
    await settled.outcome(2, channel=RANDOM_ID)
    assert texts(settled.model.requests[-1]) == ["now it is read"]


async def test_a_burst_has_it_once(settled: Scene) -> None:
    """Of one person's messages that are answered together, what came before the last one."""
    await settled.restart(bot={"burst": 60.0})
    held = asyncio.Event()
    settled.model.hold(held, silent=True)
    settled.ask("busy", by=GRACE_ID)
    await settled.model.until(lambda: len(settled.model.requests) == 1)
    settled.say("first", by=GRACE_ID)
    settled.ask("one")
    settled.say("second", by=GRACE_ID)
    last = settled.ask("two")
    await eventually(lambda: is_admitted(settled, last))
    held.set()
    await settled.outcome(2)

    request = settled.model.requests[-1]
    assert people_said(request)[-1] == "one\ntwo"
    assert texts(request) == ["first", "second"]


async def test_secrets_are_taken_out_and_not_blamed_on_the_asker(settled: Scene) -> None:
    settled.say(f"my key is sk-proj-{'a1B2' * 12}", by=GRACE_ID)
    settled.ask("why?")
    answer = await settled.outcome()

    [text] = texts(settled.model.requests[-1])
    assert "a1B2" not in text
    assert "[redacted]" in text
    assert "🔑" not in answer.content


async def test_a_plain_question_reads_the_history_once(settled: Scene) -> None:
    settled.ask("hi")
    await settled.outcome()
    before = [one for one in settled.playground.requests if (one.method, one.route) == ("GET", HISTORY)]
    settled.ask("hello")
    await settled.outcome(2)
    after = [one for one in settled.playground.requests if (one.method, one.route) == ("GET", HISTORY)]

    assert len(after) == len(before) + 1
    assert settled.model.requests[-1]["messages"][-1]["content"] == "hello"


@pytest.mark.parametrize(("by", "outside"), [(ADA_ID, False), (GRACE_ID, True)])
async def test_words_of_others_take_the_approvals_in_advance_away(settled: Scene, by: int, outside: bool) -> None:
    """What the asker wrote before is their own; what others wrote is not, so that nothing is approved by it."""
    settled.say("The deploy failed at ten.", by=by)
    asked = settled.ask("why?")
    await settled.outcome()

    turn_id = await settled.app.store.turns.of_message(SOURCE, str(asked.id))
    assert turn_id is not None
    turn = await settled.app.store.turns.get(turn_id)
    assert turn.state.read_outside is outside
    assert turn.state.replies[-1].outside is outside


async def test_it_is_in_no_export_and_no_branch(settled: Scene) -> None:
    settled.model.reply("Because.")
    settled.say("The deploy failed at ten.", by=GRACE_ID)
    asked = settled.ask("why?")
    await settled.outcome()
    turn_id = await settled.app.store.turns.of_message(SOURCE, str(asked.id))
    assert turn_id is not None
    turn = await settled.app.store.turns.get(turn_id)
    assert texts(settled.model.requests[-1]) == ["The deploy failed at ten."]

    branch = BranchSessionCommand(session_id=turn.turn.session_id, new_session_id=f"discord:{RANDOM_ID}")
    assert (await settled.app.bus.execute(branch)).unwrap() == 1
    settled.ask("and now?", channel=RANDOM_ID)
    await settled.outcome(channel=RANDOM_ID)

    assert people_said(settled.model.requests[-1]) == ["why?", "and now?"]
    assert "deploy" not in json.dumps(settled.model.requests[-1]) + json.dumps(turn_as_data(turn))
    assert await stored(settled) == 1


async def test_what_is_replied_to_is_told_once(settled: Scene) -> None:
    first = settled.say("The deploy failed at ten.", by=GRACE_ID)
    settled.say("Lunch?", by=GRACE_ID)
    settled.ask("why?", reply_to=first.id)
    await settled.outcome()

    assert texts(settled.model.requests[-1]) == ["Lunch?"]
    assert "The deploy failed at ten." in json.dumps(settled.model.requests[-1])


async def test_a_channel_that_is_deleted_is_erased(settled: Scene) -> None:
    settled.say("The deploy failed at ten.", by=GRACE_ID, channel=RANDOM_ID)
    settled.ask("why?", channel=RANDOM_ID)
    await settled.outcome(channel=RANDOM_ID)
    assert await stored(settled) == 1

    settled.playground.admin.delete_channel(RANDOM_ID)

    await eventually(lambda: has_left(settled, 0))


async def test_nothing_is_read_in_a_dm(settled: Scene) -> None:
    dm = settled.playground.people.open_dm(ADA_ID)
    settled.say("hello", channel=dm.id)
    await settled.outcome(channel=dm.id)
    await settled.delivered()
    assert await stored(settled) == 0
    assert settled.model.requests[-1]["messages"][-1]["content"] == "hello"


async def everybody_alone(scene: Scene) -> None:
    """Give each person a conversation of their own."""
    await scene.app.store.settings.change(f"discord:{GENERAL_ID}", "people", "each", None, now())


async def test_a_thread_that_the_bot_opens_is_no_word_of_it(settled: Scene) -> None:
    """Discord's notice of a new thread has the bot as its author, and ends no conversation."""
    await settled.app.store.settings.change(f"discord:{GENERAL_ID}", "threads", "auto", None, now())
    settled.say("The deploy failed at ten.", by=GRACE_ID)
    for question in ("why?", "is that right?"):
        asked = settled.ask(question)
        await settled.until(lambda one=asked: one.id in settled.playground.state.channels)  # type: ignore[misc]
        await settled.outcome(channel=asked.id)

        assert texts(settled.model.requests[-1])[0] == "The deploy failed at ten."


async def test_a_question_that_was_undone_does_not_come_back(settled: Scene) -> None:
    """Nor in the conversation of somebody else, which never had it."""
    await everybody_alone(settled)
    settled.model.reply("Yes.")
    settled.ask("my secret plan", by=GRACE_ID)
    settled.click(await settled.outcome(), "Undo", by=GRACE_ID)
    await settled.until(lambda: not settled.shown())

    settled.ask("hello")
    await settled.outcome()

    assert "my secret plan" not in json.dumps(settled.model.requests[-1])


async def test_what_somebody_wrote_before_they_were_forgotten_is_not_read_again(settled: Scene) -> None:
    """Their messages are still in the channel; what they write afterwards is read as anybody's."""
    settled.say("an old word", by=GRACE_ID)
    (await settled.app.bus.execute(ForgetPersonCommand(person=str(GRACE_ID)))).unwrap()
    settled.say("a new word", by=GRACE_ID)

    settled.ask("and now?")
    await settled.outcome()

    assert texts(settled.model.requests[-1]) == ["a new word"]


async def test_the_first_message_of_a_forum_post_is_told_once(settled: Scene) -> None:
    """It is what the thread began with, so it is not also something that was written before."""
    forum = settled.playground.admin.add_channel("help", ChannelType.FORUM)
    post = settled.playground.people.create_post(forum.id, GRACE_ID, "Crash on start", "It crashes with error 7.")
    settled.ask("any idea?", channel=post.id)

    await settled.outcome(channel=post.id)

    assert json.dumps(settled.model.requests[-1]).count("It crashes with error 7.") == 1
