"""Who may use the bot at all, and where: the one answer for every way in, decided by ids, never by names."""

import asyncio
from collections.abc import Collection, Iterable
from enum import Enum

import discord

from llmgine.errors import UserError
from llmgine.messages.translatable import Text, tr
from programs.discord.delivery.refusals import UnreachableError
from programs.discord.ids import Kind, Place
from programs.discord.permissions.members import FRESH, Ask, Members
from programs.discord.visibility import is_hidden
from programs.settings import ProgramSettings

PATIENCE = 2.0  # seconds until a person who pressed or typed something is told; Discord waits for 3


class Standing(Enum):
    """Whether somebody may use the bot somewhere, or why not, each with the sentence that people are told."""

    ALLOWED = tr("I can be used here.")
    SERVER = tr("My operator hasn't enabled me in this server.")
    CHANNEL = tr("My operator hasn't enabled me in this channel.")
    PERSON_BLOCKED = tr("My operator has blocked this account.")
    ROLE_BLOCKED = tr("My operator has blocked a role of this account.")
    NOT_ALLOWED = tr("Only people and roles that my operator allows can use me.")
    ROLE_MISSING = tr("Only some roles can use me here. See /settings.")
    WEBHOOK = tr("Moderators have not named this webhook in `/listen` here.")
    LEFT = tr("This account isn't in the server any more.")
    DMS_OFF = tr("My operator has switched off direct messages.")
    NOT_A_MEMBER = tr(
        "I only answer direct messages from people who share a server with me. "
        "If we share one, use `/help` there first."
    )

    @property
    def sentence(self) -> Text:
        """The sentence."""
        return self.value


