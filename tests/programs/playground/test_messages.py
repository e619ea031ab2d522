"""Messages between people and the bot, through the real discord.py."""

from datetime import timedelta

import discord
import pytest

from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    RANDOM_ID,
    MessageType,
    Permission,
)
from programs.playground.errors import ApiError
from programs.playground.posting import Upload
from programs.playground.server import Playground
from tests.programs.playground.conftest import Bot, Raw, within


async def test_a_persons_message_reaches_the_bot(playground: Playground, bot: Bot) -> None:
    """What a person writes arrives whole: text, author, channel, mention and time."""
    sent = playground.people.send(GENERAL_ID, ADA_ID, f"Hello <@{BOT_ID}>")

    message = await bot.heard("message")
    assert message.id == sent.id
    assert message.content == f"Hello <@{BOT_ID}>"
    assert (message.author.id, message.author.display_name) == (ADA_ID, "Ada")
    assert message.channel == bot.general
    assert bot.user in message.mentions
    assert message.created_at.year >= 2025


async def test_an_answer_is_edited_in_place(playground: Playground, bot: Bot) -> None:
    """A reply with embeds and buttons can be edited, and the edit replaces only what it names."""
    playground.people.send(GENERAL_ID, ADA_ID, "?")
    view = discord.ui.View(timeout=None).add_item(discord.ui.Button(label="Stop", custom_id="stop"))

    asked = await bot.heard("message")
    reply = await asked.reply("one", embed=discord.Embed(title="Card").add_field(name="a", value="b"), view=view)
    await reply.edit(content="two")

    stored = playground.state.channels[GENERAL_ID].messages[reply.id]
    assert stored.type is MessageType.REPLY
    assert stored.content == "two"
    assert stored.edited_at is not None
    assert stored.embeds[0]["fields"] == [{"name": "a", "value": "b", "inline": True}]
    assert stored.components[0]["components"][0]["custom_id"] == "stop"
    assert (await bot.heard("message_edit"))[1].content == "two"


async def test_a_reply_shows_what_it_replies_to(playground: Playground, bot: Bot) -> None:
    """A person's reply to the bot carries the bot's message, and mentions the bot."""
    posted = await bot.general.send("Yes?")

    playground.people.send(GENERAL_ID, GRACE_ID, "No.", reply_to=posted.id)

    reply = await bot.heard("message", count=2)
    assert reply.reference.resolved.id == posted.id
    assert reply.mentions == [bot.general.guild.me]


async def test_a_reply_without_ping_mentions_nobody(playground: Playground, bot: Bot) -> None:
    """The ping of a reply counts only when it is on."""
    posted = await bot.general.send("Yes?")

    playground.people.send(GENERAL_ID, GRACE_ID, "No.", reply_to=posted.id, ping=False)

    assert (await bot.heard("message", count=2)).mentions == []


async def test_forbidden_mentions_do_not_count(playground: Playground, bot: Bot) -> None:
    """With no mention allowed, a text full of them pings nobody."""
    text = f"<@{ADA_ID}> @everyone <@&{playground.state.guild.id}>"
    posted = await bot.general.send(text, allowed_mentions=discord.AllowedMentions.none())

    assert posted.content == text
    assert (posted.mentions, posted.mention_everyone, posted.role_mentions) == ([], False, [])


async def test_an_edit_without_allowed_mentions_pings(playground: Playground, bot: Bot, raw: Raw) -> None:
    """As on Discord: an edited text is parsed anew, and by default everything in it is allowed."""
    posted = await bot.general.send("quiet", allowed_mentions=discord.AllowedMentions.none())

    _, edited = await raw.api(
        "PATCH", f"/channels/{GENERAL_ID}/messages/{posted.id}", {"content": f"<@{ADA_ID}> `<@{GRACE_ID}>`"}
    )

    assert [user["id"] for user in edited["mentions"]] == [str(ADA_ID)]


