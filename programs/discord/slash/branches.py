"""/branch and "Branch from here": a conversation goes on somewhere else too, with what was said so far."""

from collections.abc import Iterable
from typing import Any, Literal

import discord
from discord import app_commands

from llmgine.errors import LLMgineError, UserError
from llmgine.messages.commands import BranchSessionCommand
from llmgine.messages.text import shorten
from llmgine.messages.translatable import Text, tr
from llmgine.sessions.records import Session
from programs.application import Application
from programs.discord.channel_settings import Channels
from programs.discord.ids import SOURCE, Place, channel_name, session_id
from programs.discord.languages import Languages
from programs.discord.permissions.actor import require_threads
from programs.discord.permissions.viewer import Viewer, title
from programs.discord.replies import post, set_answer
from programs.discord.translation import described

ThreadType = Literal[discord.ChannelType.private_thread, discord.ChannelType.public_thread]
_PLACES = {
    "thread": tr("A thread here"),
    "private": tr("A private thread for you"),
    "dm": tr("Your DM with me"),
}
_LONGEST_NAME = 80
_HERE = tr("Continued from {channel}, with everything said there. Just write; what you say here stays here.")
_ELSEWHERE = tr("elsewhere")  # in place of a channel


class Branches:
    """What the commands do."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._channels = Channels(app.store)
        self._languages = Languages(app.store, self._channels)

    async def branch(self, interaction: discord.Interaction, place: str) -> Text:
        """Let the channel's conversation go on in another place too; returns what to tell the person."""
        here = await self._channels.session_of(interaction)
        session = await Viewer(interaction, self._app.store).session(here)
        if place == "dm":
            return await self._in_dm(interaction, here)
        parent = _parent(interaction.channel)
        kind = _kind(interaction, private=place == "private")
        thread = await parent.create_thread(name=await self._name(session, interaction), type=kind)
        await self._begin(interaction, here, thread, None)
        return tr("Continued in {thread}.", thread=thread.mention)

    async def branch_from(self, interaction: discord.Interaction, message: discord.Message) -> Text:
        """Open a thread at a message, with the conversation up to it; returns what to tell the person."""
        store = self._app.store
        turn_id = await store.turns.of_message(SOURCE, str(message.id)) or await store.deliveries.turn_of(
            str(message.id)
        )
        if turn_id is None:
            raise UserError(tr("This message isn't part of a conversation with me."))
        turn = await store.turns.get(turn_id)
        session = await Viewer(interaction, store).session(turn.turn.session_id)
        parent = _parent(interaction.channel)
        name = await self._name(session, interaction)
        kind = _kind(interaction)
        if message.channel.id == parent.id and not message.flags.has_thread:
            thread = await message.create_thread(name=name)
        else:
            thread = await parent.create_thread(name=name, type=kind)
        await self._begin(interaction, session.id, thread, turn_id)
        return tr("Continued in {thread}.", thread=thread.mention)

    async def _begin(
        self, interaction: discord.Interaction, old: str, thread: discord.Thread, up_to_turn: str | None
    ) -> None:
        """Give the new thread its conversation; one that cannot have it is taken away again."""
        new = await self._channels.session_id(thread, interaction.user.id)
        name = channel_name(thread, interaction.user)
        command = BranchSessionCommand(
            session_id=old, new_session_id=new, session_name=name, up_to_turn=up_to_turn, scopes=Place.of(thread).scopes
        )
        try:
            (await self._app.bus.execute(command)).unwrap()
        except LLMgineError:
            await thread.delete()
            raise
        await thread.add_user(interaction.user)
        await post(thread, await self._words(interaction, thread))

    async def _in_dm(self, interaction: discord.Interaction, here: str) -> Text:
        dm = await interaction.client.create_dm(interaction.user)  # the bot's, by which the store knows of the DM
        if dm.id == interaction.channel_id:
            raise UserError(tr("You're already in your DM with me."))
        new = session_id(dm.id)
        name = channel_name(dm, interaction.user)
        told = await post(dm, await self._words(interaction, dm))  # first: many people take no DMs
        command = BranchSessionCommand(
            session_id=here,
            new_session_id=new,
            session_name=name,
            keep_as=f"{new}/{interaction.id}",
            scopes=Place.of(dm).scopes,
        )
        try:
            (await self._app.bus.execute(command)).unwrap()
        except LLMgineError:
            await told.delete()
            raise
        return tr("Continued in your DM with me. The conversation before it is kept, see /sessions.")

    async def _words(self, interaction: discord.Interaction, new: object) -> str:
        """What the copy begins with, in the language of its place."""
        mention = getattr(interaction.channel, "mention", None)
        language = await self._languages.here(new, interaction.user.id, seen=str(interaction.locale))
        return language.say(_HERE.filled(channel=_ELSEWHERE if mention is None else mention))

    async def _name(self, session: Session, interaction: discord.Interaction) -> str:
        """What the thread is called: as the conversation, where that has a title."""
        here = getattr(interaction.channel, "name", None)
        if session.title or here is None:
            return shorten(title(session), _LONGEST_NAME)
        language = await self._languages.of_reply(interaction)
        return shorten(language.say(tr("Continued from #{channel}", channel=here)), _LONGEST_NAME)


def _kind(interaction: discord.Interaction, *, private: bool = False) -> ThreadType:
    """Which thread may be opened for the person; what was said in a private one stays among those who see it.

    Raises:
        UserError: The person may open none themselves.
    """
    channel = interaction.channel
    private = private or (isinstance(channel, discord.Thread) and channel.is_private())
    require_threads(interaction, private=private)
    return discord.ChannelType.private_thread if private else discord.ChannelType.public_thread


def _parent(channel: object) -> discord.TextChannel:
    """The channel in which a thread can be opened."""
    found = channel.parent if isinstance(channel, discord.Thread) else channel
    if not isinstance(found, discord.TextChannel):
        raise UserError(tr("Threads can only be created in a server's text channels."))
    return found


def commands(app: Application) -> Iterable[app_commands.Command[Any, ..., Any] | app_commands.ContextMenu]:
    """The family's commands."""
    branches = Branches(app)

    @app_commands.command(name="branch", description=described(tr("Continue a copy of this conversation elsewhere")))
    @app_commands.describe(where=described(tr("Where to continue; by default in a thread here")))
    @app_commands.choices(
        where=[app_commands.Choice(name=described(words), value=place) for place, words in _PLACES.items()]
    )
    async def branch(interaction: discord.Interaction, where: str = "thread") -> None:
        await interaction.response.defer(ephemeral=True)
        await set_answer(interaction, await branches.branch(interaction, where))

    @app_commands.context_menu(name=described(tr("Branch from here")))
    async def branch_from(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.defer(ephemeral=True)
        await set_answer(interaction, await branches.branch_from(interaction, message))

    return (branch, branch_from)
