"""The one way in: which messages become turns, whether they are heard live or found by catching up."""

import logging
from collections import OrderedDict
from collections.abc import Sequence

import discord

from llmgine.bus import MessageBus
from llmgine.errors import LLMgineError, StoreError
from llmgine.messages.commands import DeletePromptCommand
from llmgine.messages.steps import Turn
from llmgine.sessions import SessionStore
from programs.discord.channels import Channels, ChannelSettings
from programs.discord.delivery.notices import CANNOT_STORE
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import RefusedError, ShutOutError, UnreachableError
from programs.discord.ids import SOURCE, refusal_nonce
from programs.discord.incoming.attachments import AttachmentReader
from programs.discord.incoming.quotes import Quotes
from programs.discord.incoming.triggers import PromptParts, Triggers, Verdict, edit, prompt, text_for_model, thread_name

_REMEMBERED = 1_000  # messages; a RESUME replays fewer

_log = logging.getLogger(__name__)


class Intake:
    """Admits what people write to the bot.

    Args:
        files: Reads what comes with messages.
        burst: Seconds within which several messages of a person are taken as one prompt, while it waits.
    """

    def __init__(
        self,
        client: discord.Client,
        bus: MessageBus,
        store: SessionStore,
        poster: Poster,
        *,
        channels: Channels,
        triggers: Triggers,
        files: AttachmentReader,
        burst: float,
    ) -> None:
        self._client = client
        self._bus = bus
        self._store = store
        self._channels = channels
        self._triggers = triggers
        self._quotes = Quotes(client, store)
        self._files = files
        self._burst = burst
        self._poster = poster
        self._admitted: OrderedDict[int, None] = OrderedDict()  # the messages that were admitted lately
        self._told: set[int] = set()  # channels that know that nothing can be stored at present

    async def is_news(self, message: discord.Message) -> bool:
        """Whether a live message is for the bot, and was not admitted lately: Discord may tell of it twice.

        Raises:
            StoreError: That cannot be looked up.
        """
        return message.id not in self._admitted and await self._triggers.verdict(message) is Verdict.ANSWERED

    async def news(self, messages: Sequence[discord.Message]) -> list[discord.Message]:
        """Which messages of those that were read are for the bot, and were never admitted.

        Raises:
            StoreError: That cannot be looked up.
        """
        ours = [message for message in messages if await self.is_news(message)]
        admitted = await self._store.turns.admitted(SOURCE, [str(message.id) for message in ours])
        return [message for message in ours if str(message.id) not in admitted]

    async def admit(self, message: discord.Message, *, late: bool = False) -> bool:
        """Take a message up; False when it cannot be stored, so that it has to be taken up another time.

        What is taken up `late` is no burst: when it was written is not when it is admitted.
        """
        me = self._client.user
        if me is None:
            return False
        try:
            settings = await self._channels.settings(message.channel)
            thread_id = await self._own_thread(message, me, settings)
        except UnreachableError as error:
            _log.warning("No thread could be opened in channel %d: %s", message.channel.id, error)
            return False
        session_id = await self._channels.session_id(message.channel, message.author.id, thread_id)
        files = await self._files.read(message.attachments)
        parts = PromptParts(
            quoted=await self._quotes.of(message, session_id),
            attachments=files.attachments,
            images=files.images,
            burst=0.0 if late else self._burst,
        )
        result = await self._bus.execute(prompt(message, me, session_id, thread_id, cards=settings.cards, **parts))
        if result.success:
            self._told.discard(message.channel.id)
            self._admitted[message.id] = None
            while len(self._admitted) > _REMEMBERED:
                self._admitted.popitem(last=False)
            return True
        failed = isinstance(result.exception, StoreError) or not isinstance(result.exception, LLMgineError)
        level = logging.ERROR if failed else logging.INFO  # what the engine refuses on purpose is no failure
        _log.log(level, "Message %s could not be admitted: %s", message.id, result.error)
        if isinstance(result.exception, StoreError):
            await self.tell_of_failure(message)
            return False
        refusal = f"⚠️ I could not take this up: {_reason(result.exception)}"
        await self._say(message, refusal, reply_to=message.id)
        return True

    async def _own_thread(
        self, message: discord.Message, me: discord.ClientUser, settings: ChannelSettings
    ) -> int | None:
        """The thread that is opened for the question, where each gets its own; None where it is answered in place.

        It is opened before the message is admitted: its id is the message's, so that doing both again does no harm.

        Raises:
            UnreachableError: Discord could not be reached.
        """
        channel = message.channel
        if not isinstance(channel, discord.TextChannel) or settings.threads != "auto":
            return None
        try:
            await self._poster.open_thread(message, thread_name(text_for_model(message, me)))
        except (RefusedError, ShutOutError) as error:
            _log.warning("No thread may be opened in channel %d: %s", channel.id, error)
            return None
        return message.id

    async def edited(self, message: discord.Message) -> bool:
        """Take up what an admitted message was changed to; False when it was not admitted, or never changed.

        One that no longer mentions the bot keeps its answer.

        Raises:
            StoreError: That cannot be looked up, or not be stored.
        """
        me = self._client.user
        if me is None or message.edited_at is None:
            return False
        turn = await self._turn_of(message.id)
        if turn is None:
            return await self._store.turns.of_message(SOURCE, str(message.id)) is not None
        if await self._triggers.verdict(message) is Verdict.ANSWERED:
            result = await self._bus.execute(edit(message, me, turn))
            if isinstance(result.exception, StoreError):
                raise result.exception
        return True

    async def deleted(self, message_id: int) -> None:
        """Forget what was said in a message, if it was a prompt."""
        try:
            turn = await self._store.turns.known(SOURCE, str(message_id))
        except StoreError as error:
            _log.error("Whether message %d is to be forgotten cannot be looked up: %s", message_id, error)
            return
        if turn is not None:
            about = {"session_id": turn.session_id, "turn_id": turn.id, "source_id": str(message_id)}
            await self._bus.execute(DeletePromptCommand.model_validate(about))

    async def _turn_of(self, message_id: int) -> Turn | None:
        """The turn that a message was admitted to, unless its texts are gone."""
        turn_id = await self._store.turns.of_message(SOURCE, str(message_id))
        found = await self._store.turns.many([turn_id]) if turn_id else []
        return found[0].turn if found else None

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
            await self._poster.post(
                message.channel.id, {"content": text}, nonce=refusal_nonce(message.id), reply_to=reply_to
            )
        except (UnreachableError, RefusedError) as error:
            _log.warning("Nobody could be told in channel %d: %s", message.channel.id, error)


def _reason(error: Exception | None) -> str:
    return str(error) if isinstance(error, LLMgineError) else "something went wrong; the log has the details."
