"""The conversation of a channel: /stop, /system, /clear. Thin: what they do goes over the bus."""

from collections.abc import Iterable
from typing import Any

import discord
from discord import app_commands

from llmgine.engine.engine import MAX_SYSTEM_PROMPT
from llmgine.errors import LLMgineError, RefusedError, UnknownSessionError
from llmgine.messages.commands import ClearSessionCommand, SetSystemPromptCommand, StopTurnCommand
from programs.application import Application
from programs.discord.buttons import may_decide
from programs.discord.channels import Channels
from programs.discord.slash.replies import answer, explain, quoted, require_moderator
from programs.discord.triggers import channel_name

_TOKEN_SECONDS = 900.0  # how long Discord takes answers to an interaction


class Sessions:
    """What the commands do to a channel's session."""

    def __init__(self, app: Application) -> None:
        self._bus = app.bus
        self._store = app.store
        self._channels = Channels(app.store)
        self._default_prompt = app.config.settings.system_prompt

    async def system_prompt(self, interaction: discord.Interaction) -> str:
        """The system prompt that holds there: the session's own, or the default."""
        try:
            own = (await self._store.session(await self._channels.session_of(interaction))).system_prompt
        except UnknownSessionError:
            own = None
        return self._default_prompt if own is None else own

    async def set_system_prompt(self, interaction: discord.Interaction, prompt: str) -> str:
        """Set it, or take it away when the text is blank or the default; returns what to tell the channel."""
        session_id = await self._channels.session_of(interaction)
        require_moderator(interaction, "change the system prompt")
        text = prompt.strip() if prompt.strip() not in ("", self._default_prompt.strip()) else None
        command = SetSystemPromptCommand(
            session_id=session_id,
            session_name=channel_name(interaction.channel, interaction.user),
            system_prompt=text,
        )
        (await self._bus.execute(command)).unwrap()
        if text is None:
            return f"{interaction.user.display_name} went back to the default system prompt."
        return f"{interaction.user.display_name} set the system prompt of this conversation:\n{quoted(text)}"

    async def stop(self, interaction: discord.Interaction) -> str:
        """Stop what is being answered here, as far as the person may; returns what to tell them."""
        session = await self._channels.session_of(interaction)
        turns = [await self._store.turn(turn.id) for turn in await self._store.unfinished(session)]
        theirs = [turn for turn in turns if may_decide(interaction.user, turn.prompt.author)]
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
        return f"🧹 {interaction.user.display_name} cleared the conversation. I remember nothing from before this."


class SystemPromptModal(discord.ui.Modal, title="System prompt"):
    """The present system prompt, to be read and changed."""

    def __init__(self, sessions: Sessions, present: str) -> None:
        # A custom id of its own, since two people may have the form open at once; past its token it is forgotten.
        super().__init__(timeout=_TOKEN_SECONDS)
        self._sessions = sessions
        self._text: discord.ui.TextInput[SystemPromptModal] = discord.ui.TextInput(
            style=discord.TextStyle.paragraph,
            default=present[:MAX_SYSTEM_PROMPT],
            required=False,
            max_length=MAX_SYSTEM_PROMPT,
        )
        self.add_item(
            discord.ui.Label(
                text="What the model is told first",
                description="For this conversation only. Leave it empty for the default.",
                component=self._text,
            )
        )

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Set what was written."""
        await answer(interaction, self._sessions.set_system_prompt, self._text.value)

    async def on_error(self, interaction: discord.Interaction, error: Exception, /, *_: object) -> None:
        """Tell the person."""
        await explain(interaction, error)


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
        await interaction.edit_original_response(content="Done.")
        await interaction.followup.send(told, allowed_mentions=discord.AllowedMentions.none())

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
    return (_stop(sessions), _system(sessions), _clear(sessions))


def _stop(sessions: Sessions) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(name="stop", description="Stop the answer that is being written in this channel")
    async def stop(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.edit_original_response(content=await sessions.stop(interaction))

    return stop


def _system(sessions: Sessions) -> app_commands.Command[Any, ..., Any]:
    @app_commands.command(name="system", description="Show or set what the model is told first in this channel")
    @app_commands.describe(prompt="The new system prompt; leave it out to see and edit the present one")
    async def system(interaction: discord.Interaction, prompt: str | None = None) -> None:
        if prompt is not None:
            await answer(interaction, sessions.set_system_prompt, prompt)
            return
        present = await sessions.system_prompt(interaction)
        await interaction.response.send_modal(SystemPromptModal(sessions, present))

    return system


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