async def test_the_same_nonce_makes_one_message(playground: Playground, bot: Bot) -> None:
    """A repeated create with the same enforced nonce gives back the message that exists."""
    first = await bot.general.send("once", nonce="turn-1")
    second = await bot.general.send("twice", nonce="turn-1")

    assert first.id == second.id
    assert [one.content for one in playground.state.channels[GENERAL_ID].messages.values()] == ["once"]


async def test_history_is_read_from_both_ends(playground: Playground, bot: Bot) -> None:
    """Pages by before, after and around hold the right messages in Discord's order."""
    ids = [playground.people.send(GENERAL_ID, ADA_ID, str(n)).id for n in range(7)]

    after = [m.content async for m in bot.general.history(after=discord.Object(ids[1]), limit=3, oldest_first=True)]
    before = [m.content async for m in bot.general.history(before=discord.Object(ids[5]), limit=3)]
    around = [m.content async for m in bot.general.history(around=discord.Object(ids[3]), limit=3)]

    assert after == ["2", "3", "4"]
    assert before == ["4", "3", "2"]
    assert sorted(around) == ["2", "3", "4"]


async def test_files_travel_both_ways(playground: Playground, bot: Bot) -> None:
    """A person's file can be read by the bot, and the bot's is kept under a safe name."""
    playground.people.send(GENERAL_ID, ADA_ID, uploads=(Upload(0, "../no te.txt", b"secret"),))

    message = await bot.heard("message")
    assert message.attachments[0].filename == "_no_te.txt"
    assert await message.attachments[0].read() == b"secret"
    answer = await bot.general.send(file=discord.File(__file__, filename="test.py", description="this"))
    assert playground.state.channels[GENERAL_ID].messages[answer.id].attachments[0].description == "this"


async def test_deletion_is_told(playground: Playground, bot: Bot) -> None:
    """A deleted message is gone for both sides."""
    sent = playground.people.send(GENERAL_ID, ADA_ID, "oops")
    await bot.heard("message")

    playground.people.delete(GENERAL_ID, sent.id, ADA_ID)

    assert (await bot.heard("message_delete")).id == sent.id
    assert sent.id not in playground.state.channels[GENERAL_ID].messages


async def test_reactions_go_both_ways(playground: Playground, bot: Bot) -> None:
    """Both sides see a reaction of the other, and its removal."""
    sent = playground.people.send(GENERAL_ID, ADA_ID, "nice")
    message = await bot.heard("message")

    await message.add_reaction("👍")
    playground.people.react(GENERAL_ID, sent.id, GRACE_ID, "👍")
    await message.remove_reaction("👍", bot.user)

    reaction, who = await bot.heard("reaction_add", count=2)
    assert (str(reaction.emoji), who.id) == ("👍", GRACE_ID)
    assert sent.reactions == {"👍": [GRACE_ID]}


async def test_typing_is_told_to_the_page(playground: Playground, bot: Bot) -> None:
    """The bot's typing indicator reaches those who see the channel."""
    told: list[int] = []
    playground.state.subscribe(lambda dispatch: told.append(1) if dispatch.name == "TYPING_START" else None)

    async with bot.general.typing():
        pass

    assert await within(playground.wait_for(lambda _: told))


async def test_a_dm_is_opened_on_first_use(playground: Playground, bot: Bot) -> None:
    """A person's first words in a DM reach the bot, and its answer reaches that person alone."""
    dm = playground.people.open_dm(GRACE_ID)
    playground.people.send(dm.id, GRACE_ID, "psst")

    message = await bot.heard("message")
    assert isinstance(message.channel, discord.DMChannel)
    await message.reply("yes")
    assert [one.content for one in dm.messages.values()] == ["psst", "yes"]
    assert not playground.state.may_see(ADA_ID, dm)
    assert (await (await bot.fetch_user(GRACE_ID)).create_dm()).id == dm.id


