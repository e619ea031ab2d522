"""Which conversations a person may see: those of channels they can read, and of their own DM; never another's."""

import re
from dataclasses import dataclass

import discord

from llmgine.errors import UnknownSessionError, UserError
from llmgine.messages.translatable import tr
from llmgine.messages.visible_text import visible_line
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import microseconds
from llmgine.sessions.records import Position, Session
from programs.discord.ids import SOURCE, is_in_a_server, server_scope, session_id

# Of a channel, perhaps of one person in it, perhaps one that was kept when another took its place.
_SESSION = re.compile(rf"{SOURCE}:(?P<channel>\d+)(?::(?P<person>\d+))?(?:/\w+)?")
_CHANNEL_SCOPE = re.compile(rf"{SOURCE}:(\d+)")
# Discord is asked for what discord.py does not know: archived threads, who is in a private one, the DM. With the first
# answer of an interaction and the last one that makes ten.
_REQUESTS = 8
_READ, _READS = 25, 8  # sessions read at once, and how often for one page: others' may stand between a person's own
_Readable = discord.abc.GuildChannel | discord.Thread
GONE = tr("This conversation is gone, or you can't see it.")


@dataclass(frozen=True)
class Page:
    """A page of the list of conversations, the one used last first.

    Attributes:
        sessions: The conversations on it.
        end: Where looking further begins; None where nothing follows, in the direction in which it was looked.
        is_full: Whether it ended because it was full, and not because enough was looked at.
    """

    sessions: tuple[Session, ...]
    end: Position | None
    is_full: bool = False


class _TooManyRequestsError(Exception):
    """Discord would have to be asked more often than one use of a command may."""


