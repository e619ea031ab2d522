"""Which conversations a person may see: those of channels they can read, and of their own DM; never another's."""

import re

import discord

from llmgine.errors import RefusedError
from llmgine.messages.text import shorten
from llmgine.sessions import SessionStore
from llmgine.sessions.records import Session
from programs.discord.ids import SOURCE, is_in_a_server, server_scope

# Of a channel, perhaps of one person in it, perhaps one that was kept when another took its place.
_SESSION = re.compile(rf"{SOURCE}:(?P<channel>\d+)(?::(?P<person>\d+))?(?:/\w+)?")
_MOST_LOOKED_UP = 30  # channels that are asked for in one go, because discord.py does not know them: archived threads
_Readable = discord.abc.GuildChannel | discord.Thread
GONE = "This conversation is gone, or you may not see it."


class Sight:
    """One person's view, for the time of one interaction."""

    def __init__(self, interaction: discord.Interaction, store: SessionStore) -> None:
        self._interaction = interaction
        self._store = store
        self._seen: dict[int, bool] = {}
        self._looked_up = 0

    async def sessions(self) -> list[Session]:
        """The conversations that the person may see and that anything was said in, the one used last first."""
        return [one for one in await self._store.sessions.all() if one.turns and await self._may_see(one)]

    async def session(self, session_id: str) -> Session:
        """One of them.

        Raises:
            RefusedError: There is none, or they may not see it: nobody is told which.
        """
        found = [one for one in await self._store.sessions.all() if one.id == session_id]
        if not found or not await self._may_see(found[0]):
            raise RefusedError(GONE)
        return found[0]

    async def may_rename(self, session: Session) -> bool:
        """Whether the person may change the title that others see: in a DM, their own, or as a moderator there."""
        channel_id, person = _parts(session.id)
        channel = await self._channel(channel_id, session)
        if person is not None or self._interaction.guild_id is None:
            return True  # seen already: so it is their own
        if channel is None:
            return False
        member = self._interaction.user
        if isinstance(channel, discord.Thread) and channel.owner_id == member.id:
            return True
        return isinstance(member, discord.Member) and channel.permissions_for(member).manage_messages

    async def _may_see(self, session: Session) -> bool:
        if _SESSION.fullmatch(session.id) is None:
            return False  # another front end's
        channel_id, person = _parts(session.id)
        if person not in (None, self._interaction.user.id):
            return False
        if channel_id == self._interaction.channel_id:
            return self._interaction.guild_id is None or self._interaction.permissions.read_message_history
        if channel_id not in self._seen:
            self._seen[channel_id] = await self._may_read(channel_id, session)
        return self._seen[channel_id]

    async def _may_read(self, channel_id: int, session: Session) -> bool:
        if not is_in_a_server(session.scopes):
            return channel_id == (await self._interaction.user.create_dm()).id
        channel, member = await self._channel(channel_id, session), self._interaction.user
        if channel is None or not isinstance(member, discord.Member):
            return False
        allowed = channel.permissions_for(member)
        if not (allowed.view_channel and allowed.read_message_history):
            return False
        if not isinstance(channel, discord.Thread) or not channel.is_private() or allowed.manage_threads:
            return True
        try:
            await channel.fetch_member(member.id)
        except discord.HTTPException:
            return False
        return True

    async def _channel(self, channel_id: int, session: Session) -> _Readable | None:
        """The channel, if it is of the server where the person is now."""
        guild = self._interaction.guild
        if guild is None or server_scope(guild.id) not in session.scopes:
            return None
        channel: object = guild.get_channel_or_thread(channel_id)
        if channel is None and self._looked_up < _MOST_LOOKED_UP:
            self._looked_up += 1
            try:
                channel = await guild.fetch_channel(channel_id)
            except (discord.HTTPException, discord.InvalidData):
                return None
        if isinstance(channel, discord.Thread) and channel.parent is None:
            return None  # what holds in the channel around it is not known
        return channel if isinstance(channel, _Readable) else None


def _parts(session_id: str) -> tuple[int, int | None]:
    found = _SESSION.fullmatch(session_id)
    if found is None:
        raise RefusedError(GONE)
    return int(found["channel"]), int(found["person"]) if found["person"] else None


def title(session: Session) -> str:
    """What a conversation is called, in one line."""
    return shorten(" ".join((session.title or session.name).split()), 100)
