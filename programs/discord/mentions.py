"""Whom a message mentions, as the model is told: beside the text, since people choose what they are called."""

from typing import Literal

import discord

from llmgine.messages.commands import Author, Quote
from llmgine.messages.text import shorten
from programs.discord.marks import addressed_in, marks_in, readable
from programs.discord.message_parts import FilesOf, Room, material_of, no_files

NO_TEXT = "[a message without text]"


def own_marks(message: discord.Message, me: discord.abc.User) -> set[str]:
    """The marks by which the bot is mentioned: its own, and that of the role that Discord made for it."""
    role = message.guild.self_role if message.guild is not None else None
    return {f"<@{me.id}>", f"<@!{me.id}>", *([] if role is None else [f"<@&{role.id}>"])}


def is_mentioned(message: discord.Message, me: discord.abc.User) -> bool:
    """Whether the text itself names the bot, or its own role; the ping of a reply does not count."""
    addressed = addressed_in(message.content)
    if f"<@{me.id}>" not in addressed:
        return not addressed.isdisjoint(own_marks(message, me))
    # Discord reads the text too; a webhook's message may mention whom it does not ping.
    return message.webhook_id is not None or any(user.id == me.id for user in message.mentions)


def names_in(text: str, message: discord.Message, me: discord.abc.User | None) -> dict[str, str]:
    """What the people, roles and channels are called that a text of a message, or a part of it, mentions, by marks.

    Of channels only those are named of which everybody who reads along may know what they are called.
    """
    names = {f"<@&{role.id}>": role.name for role in message.role_mentions}
    for user in message.mentions:
        name = "you" if me is not None and user.id == me.id else user.display_name
        names |= {f"<@{user.id}>": name, f"<@!{user.id}>": name}
    found = {mark: names.get(mark) or _name_of(mark, message) for mark in marks_in(text)}
    return {mark: name for mark, name in found.items() if name is not None}


def _name_of(mark: str, message: discord.Message) -> str | None:
    """What the server calls a role or a channel."""
    guild = message.guild
    if guild is None:
        return None
    if mark.startswith("<@&"):
        role = guild.get_role(int(mark[3:-1]))
        return None if role is None else role.name
    channel = guild.get_channel_or_thread(int(mark[2:-1])) if mark.startswith("<#") else None
    return f"#{channel.name}" if channel is not None and _is_known_around(channel, message) else None


def _is_known_around(channel: discord.abc.GuildChannel | discord.Thread, message: discord.Message) -> bool:
    """Whether all who read a message may see a channel: everybody may, or the same people as where it was written."""
    around = channel.parent if isinstance(channel, discord.Thread) else channel
    here = message.channel.parent if isinstance(message.channel, discord.Thread) else message.channel
    if around is None or (isinstance(channel, discord.Thread) and channel.is_private() and channel != message.channel):
        return False
    if around == here:
        return True
    if not isinstance(here, discord.abc.GuildChannel) or not around.permissions_for(around.guild.me).view_channel:
        return False
    denied = any(overwrite.view_channel is False for overwrite in around.overwrites.values())
    for_all = around.permissions_for(around.guild.default_role).view_channel and not denied
    return for_all or around.overwrites == here.overwrites


def kind_of_author(message: discord.Message) -> Literal["bot", "webhook"] | None:
    """What wrote a message, if it was no person. A bot's answer to a command names its application as its webhook."""
    if message.webhook_id is not None and message.webhook_id != message.application_id:
        return "webhook"
    return "bot" if message.author.bot else None


def quote_of(
    message: discord.Message,
    me: discord.abc.User | None,
    longest: int,
    *,
    files: FilesOf = no_files,
    room: Room | None = None,
) -> Quote:
    """A message as the model is shown it; the bot's own has no author.

    Args:
        message: The message.
        me: The bot.
        longest: How many characters of its text are shown.
        files: Gives those of its files that were read.
        room: How much is shown of what it has beside its text.
    """
    by, room = message.author, room or Room()
    text = room.take(readable(message.content), longest) if message.content else NO_TEXT
    is_own = me is not None and by.id == me.id
    return Quote(
        author=None if is_own else Author(id=str(by.id), name=by.display_name),
        by=None if is_own else kind_of_author(message),
        text=shorten(text, longest),
        mentions=names_in(text, message, me),
        source_id=str(message.id) if message.attachments else None,
        attachments=files(message.attachments),
        material=() if is_own else material_of(message, files, room),
    )
