"""/why and "Why no answer?": the bot is never mysteriously silent."""

import asyncio

import discord
import pytest
from discord.flags import ApplicationFlags

from llmgine.sessions.clock import now
from programs.discord.delivery.refusals import UnreachableError
from programs.discord.ids import SOURCE
from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    GENERAL_ID,
    GRACE_ID,
    RANDOM_ID,
    Message,
    MessageType,
    Permission,
    User,
)
from programs.playground.forms import ThreadChanges
from tests.durability.waiting import eventually
from tests.programs.discord.gate import Gate
from tests.programs.discord.scene import Scene, body_of

MENU = "Why no answer?"


async def why(scene: Scene, message: str | None = None, *, by: int = ADA_ID, channel: int = GENERAL_ID) -> str:
    """What /why says."""
    before = len(scene.private(by, channel))
    scene.command("why", {} if message is None else {"message": message}, by=by, channel=channel)
    shown = await scene.until(lambda: [m.content for m in scene.private(by, channel)[before:] if m.content])
    return shown[0]


async def why_menu(scene: Scene, message: Message, *, by: int = ADA_ID) -> str:
    """What the menu of a message says."""
    before = len(scene.private(by, message.channel_id))
    scene.playground.people.command(message.channel_id, by, MENU, [], target_id=message.id)
    shown = await scene.until(lambda: [m.content for m in scene.private(by, message.channel_id)[before:] if m.content])
    return shown[0]


async def listen(scene: Scene, value: str) -> None:
    await scene.app.store.settings.change(f"discord:{GENERAL_ID}", "listen", value, None, now())


async def owed(scene: Scene) -> None:
    """Wait until an outcome is stored that is not shown."""

    async def found() -> bool:
        await scene.app.bus.wait_until_idle()
        return bool(await scene.app.store.undelivered(SOURCE))

    await eventually(found)


async def unshown(scene: Scene) -> Message:
    """A question, and its outcome, in a channel where the bot may not write."""
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.SEND_MESSAGES)
    general = scene.bot.get_channel(GENERAL_ID)
    assert isinstance(general, discord.TextChannel)
    await eventually(lambda: not general.permissions_for(general.guild.me).send_messages)
    asked = scene.ask("hello")
    await owed(scene)
    return asked


async def test_a_message_without_a_mention(scene: Scene) -> None:
    """The person's last message is meant, and told from a mention of somebody else; the menu says the same."""
    scene.say("is anybody here?")
    assert "doesn't mention me" in await why(scene)

    said = scene.say(f"<@{GRACE_ID}>, are you here?")
    assert "someone else" in await why(scene)
    assert await why_menu(scene, said, by=GRACE_ID) == await why(scene, str(said.id), by=GRACE_ID)


async def test_where_it_does_not_listen(scene: Scene) -> None:
    """A channel that is switched off says so."""
    await listen(scene, "off")
    scene.ask("hello?")

    assert "switched off" in await why(scene)


async def test_a_bot_and_a_notice_of_discord(scene: Scene) -> None:
    """What no person wrote is not answered, and that is the reason."""
    state = scene.playground.state
    state.users[77] = User(77, "other", "Other", bot=True)
    said = scene.say("beep", by=GRACE_ID)
    said.author_id = 77
    scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Ours")
    [notice] = [m for m in scene.messages() if m.type not in (MessageType.DEFAULT, MessageType.REPLY)]

    assert "written by a bot" in await why_menu(scene, said)
    assert "Discord's own" in await why_menu(scene, notice)


async def test_an_answer_is_linked(scene: Scene) -> None:
    """What was answered is not riddled about: here is the answer."""
    asked = scene.ask("hello")
    answer = await scene.outcome()

    told = await why(scene)

    assert f"/{GENERAL_ID}/{answer.id})" in told
    assert told.startswith(f"[This message](https://discord.com/channels/{scene.playground.state.guild.id}/")
    assert await why(scene, f"https://discord.com/channels/1/{GENERAL_ID}/{asked.id}") == told


async def test_a_failure_says_its_notice(scene: Scene) -> None:
    """A turn that failed tells why, as its notice did."""
    scene.model.fail(401, {"error": {"message": "no such key"}})
    scene.ask("hello")
    outcome = await scene.outcome()

    assert body_of(outcome.content).removeprefix("⚠️ ") in await why(scene)


async def test_running_queued_and_stopped(scene: Scene) -> None:
    """A turn that runs says so, one that is queued its place, one that was stopped that it was."""
    go_on = asyncio.Event()
    scene.model.hold(go_on)
    first = scene.ask("a")
    second = scene.ask("b")
    await scene.model.until(lambda: scene.model.active == 1)
    await scene.bot.caught_up()

    assert "I'm answering it" in await why(scene, str(first.id))
    assert "1 before it" in await why(scene, str(second.id))
    scene.command("stop")
    await scene.outcome(2)
    assert "stopped" in await why(scene, str(second.id))


