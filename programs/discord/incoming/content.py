"""What of a message the model is told: the prompt, or the edit, that a message becomes."""

import re
from typing import TypedDict, Unpack

import discord

from llmgine.messages.commands import Attachment, EditPromptCommand, Material, PromptCommand, Quote, ThreadStart
from llmgine.messages.context_messages import ContextMessage
from llmgine.messages.steps import Turn
from llmgine.messages.visible_text import visible_line
from llmgine.turn_state import TurnState
from programs.discord.ids import SOURCE, Cards, Origin, Place, channel_name, scopes_now
from programs.discord.marks import readable_mark, rewritten
from programs.discord.mentions import NO_TEXT, names_in, own_marks
from programs.discord.permissions.webhooks import author_of

_LONGEST_THREAD_NAME = 80  # characters; Discord takes 100
_FIRST_MARK = re.compile(r"\s*(<@[!&]?\d+>)[\s,:]*")


class PromptParts(TypedDict):
    """What of a prompt has to be looked up elsewhere; see `PromptCommand`."""

    quoted: Quote | None
    thread: ThreadStart | None
    material: tuple[Material, ...]
    attachments: tuple[Attachment, ...]
    images: tuple[str, ...]
    context: tuple[ContextMessage, ...]
    roles: tuple[str, ...]
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
    text = text_for_model(message, me)
    origin = Origin.at(place, message.id, cards=cards, language=language, thread_id=thread_id)
    return PromptCommand(
        session_id=session_id,
        scopes=origin.answered.scopes,
        session_name=channel_name(message.channel, message.author),
        text=text,
        mentions=names_in(text, message, me),
        source=SOURCE,
        source_id=str(message.id),
        author=author_of(message),
        origin=origin.as_json(),
        place=str(origin.asked.channel_id),
        guild=origin.guild_id,
        sent_at=message.created_at,
        version=_version(message),
        **more,
    )


def edit(message: discord.Message, me: discord.ClientUser, turn: Turn) -> EditPromptCommand:
    """A changed message as a command to the session of the turn it was admitted to."""
    inside, text = scopes_now(message.channel), text_for_model(message, me)
    origin = Origin.of(turn)
    if inside and origin.asked_in is not None:  # it was answered in a thread of its own
        inside = (origin.answered.session_id(), *inside)
    return EditPromptCommand(
        session_id=turn.session_id,
        turn_id=turn.id,
        source_id=str(message.id),
        version=_version(message),
        text=text,
        mentions=names_in(text, message, me),
        attachment_ids=tuple(str(attachment.id) for attachment in message.attachments),
        scopes=inside,
    )


def is_newer(message: discord.Message, state: TurnState) -> bool:
    """Whether a message was changed since its turn was told of it."""
    known = [prompt.version for prompt in state.prompts if prompt.source_id in (str(message.id), None)]
    return any(_version(message) > version for version in known)


def _version(message: discord.Message) -> int:
    """When it was changed last, in microseconds since 1970; 0 for never."""
    return 0 if message.edited_at is None else round(message.edited_at.timestamp() * 1_000_000)


def text_for_model(message: discord.Message, me: discord.ClientUser) -> str:
    """The text as it reads, without the mentions of the bot, or of its own role, that it begins with."""
    own = own_marks(message, me)
    text = message.content
    while found := _FIRST_MARK.match(text):
        if found[1] not in own:
            break
        text = text[found.end() :]
    text = rewritten(text, lambda mark: "@you" if mark in own else readable_mark(mark))
    return text.strip() or NO_TEXT


def thread_name(message: discord.Message, me: discord.ClientUser) -> str:
    """A name for the thread of a question, out of its text."""
    text = text_for_model(message, me)
    for mark, name in names_in(text, message, me).items():
        text = text.replace(mark, name if mark.startswith("<#") else f"@{name}")
    return visible_line(text, _LONGEST_THREAD_NAME) or "…"
