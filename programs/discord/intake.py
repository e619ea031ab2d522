"""The one way in: which messages become turns, whether they are heard live or found by catching up."""

import logging

import discord

from llmgine.bus import MessageBus
from llmgine.errors import LLMgineError, StoreError
from llmgine.sessions import SessionStore
from programs.discord.channels import Channels
from programs.discord.notices import CANNOT_STORE
from programs.discord.poster import Poster
from programs.discord.refusals import RefusedError, UnreachableError
from programs.discord.rendering import SOURCE
from programs.discord.triggers import Triggers, Verdict, prompt

_log = logging.getLogger(__name__)


class Intake:
    """Admits what people write to the bot."""

    def __init__(self, client: discord.Client, bus: MessageBus, store: SessionStore, poster: Poster) -> None:
        self._client = client
        self._bus = bus
        self._store = store
        self._channels = Channels(store)
        self._triggers = Triggers(client, store)
        self._poster = poster
        self._told: set[int] = set()  # channels that know that nothing can be stored at present

    async def is_news(self, message: discord.Message) -> bool:
        """Whether the message is for the bot, and was not admitted before.

        Raises:
            StoreError: That cannot be looked up.
        """
        if await self._triggers.verdict(message) is not Verdict.ANSWERED:
            return False
        return await self._store.turn_of(SOURCE, str(message.id)) is None

    async def admit(self, message: discord.Message) -> bool:
        """Take a message up; False when it cannot be stored, so that it has to be taken up another time."""
        me = self._client.user
        if me is None:
            return False
        session_id = await self._channels.session_id(message.channel, message.author.id)
        result = await self._bus.execute(prompt(message, me, session_id))
        if result.success:
            self._told.discard(message.channel.id)
            return True
        _log.error("Message %s could not be admitted: %s", message.id, result.error)
        if isinstance(result.exception, StoreError):
            await self.tell_of_failure(message)
            return False
        refusal = f"⚠️ I could not take this up: {_reason(result.exception)}"
        await self._say(message, refusal, reply_to=message.id)
        return True

    async def tell_of_riddle(self, message: discord.Message) -> None:
        """Say that nothing can be stored, if a message that nobody can look up is for the bot at all."""
        if self._triggers.at_a_glance(message) is Verdict.ANSWERED:
            await self.tell_of_failure(message)

    async def tell_of_failure(self, message: discord.Message) -> None:
        """Say that nothing can be stored: once in each channel, until something can be again."""
        if message.channel.id not in self._told:
            self._told.add(message.channel.id)
            await self._say(message, CANNOT_STORE, reply_to=None)

    async def _say(self, message: discord.Message, text: str, *, reply_to: int | None) -> None:
        try:
            await self._poster.post(message.channel.id, {"content": text}, nonce=f"!{message.id}", reply_to=reply_to)
        except (UnreachableError, RefusedError) as error:
            _log.warning("Nobody could be told in channel %d: %s", message.channel.id, error)


def _reason(error: Exception | None) -> str:
    return str(error) if isinstance(error, LLMgineError) else "something went wrong; the log has the details."