async def test_who_has_to_approve(unstarted: Scene) -> None:
    """A turn that waits says for whom, for what and until when; so does one that is queued behind it."""

    def pay(amount: int) -> str:
        """Pay.

        Args:
            amount: How much.
        """
        return f"Paid {amount}."

    scene = await unstarted.start(tools=(pay,), tool_options={"requires_approval": True})
    scene.model.reply(tool_calls=[("pay", '{"amount": 3}')])
    first = scene.ask("pay")
    await scene.card()
    second = scene.ask("and then?")
    await scene.until(lambda: second.id in scene.playground.state.channels[GENERAL_ID].messages)

    told = await why(scene, str(first.id))
    assert f"<@{ADA_ID}> or a moderator" in told
    assert "`pay`" in told
    assert "<t:" in told
    await scene.bot.caught_up()
    assert "1 before it. The first of them: I'm waiting for" in await why(scene, str(second.id))
    assert not any(message.mentions for message in scene.private(ADA_ID))


async def test_a_cleared_conversation(scene: Scene) -> None:
    """Of what was forgotten nothing is known, and that is said."""
    asked = scene.ask("hello")
    await scene.outcome()
    await scene.app.store.sessions.clear(f"discord:{GENERAL_ID}", now())

    assert "has been cleared" in await why(scene, str(asked.id))


async def test_an_undone_question(scene: Scene) -> None:
    """After Undo it is said that it was undone, not that the conversation was cleared."""
    asked = scene.ask("hello")
    scene.click(await scene.outcome(), "Undo")
    await scene.until(lambda: not scene.shown())

    told = await why(scene, str(asked.id))

    assert "was undone" in told
    assert "cleared" not in told


@pytest.mark.parametrize("operation", ["turns.known", "turns.get", "deliveries.of"])
async def test_a_store_that_fails(scene: Scene, operation: str) -> None:
    """When the store cannot be read that is said, and nothing of the conversation is claimed."""
    asked = scene.ask("hello")
    await scene.outcome()
    gate = Gate(scene, operation)
    gate.failures = 1

    told = await why(scene, str(asked.id))

    assert gate.failures == 0
    assert "my database doesn't answer" in told
    assert "cleared" not in told
    assert "I answered" not in told


async def test_a_store_that_fails_over_a_message_that_is_not_answered(scene: Scene) -> None:
    """Nothing is claimed either of a message that has no answer."""
    await scene.bot.caught_up()
    said = scene.say("is anybody here?")
    gate = Gate(scene, "turns.known")
    gate.failures = 1

    assert "my database doesn't answer" in await why(scene, str(said.id))


