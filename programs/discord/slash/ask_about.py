"""The menu entry "Ask about this": a question about a message, without quoting it by hand."""

from collections.abc import Iterable, Mapping

import discord
from discord import app_commands

from llmgine.errors import UserError
from llmgine.messages.commands import PromptCommand
from llmgine.messages.translatable import tr
from programs.application import Application
from programs.discord.channel_settings import Channels
from programs.discord.components.button_press import ButtonPress, Handler
from programs.discord.components.custom_ids import Action, ComponentId
from programs.discord.components.gates import Gates
from programs.discord.components.views import Field, form
from programs.discord.ids import SOURCE, Origin, Place, channel_name, roles_of
from programs.discord.languages import Languages
from programs.discord.mentions import quote_of
from programs.discord.replies import plain_name, quoted, show
from programs.discord.translation import described

_QUESTION = Field("question", tr("Your question"), 1_500, tr("I get the message along with it."))
_MAX_QUOTED = 8_000  # characters of the message that the model is told


class Asking:
    """Asks the model about messages."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._channels = Channels(app.store)
        self._gates = Gates(app.store)
        self._languages = Languages(app.store, self._channels)

    async def open_form(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Ask for the question, whom the form would be let through for."""
        custom_id = ComponentId(Action.ASK, str(message.id))
        await self._gates.require(ButtonPress(interaction, custom_id))
        await interaction.response.send_modal(form(interaction, custom_id, tr("Ask about this message"), _QUESTION))

    async def ask(self, press: ButtonPress) -> None:
        """Put the question into the channel's conversation, and show it to the channel."""
        interaction, channel = press.interaction, press.interaction.channel
        if channel is None or isinstance(channel, discord.ForumChannel | discord.CategoryChannel):
            raise UserError(tr("This works in a channel, a thread or a DM."))
        try:
            message = await channel.fetch_message(int(press.id.about))
        except discord.NotFound:
            raise UserError(tr("The message is gone.")) from None
        question = press.texts[_QUESTION.name]
        shown = await interaction.original_response()  # where the question will stand; the answer replies to it
        place, language = Place.of(channel), await self._languages.of_reply(interaction)
        settings = await self._channels.settings(channel)
        command = PromptCommand(
            session_id=await self._channels.session_of(interaction),
            scopes=place.scopes,
            session_name=channel_name(channel, interaction.user),
            text=question,
            source=SOURCE,
            source_id=str(shown.id),  # a message as any question's: who deletes it takes it back
            author=press.who,
            roles=roles_of(interaction.user, settings.limited_roles),
            origin=Origin.at(place, shown.id, cards=settings.cards, language=language.code).as_json(),
            place=str(place.channel_id),
            guild=place.guild_id,
            sent_at=interaction.created_at,
            quoted=quote_of(message, interaction.client.user, _MAX_QUOTED),
        )
        (await self._app.bus.execute(command)).unwrap()
        told = tr(
            "{name} asks about {message}:\n{question}",
            name=plain_name(interaction),
            message=message.jump_url,
            question=quoted(question),
        )
        await show(interaction, language.say(told))


def handlers(app: Application) -> Mapping[Action, Handler]:
    """What is done with the form."""
    return {Action.ASK: Asking(app).ask}


def commands(app: Application) -> Iterable[app_commands.ContextMenu]:
    """The family's commands."""
    asking = Asking(app)

    @app_commands.context_menu(name=described(tr("Ask about this")))
    async def ask(interaction: discord.Interaction, message: discord.Message) -> None:
        await asking.open_form(interaction, message)

    return (ask,)
