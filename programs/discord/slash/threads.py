"""Threads: a conversation of its own, beside the channel's."""

from collections.abc import Iterable
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import UserError
from llmgine.messages.commands import RenameSessionCommand
from programs.application import Application
from programs.discord.ids import session_id
from programs.discord.permissions.actor import require_threads
from programs.discord.replies import post, set_answer


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    return (_thread(app),)


def _thread(app: Application) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(name="thread", description="Open a thread with a conversation of its own")
    @app_commands.describe(name="The thread's name")
    async def thread(interaction: discord.Interaction, name: app_commands.Range[str, 1, 100] | None = None) -> None:
        channel = interaction.channel
        if not isinstance(channel, discord.TextChannel):
            raise UserError("A thread can be opened in a server's text channel, not here.")
        require_threads(interaction)
        await interaction.response.defer(ephemeral=True)
        opened = await channel.create_thread(name=name or "Chat", type=discord.ChannelType.public_thread)
        if name is not None:  # the model gives it no other
            (await app.bus.execute(RenameSessionCommand(session_id=session_id(opened.id), title=name))).unwrap()
        await opened.add_user(interaction.user)
        await post(
            opened,
            f"This thread has a conversation of its own, {interaction.user.mention}. Just write; "
            "no need to mention me.",
        )
        await set_answer(interaction, f"Opened {opened.mention}.")

    return thread
