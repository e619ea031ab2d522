"""Which messages the bot answers, and what of them the model is told."""

import re

import discord

from llmgine.messages.commands import Author, PromptCommand
from programs.discord.channels import scopes
from programs.discord.rendering import SOURCE

_ANSWERED_TYPES = (discord.MessageType.default, discord.MessageType.reply)


def is_from_a_person(message: discord.Message) -> bool:
    """Whether a person wrote it: no bot, no webhook, no notice of Discord's own."""
    return not message.author.bot and message.webhook_id is None and message.type in _ANSWERED_TYPES


def mentions(message: discord.Message, user_id: int) -> bool:
    """Whether the text itself names the user; the ping of a reply does not count."""
    return re.search(rf"<@!?{user_id}>", message.content) is not None


def is_addressed(message: discord.Message, me: discord.ClientUser, *, replies_to_me: bool) -> bool:
    """Whether a person's message wants an answer: a mention, a reply to us, a DM, a thread we take part in."""
    if message.guild is None or mentions(message, me.id) or replies_to_me:
        return True
    channel = message.channel
    return isinstance(channel, discord.Thread) and (channel.me is not None or channel.owner_id == me.id)


def prompt(message: discord.Message, me: discord.ClientUser, session_id: str) -> PromptCommand:
    """The message as a command to a session."""
    return PromptCommand(
        session_id=session_id,
        scopes=scopes(message.channel),
        session_name=channel_name(message.channel, message.author),
        text=text_for_model(message, me),
        source=SOURCE,
        source_id=str(message.id),
        author=Author(id=str(message.author.id), name=message.author.display_name),
        origin={"channel_id": str(message.channel.id), "message_id": str(message.id)},
    )


def text_for_model(message: discord.Message, me: discord.ClientUser) -> str:
    """The text with names in place of ids, and a word on what the model cannot see."""
    text = re.sub(rf"^\s*<@!?{me.id}>[\s,:]*", "", message.content)
    names = {user.id: f"@{user.display_name}" for user in message.mentions}
    text = re.sub(r"<@!?(\d+)>", lambda found: names.get(int(found[1]), found[0]), text)
    files = [f"{a.filename} ({a.content_type or 'unknown type'}, {a.size:,} bytes)" for a in message.attachments]
    if files:
        text = f"{text.rstrip()}\n[attached, and not shown to you: {', '.join(files)}]"
    return text.strip() or "[a message without text]"


def channel_name(channel: object, person: discord.abc.User) -> str:
    """What people call the channel that a person is in. In a DM, discord.py may not know its recipient."""
    if isinstance(channel, discord.DMChannel):
        return f"DM with {person.display_name}"
    name = getattr(channel, "name", None)
    guild = getattr(channel, "guild", None)
    if name is None:
        return "a channel"
    return f"#{name} in {guild.name}" if guild else f"#{name}"
