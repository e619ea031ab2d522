"""The menu entry "Ask about this": a question about a message, without quoting it by hand."""

from collections.abc import Iterable, Mapping
from typing import Any

import discord
from discord import app_commands

from llmgine.errors import RefusedError
from llmgine.messages.commands import Author, PromptCommand, Quote
from llmgine.messages.text import shorten
from programs.application import Application
from programs.discord.channels import Channels
from programs.discord.ids import SOURCE, Origin, Place, channel_name
from programs.discord.permissions import require_role, require_writing
from programs.discord.slash.forms import Submit, form
from programs.discord.slash.replies import answer, plain_name, quoted

_MAX_QUESTION = 1_500
_MAX_QUOTED = 8_000  # characters of the message that the model is told


class Asking:
    """Asks the model about messages."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._channels = Channels(app.store)

    async def submit(self, interaction: discord.Interaction, about: str, values: Mapping[str, str]) -> None:
        """The form with the question was sent; `about` is the message's id."""
        await answer(interaction, self._ask, int(about), values["question"])

    async def _ask(self, interaction: discord.Interaction, message_id: int, question: str) -> str:
        """Put the question into the channel's conversation; returns what to tell the channel."""
        channel = interaction.channel
        if channel is None or isinstance(channel, discord.ForumChannel | discord.CategoryChannel):
            raise RefusedError("This works in a channel, a thread or a DM.")
        require_writing(interaction)
        settings = await self._channels.settings(channel)
        if settings.listen == "off":
            raise RefusedError("I am switched off here, see /settings.")
        require_role(interaction, settings)
        try:
            message = await channel.fetch_message(message_id)
        except discord.NotFound:
            raise RefusedError("The message is gone.") from None
        by = message.author
        me = interaction.client.user
        author = None if me is not None and by.id == me.id else Author(id=str(by.id), name=by.display_name)
        shown = await interaction.original_response()  # where the question will stand; the answer replies to it
        place = Place.of(channel)
        command = PromptCommand(
            session_id=await self._channels.session_of(interaction),
            scopes=place.scopes,
            session_name=channel_name(channel, interaction.user),
            text=question,
            source=SOURCE,
            source_id=str(shown.id),  # a message as any question's: who deletes it takes it back
            author=Author(id=str(interaction.user.id), name=interaction.user.display_name),
            origin=Origin.at(place, shown.id, cards=settings.cards).as_json(),
            place=str(place.channel_id),
            guild=place.guild_id,
            quoted=Quote(author=author, text=shorten(message.content or "[a message without text]", _MAX_QUOTED)),
        )
        (await self._app.bus.execute(command)).unwrap()
        return f"{plain_name(interaction)} asks about {message.jump_url}:\n{quoted(question)}"


def ask_form(app: Application) -> Submit:
    """What is done with the form for a question."""
    return Asking(app).submit


def commands(_app: Application) -> Iterable[app_commands.ContextMenu]:
    """The family's commands."""

    @app_commands.context_menu(name="Ask about this")
    async def ask(interaction: discord.Interaction, message: discord.Message) -> None:
        text: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id="question", style=discord.TextStyle.paragraph, max_length=_MAX_QUESTION
        )
        label = discord.ui.Label(text="Your question", description="I am shown the message with it.", component=text)
        await interaction.response.send_modal(form("ask", str(message.id), "Ask about this message", label))

    return (ask,)
