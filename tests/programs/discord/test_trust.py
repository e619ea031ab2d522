"""What people may not do or see is not done or shown for them by the bot either, and what is taken back is gone."""

import json

import discord
import pytest

from llmgine.messages.chat_messages import ToolCall
from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    BOT_PERMISSIONS,
    BOT_ROLE_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    MEMBERS_ROLE_ID,
    NO_PERMISSION,
    PERSON_PERMISSIONS,
    RANDOM_ID,
    ChannelType,
    Message,
    Permission,
)
from tests.durability.waiting import eventually
from tests.programs.discord.scene import MENTION, Scene, people_said
from tests.programs.discord.test_approval_buttons import script, value, with_button
from tests.programs.discord.test_sessions import listed, offered, opened, talk, the_thread
from tests.programs.discord.test_slash import modal, said, told
from tests.waiting import patience

SECRET = "my password is hunter2"


def custom_id(message: Message, label: str) -> str:
    """The custom id of a button."""
    buttons = [button for row in message.components for button in row["components"]]
    found: str = next(button["custom_id"] for button in buttons if button["label"] == label)
    return found


def press_forged(scene: Scene, on: Message, forged: str) -> None:
    """Grace presses a button that another message has, on one of her own."""
    on.components = [
        {"type": 1, "id": 1, "components": [{"type": 2, "id": 2, "style": 2, "label": "x", "custom_id": forged}]}
    ]
    scene.playground.people.click(on.channel_id, GRACE_ID, on.id, forged)


def without(scene: Scene, permission: Permission) -> None:
    """Take a permission from all people but Ada, who owns the server; the bot keeps it."""
    taken = permission | Permission.MANAGE_MESSAGES | Permission.MANAGE_THREADS
    scene.playground.admin.set_role(MEMBERS_ROLE_ID, PERSON_PERMISSIONS & ~taken)
    scene.playground.admin.set_role(GUILD_ID, BOT_PERMISSIONS & ~taken)
    scene.playground.admin.set_role(BOT_ROLE_ID, BOT_PERMISSIONS | permission)


async def asked_in_a_branch(scene: Scene) -> list[str]:
    """What people said, as the model is told in the branch."""
    thread = the_thread(scene)
    assert thread is not None
    scene.say("what do you know?", channel=thread.id)
    await scene.outcome(channel=thread.id)
    return people_said(scene.model.requests[-1])


@pytest.mark.parametrize("label", ["Details", "Regenerate", "Undo"])
async def test_a_button_works_in_its_own_channel(scene: Scene, label: str) -> None:
    """A moderator of one channel does nothing to somebody's DM by the custom id of a button there."""
    dm = scene.playground.people.open_dm(ADA_ID)
    scene.say("a secret", channel=dm.id)
    theirs = await scene.outcome(channel=dm.id)
    scene.ask("hi", by=GRACE_ID)
    own = await scene.outcome()

    press_forged(scene, own, custom_id(theirs, label))

    await told(scene, "This belongs to another channel.", GRACE_ID)
    assert len(scene.model.requests) == 2


@pytest.mark.parametrize(("command", "permission"), [("thread", "public"), ("branch", "public"), ("branch", "private")])
async def test_no_thread_for_who_may_open_none(scene: Scene, command: str, permission: str) -> None:
    """The bot opens no thread for a person who may not open one."""
    await talk(scene, "before")
    without(scene, Permission.CREATE_PUBLIC_THREADS | Permission.CREATE_PRIVATE_THREADS)

    scene.command(command, {"where": "private"} if permission == "private" else {}, by=GRACE_ID)

    await told(scene, "You don't have permission to create", GRACE_ID)
    assert the_thread(scene) is None


async def test_no_question_for_who_may_not_write(scene: Scene) -> None:
    """In a channel where somebody may only read, the bot does not write their question either."""
    message = scene.say("An announcement.")
    scene.playground.people.command(GENERAL_ID, GRACE_ID, "Ask about this", target_id=message.id)
    form = await modal(scene)
    scene.playground.admin.overwrite(GENERAL_ID, GRACE_ID, deny=Permission.SEND_MESSAGES, allow=NO_PERMISSION)

    scene.playground.people.submit_modal(GRACE_ID, int(form["modal_id"]), {"question": "Buy this"})

    await told(scene, "You don't have permission to write here.", GRACE_ID)
    assert scene.model.requests == []


async def test_a_branch_of_a_private_thread_is_private(scene: Scene) -> None:
    """What was said among a few is not shown to the channel around them."""
    await talk(scene, "in public")
    scene.playground.admin.set_role(BOT_ROLE_ID, BOT_PERMISSIONS | Permission.CREATE_PRIVATE_THREADS)
    scene.command("branch", {"where": "private"}, by=GRACE_ID)
    await told(scene, "Continued in <#", GRACE_ID)
    first = the_thread(scene)
    assert first is not None

    scene.command("branch", by=GRACE_ID, channel=first.id)
    await told(scene, "Continued in <#", GRACE_ID, first.id)

    threads = scene.playground.state.threads(GENERAL_ID)
    assert [thread.type for thread in threads] == [ChannelType.PRIVATE_THREAD] * 2


async def test_history_is_for_who_may_read_it(scene: Scene) -> None:
    """Who may not read a channel's history is offered no conversation of it."""
    await talk(scene, "before you came")
    scene.playground.admin.overwrite(GENERAL_ID, GRACE_ID, deny=Permission.READ_MESSAGE_HISTORY, allow=NO_PERMISSION)

    assert offered(await listed(scene, GRACE_ID)) == []


