"""What people are told of messages that get no answer, or not yet: cannot be stored, refused, missed for too long."""

import logging

import discord

from llmgine.messages.translatable import Text, tr
from programs.discord.delivery.notices import CANNOT_STORE, MISSED
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import DeliveryRefusedError, ShutOutError, UnreachableError
from programs.discord.ids import missed_nonce, refusal_nonce, unstored_nonce
from programs.discord.languages import Languages

_SIGN = "❌"  # as on a question whose answer cannot be shown

_log = logging.getLogger(__name__)


class Unanswered:
    """Tells people in the channels where they wrote."""

    def __init__(self, poster: Poster, languages: Languages) -> None:
        self._poster = poster
        self._languages = languages
        self._told: set[int] = set()  # channels that know that nothing can be stored at present

    async def cannot_store(self, message: discord.Message) -> None:
        """Say that nothing can be stored: once in each channel, until something can be again."""
        if message.channel.id not in self._told:
            self._told.add(message.channel.id)
            try:
                said, nonce = await self._said(message, CANNOT_STORE), unstored_nonce(message.id)
                await self._poster.post(message.channel.id, {"content": said}, nonce=nonce)
            except (UnreachableError, DeliveryRefusedError) as error:
                _log.warning("Nobody could be told in channel %d: %s", message.channel.id, error)

    def stored(self, channel_id: int) -> None:
        """Something was stored: the next failure in the channel is told again."""
        self._told.discard(channel_id)

    async def refused(self, message: discord.Message, reason: Text | str) -> None:
        """Say why a message is not answered, or at least by a reaction on it that it is not."""
        try:
            words = tr("⚠️ I couldn't process this: {reason}", reason=reason)
            await self._reply(message, words, refusal_nonce(message.id))
        except UnreachableError as error:
            _log.warning("Nobody could be told in channel %d: %s", message.channel.id, error)

    async def failed(self, message: discord.Message) -> None:
        """Say that a message is not answered because of a fault in the bot."""
        await self.refused(message, tr("something went wrong; my log has the details."))

    async def missed(self, message: discord.Message) -> None:
        """Say that a message, and those before it, came too long ago or were too many. Saying it twice posts it once.

        Raises:
            UnreachableError: Discord cannot be reached.
        """
        await self._reply(message, MISSED, missed_nonce(message.id))

    async def _reply(self, message: discord.Message, text: Text, nonce: str) -> None:
        """Say that a message is not answered.

        Where the bot may not write, or the words are not taken, for instance by the server's own rules, a reaction on
        the message says so.

        Raises:
            UnreachableError: Discord cannot be reached.
        """
        channel_id = message.channel.id
        try:
            said = await self._said(message, text)
            await self._poster.post(channel_id, {"content": said}, nonce=nonce, reply_to=message.id)
        except (DeliveryRefusedError, ShutOutError) as error:
            if not self._poster.permissions.may_react(channel_id):
                _log.info("Nobody can be told in channel %d what is not answered: %s", channel_id, error)
                return
            try:
                await self._poster.react(channel_id, message.id, _SIGN, on=True)
            except (DeliveryRefusedError, ShutOutError) as refused:
                _log.info("Nobody can be told in channel %d what is not answered: %s", channel_id, refused)

    async def _said(self, message: discord.Message, text: Text) -> str:
        return (await self._languages.here(message.channel, message.author.id)).say(text)
