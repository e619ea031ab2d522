"""The conversation of a channel: /stop, /clear. Thin: what they do goes over the bus."""

from collections.abc import Iterable, Mapping
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import LLMgineError, UserError
from llmgine.messages.commands import ClearSessionCommand, StopTurnCommand
from programs.application import Application
from programs.discord.channel_settings import Channels
from programs.discord.components.button_press import ButtonPress, Handler
from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.components.gates import Gates
from programs.discord.components.views import button, rows
from programs.discord.permissions.actor import may_decide
from programs.discord.replies import announce, plain_name, set_answer


class Sessions:
    """What the commands do to a channel's session."""

    def __init__(self, app: Application) -> None:
        self._bus = app.bus
        self._store = app.store
        self._channels = Channels(app.store)
        self._gates = Gates(app.store)

    async def stop(self, interaction: discord.Interaction) -> str:
        """Stop what is being answered here, as far as the person may; returns what to tell them."""
        session = await self._channels.session_of(interaction)
        turns = [await self._store.turns.get(turn.id) for turn in await self._store.turns.unfinished(session)]
        theirs = [turn for turn in turns if may_decide(interaction.user, turn.state.prompt.author)]
        if turns and not theirs:
            raise UserError("Only the one who asked or a moderator can stop this.")
        for turn in theirs:
            (await self._bus.execute(StopTurnCommand(session_id=session, turn_id=turn.turn.id))).unwrap()
        return "Stopped." if theirs else "Nothing is being answered here."

    async def ask_to_clear(self, interaction: discord.Interaction) -> None:
        """Ask before the conversation is forgotten, whom the answer would be let through for."""
        yes, no = ComponentId(Action.CLEAR), ComponentId(Action.KEEP)
        await self._gates.require(ButtonPress(interaction, yes))
        await interaction.response.send_message(
            "Forget the conversation of this channel? What was said stays in Discord, but I will not know it.",
            view=rows(button(yes, "Forget it", style="danger"), button(no, "Keep it")),
            ephemeral=True,
        )

    async def clear(self, press: ButtonPress) -> None:
        """Forget the conversation, and say so to the channel."""
        interaction, question = press.interaction, press.interaction.message
        await interaction.edit_original_response(content="Forgetting …", view=None)
        try:
            session_id = await self._channels.session_of(interaction)
            (await self._bus.execute(ClearSessionCommand(session_id=session_id))).unwrap()
        except LLMgineError as error:
            await set_answer(interaction, str(error))
            return
        told = f"🧹 {plain_name(interaction)} cleared the conversation. I remember nothing from before this."
        announced = await announce(interaction, told, nonce=question.id if question else None)  # pressed twice: once
        await set_answer(interaction, "Done." if announced else told)

    async def keep(self, press: ButtonPress) -> None:
        """Change nothing."""
        await press.interaction.edit_original_response(content="Nothing was forgotten.", view=None)


def handlers(app: Application) -> Mapping[Action, Handler]:
    """What is done with the answer to the question of /clear."""
    sessions = Sessions(app)
    return {Action.CLEAR: sessions.clear, Action.KEEP: sessions.keep}


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    sessions = Sessions(app)
    return (_stop(sessions), _clear(sessions))


def _stop(sessions: Sessions) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(name="stop", description="Stop the answer that is being written in this channel")
    async def stop(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await set_answer(interaction, await sessions.stop(interaction))

    return stop


def _clear(sessions: Sessions) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(name="clear", description="Forget this channel's conversation, after asking you")
    async def clear(interaction: discord.Interaction) -> None:
        await sessions.ask_to_clear(interaction)

    return clear
