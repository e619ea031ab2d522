"""The slash commands: /stop, /system, /clear, /thread. Thin: what they do goes over the bus."""

import logging
from collections.abc import Mapping
from typing import Any

import discord
from discord import app_commands

from llmgine.bus import MessageBus
from llmgine.engine.engine import MAX_SYSTEM_PROMPT
from llmgine.errors import LLMgineError, RefusedError, UnknownSessionError
from llmgine.messages.commands import ClearSessionCommand, SetSystemPromptCommand, StopTurnCommand
from llmgine.messages.text import shorten
from llmgine.sessions import SessionStore
from programs.discord.buttons import is_moderator, may_decide
from programs.discord.triggers import channel_name, session_id

_TOKEN_SECONDS = 900.0  # how long Discord takes answers to an interaction

_log = logging.getLogger(__name__)


class Sessions:
    """What the commands do to a channel's session."""

    def __init__(self, bus: MessageBus, store: SessionStore, default_prompt: str) -> None:
        self._bus = bus
        self._store = store
        self._default_prompt = default_prompt

    async def system_prompt(self, channel_id: int) -> str:
        """The system prompt that holds there: the session's own, or the default."""
        try:
            own = (await self._store.session(session_id(channel_id))).system_prompt
        except UnknownSessionError:
            own = None
        return self._default_prompt if own is None else own

    async def set_system_prompt(self, interaction: discord.Interaction, prompt: str) -> str:
        """Set it, or take it away when the text is blank or the default; returns what to tell the channel."""
        channel_id = _channel_id(interaction)
        _require_moderator(interaction, "change the system prompt")
        text = prompt.strip() if prompt.strip() not in ("", self._default_prompt.strip()) else None
        command = SetSystemPromptCommand(
            session_id=session_id(channel_id),
            session_name=channel_name(interaction.channel, interaction.user),
            system_prompt=text,
        )
        (await self._bus.execute(command)).unwrap()
        if text is None:
            return f"{interaction.user.display_name} went back to the default system prompt."
        return f"{interaction.user.display_name} set the system prompt of this conversation:\n{quoted(text)}"

    async def stop(self, interaction: discord.Interaction) -> str:
        """Stop what is being answered here, as far as the person may; returns what to tell them."""
        session = session_id(_channel_id(interaction))
        turns = [await self._store.turn(turn.id) for turn in await self._store.unfinished(session)]
        theirs = [turn for turn in turns if may_decide(interaction.user, turn.prompt.author)]
        if turns and not theirs:
            raise RefusedError("Only the one who asked or a moderator can stop this.")
        for turn in theirs:
            (await self._bus.execute(StopTurnCommand(session_id=session, turn_id=turn.turn.id))).unwrap()
        return "Stopped." if theirs else "Nothing is being answered here."

    async def clear(self, interaction: discord.Interaction) -> str:
        """Forget the conversation; returns what to tell the channel."""
        _require_moderator(interaction, "clear the conversation")
        (await self._bus.execute(ClearSessionCommand(session_id=session_id(_channel_id(interaction))))).unwrap()
        return f"🧹 {interaction.user.display_name} cleared the conversation. I remember nothing from before this."


def quoted(text: str, room: int = 1_700) -> str:
    """A text as a quote of at most `room` characters, to fit into a message."""
    return shorten("\n".join(f"> {line}" for line in text.splitlines()), room)


def _channel_id(interaction: discord.Interaction) -> int:
    if interaction.channel_id is None:
        raise RefusedError("This works in a channel, a thread or a DM.")
    return interaction.channel_id


def _require_moderator(interaction: discord.Interaction, what: str) -> None:
    """In a server, what concerns everybody in the channel is for moderators, and for the owner of a thread."""
    channel = interaction.channel
    owns_thread = isinstance(channel, discord.Thread) and channel.owner_id == interaction.user.id
    if interaction.guild_id is not None and not owns_thread and not is_moderator(interaction.user):
        raise RefusedError(f"Only people with the permission Manage Messages can {what} here.")


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


async def answer(interaction: discord.Interaction, action: Any, *arguments: Any) -> None:
    """Defer, act, and tell the channel what was done, or only the person why not."""
    await interaction.response.defer(thinking=True)
    try:
        told = await action(interaction, *arguments)
    except LLMgineError as error:
        await interaction.delete_original_response()
        await interaction.followup.send(str(error), ephemeral=True)
        return
    await interaction.edit_original_response(content=told, allowed_mentions=discord.AllowedMentions.none())


