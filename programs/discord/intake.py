"""The one way in: which messages become turns, whether they are heard live or found by catching up."""

import logging

import discord

from llmgine.bus import MessageBus
from llmgine.errors import LLMgineError, StoreError
from llmgine.sessions import SessionStore
from programs.discord.channels import Channels
from programs.discord.notices import CANNOT_STORE
from programs.discord.poster import Poster
from programs.discord.refusals import RefusedError, ShutOutError, UnreachableError
from programs.discord.rendering import SOURCE
from programs.discord.triggers import Triggers, Verdict, prompt, text_for_model, thread_name

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
        try:
            thread_id = await self._own_thread(message, me)
        except UnreachableError as error:
            _log.warning("No thread could be opened in channel %d: %s", message.channel.id, error)
            return False
        session_id = await self._channels.session_id(message.channel, message.author.id, thread_id)
        result = await self._bus.execute(prompt(message, me, session_id, thread_id))
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

    async def _own_thread(self, message: discord.Message, me: discord.ClientUser) -> int | None:
        """The thread that is opened for the question, where each gets its own; None where it is answered in place.

        It is opened before the message is admitted: its id is the message's, so that doing both again does no harm.

        Raises:
            UnreachableError: Discord could not be reached.
        """
        channel = message.channel
        if not isinstance(channel, discord.TextChannel) or (await self._channels.settings(channel)).threads != "auto":
            return None
        try:
            await self._poster.open_thread(message, thread_name(text_for_model(message, me)))
        except (RefusedError, ShutOutError) as error:
            _log.warning("No thread may be opened in channel %d: %s", channel.id, error)
            return None
        return message.id

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