async def test_a_poll_is_sent_and_voted_on(playground: Playground, bot: Bot) -> None:
    """People choose one answer in place of another, and the bot hears of both."""
    poll = discord.Poll(question="Tea?", duration=timedelta(hours=1)).add_answer(text="Yes").add_answer(text="No")

    sent = await bot.general.send("Vote:", poll=poll)
    for answer in (1, 2):
        playground.people.vote(GENERAL_ID, sent.id, ADA_ID, answer)

    read = (await bot.general.fetch_message(sent.id)).poll
    assert read is not None
    assert (read.question, [(one.text, one.vote_count) for one in read.answers]) == ("Tea?", [("Yes", 0), ("No", 1)])
    with pytest.raises(ApiError):
        playground.people.vote(GENERAL_ID, sent.id, ADA_ID, 3)
    assert not playground.violations


async def test_a_forwarded_message_stays_as_it_was(playground: Playground, bot: Bot) -> None:
    """It is no reply. Its text and files stay when the message it shows is gone; forwarded again, it is the same."""
    upload = Upload(0, "a.txt", b"read me")
    posted = playground.people.send(GENERAL_ID, ADA_ID, "Look here", uploads=(upload,))
    forwarded = playground.people.send(RANDOM_ID, ADA_ID, forward=(GENERAL_ID, posted.id))
    again = playground.people.send(GENERAL_ID, GRACE_ID, forward=(RANDOM_ID, forwarded.id))
    playground.people.delete(GENERAL_ID, posted.id, ADA_ID)
    playground.people.delete(RANDOM_ID, forwarded.id, ADA_ID)

    read = await bot.general.fetch_message(again.id)

    assert read.type is discord.MessageType.default
    assert read.reference is not None
    assert read.reference.type is discord.MessageReferenceType.forward
    [snapshot] = read.message_snapshots
    assert snapshot.content == "Look here"
    assert await snapshot.attachments[0].read() == b"read me"
    assert not playground.violations


async def test_a_bot_forwards_what_it_may_read(playground: Playground, bot: Bot) -> None:
    """What it cannot see, or is not there, is refused as Discord does."""
    posted = await bot.general.send("Look here")
    forwarded = await posted.forward(bot.general)
    hidden = playground.admin.add_channel("staff")
    said = playground.people.send(hidden.id, ADA_ID, "secret")
    playground.admin.overwrite(hidden.id, GUILD_ID, deny=Permission.VIEW_CHANNEL)

    assert forwarded.message_snapshots[0].content == "Look here"
    for channel_id, message_id in ((hidden.id, said.id), (GENERAL_ID, 1)):
        reference = discord.MessageReference(
            message_id=message_id, channel_id=channel_id, type=discord.MessageReferenceType.forward
        )
        with pytest.raises(discord.HTTPException):
            await bot.general.send(reference=reference)


async def test_stickers_and_what_other_bots_send(playground: Playground, bot: Bot) -> None:
    """A sticker goes by its id; another bot's layout arrives as it was sent."""
    wave = playground.admin.add_sticker("wave")
    other = playground.admin.join_bot("Other")
    playground.people.send(GENERAL_ID, ADA_ID, stickers=(wave,))
    layout = [{"type": 10, "content": "# Hello"}]
    playground.other_bots.send(GENERAL_ID, other, components=layout, flags=1 << 15)

    layout_read, sticker_read = [one async for one in bot.general.history(limit=2)]

    assert [one.name for one in sticker_read.stickers] == ["wave"]
    assert (layout_read.author.bot, layout_read.flags.components_v2) == (True, True)
    with pytest.raises(ApiError):
        playground.people.send(GENERAL_ID, ADA_ID, stickers=(1,))
    assert not playground.violations


async def test_what_discord_would_refuse_anyway_is_refused_for_that(playground: Playground, raw: Raw) -> None:
    """A poll by somebody who may not write is about permissions."""
    playground.admin.overwrite(GENERAL_ID, BOT_ID, deny=Permission.SEND_MESSAGES)

    _, error = await raw.api("POST", f"/channels/{GENERAL_ID}/messages", {"poll": {"question": {"text": "Tea?"}}})

    assert error["code"] == 50013
