"""The conversation of a channel: /stop, /clear. Thin: what they do goes over the bus."""

from collections.abc import Iterable
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import LLMgineError, RefusedError
from llmgine.messages.commands import ClearSessionCommand, StopTurnCommand
from programs.application import Application
from programs.discord.channels import Channels
from programs.discord.permissions import may_decide
from programs.discord.slash.replies import announce, explain, plain_name, require_moderator


class Sessions:
    """What the commands do to a channel's session."""

    def __init__(self, app: Application) -> None:
        self._bus = app.bus
        self._store = app.store
        self._channels = Channels(app.store)

    async def stop(self, interaction: discord.Interaction) -> str:
        """Stop what is being answered here, as far as the person may; returns what to tell them."""
        session = await self._channels.session_of(interaction)
        turns = [await self._store.turns.get(turn.id) for turn in await self._store.turns.unfinished(session)]
        theirs = [turn for turn in turns if may_decide(interaction.user, turn.state.prompt.author)]
        if turns and not theirs:
            raise RefusedError("Only the one who asked or a moderator can stop this.")
        for turn in theirs:
            (await self._bus.execute(StopTurnCommand(session_id=session, turn_id=turn.turn.id))).unwrap()
        return "Stopped." if theirs else "Nothing is being answered here."

    async def clear(self, interaction: discord.Interaction) -> str:
        """Forget the conversation; returns what to tell the channel."""
        require_moderator(interaction, "clear the conversation")
        session_id = await self._channels.session_of(interaction)
        (await self._bus.execute(ClearSessionCommand(session_id=session_id))).unwrap()
        return f"🧹 {plain_name(interaction)} cleared the conversation. I remember nothing from before this."


class ClearView(discord.ui.View):
    """Asks before a conversation is forgotten. One of them, given to `Client.add_view`, hears all clicks."""

    def __init__(self, sessions: Sessions) -> None:
        super().__init__(timeout=None)
        self._sessions = sessions

    @discord.ui.button(label="Forget it", style=discord.ButtonStyle.danger, custom_id="lg:clear:yes")
    async def yes(self, interaction: discord.Interaction, _button: discord.ui.Button["ClearView"]) -> None:
        """Forget, and say so to the channel."""
        await interaction.response.edit_message(content="Forgetting …", view=None)
        try:
            told = await self._sessions.clear(interaction)
        except LLMgineError as error:
            await interaction.edit_original_response(content=str(error))
            return
        question = interaction.message
        announced = await announce(interaction, told, nonce=question.id if question else None)  # pressed twice: once
        await interaction.edit_original_response(content="Done." if announced else told)

    @discord.ui.button(label="Keep it", style=discord.ButtonStyle.secondary, custom_id="lg:clear:no")
    async def no(self, interaction: discord.Interaction, _button: discord.ui.Button["ClearView"]) -> None:
        """Change nothing."""
        await interaction.response.edit_message(content="Nothing was forgotten.", view=None)

    async def on_error(
        self, interaction: discord.Interaction, error: Exception, _item: discord.ui.Item["ClearView"], /
    ) -> None:
        """Tell the person."""
        await explain(interaction, error)


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    sessions = Sessions(app)
    return (_stop(sessions), _clear(sessions))


def _stop(sessions: Sessions) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(name="stop", description="Stop the answer that is being written in this channel")
    async def stop(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.edit_original_response(content=await sessions.stop(interaction))

    return stop


def _clear(sessions: Sessions) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(name="clear", description="Forget this channel's conversation, after asking you")
    async def clear(interaction: discord.Interaction) -> None:
        require_moderator(interaction, "clear the conversation")
        question = ClearView(sessions)
        question.stop()  # so that discord.py keeps nothing of it
        await interaction.response.send_message(
            "Forget the conversation of this channel? What was said stays in Discord, but I will not know it.",
            view=question,
            ephemeral=True,
        )

    return clear