class Access:
    """The operator's lists, applied. What is blocked is never allowed; an empty list allows all.

    Args:
        client: The client.
        settings: The lists.
        ask: Asks Discord for a member; None when there is none.

    Attributes:
        members: The members that Discord told of.
    """

    def __init__(self, client: discord.Client, settings: ProgramSettings, ask: Ask) -> None:
        self._client = client
        self._settings = settings
        self.members = Members(client, ask)

    def serves(self, guild_id: int | None) -> bool:
        """Whether a server is served; of one that is not known, whether all are."""
        allowed, blocked = self._settings.allowed_servers, self._settings.blocked_servers
        if guild_id is None:
            return not (allowed or blocked)
        return guild_id not in blocked and (not allowed or guild_id in allowed)

    def covers(self, place: Place) -> bool:
        """Whether anybody can be answered at a place: what is not covered is not read either."""
        if place.is_dm:
            return self._settings.direct_messages != "off"
        return self._where(place) is Standing.ALLOWED

    def unserved(self) -> list[discord.Guild]:
        """The servers that the bot is in and does not serve."""
        return [guild for guild in self._client.guilds if not self.serves(guild.id)]

    def refusal(self, user_id: int, place: Place) -> Standing | None:
        """Why a person is refused, as far as that is known without asking Discord; None where it is not."""
        if user_id in self._settings.blocked_people:
            return Standing.PERSON_BLOCKED
        if place.is_dm:
            return None if self.covers(place) else Standing.DMS_OFF
        where = self._where(place)
        return None if where is Standing.ALLOWED else where

    async def authorize(self, user: discord.abc.Snowflake, place: Place, *, age: float | None = None) -> Standing:
        """Whether a person may use the bot at a place.

        Args:
            user: The person, or what has their id.
            place: Where.
            age: Whether it has to be sure that they are still in the server, as Discord told so many seconds ago.

        Raises:
            UnreachableError: Discord cannot be asked.
        """
        if isinstance(user, discord.Member):
            self.members.saw(user)
        refusal = self.refusal(user.id, place)
        if refusal is not None:
            return refusal
        return await (self._in_dm(user, age) if place.is_dm else self._in_server(user, place, age))

    def of_webhook(self, ids: Collection[int], place: Place) -> Standing:
        """Whether a webhook may use the bot at a place, by its own id and that of its application.

        It is no person and has no roles: where only some people and roles may, it has to be listed among the people.
        """
        refusals = [self.refusal(one, place) for one in ids]
        refusal = next((one for one in refusals if one is not None), None)
        if refusal is not None or place.is_dm:
            return refusal or Standing.NOT_ALLOWED
        listed = [self._by_roles(one, ()) for one in ids]
        return Standing.ALLOWED if Standing.ALLOWED in listed else Standing.NOT_ALLOWED

    async def _in_server(self, user: discord.abc.Snowflake, place: Place, age: float | None) -> Standing:
        if age is None and not self._roles_matter(user.id):
            return Standing.ALLOWED
        if place.guild_id is None:  # of a turn of an old version
            return self._by_roles(user.id, ())
        guild = self._client.get_guild(place.guild_id)
        if guild is None:
            return Standing.SERVER
        member = await self.members.get(guild, user, age=FRESH if age is None else age)
        return Standing.LEFT if member is None else self._by_roles(user.id, _ids(member))

    async def _in_dm(self, user: discord.abc.Snowflake, age: float | None) -> Standing:
        """In a DM the roles count that somebody has in any server that is served."""
        served = [guild for guild in self._client.guilds if self.serves(guild.id)]
        listed = (*self._settings.allowed_roles, *self._settings.blocked_roles)
        within = FRESH if age is None else age
        roles: set[int] = set()
        is_member = False
        for guild in served:
            if any(guild.get_role(role) for role in listed):
                member = await self.members.get(guild, user, age=within)
                roles |= _ids(member) if member else set()
                is_member = is_member or member is not None
        standing = self._by_roles(user.id, roles)
        if standing is not Standing.ALLOWED or self._settings.direct_messages == "on" or is_member:
            return standing
        return standing if await self.members.is_in_any(user, served, age=within) else Standing.NOT_A_MEMBER

    def _where(self, place: Place) -> Standing:
        if not self.serves(place.guild_id):
            return Standing.SERVER
        allowed, blocked = self._settings.allowed_channels, self._settings.blocked_channels
        if not (allowed or blocked):
            return Standing.ALLOWED
        ids = self._ids_of(place)
        if ids is None or ids & set(blocked) or (allowed and not ids & set(allowed)):
            return Standing.CHANNEL
        return Standing.ALLOWED

    def _ids_of(self, place: Place) -> set[int] | None:
        """The ids of a place, of a thread's channel and of the category; None where it is not known what they are."""
        channel_id = place.parent_id if place.kind is Kind.THREAD else place.channel_id
        channel = None if channel_id is None else self._client.get_channel(channel_id)
        if isinstance(channel, discord.Thread):  # which was taken for a channel
            channel = channel.parent
        if not isinstance(channel, discord.abc.GuildChannel):
            return None
        if channel.category_id is None and is_hidden(channel):  # Discord may not tell the category
            return None
        return {place.channel_id, channel.id, *([channel.category_id] if channel.category_id else [])}

    def _roles_matter(self, user_id: int) -> bool:
        lists = self._settings
        if lists.blocked_roles:
            return True
        return bool(lists.allowed_roles or lists.allowed_people) and user_id not in lists.allowed_people

    def _by_roles(self, user_id: int, roles: Iterable[int]) -> Standing:
        lists, theirs = self._settings, set(roles)
        if theirs & set(lists.blocked_roles):
            return Standing.ROLE_BLOCKED
        anybody = not (lists.allowed_roles or lists.allowed_people)
        if anybody or user_id in lists.allowed_people or theirs & set(lists.allowed_roles):
            return Standing.ALLOWED
        return Standing.NOT_ALLOWED


def access_of(client: discord.Client) -> Access:
    """The rules of a bot.

    Raises:
        TypeError: The client is no bot of ours.
    """
    found = getattr(client, "access", None)
    if not isinstance(found, Access):
        raise TypeError("this client has no rules of who may use it")
    return found


async def authorize(interaction: discord.Interaction) -> None:
    """Check that a person may use the bot where an interaction comes from.

    Raises:
        UserError: They may not; the text is the sentence of their standing.
    """
    access = access_of(interaction.client)
    try:
        async with asyncio.timeout(PATIENCE):
            standing = await access.authorize(interaction.user, Place.of(interaction.channel))
    except (UnreachableError, TimeoutError) as error:
        raise UserError(tr("I can't check right now whether you may use me. Try again in a minute.")) from error
    if standing is not Standing.ALLOWED:
        raise UserError(standing.sentence)


def _ids(member: discord.Member) -> set[int]:
    return {role.id for role in member.roles}
