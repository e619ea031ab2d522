"""Where the bot may not write: people are told once elsewhere, and the answer follows when it may."""

import asyncio
import time

import discord
import pytest

from programs.discord.delivery.notices import AGAINST_THE_RULES
from programs.discord.ids import SOURCE
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, Message, Permission
from programs.playground.errors import ApiError, missing_permissions
from programs.playground.forms import MessageForm, ThreadChanges
from programs.playground.posting import Posting
from tests.durability.waiting import eventually
from tests.programs.discord.scene import Scene, body_of

CREATE = ("POST", "/channels/{channel_id}/messages")
SIGN = "❌"


def deny(scene: Scene, *permissions: Permission) -> None:
    """Take these from the bot in the channel; without any it has all again."""
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission(sum(permissions)))


async def allowed(scene: Scene, name: str, *, yes: bool) -> None:
    """Wait until the bot knows of a permission."""
    channel = scene.bot.get_channel(GENERAL_ID)
    assert isinstance(channel, discord.TextChannel)
    await eventually(lambda: getattr(channel.permissions_for(channel.guild.me), name) is yes)


def direct(scene: Scene) -> list[Message]:
    """What the bot wrote to Ada in her DM."""
    return scene.shown(scene.playground.people.open_dm(ADA_ID).id)


async def owed(scene: Scene) -> None:
    """Wait until an answer is there that cannot be shown."""
    await eventually(lambda: scene.app.store.undelivered(SOURCE))
    await scene.app.bus.wait_until_idle()


async def test_without_permission_the_question_is_marked_and_the_answer_follows(settled: Scene) -> None:
    """No request is made that Discord would refuse; a ❌ says so, and makes room for the answer in the end."""
    scene = settled
    deny(scene, Permission.SEND_MESSAGES)
    await allowed(scene, "send_messages", yes=False)

    asked = [scene.ask("first"), scene.ask("second")]

    await scene.until(lambda: all(SIGN in message.reactions for message in asked))
    assert scene.sends() == scene.sends("POST", "/channels/{channel_id}/typing") == []
    assert direct(scene) == []
    deny(scene)
    await scene.outcome(2)
    await scene.until(lambda: not any(SIGN in message.reactions for message in asked))
    assert ["first" in message.content for message in scene.shown()] == [True, False]


async def test_who_cannot_be_told_by_a_sign_is_told_directly(settled: Scene) -> None:
    """Without the permission to react, the author gets a DM, which says nothing of what was asked; once."""
    scene = settled
    deny(scene, Permission.SEND_MESSAGES, Permission.ADD_REACTIONS)
    await allowed(scene, "send_messages", yes=False)
    scene.ask("a private matter")

    (told,) = await scene.until(lambda: direct(scene))

    assert told.content.startswith(f"⚠️ I can't post in <#{GENERAL_ID}>. Ask for the permission Send Messages")
    assert "private" not in told.content
    scene.playground._posting._nonces.clear()
    await scene.restart()
    await scene.bot.check()
    assert len(direct(scene)) == 1
    deny(scene)
    await scene.outcome()


