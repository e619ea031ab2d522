"""What commands and buttons say back."""

import logging
from typing import Any

import aiohttp
import discord

from llmgine.errors import LLMgineError
from llmgine.messages.text import shorten
from programs.discord.delivery.splitting import split

_LATE = frozenset({10015, 10062, 50027})  # what Discord calls an interaction, or a token of one, that has run out
_TOO_LATE = "I took too long to answer {}. Look whether it was done, or try once more."

_log = logging.getLogger(__name__)


async def answer(interaction: discord.Interaction, action: Any, *arguments: Any) -> None:
    """Defer, act, and tell the channel what was done, or only the person why not."""
    await interaction.response.defer(thinking=True)
    try:
        told = await action(interaction, *arguments)
    except LLMgineError as error:
        await interaction.delete_original_response()
        await interaction.followup.send(str(error), ephemeral=True)
        return
    await show(interaction, told)


async def show(interaction: discord.Interaction, told: str) -> None:
    """Show what was done, as the answer that was deferred; where that is too late, as a message of its own."""
    try:
        await interaction.edit_original_response(content=told, allowed_mentions=discord.AllowedMentions.none())
    except discord.HTTPException as error:
        if not is_late(error):
            raise
        await announce(interaction, told)


async def answer_privately(interaction: discord.Interaction, action: Any, *arguments: Any) -> None:
    """Defer, act, and tell the person alone what was done, or why not."""
    await interaction.response.defer(ephemeral=True)
    try:
        told = await action(interaction, *arguments)
    except LLMgineError as error:
        told = str(error)
    await interaction.edit_original_response(content=told, allowed_mentions=discord.AllowedMentions.none())


async def show_privately(
    interaction: discord.Interaction, card: discord.Embed, *, view: discord.ui.View | None = None
) -> None:
    """Show a card to the person alone, as the answer that was deferred; as text where Discord drops cards.

    `view` are the buttons under it.
    """
    if interaction.app_permissions.embed_links:
        await interaction.edit_original_response(embed=card, view=view)
        return
    first, *more = split(as_text(card))
    no_pings = discord.AllowedMentions.none()
    await interaction.edit_original_response(content=first, view=view, allowed_mentions=no_pings)
    for part in more:
        await interaction.followup.send(part, ephemeral=True, allowed_mentions=discord.AllowedMentions.none())


def as_text(card: discord.Embed) -> str:
    """A card in plain text."""
    head = [f"**{card.title}**"] if card.title else []
    fields = [f"**{field.name}**\n{field.value}" for field in card.fields]
    return "\n".join([*head, *([card.description] if card.description else []), *fields])


async def announce(interaction: discord.Interaction, text: str, *, nonce: int | None = None) -> bool:
    """Tell the channel by a message of its own, once however often it is sent; False where the bot may not write.

    What is announced with the same `nonce` within minutes is told once; by default each interaction has its own.
    """
    channel = interaction.client.get_partial_messageable(interaction.channel_id or 0)
    try:
        await channel.send(text, nonce=str(nonce or interaction.id), allowed_mentions=discord.AllowedMentions.none())
    except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
        _log.warning("Channel %s could not be told: %s", interaction.channel_id, error)
        return False
    return True


def is_late(error: Exception) -> bool:
    """Whether Discord takes no answer any more: the first comes within 3 seconds, the last within 15 minutes."""
    return isinstance(error, discord.HTTPException) and error.code in _LATE


async def explain(interaction: discord.Interaction, error: Exception) -> None:
    """Tell the person what went wrong, in the channel where it is too late for an answer.

    What is not meant for people goes to the log.
    """
    if interaction.client.is_closed():  # nobody can be told any more
        _log.warning("An interaction was not answered before the end: %r", error)
        return
    if is_late(error):
        _log.warning("The answer to an interaction came too late: %s", error)
        await announce(interaction, _TOO_LATE.format(plain_name(interaction)))
        return
    told = _in_words(error)
    try:
        if interaction.response.is_done():
            await interaction.followup.send(told, ephemeral=True)
        else:
            await interaction.response.send_message(told, ephemeral=True)
    except discord.HTTPException as too_late:
        if not is_late(too_late):
            raise
        await announce(interaction, told)


def _in_words(error: Exception) -> str:
    if isinstance(error, LLMgineError):
        return str(error)
    if isinstance(error, discord.Forbidden):
        return f"Discord does not let me do that here: {error.text}. Ask a moderator to check my permissions."
    _log.error("An interaction failed", exc_info=error)
    return "Something went wrong; the log has the details."


def plain_name(interaction: discord.Interaction) -> str:
    """What the person is called, where it can neither format nor link."""
    return discord.utils.escape_markdown(interaction.user.display_name)


def quoted(text: str, room: int = 1_700) -> str:
    """A text as a quote of at most `room` characters, to fit into a message."""
    return shorten("\n".join(f"> {line}" for line in text.splitlines()), room)
