"""Who may still have tools run: the bot's answer to the engine, at the moment of each call."""

import discord

from llmgine.errors import StoreError, UndecidedError
from llmgine.messages.commands import Author
from llmgine.messages.steps import Turn
from llmgine.messages.translatable import Text
from programs.application import Application
from programs.discord.channel_settings import Channels
from programs.discord.delivery.refusals import UnreachableError
from programs.discord.ids import SOURCE, Origin, Place
from programs.discord.permissions.actor import has_role
from programs.discord.permissions.authorize import Access, Standing
from programs.discord.permissions.members import FRESH, Ask
from programs.discord.permissions.webhooks import WebhookAuthor


class ToolAccess:
    """Lets tools run for those who may use the bot at that moment, see `llmgine.engine.tool_policy.ToolPolicy`."""

    def __init__(self, client: discord.Client, access: Access, channels: Channels) -> None:
        self._client = client
        self._access = access
        self._channels = channels

    async def refusal(self, turn: Turn, asker: Author | None, *, has_effects: bool) -> Text | None:
        """Why no tool runs for the one who asked; None where one may. Before effects Discord is asked once more.

        Raises:
            UndecidedError: That cannot be found out now.
        """
        place, webhook = Origin.of(turn).asked, WebhookAuthor.read(asker)
        if asker is None or (webhook is None and not asker.id.isdecimal()):
            return Standing.NOT_ALLOWED.sentence
        try:
            if webhook is not None:
                settings = await self._channels.at(place)
                named = webhook.is_named(settings)
                standing = webhook.standing(place, settings, self._access) if named else Standing.WEBHOOK
            else:
                standing = await self._standing(int(asker.id), place, age=0.0 if has_effects else FRESH)
        except (UnreachableError, StoreError) as error:
            raise UndecidedError(str(error)) from error
        return None if standing is Standing.ALLOWED else standing.sentence

    async def _standing(self, user_id: int, place: Place, *, age: float) -> Standing:
        user = discord.Object(user_id)
        standing = await self._access.authorize(user, place, age=age)
        settings = await self._channels.at(place)
        guild = self._client.get_guild(place.guild_id or 0)
        if standing is not Standing.ALLOWED or not settings.roles or guild is None:
            return standing
        member = await self._access.members.get(guild, user)  # as Discord told of them just now
        return standing if member is not None and has_role(member, settings) else Standing.ROLE_MISSING


def access_for(client: discord.Client, app: Application, ask: Ask) -> Access:
    """The rules of who may use a bot, which from here on the engine asks too.

    Args:
        client: The bot.
        app: The application, with the operator's lists.
        ask: See `Members`.
    """
    access = Access(client, app.config.settings, ask)
    app.engine.register_tool_policy(SOURCE, ToolAccess(client, access, Channels(app.store)))
    return access
