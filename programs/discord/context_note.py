"""Servers that were there before `/context`: where it is off for that reason, moderators are told once in one line."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import discord

from llmgine.messages.translatable import tr
from llmgine.sessions import SessionStore
from llmgine.sessions.records import Cursor
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import DeliveryRefusedError
from programs.discord.ids import context_note_nonce, server_scope
from programs.discord.translation import language_of

LINE = tr(
    "New, for moderators: I can read the messages written before a question, so that I know what it is about. In this "
    "server that is off; {context} turns it on."
)

_SOURCE = "discord context note"  # of cursors: a server has one once it was told
_AT_ONCE = 500  # servers that are looked up at once
_LATELY = 3_600.0  # seconds; Discord itself knows a nonce for minutes
_SEEN = 50  # messages looked through for a line that nobody wrote down

_log = logging.getLogger(__name__)


class ContextNote:
    """Tells them: in the channel for moderators where there is one, else in the system channel, else in another one.

    Where the bot may write in none, it is tried again at the next start.
    """

    def __init__(self, client: discord.Client, store: SessionStore, poster: Poster) -> None:
        self._client = client
        self._store = store
        self._poster = poster

    async def tell(self, guilds: Sequence[discord.Guild], command: str) -> None:
        """Tell servers, but for those that were told before, and those where somebody has made the setting since.

        Args:
            guilds: The servers.
            command: The command as people can click it.

        Raises:
            StoreError: Whether there is anything to tell cannot be looked up.
            UnreachableError: Discord cannot be reached.
        """
        for begin in range(0, len(guilds), _AT_ONCE):
            some = {server_scope(guild.id): guild for guild in guilds[begin : begin + _AT_ONCE]}
            for made in await self._store.settings.of([*some]):
                # So the update made it, and nobody has changed it.
                if (made.name, made.value, made.changed_by) == ("context", "off", ""):
                    await self._tell(some[made.scope], command)

    async def _tell(self, guild: discord.Guild, command: str) -> None:
        channel = self._channel(guild)
        if channel is None or await self._store.cursors.at(_SOURCE, [str(guild.id)]):
            return
        said = f"-# {language_of(guild.preferred_locale).say(LINE.filled(context=command))}"
        try:
            message_id = await self._found(channel, said) or await self._poster.post(
                channel.id, {"content": said}, nonce=context_note_nonce(guild.id), reply_to=None
            )
        except DeliveryRefusedError as error:
            _log.warning("Server %d was not told of /context: %s", guild.id, error)
            return
        await self._store.cursors.move(_SOURCE, [Cursor(str(guild.id), message_id)])

    def _channel(self, guild: discord.Guild) -> discord.TextChannel | None:
        """Where moderators read it."""
        found = (guild.public_updates_channel, guild.system_channel, *guild.text_channels)
        return next((one for one in found if one is not None and self._poster.permissions.may_write(one.id)), None)

    async def _found(self, channel: discord.TextChannel, said: str) -> int | None:
        """The line that a process posted which died before it wrote that down."""
        after = discord.utils.time_snowflake(datetime.fromtimestamp(self._poster.now() - _LATELY, UTC))
        read = await self._poster.history(channel, after=after, limit=_SEEN) or []
        me = self._client.user
        return next((one.id for one in read if one.author == me and one.content == said), None)