async def test_a_private_thread_is_for_its_members(scene: Scene) -> None:
    """Who was not added to a private thread is offered no conversation of it, though they read the channel."""
    without(scene, Permission.CREATE_PRIVATE_THREADS)
    await talk(scene, "in public")
    scene.command("branch", {"where": "private"})
    await told(scene, "Continued in <#")
    thread = the_thread(scene)
    assert thread is not None

    assert set(offered(await listed(scene))) == {f"discord:{GENERAL_ID}", f"discord:{thread.id}"}
    assert offered(await listed(scene, GRACE_ID)) == [f"discord:{GENERAL_ID}"]


async def test_a_fresh_branch_is_renamed_by_moderators(scene: Scene) -> None:
    """A thread in which nobody has said anything yet is not renamed by just anybody."""
    scene.no_moderators()
    await talk(scene, "before")
    scene.command("branch")
    await told(scene, "Continued in <#")
    thread = the_thread(scene)
    assert thread is not None
    message = await opened(scene, f"discord:{thread.id}", GRACE_ID, thread.id)

    scene.click(message, "Rename", by=GRACE_ID)

    await told(scene, "Only", GRACE_ID, thread.id)
    assert not any(name == "MODAL_OPEN" for name, _ in scene.told)


@pytest.mark.parametrize("how", ["edited", "deleted", "deleted after a clear"])
async def test_what_is_taken_back_is_gone_from_branches(scene: Scene, how: str) -> None:
    """A text that was edited away or deleted is not known in a copy of the conversation either."""
    question = scene.ask(SECRET)
    await scene.outcome()
    scene.command("branch")
    await told(scene, "Continued in <#")
    if how == "deleted after a clear":
        scene.command("clear")
        scene.click(await told(scene, "Clear this channel's conversation?"), "Clear it")
        await said(scene, "cleared the conversation")
    assert len(await copies(scene)) == 1

    if how == "edited":
        scene.playground.people.edit(GENERAL_ID, question.id, ADA_ID, f"{MENTION} never mind")
    else:
        scene.playground.people.delete(GENERAL_ID, question.id, ADA_ID)

    await eventually(lambda: copies(scene), empty=True)
    assert not any(SECRET in text for text in await asked_in_a_branch(scene))


async def copies(scene: Scene) -> list[object]:
    """The turns of the branch whose texts are there."""
    thread = the_thread(scene)
    assert thread is not None
    keys = await scene.app.store.turns.ended(f"discord:{thread.id}", 1_000, 1_000)
    return [turn.turn for turn in await scene.app.store.turns.many([key[0] for key in keys])]


async def test_a_deletion_is_found_also_after_a_continue(scene: Scene) -> None:
    """A question that was deleted while the bot was away is forgotten, though a button asked something before."""
    scene.model.reply("It begins", finish="length")
    scene.model.reply(" and ends.")
    scene.ask("tell me", by=GRACE_ID, channel=RANDOM_ID)
    scene.click(await scene.outcome(channel=RANDOM_ID), "Continue", by=GRACE_ID)
    await scene.outcome(2, channel=RANDOM_ID)
    question = scene.ask(SECRET)
    await scene.outcome()
    await scene.stop()
    scene.playground.people.delete(GENERAL_ID, question.id, ADA_ID)

    await scene.start()

    await scene.until(lambda: scene.shown() == [])
    scene.ask("what do you know?")
    await scene.outcome()
    assert not any(SECRET in text for text in people_said(scene.model.requests[-1]))


async def test_history_that_cannot_be_read_is_not_gone(scene: Scene) -> None:
    """Without the permission to read back, Discord shows no messages; nothing is taken for deleted."""
    await talk(scene, "one", "two")
    scene.playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.READ_MESSAGE_HISTORY, allow=NO_PERMISSION)

    await scene.restart()
    async with patience("the bot to look back"):
        await scene.bot.caught_up()

    assert (await scene.app.store.sessions.get(f"discord:{GENERAL_ID}")).turns == 2
    assert len(scene.outcomes()) == 2


async def test_a_card_shows_what_does_not_print(unstarted: Scene) -> None:
    """No character turns what is to be approved round, or hides in it."""
    arguments = json.dumps({"text": "send to \u202emoc.live\u202c\u200b"}, ensure_ascii=False)

    def note(text: str) -> str:
        """Note.

        Args:
            text: What.
        """
        return text

    provider = script(ToolCall(name="note", arguments=arguments), "Noted.")
    scene = await unstarted.start(provider=provider, tools=(note,), tool_options={"requires_approval": True})
    scene.ask("note")

    card = await with_button(scene, "Approve")

    assert not {"\u202e", "\u200b"} & set(value(card))
    assert "u202e" in value(card)


async def test_nothing_pings_by_default(scene: Scene) -> None:
    """Also what is sent without a word about pings pings nobody."""
    channel = scene.bot.get_channel(GENERAL_ID)
    assert isinstance(channel, discord.TextChannel)

    await channel.send(f"@everyone <@{ADA_ID}> <@&{MEMBERS_ROLE_ID}>", nonce="by hand")

    [sent] = scene.sends()
    assert sent["allowed_mentions"]["parse"] == []
    [shown] = scene.history
    assert (shown.payload["mentions"], shown.payload["mention_roles"]) == ([], [])


async def test_a_name_is_no_link(scene: Scene) -> None:
    """What people call themselves is no link in the bot's own words."""
    person = scene.playground.admin.join("[Nitro](https://evil.example)")
    scene.playground.admin.overwrite(GENERAL_ID, person, allow=Permission.MANAGE_MESSAGES, deny=NO_PERMISSION)

    scene.command("listen", {"value": "always"}, by=person)

    assert (await said(scene, "set /listen")).content.startswith("\\[Nitro]")
