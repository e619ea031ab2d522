"""The conversation of a channel: /stop, /clear. Thin: what they do goes over the bus."""

from collections.abc import Iterable, Mapping
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import LLMgineError, UserError
from llmgine.messages.commands import ClearSessionCommand, StopTurnCommand
from llmgine.messages.translatable import Text, tr, words_of
from programs.application import Application
from programs.discord.channel_settings import Channels
from programs.discord.components.button_press import ButtonPress, Handler, audit_origin
from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.components.gates import Gates
from programs.discord.components.views import button, rows
from programs.discord.languages import Languages
from programs.discord.permissions.actor import may_decide
from programs.discord.replies import announce, plain_name, private, set_answer
from programs.discord.translation import described, language_of


class Sessions:
    """What the commands do to a channel's session."""

    def __init__(self, app: Application) -> None:
        self._bus = app.bus
        self._store = app.store
        self._channels = Channels(app.store)
        self._gates = Gates(app.store)
        self._languages = Languages(app.store, self._channels)

    async def stop(self, interaction: discord.Interaction) -> Text:
        """Stop what is being answered here, as far as the person may; returns what to tell them."""
        session = await self._channels.session_of(interaction)
        turns = [await self._store.turns.get(turn.id) for turn in await self._store.turns.unfinished(session)]
        theirs = [turn for turn in turns if may_decide(interaction.user, turn.state.prompt.author)]
        if turns and not theirs:
            raise UserError(tr("Only the person who asked or a moderator can stop this."))
        for turn in theirs:
            (await self._bus.execute(StopTurnCommand(session_id=session, turn_id=turn.turn.id))).unwrap()
        return tr("Stopped.") if theirs else tr("No answer is being written here.")

    async def ask_to_clear(self, interaction: discord.Interaction) -> None:
        """Ask before the conversation is forgotten, whom the answer would be let through for."""
        say = language_of(interaction.locale).say
        yes, no = ComponentId(Action.CLEAR), ComponentId(Action.KEEP)
        await self._gates.require(ButtonPress(interaction, yes))
        await interaction.response.send_message(
            say(tr("Clear this channel's conversation? The messages stay in Discord, but I will forget them.")),
            view=rows(button(yes, say(tr("Clear it")), style="danger"), button(no, say(tr("Keep it")))),
            ephemeral=True,
        )

    async def clear(self, press: ButtonPress) -> None:
        """Forget the conversation, and say so to the channel."""
        interaction, question = press.interaction, press.interaction.message
        await interaction.edit_original_response(content=private(interaction, tr("Clearing …")), view=None)
        try:
            session_id = await self._channels.session_of(interaction)
            command = ClearSessionCommand(session_id=session_id, audit=audit_origin(interaction))
            (await self._bus.execute(command)).unwrap()
        except LLMgineError as error:
            await set_answer(interaction, words_of(error))
            return
        told = tr(
            "🧹 {name} cleared the conversation. I've forgotten everything before this.", name=plain_name(interaction)
        )
        said = (await self._languages.of_reply(interaction)).say(told)
        announced = await announce(interaction, said, nonce=question.id if question else None)  # pressed twice: once
        await set_answer(interaction, tr("Done.") if announced else told)

    async def keep(self, press: ButtonPress) -> None:
        """Change nothing."""
        interaction = press.interaction
        await interaction.edit_original_response(content=private(interaction, tr("Nothing was cleared.")), view=None)


def handlers(app: Application) -> Mapping[Action, Handler]:
    """What is done with the answer to the question of /clear."""
    sessions = Sessions(app)
    return {Action.CLEAR: sessions.clear, Action.KEEP: sessions.keep}


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any]]:
    """The family's commands."""
    sessions = Sessions(app)
    return (_stop(sessions), _clear(sessions))


def _stop(sessions: Sessions) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(name="stop", description=described(tr("Stop the answer being written in this channel")))
    async def stop(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await set_answer(interaction, await sessions.stop(interaction))

    return stop


def _clear(sessions: Sessions) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(
        name="clear", description=described(tr("Clear this channel's conversation, after asking you"))
    )
    async def clear(interaction: discord.Interaction) -> None:
        await sessions.ask_to_clear(interaction)

    return clear
