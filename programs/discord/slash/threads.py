"""Threads: a conversation of its own, beside the channel's."""

from collections.abc import Iterable
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import UserError
from llmgine.messages.commands import RenameSessionCommand
from llmgine.messages.translatable import tr
from llmgine.messages.visible_text import visible_line
from programs.application import Application
from programs.discord.ids import session_id
from programs.discord.languages import Languages
from programs.discord.permissions.actor import require_threads
from programs.discord.replies import post, set_answer
from programs.discord.translation import described


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    return (_thread(app),)


def _thread(app: Application) -> app_commands.Command[Any, ..., Any]:
    languages = Languages(app.store)

    @app_commands.command(name="thread", description=described(tr("Open a thread with its own conversation")))
    @app_commands.describe(name=described(tr("The thread's name")))
    async def thread(interaction: discord.Interaction, name: app_commands.Range[str, 1, 100] | None = None) -> None:
        channel = interaction.channel
        if not isinstance(channel, discord.TextChannel):
            raise UserError(tr("Threads can only be created in a server's text channels."))
        require_threads(interaction)
        await interaction.response.defer(ephemeral=True)
        language = await languages.of_reply(interaction)
        title = visible_line(name or "", 100) or language.say(tr("Chat"))
        opened = await channel.create_thread(name=title, type=discord.ChannelType.public_thread)
        if name is not None:  # the model gives it no other
            (await app.bus.execute(RenameSessionCommand(session_id=session_id(opened.id), title=name))).unwrap()
        await opened.add_user(interaction.user)
        told = tr(
            "This thread has its own conversation, {person}. Just write; no need to mention me.",
            person=interaction.user.mention,
        )
        await post(opened, language.say(told))
        await set_answer(interaction, tr("Opened {thread}.", thread=opened.mention))

    return thread