async def explain(interaction: discord.Interaction, error: Exception) -> None:
    """Tell the person what went wrong; what is not meant for people goes to the log."""
    if isinstance(error, LLMgineError):
        told = str(error)
    elif isinstance(error, discord.Forbidden):
        told = f"Discord does not let me do that here: {error.text}. Ask a moderator to check my permissions."
    else:
        _log.error("An interaction failed", exc_info=error)
        told = "Something went wrong; the log has the details."
    if interaction.response.is_done():
        await interaction.followup.send(told, ephemeral=True)
    else:
        await interaction.response.send_message(told, ephemeral=True)


class Commands(app_commands.CommandTree[discord.Client]):
    """The tree of slash commands."""

    def __init__(self, client: discord.Client, sessions: Sessions) -> None:
        super().__init__(client)
        self._sessions = sessions
        for command in (self._stop(), self._system(), self._clear(), self._thread()):
            self.add_command(command)

    def _stop(self) -> app_commands.Command[Any, ..., Any]:
        sessions = self._sessions

        @app_commands.command(name="stop", description="Stop the answer that is being written in this channel")
        async def stop(interaction: discord.Interaction) -> None:
            await interaction.response.defer(ephemeral=True)
            await interaction.edit_original_response(content=await sessions.stop(interaction))

        return stop

    def _system(self) -> app_commands.Command[Any, ..., Any]:
        sessions = self._sessions

        @app_commands.command(name="system", description="Show or set what the model is told first in this channel")
        @app_commands.describe(prompt="The new system prompt; leave it out to see and edit the present one")
        async def system(interaction: discord.Interaction, prompt: str | None = None) -> None:
            if prompt is not None:
                await answer(interaction, sessions.set_system_prompt, prompt)
                return
            present = await sessions.system_prompt(_channel_id(interaction))
            await interaction.response.send_modal(SystemPromptModal(sessions, present))

        return system

    def _clear(self) -> app_commands.Command[Any, ..., Any]:
        sessions = self._sessions

        @app_commands.command(name="clear", description="Forget this channel's conversation, after asking you")
        async def clear(interaction: discord.Interaction) -> None:
            _require_moderator(interaction, "clear the conversation")
            question = ClearView(sessions)
            question.stop()  # so that discord.py keeps nothing of it
            await interaction.response.send_message(
                "Forget the conversation of this channel? What was said stays in Discord, but I will not know it.",
                view=question,
                ephemeral=True,
            )

        return clear

    def _thread(self) -> app_commands.Command[Any, ..., Any]:
        @app_commands.command(name="thread", description="Open a thread with a conversation of its own")
        @app_commands.describe(name="The thread's name")
        async def thread(interaction: discord.Interaction, name: app_commands.Range[str, 1, 100] = "Chat") -> None:
            channel = interaction.channel
            if not isinstance(channel, discord.TextChannel):
                raise RefusedError("A thread can be opened in a server's text channel, not here.")
            await interaction.response.defer(ephemeral=True)
            opened = await channel.create_thread(name=name, type=discord.ChannelType.public_thread)
            await opened.add_user(interaction.user)
            await opened.send(
                f"This thread has a conversation of its own, {interaction.user.mention}. Just write; "
                "no need to mention me.",
                allowed_mentions=discord.AllowedMentions.none(),
            )
            await interaction.edit_original_response(content=f"Opened {opened.mention}.")

        return thread

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """Tell the person."""
        await explain(interaction, getattr(error, "original", error))

    async def sync_if_changed(self) -> bool:
        """Register the commands with Discord if what is registered differs; Discord counts registrations."""
        registered = {(c.name, c.type): _essence(c.to_dict()) for c in await self.fetch_commands()}
        ours = {(c.name, discord.AppCommandType.chat_input): _essence(c.to_dict(self)) for c in self.get_commands()}
        if registered == ours:
            return False
        await self.sync()
        return True


def _essence(command: Mapping[str, Any]) -> dict[str, Any]:
    """What we say about a command, without what Discord adds and without empty values."""
    if "options" in command:
        command = {**command, "options": [_essence(option) for option in command["options"]]}
    kept = ("name", "description", "type", "options", "required", "min_length", "max_length", "choices")
    return {key: command[key] for key in kept if command.get(key)}
