"""What people are told of messages that get no answer, or not yet: cannot be stored, refused, missed for too long."""

import logging
import time
from collections import OrderedDict

import discord

from llmgine.messages.translatable import Text, tr
from programs.discord.delivery.notices import CANNOT_STORE, IN_A_ROW, MISSED, PAUSED, TOO_OFTEN
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import DeliveryRefusedError, ShutOutError, UnreachableError
from programs.discord.ids import missed_nonce, paused_nonce, rate_nonce, refusal_nonce, refused_nonce, unstored_nonce
from programs.discord.incoming.decision import TOO_OFTEN_SIGN, is_too_often
from programs.discord.languages import Languages
from programs.discord.permissions.authorize import Standing
from programs.discord.permissions.rates import TooOften
from programs.discord.permissions.webhook_bounds import InARow

_SIGN = "❌"  # as on a question whose answer cannot be shown
_PAUSED_SIGN = "⏸️"
_REMINDED = 86_400.0  # seconds until somebody who may not use the bot is told so again
_MARKED = 10_000  # messages that are remembered

_log = logging.getLogger(__name__)


class Unanswered:
    """Tells people in the channels where they wrote."""

    def __init__(self, poster: Poster, languages: Languages) -> None:
        self._poster = poster
        self._languages = languages
        self._told: set[int] = set()  # channels that know that nothing can be stored at present
        self._told_of_pause: set[int] = set()
        self._told_of_refusal: dict[int, float] = {}  # by DM, when
        self._marked: OrderedDict[int, None] = OrderedDict()  # messages of people who asked too often

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
        """Something was stored: the next failure in the channel is told again, and so is the next pause."""
        self._told.discard(channel_id)
        self._told_of_pause.discard(channel_id)

    async def paused(self, message: discord.Message, *, lasts: bool) -> None:
        """Say by a reaction that a message is not answered because of a pause; while it `lasts`, once also in words."""
        channel_id = message.channel.id
        try:
            if lasts and channel_id not in self._told_of_pause:
                self._told_of_pause.add(channel_id)
                await self._reply(message, PAUSED, paused_nonce(message.id))
            if self._poster.permissions.may_react(channel_id):
                await self._poster.react(channel_id, message.id, _PAUSED_SIGN, on=True)
        except (UnreachableError, DeliveryRefusedError) as error:
            _log.warning("Nobody could be told in channel %d: %s", channel_id, error)

    async def not_allowed(self, message: discord.Message, standing: Standing) -> None:
        """Say in a DM why its person is not answered, once a day."""
        now = time.monotonic()
        self._told_of_refusal = {one: when for one, when in self._told_of_refusal.items() if now - when < _REMINDED}
        if standing is Standing.ALLOWED or message.channel.id in self._told_of_refusal:
            return
        self._told_of_refusal[message.channel.id] = now
        try:
            await self._reply(message, standing.sentence, refused_nonce(message.id))
        except UnreachableError as error:
            _log.warning("Nobody could be told in channel %d: %s", message.channel.id, error)

    def knows_of_pause(self, message: discord.Message) -> bool:
        """Whether people were told of a message, perhaps by an earlier process, that it is not answered."""
        return any(one.me and str(one.emoji) == _PAUSED_SIGN for one in message.reactions)

    async def too_often(self, message: discord.Message, refusal: TooOften | InARow) -> None:
        """Say by a reaction that a message is not answered as its author asks too often; the first also in words."""
        channel_id = message.channel.id
        self._marked[message.id] = None
        while len(self._marked) > _MARKED:
            self._marked.popitem(last=False)
        try:
            if refusal.is_first:
                if isinstance(refusal, TooOften):
                    told = TOO_OFTEN.filled(count=refusal.most, seconds=int(refusal.seconds) + 1)
                else:
                    told = IN_A_ROW.filled(count=refusal.most)
                await self._reply(message, told, rate_nonce(message.id))
            if self._poster.permissions.may_react(channel_id):
                await self._poster.react(channel_id, message.id, TOO_OFTEN_SIGN, on=True)
        except (UnreachableError, DeliveryRefusedError) as error:
            _log.warning("Nobody could be told in channel %d: %s", channel_id, error)

    async def answered_after_all(self, message: discord.Message) -> None:
        """A message that was edited is answered: it is no longer one whose author asked too often."""
        if message.id not in self._marked and not is_too_often(message):
            return
        self._marked.pop(message.id, None)
        try:
            await self._poster.react(message.channel.id, message.id, TOO_OFTEN_SIGN, on=False)
        except (UnreachableError, DeliveryRefusedError) as error:
            _log.warning("The reaction on message %d stays: %s", message.id, error)

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
