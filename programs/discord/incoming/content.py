"""What of a message the model is told: the prompt, or the edit, that a message becomes."""

import re
from typing import TypedDict, Unpack

import discord

from llmgine.messages.commands import Attachment, Author, EditPromptCommand, PromptCommand, Quote
from llmgine.messages.steps import Turn
from llmgine.messages.text import collapse_spaces, shorten
from programs.discord.ids import SOURCE, Cards, Origin, Place, channel_name, scopes_now

_LONGEST_THREAD_NAME = 80  # characters; Discord takes 100


class PromptParts(TypedDict):
    """What of a prompt has to be looked up elsewhere; see `PromptCommand`."""

    quoted: Quote | None
    attachments: tuple[Attachment, ...]
    images: tuple[str, ...]
    burst: float


def prompt(
    message: discord.Message,
    me: discord.ClientUser,
    place: Place,
    session_id: str,
    thread_id: int | None = None,
    *,
    cards: Cards = "normal",
    language: str = "en",
    **more: Unpack[PromptParts],
) -> PromptCommand:
    """The message as a command to a session. With `thread_id`, it is answered in that thread of its channel.

    `cards` says how much is shown of its tool calls, and `language` is the code of the language it is answered in.
    """
    origin = Origin.at(place, message.id, cards=cards, language=language, thread_id=thread_id)
    return PromptCommand(
        session_id=session_id,
        scopes=origin.answered.scopes,
        session_name=channel_name(message.channel, message.author),
        text=text_for_model(message, me),
        source=SOURCE,
        source_id=str(message.id),
        author=Author(id=str(message.author.id), name=message.author.display_name),
        origin=origin.as_json(),
        place=str(origin.asked.channel_id),
        guild=origin.guild_id,
        version=_version(message),
        **more,
    )


def edit(message: discord.Message, me: discord.ClientUser, turn: Turn) -> EditPromptCommand:
    """A changed message as a command to the session of the turn it was admitted to."""
    inside = scopes_now(message.channel)
    origin = Origin.of(turn)
    if inside and origin.asked_in is not None:  # it was answered in a thread of its own
        inside = (origin.answered.session_id(), *inside)
    return EditPromptCommand(
        session_id=turn.session_id,
        turn_id=turn.id,
        source_id=str(message.id),
        version=_version(message),
        text=text_for_model(message, me),
        attachment_ids=tuple(str(attachment.id) for attachment in message.attachments),
        scopes=inside,
    )


def _version(message: discord.Message) -> int:
    """When it was changed last, in microseconds since 1970; 0 for never."""
    return 0 if message.edited_at is None else round(message.edited_at.timestamp() * 1_000_000)


def text_for_model(message: discord.Message, me: discord.ClientUser) -> str:
    """The text with names in place of ids."""
    text = re.sub(rf"^\s*<@!?{me.id}>[\s,:]*", "", message.content)
    names = {user.id: f"@{user.display_name}" for user in message.mentions}
    text = re.sub(r"<@!?(\d+)>", lambda found: names.get(int(found[1]), found[0]), text)
    return text.strip() or "[a message without text]"


def thread_name(text: str) -> str:
    """A name for the thread of a question, out of its text."""
    return shorten(collapse_spaces(text), _LONGEST_THREAD_NAME)