async def test_a_discord_that_does_not_tell(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """When Discord has to be asked who wrote a message and cannot be, that is said."""
    said = scene.say("is anybody here?")

    async def unreachable(*_: object) -> None:
        raise UnreachableError("no answer")

    monkeypatch.setattr("programs.discord.slash.why.Decisions.verdict", unreachable)

    assert "Discord doesn't tell me" in await why(scene, str(said.id))


@pytest.mark.parametrize(("state", "words"), [("done", "I answered it"), ("failed", "I couldn't answer it")])
async def test_an_outcome_that_is_owed_for_want_of_a_permission(scene: Scene, state: str, words: str) -> None:
    """An outcome that is not shown because the bot may not write says so, not that it can be seen."""
    if state == "failed":
        scene.model.fail(401)
    asked = await unshown(scene)

    told = await why(scene, str(asked.id))

    assert f"{words}. Part of what I wrote is missing: I can't post in <#{GENERAL_ID}>" in told
    assert "[here]" not in told


async def test_an_outcome_that_discord_does_not_take(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An outcome that Discord does not take, for whatever reason, is not said to be there."""
    monkeypatch.setattr("programs.discord.delivery.poster._TRIES", 1)

    async def cut_off(*_: object, **__: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(scene.bot.http, "send_message", cut_off)
        asked = scene.ask("hello")
        await owed(scene)
        told = await why(scene, str(asked.id))

    assert "Discord hasn't accepted it yet" in told
    assert "[here]" not in told
    caplog.clear()


async def test_an_outcome_that_was_given_up(scene: Scene) -> None:
    """An outcome that was never shown, and is not owed any more, is not said to be there or to come."""
    asked = await unshown(scene)
    [turn] = await scene.app.store.undelivered(SOURCE)
    await scene.app.store.deliveries.settle(turn, [], turn.posts)

    told = await why(scene, str(asked.id))

    assert "Nothing I wrote is there" in told
    assert "follows" not in told


async def test_an_answer_that_was_deleted(scene: Scene) -> None:
    """No link leads to an answer that somebody deleted."""
    asked = scene.ask("hello")
    answer = await scene.outcome()
    scene.playground.state.delete_message(answer)

    told = await why(scene, str(asked.id))

    assert "What I wrote has been deleted" in told
    assert "[here]" not in told


async def test_an_answer_whose_channel_is_gone(scene: Scene) -> None:
    """No link leads to an answer in a thread that was deleted."""
    await scene.app.store.settings.change(f"discord:{GENERAL_ID}", "threads", "auto", None, now())
    asked = scene.ask("hello")
    await scene.until(lambda: scene.playground.state.channels.get(asked.id))
    await scene.outcome(channel=asked.id)
    scene.playground.people.delete_thread(asked.id, ADA_ID)
    await eventually(lambda: scene.bot.get_channel(asked.id) is None)

    told = await why(scene, str(asked.id))

    assert "The channel I wrote it in is gone" in told
    assert "[here]" not in told


async def test_an_answer_in_a_thread_that_was_locked(scene: Scene) -> None:
    """An answer that is missing because its thread was locked says so, and promises nothing."""
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Ours")
    await eventually(lambda: scene.bot.get_channel(thread.id))
    go_on = asyncio.Event()
    scene.model.hold(go_on)
    asked = scene.ask("hello", channel=thread.id)
    await scene.model.until(lambda: scene.model.active == 1)
    scene.playground.people.change_thread(thread.id, ADA_ID, ThreadChanges(archived=True, locked=True))
    go_on.set()
    await scene.until(lambda: any(f"<#{thread.id}>" in message.content for message in scene.shown()))
    await scene.delivered()
    scene.playground.people.change_thread(thread.id, ADA_ID, ThreadChanges(archived=False, locked=True))
    await eventually(lambda: scene.bot.get_channel(thread.id))

    told = await why(scene, str(asked.id), channel=thread.id)

    assert f"<#{thread.id}> is locked" in told
    assert "[here]" not in told


async def test_a_question_that_is_answered_again(scene: Scene) -> None:
    """Of a question that was edited it is said that it is answered again, not since when."""
    asked = scene.ask("hello")
    await scene.outcome()
    go_on = asyncio.Event()
    scene.model.hold(go_on)
    scene.playground.people.edit(GENERAL_ID, asked.id, ADA_ID, f"<@{BOT_ID}> hello again")
    await scene.model.until(lambda: scene.model.active == 1)

    told = await why(scene, str(asked.id))
    go_on.set()

    assert "I'm answering it again" in told
    assert "<t:" not in told


async def test_a_missing_permission(scene: Scene) -> None:
    """Where the bot may not write that is named."""
    scene.say("hello")
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.SEND_MESSAGES)

    assert "I'm missing permissions here: Send Messages" in await why(scene)


async def test_the_message_content_intent(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message whose text the bot is not given is explained by the intent that is off."""
    said = scene.say("hello")
    said.content = ""
    monkeypatch.setattr(scene.bot._connection, "application_flags", ApplicationFlags())

    assert "Message Content intent" in await why(scene, str(said.id))


async def test_before_it_came_and_while_it_was_away(scene: Scene) -> None:
    """A message from before the bot's time, and one that was passed over when it returned, have their reasons."""
    old = scene.ask("hello")
    await scene.outcome()
    await scene.stop()
    missed = scene.say("hello again")
    await scene.start()
    await scene.bot.caught_up()
    missed.content, missed.mentions = f"<@{BOT_ID}> hello again", [BOT_ID]
    assert "I was offline" in await why(scene, str(missed.id))

    scene.playground.gateway.add_bot()
    early = scene.playground.state.channels[GENERAL_ID].messages[old.id]
    early.content = f"<@{BOT_ID}> hello"
    await scene.until(lambda: any(m.embeds for m in scene.shown()))
    assert "before I joined" in await why(scene, str(missed.id))


@pytest.mark.parametrize("given", ["hello", "12", "https://evil.example/1/2/3", "9" * 30, "../../1", "<@1>", " "])
async def test_what_is_no_message(scene: Scene, given: str) -> None:
    """Nonsense is refused in a sentence, privately."""
    assert "not a message's link or id" in await why(scene, given)


async def test_other_channels_and_unknown_messages(scene: Scene) -> None:
    """Only messages of the channel one is in are looked at, so that nobody reads of what they may not see."""
    elsewhere = scene.say("secret", channel=RANDOM_ID)

    link = f"https://discord.com/channels/1/{RANDOM_ID}/{elsewhere.id}"
    assert "ask me there" in await why(scene, link)
    assert "no such message" in await why(scene, str(elsewhere.id))
    assert "None of the last" in await why(scene)
