"""Threads by Discord's rules."""

import discord
import pytest

from programs.playground.entities import ADA_ID, GENERAL_ID, GRACE_ID, MessageType
from programs.playground.errors import ApiError
from programs.playground.forms import ThreadChanges
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot


async def test_a_thread_from_a_message_has_its_id(playground: Playground, bot: Bot) -> None:
    """The thread's id is the message's; a line in the channel and a starter in the thread come with it."""
    message = playground.people.send(GENERAL_ID, ADA_ID, "topic")
    asked = await bot.heard("message")

    thread = await asked.create_thread(name="topic")

    assert thread.id == message.id
    assert [one.type for one in playground.state.channels[thread.id].messages.values()] == [
        MessageType.THREAD_STARTER_MESSAGE
    ]
    assert [one.type for one in playground.state.channels[GENERAL_ID].messages.values()] == [
        MessageType.DEFAULT,
        MessageType.THREAD_CREATED,
    ]
    assert (await bot.heard("thread_create")).id == thread.id


async def test_a_message_has_one_thread(playground: Playground, bot: Bot) -> None:
    """The second thread from one message is refused with 160004."""
    posted = await bot.general.send("topic")
    await posted.create_thread(name="first")

    with pytest.raises(discord.HTTPException) as refused:
        await bot.http.start_thread_with_message(GENERAL_ID, posted.id, name="second", auto_archive_duration=60)
    assert refused.value.code == 160004


async def test_a_persons_thread_is_heard(playground: Playground, bot: Bot) -> None:
    """The bot sees a thread somebody opened, and what is said in it."""
    thread = playground.people.create_thread(GENERAL_ID, GRACE_ID, "mine")
    playground.people.send(thread.id, GRACE_ID, "inside")

    assert (await bot.heard("thread_create")).name == "mine"
    message = await bot.heard("message", count=2)
    assert isinstance(message.channel, discord.Thread)
    assert (message.content, message.channel.owner_id) == ("inside", GRACE_ID)


async def test_a_message_opens_an_archived_thread(playground: Playground, bot: Bot) -> None:
    """In an archived thread sending is allowed and opens it; editing and reacting are not."""
    thread = await bot.general.create_thread(name="t", type=discord.ChannelType.public_thread)
    posted = await thread.send("before")
    await thread.edit(archived=True)

    for attempt in (posted.edit(content="x"), posted.add_reaction("👍"), posted.delete()):
        with pytest.raises(discord.HTTPException) as refused:
            await attempt
        assert refused.value.code == 50083
    await thread.send("after")
    await posted.edit(content="works")
    update = await bot.heard("raw_thread_update", count=2)
    assert update.data["thread_metadata"]["archived"] is False


async def test_a_locked_thread_is_closed_to_the_bot(playground: Playground, bot: Bot) -> None:
    """Only people may still write in a locked thread; the bot gets 160005 and cannot open it."""
    thread = await bot.general.create_thread(name="t", type=discord.ChannelType.public_thread)
    playground.people.change_thread(thread.id, ADA_ID, ThreadChanges(locked=True, archived=True))

    with pytest.raises(discord.HTTPException) as refused:
        await thread.send("no")
    assert refused.value.code == 160005
    with pytest.raises(discord.Forbidden):
        await thread.edit(archived=False)
    playground.people.send(thread.id, ADA_ID, "yes")
    assert (await bot.heard("message", count=2)).content == "yes"


async def test_only_members_see_a_private_thread(playground: Playground, bot: Bot) -> None:
    """To others, the bot too, a private thread does not exist."""
    thread = playground.people.create_thread(GENERAL_ID, ADA_ID, "secret", private=True)

    with pytest.raises(ApiError) as refused:
        playground.people.send(thread.id, GRACE_ID, "?")
    assert refused.value.code == 10003
    with pytest.raises(discord.NotFound):
        await bot.fetch_channel(thread.id)


@pytest.mark.parametrize("name", ["", "x" * 101])
async def test_a_thread_needs_a_fitting_name(playground: Playground, bot: Bot, name: str) -> None:
    """Names have 1 to 100 characters."""
    with pytest.raises(discord.HTTPException) as refused:
        await bot.general.create_thread(name=name, type=discord.ChannelType.public_thread)
    assert refused.value.code == 50035


async def test_threads_have_no_threads(playground: Playground) -> None:
    """A thread inside a thread is refused with 50024."""
    thread = playground.people.create_thread(GENERAL_ID, ADA_ID, "t")

    with pytest.raises(ApiError) as refused:
        playground.people.create_thread(thread.id, ADA_ID, "deeper")
    assert refused.value.code == 50024


async def test_joining_and_leaving_is_told(playground: Playground, bot: Bot) -> None:
    """The bot joins a thread of others, and leaves it."""
    opened = playground.people.create_thread(GENERAL_ID, ADA_ID, "t")
    thread = await bot.heard("thread_create")

    await thread.join()
    await bot.heard("thread_join")
    assert opened.thread is not None
    assert set(opened.thread.members) == {ADA_ID, bot.application_id}
    await thread.leave()
    assert set(opened.thread.members) == {ADA_ID}


async def test_the_bot_brings_somebody_into_a_thread(playground: Playground, bot: Bot) -> None:
    """A person is added once, however often; taking a person out of a public thread is not the bot's."""
    thread = await bot.general.create_thread(name="t", type=discord.ChannelType.public_thread)
    person = discord.Object(ADA_ID)

    for _ in range(2):
        await thread.add_user(person)
    inside = playground.state.channels[thread.id].thread

    assert inside is not None
    assert set(inside.members) == {ADA_ID, bot.application_id}
    with pytest.raises(discord.Forbidden):
        await thread.remove_user(person)
    await thread.edit(archived=True)
    with pytest.raises(discord.HTTPException) as refused:
        await thread.add_user(discord.Object(GRACE_ID))
    assert refused.value.code == 50083


async def test_a_deleted_thread_is_gone(playground: Playground, bot: Bot) -> None:
    """The bot hears of the deletion, and what it then does there is 10003."""
    opened = playground.people.create_thread(GENERAL_ID, ADA_ID, "t")
    thread = await bot.heard("thread_create")

    playground.people.delete_thread(opened.id, GRACE_ID)

    assert (await bot.heard("thread_delete")).id == opened.id
    with pytest.raises(discord.NotFound) as refused:
        await thread.send("anyone?")
    assert refused.value.code == 10003