async def test_a_refusal_is_remembered(unstarted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What discord.py did not know costs one refused request in ten minutes, however much is asked meanwhile."""
    now = [0.0]
    scene = await unstarted.start(bot={"monotonic": lambda: now[0]})
    await scene.bot.caught_up()

    def refuse(_channel: object, author_id: int, *_: object, **__: object) -> None:
        if author_id == BOT_ID:
            raise missing_permissions()

    with monkeypatch.context() as patch:
        patch.setattr(scene.playground._posting._admission, "require", refuse)
        asked = [scene.ask("first"), scene.ask("second")]
        await scene.until(lambda: all(SIGN in message.reactions for message in asked))
        await scene.bot.check()
    assert sum(record.status == 403 for record in scene.playground.requests) == 1

    now[0] = 601.0
    await scene.bot.check()

    await scene.outcome(2)
    assert ["first" in message.content for message in scene.shown()] == [True, False]


async def test_a_channel_that_cannot_be_seen_any_more(settled: Scene) -> None:
    """Shut out in the middle of an answer, the bot ends it in the same message when it is let in again."""
    scene, go_on = settled, asyncio.Event()
    scene.model.hold(go_on, before="The beginning ", after="and the end.")
    scene.ask("talk")
    (half,) = await scene.until(scene.shown)
    deny(scene, Permission.VIEW_CHANNEL)
    await allowed(scene, "view_channel", yes=False)
    go_on.set()
    await owed(scene)
    await scene.until(lambda: direct(scene))

    deny(scene)

    outcome = await scene.outcome()
    assert (outcome.id, body_of(outcome.content)) == (half.id, "The beginning and the end.")


async def test_an_answer_is_not_owed_for_ever(unstarted: Scene) -> None:
    """After a day what people were told is the outcome: nothing is posted when the bot may write again."""
    now = [time.time()]
    scene = await unstarted.start(bot={"clock": lambda: now[0]})
    deny(scene, Permission.SEND_MESSAGES)
    await allowed(scene, "send_messages", yes=False)
    asked = scene.ask("in vain")
    await scene.until(lambda: SIGN in asked.reactions)
    await owed(scene)
    await scene.bot.all_delivered()
    now[0] += 86_500.0

    await scene.bot.check()

    await eventually(lambda: scene.app.store.undelivered(SOURCE), empty=True)
    deny(scene)
    await allowed(scene, "send_messages", yes=True)
    await scene.bot.check()
    assert scene.shown() == []


async def test_a_closed_dm_is_told_of_in_a_channel(unstarted: Scene) -> None:
    """Where the person was heard, nothing of what was said in the DM; the answer follows when the DM is open."""
    now, go_on = [0.0], asyncio.Event()
    scene = await unstarted.start(bot={"monotonic": lambda: now[0]})
    await scene.bot.caught_up()
    dm = scene.playground.people.open_dm(ADA_ID).id
    scene.say("hello everybody")
    scene.model.hold(go_on, silent=True, after="Secret.")
    scene.say("a private matter", channel=dm)
    await scene.model.until(lambda: len(scene.model.requests) == 1)
    scene.playground.admin.close_dms(ADA_ID)
    go_on.set()

    (told,) = await scene.until(scene.shown)

    assert told.content.startswith(f"⚠️ I can't send you DMs, <@{ADA_ID}>")
    assert told.mentions == []
    assert scene.shown(dm) == []
    assert sum(record.status == 403 for record in scene.playground.requests) == 1
    scene.playground.admin.close_dms(ADA_ID, closed=False)
    now[0] = 601.0
    await scene.bot.all_delivered()
    await scene.bot.check()
    assert body_of((await scene.outcome(channel=dm)).content) == "Secret."
    assert len(scene.shown()) == 1


@pytest.mark.parametrize("code", [200000, 240000], ids=["AutoMod", "links"])
async def test_what_the_rules_of_a_server_forbid(scene: Scene, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """An answer that is blocked is replaced by a notice that says so; it is not tried again, and the talk goes on."""
    fill = Posting._fill

    def moderated(posting: Posting, message: Message, form: MessageForm, *args: object, **options: object) -> None:
        if message.author_id == BOT_ID and "forbidden" in (form.content or ""):
            raise ApiError(400, code, "Message was blocked")
        fill(posting, message, form, *args, **options)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(Posting, "_fill", moderated)
    scene.model.reply("Something forbidden.")
    scene.ask("say it")

    outcome = await scene.outcome()

    assert body_of(outcome.content) == str(AGAINST_THE_RULES)
    assert sum("forbidden" in str(sent["content"]) for sent in scene.sends()) <= 2  # a preview and the answer
    scene.ask("and now?")
    assert "and now?" in (await scene.outcome(2)).content
    assert len(scene.shown()) == 2


async def test_a_locked_thread_is_told_of_in_its_channel(scene: Scene) -> None:
    """Where only moderators may write, the bot gives up, tells the channel once, and goes on elsewhere."""
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Ours")
    go_on = asyncio.Event()
    scene.model.hold(go_on, before="Half ", after="and half of a secret.")
    scene.ask("talk", channel=thread.id)
    await scene.until(lambda: scene.shown(thread.id))
    scene.playground.people.change_thread(thread.id, ADA_ID, ThreadChanges(archived=True, locked=True))
    go_on.set()

    (told,) = await scene.until(scene.shown)

    assert told.content == f"⚠️ I can't post in <#{thread.id}>: it is locked, so my answer there is missing."
    scene.ask("hello")
    await scene.outcome()
    await eventually(lambda: scene.app.store.undelivered(SOURCE), empty=True)
    assert len(scene.shown()) == 2


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
async def test_a_deleted_thread_ends_its_answer(scene: Scene, *, told: bool) -> None:
    """Nobody can read it there, so the model is not asked on, nothing is posted, and the talk goes on elsewhere."""
    thread = scene.playground.people.create_thread(GENERAL_ID, ADA_ID, "Ours")
    go_on = asyncio.Event()
    scene.model.hold(go_on, before="Half ", after="done.")
    scene.ask("talk", channel=thread.id)
    await scene.until(lambda: scene.shown(thread.id))
    if not told:
        scene.playground.gateway.lose("THREAD_DELETE")
    scene.playground.state.delete_thread(thread)
    if told:
        await scene.model.until(lambda: not scene.model.active)
    go_on.set()
    scene.ask("hello")

    await scene.outcome()

    await eventually(lambda: scene.app.store.undelivered(SOURCE), empty=True)
    assert len(scene.shown()) == 1
    refused = [record for record in scene.playground.requests if record.status == 404]
    parts = [record for record in refused if "/reactions/" not in record.route]
    assert len(parts) <= 2, "each part, the text and the notice, was tried once"
    assert len(refused) - len(parts) <= (0 if told else 1), "no more than one sign was tried"
