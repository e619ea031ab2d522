"""Who operates the bot: by id, as the settings or Discord say; who is not known to is nobody."""

import logging
from collections.abc import Collection

import aiohttp
import discord

from llmgine.errors import UserError
from llmgine.messages.translatable import tr

_ROLES = (discord.TeamMemberRole.admin, discord.TeamMemberRole.developer)  # as in discord.py's `Bot.is_owner`

_log = logging.getLogger(__name__)


class Operators:
    """The people who operate the bot.

    Args:
        configured: Their ids. Without any, they are the owner of the application, or the admins and developers of its
            team.
    """

    def __init__(self, configured: Collection[int] | None) -> None:
        self._configured = configured

    def known(self, client: discord.Client) -> Collection[int]:
        """Their ids as far as they are known without asking Discord: as the settings say, or as it was at the login."""
        if self._configured:
            return self._configured
        return () if client.application is None else _owners(client.application)

    async def require(self, interaction: discord.Interaction) -> None:
        """Check that a person is one of them.

        Raises:
            UserError: They are not, or Discord does not say who is.
        """
        if not await self.includes(interaction):
            raise UserError(tr("Only the operator of this bot can do this."))

    async def includes(self, interaction: discord.Interaction) -> bool:
        """Whether a person is one of them.

        Raises:
            UserError: Discord does not say who is.
        """
        if self._configured:
            return interaction.user.id in self._configured
        try:
            application = await interaction.client.application_info()
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
            _log.warning("Discord does not say who owns the application: %s", error)
            raise UserError(tr("Discord doesn't tell me who my operator is right now. Try again.")) from error
        return interaction.user.id in _owners(application)


def _owners(application: discord.AppInfo) -> set[int]:
    team = application.team
    if team is None:
        return {application.owner.id}
    accepted = [one for one in team.members if one.membership_state is discord.TeamMembershipState.accepted]
    return {one.id for one in accepted if one.role in _ROLES or one.id == team.owner_id}