class Viewer:
    """One person's view, for the time of one interaction."""

    def __init__(self, interaction: discord.Interaction, store: SessionStore) -> None:
        self._interaction = interaction
        self._store = store
        self._readable: dict[int, bool] = {}
        self._channels: dict[int, _Readable | None] = {}
        self._requests = 0

    async def page(self, position: Position | None = None, *, most: int, words: str = "", newer: bool = False) -> Page:
        """A page of the conversations that the person may see and that anything was said in.

        Args:
            position: After which place in the list it begins; at its beginning (None).
            most: How many there are on it at most.
            words: What has to be in their titles or names.
            newer: Whether to look towards the one used last.
        """
        found: list[Session] = []
        here, under = position, await self._lists()
        for _ in range(_READS):
            read = await self._store.sessions.page(here, most=_READ, under=under, words=words, newer=newer)
            for one in read.sessions:
                try:
                    is_shown = one.turns > 0 and await self._may_see(one)
                except _TooManyRequestsError:
                    return _page(found, _after(here, found, position, newer=newer), newer=newer)
                if is_shown and len(found) == most:
                    return _page(found, place_of(found[-1]), newer=newer, is_full=True)
                found += [one] if is_shown else []
                here = place_of(one)
            here = read.end
            if here is None:
                break
        return _page(found, _after(here, found, position, newer=newer), newer=newer)

    async def session(self, session_id: str) -> Session:
        """One of them.

        Raises:
            UserError: There is none, or they may not see it: nobody is told which.
        """
        try:
            found = await self._store.sessions.get(session_id)
        except UnknownSessionError:
            raise UserError(GONE) from None
        if not await self._may_see(found):
            raise UserError(GONE)
        return found

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

    async def _lists(self) -> list[str]:
        """The lists in which what the person may see is: the server's where they are, and that of their own DM."""
        guild, dm = self._interaction.guild_id, await self._dm()
        return [*([] if guild is None else [server_scope(guild)]), *([] if dm is None else [session_id(dm)])]

    async def _dm(self) -> int | None:
        """The person's DM with the bot; None where there can be none."""
        if self._interaction.guild_id is None:
            return self._interaction.channel_id
        user = self._interaction.user
        if user.dm_channel is None:
            self._count_request()
        try:
            return (await user.create_dm()).id
        except discord.HTTPException:
            return None

    async def _may_see(self, session: Session) -> bool:
        if _SESSION.fullmatch(session.id) is None:
            return False  # another front end's
        channel_id, person = _parts(session.id)
        if person not in (None, self._interaction.user.id):
            return False
        if channel_id == self._interaction.channel_id:
            return self._interaction.guild_id is None or self._interaction.permissions.read_message_history
        if channel_id not in self._readable:
            self._readable[channel_id] = await self._may_read(channel_id, session)
        return self._readable[channel_id]

    async def _may_read(self, channel_id: int, session: Session) -> bool:
        if not is_in_a_server(session.scopes):
            return channel_id == await self._dm()
        channel, member = await self._channel(channel_id, session), self._interaction.user
        if channel is None or not isinstance(member, discord.Member) or not _reads(channel, member):
            return False
        private = isinstance(channel, discord.Thread) and channel.is_private()
        return not private or channel.permissions_for(member).manage_threads or await self._is_in(channel, member)

    async def _is_in(self, thread: _Readable, member: discord.Member) -> bool:
        """Whether somebody was added to a private thread."""
        if not isinstance(thread, discord.Thread):
            return False
        self._count_request()
        try:
            await thread.fetch_member(member.id)
        except discord.HTTPException:
            return False
        return True

    async def _channel(self, channel_id: int, session: Session) -> _Readable | None:
        """The channel, if it is of the server where the person is now, and they may see the one around it."""
        if channel_id not in self._channels:
            self._channels[channel_id] = await self._found_channel(channel_id, session)
        return self._channels[channel_id]

    async def _found_channel(self, channel_id: int, session: Session) -> _Readable | None:
        guild = self._interaction.guild
        if guild is None or server_scope(guild.id) not in session.scopes:
            return None
        channel: object = guild.get_channel_or_thread(channel_id)
        if channel is None and self._may_see_around(guild, session):
            self._count_request()
            try:
                channel = await guild.fetch_channel(channel_id)
            except (discord.HTTPException, discord.InvalidData):
                return None
        if isinstance(channel, discord.Thread) and channel.parent is None:
            return None  # what holds in the channel around it is not known
        return channel if isinstance(channel, _Readable) else None

    def _may_see_around(self, guild: discord.Guild, session: Session) -> bool:
        """Whether what discord.py does not know can be a thread of a channel that the person reads."""
        member = self._interaction.user
        scopes = (_CHANNEL_SCOPE.fullmatch(scope) for scope in session.scopes[1:])
        parent = next((guild.get_channel(int(found[1])) for found in scopes if found), None)
        return parent is not None and isinstance(member, discord.Member) and _reads(parent, member)

    def _count_request(self) -> None:
        if self._requests == _REQUESTS:
            raise _TooManyRequestsError
        self._requests += 1


def _reads(channel: _Readable, member: discord.Member) -> bool:
    allowed = channel.permissions_for(member)
    return allowed.view_channel and allowed.read_message_history


def _parts(session_id: str) -> tuple[int, int | None]:
    found = _SESSION.fullmatch(session_id)
    if found is None:
        raise UserError(GONE)
    return int(found["channel"]), int(found["person"]) if found["person"] else None


def _page(found: list[Session], end: Position | None, *, newer: bool, is_full: bool = False) -> Page:
    return Page(tuple(reversed(found) if newer else found), end, is_full)


def place_of(session: Session) -> Position:
    """Where a session is in the list."""
    return Position(updated_at=microseconds(session.updated_at), id=session.id)


def _after(here: Position | None, found: list[Session], begun: Position | None, *, newer: bool) -> Position | None:
    """Where looking further begins. Of a conversation that the person may not see it says no more than its time."""
    if here is None or (found and here.id == found[-1].id):
        return here
    again = Position(updated_at=here.updated_at + (not newer), id="")  # with what else was used at that time
    if begun is None or (again.updated_at, again.id) != (begun.updated_at, begun.id):
        return again
    return Position(updated_at=here.updated_at + newer, id="")


def title(session: Session) -> str:
    """What a conversation is called, in one line."""
    return visible_line(session.title or session.name, 100)
