"""Servers that the bot is in and does not serve: each is told so in one line, once ever; then there is silence."""

import logging

import discord

from llmgine.errors import StoreError
from llmgine.messages.translatable import tr
from llmgine.sessions import SessionStore
from llmgine.sessions.records import Cursor
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import DeliveryRefusedError, UnreachableError
from programs.discord.ids import unserved_nonce
from programs.discord.translation import language_of

LINE = tr("My operator hasn't enabled me in this server, so I don't answer here.")

_SOURCE = "discord unserved"  # of cursors: a server has one once it was told

_log = logging.getLogger(__name__)


class Unserved:
    """Tells them, in the server's system channel; where there is none that the bot may write in, nobody is told."""

    def __init__(self, store: SessionStore, poster: Poster) -> None:
        self._store = store
        self._poster = poster

    async def tell(self, guild: discord.Guild) -> None:
        """Tell a server, unless it was told before."""
        channel = guild.system_channel
        if channel is None or not self._poster.permissions.may_write(channel.id):
            return
        try:
            if await self._store.cursors.at(_SOURCE, [str(guild.id)]):
                return
            # Stored first: if the process dies in between, nobody is told, rather than twice.
            await self._store.cursors.move(_SOURCE, [Cursor(str(guild.id), channel.id)])
            said = language_of(guild.preferred_locale).say(LINE)
            await self._poster.post(channel.id, {"content": said}, nonce=unserved_nonce(guild.id), reply_to=None)
        except (StoreError, UnreachableError, DeliveryRefusedError) as error:
            _log.warning("Server %d was not told that it is not served: %s", guild.id, error)
