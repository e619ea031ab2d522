"""What commands and buttons say back.

What one person alone sees is said in the language of their Discord; what the channel sees comes here as it is said.

It may be in the words of the model or of people, so nobody is pinged by it, and no link in it is fetched for a preview.
"""

import logging
from typing import Any

import aiohttp
import discord
from discord.http import handle_message_parameters
from discord.webhook.async_ import async_context

from llmgine.errors import LLMgineError
from llmgine.messages.text import shorten
from llmgine.messages.translatable import Text, tr, words_of
from programs.discord.delivery.safe_text import MOST_ADDED, plain_words, safe_message
from programs.discord.delivery.splitting import split
from programs.discord.languages import Languages
from programs.discord.translation import language_of

_LATE = frozenset({10015, 10062, 50027})  # what Discord calls an interaction, or a token of one, that has run out
# Discord is not there, or wants to be asked later: no fault of ours, and nothing that the person did.
_UNREACHABLE = (discord.DiscordServerError, discord.RateLimited, aiohttp.ClientError, ConnectionError, TimeoutError)
_NO_ANSWER = tr("Discord didn't answer me just now. Check whether it was done, or try again.")
_TOO_LATE = tr("{name}, I took too long to answer you. Check whether it was done, or try again.")
_FAILED = tr("Something went wrong; my log has the details.")

_MAX_LINES = 100  # of a quote
_NO_PINGS = discord.AllowedMentions.none()

_log = logging.getLogger(__name__)


def private(interaction: discord.Interaction, words: Text | str) -> str:
    """A text in the language of the person's Discord."""
    return language_of(interaction.locale).say(words)


async def set_answer(
    interaction: discord.Interaction, text: Text | str, *, view: discord.ui.View | None = discord.utils.MISSING
) -> None:
    """Let the first answer to an interaction say this: one that was deferred, or the message that was pressed.

    It is for texts alone: under the flag that hides previews Discord hides cards too.

    Args:
        interaction: The interaction.
        text: What it says; one that is not said yet, in the language of the person.
        view: The buttons under it; None takes them away. They stay as they are unless it is given.
    """
    flags = discord.MessageFlags(suppress_embeds=True)
    said = private(interaction, text)
    with handle_message_parameters(content=said, view=view, flags=flags, allowed_mentions=_NO_PINGS) as parameters:
        followup = interaction.followup
        # As `edit_original_response` does it, which takes no flags.
        await async_context.get().edit_original_interaction_response(
            interaction.application_id,
            interaction.token,
            session=followup.session,
            proxy=followup.proxy,
            proxy_auth=followup.proxy_auth,
            payload=parameters.payload,
        )


async def add_answer(interaction: discord.Interaction, text: Text | str, *, to_all: bool = False) -> None:
    """Answer an interaction once more: to the person alone, or to the channel."""
    said = private(interaction, text)
    await interaction.followup.send(said, ephemeral=not to_all, suppress_embeds=True, allowed_mentions=_NO_PINGS)


async def post(channel: discord.abc.Messageable, text: str, *, nonce: str | None = None) -> discord.Message:
    """Say something in a channel, apart from any interaction; what has the same `nonce` is said once."""
    named: dict[str, Any] = {} if nonce is None else {"nonce": nonce}
    return await channel.send(text, suppress_embeds=True, allowed_mentions=_NO_PINGS, **named)


async def answer(interaction: discord.Interaction, languages: Languages, action: Any, *arguments: Any) -> None:
    """Defer, act, and tell the channel what was done, or only the person why not."""
    await interaction.response.defer(thinking=True)
    try:
        told = await action(interaction, *arguments)
    except LLMgineError as error:
        await interaction.delete_original_response()
        await add_answer(interaction, words_of(error))
        return
    language = await languages.of_reply(interaction)  # after what was done, which may have been to change it
    await show(interaction, language.say(told))


async def show(interaction: discord.Interaction, told: str) -> None:
    """Show what was done, as the answer that was deferred; where that is too late, as a message of its own."""
    try:
        await set_answer(interaction, told)
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
        told = words_of(error)
    await set_answer(interaction, told)


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
    await set_answer(interaction, first, view=view)
    for part in more:
        await add_answer(interaction, part)


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
        await post(channel, text, nonce=str(nonce or interaction.id))
    except (discord.HTTPException, *_UNREACHABLE) as error:
        _log.warning("Channel %s could not be told: %s", interaction.channel_id, error)
        return False
    return True


def is_late(error: Exception) -> bool:
    """Whether Discord takes no answer any more: the first comes within 3 seconds, the last within 15 minutes."""
    return isinstance(error, discord.HTTPException) and error.code in _LATE


async def explain(interaction: discord.Interaction, languages: Languages, error: Exception) -> None:
    """Tell the person what went wrong, in the channel where it is too late for an answer.

    What is not meant for people goes to the log, and so does what Discord cannot be told at present.
    """
    if interaction.client.is_closed():  # nobody can be told any more
        _log.warning("An interaction was not answered before the end: %r", error)
        return
    if is_late(error):
        _log.warning("The answer to an interaction came too late: %s", error)
        await announce(
            interaction, await _in_public(interaction, languages, _TOO_LATE.filled(name=plain_name(interaction)))
        )
        return
    told = _in_words(error)
    try:
        if interaction.response.is_done():
            await add_answer(interaction, told)
        else:
            await interaction.response.send_message(
                private(interaction, told), ephemeral=True, suppress_embeds=True, allowed_mentions=_NO_PINGS
            )
    except _UNREACHABLE as unreachable:
        _log.warning("An interaction was not answered: %r", unreachable)
    except discord.HTTPException as too_late:
        if not is_late(too_late):
            raise
        await announce(interaction, await _in_public(interaction, languages, told))


async def _in_public(interaction: discord.Interaction, languages: Languages, words: Text | str) -> str:
    """A text in the language of the channel."""
    return (await languages.of_reply(interaction)).say(words)


def _in_words(error: Exception) -> Text | str:
    if isinstance(error, LLMgineError):
        return words_of(error)
    if isinstance(error, discord.Forbidden):
        return tr(
            "Discord doesn't let me do that here: {reason}. Ask a moderator to check my permissions.", reason=error.text
        )
    if isinstance(error, _UNREACHABLE):
        _log.warning("Discord could not be asked for what an interaction needs: %r", error)
        return _NO_ANSWER
    _log.error("An interaction failed", exc_info=error)
    return _FAILED


def plain_name(interaction: discord.Interaction) -> str:
    """What the person is called, where it can neither format nor link."""
    return plain_words(interaction.user.display_name, 100)


def quoted(text: str, room: int = 1_700) -> str:
    """A text as a quote of at most `room` characters, to fit into a message."""
    lines = text.splitlines()[:_MAX_LINES]
    safe = safe_message(shorten("\n".join(lines), room - 2 * len(lines) - MOST_ADDED))
    return "\n".join(f"> {line}" for line in safe.split("\n"))
