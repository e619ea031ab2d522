"""From a message to a command on the bus: is it for the bot, what of it is the model told, and is it stored."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import discord

from llmgine.bus import MessageBus
from llmgine.errors import LLMgineError, StoreError
from llmgine.messages.commands import DeletePromptCommand
from llmgine.messages.steps import Turn
from llmgine.messages.translatable import tr, words_of
from llmgine.sessions import SessionStore
from programs.discord.channel_settings import Channels, ChannelSettings
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import DeliveryRefusedError, ShutOutError, UnreachableError
from programs.discord.ids import SOURCE, Place
from programs.discord.incoming.attachments import AttachmentReader
from programs.discord.incoming.content import PromptParts, edit, prompt, text_for_model, thread_name
from programs.discord.incoming.decision import Decisions, Verdict
from programs.discord.incoming.quotes import Quotes
from programs.discord.incoming.unanswered import Unanswered
from programs.discord.languages import Languages

_log = logging.getLogger(__name__)


class News(NamedTuple):
    """Which of some messages there is something to do about: those to answer, and answered ones that were edited."""

    new: list[discord.Message]
    edited: list[discord.Message]


class Intake:
    """Makes commands of what people write, edit and delete. A feed calls it for one thing at a time, in order.

    What raises `StoreError` or `UnreachableError` did not happen, and may be done again.

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
        files: AttachmentReader,
        burst: float,
    ) -> None:
        self.decisions = Decisions(client, store, poster, channels)
        self._languages = Languages(store, channels)
        self.unanswered = Unanswered(poster, self._languages)
        self._client = client
        self._bus = bus
        self._store = store
        self._channels = channels
        self._quotes = Quotes(client, store)
        self._files = files
        self._burst = burst
        self._poster = poster

    async def news(self, place: Place, messages: Sequence[discord.Message]) -> News:
        """What is to be done about messages of a place that were read.

        What was heard before and was not for the bot stays so, also where a setting has changed since.

        Raises:
            StoreError: That cannot be looked up.
            UnreachableError: Discord cannot be asked who wrote one.
        """
        news = [message for message in messages if not self.decisions.is_made(message)]
        ours = [message for message in news if await self.decisions.verdict(message, place) is Verdict.ANSWERED]
        changed = [message for message in news if message.edited_at is not None]
        ids = {str(message.id) for message in (*ours, *changed)}
        admitted = await self._store.turns.admitted(SOURCE, sorted(ids)) if ids else frozenset()
        return News(
            [message for message in ours if str(message.id) not in admitted],
            [message for message in changed if str(message.id) in admitted],
        )

    async def created(
        self, place: Place, message: discord.Message, *, decided: bool = False, patient: bool = True
    ) -> None:
        """Have a message answered, if it is for the bot. One that came twice is admitted once.

        Args:
            place: Where it was written.
            message: The message.
            decided: Whether a read has decided that it is for the bot. Then it joins no burst: when it was written is
                not when it is admitted.
            patient: Whether to raise when Discord cannot be reached for what is needed first. Else it is answered
                without that, or its author is told that it is not answered.

        Raises:
            StoreError: It cannot be looked up or stored. People were told.
            UnreachableError: Discord cannot be reached.
        """
        if self.decisions.is_made(message):
            return
        verdict = Verdict.ANSWERED if decided else None
        try:
            verdict = verdict or await self.decisions.verdict(message, place)
            if verdict is Verdict.ANSWERED:
                await self._admit(place, message, alone=decided, patient=patient)
        except StoreError:
            if (verdict or self.decisions.without_store(message)) is Verdict.ANSWERED:
                await self.unanswered.cannot_store(message)
            raise
        except UnreachableError as error:
            if patient:
                raise
            _log.error("Message %d is not answered: %s", message.id, error)
            await self.unanswered.refused(
                message, tr("Discord didn't tell me what I need to know first. Ask again later.")
            )
        self.decisions.remember(message)

    async def _admit(self, place: Place, message: discord.Message, *, alone: bool, patient: bool) -> None:
        me = self._client.user
        if me is None:
            return
        settings = await self._channels.at(place)
        thread_id = await self._own_thread(message, me, settings, patient=patient)
        session_id = await self._channels.session_at(place, message.author.id, thread_id)
        files = await self._files.read(message.attachments)
        parts = PromptParts(
            quoted=await self._quotes.of(message, session_id),
            attachments=files.attachments,
            images=files.images,
            burst=0.0 if alone else self._burst,
        )
        language = (await self._languages.here(message.channel, message.author.id, place)).code
        result = await self._bus.execute(
            prompt(message, me, place, session_id, thread_id, cards=settings.cards, language=language, **parts)
        )
        if result.success:
            self.unanswered.stored(message.channel.id)
        else:
            await self._not_admitted(message, result.exception)

    async def _not_admitted(self, message: discord.Message, error: Exception | None) -> None:
        failed = isinstance(error, StoreError) or not isinstance(error, LLMgineError)
        level = logging.ERROR if failed else logging.INFO  # what the engine refuses on purpose is no failure
        _log.log(level, "Message %s could not be admitted: %s", message.id, error)
        if isinstance(error, StoreError):
            raise error
        if isinstance(error, LLMgineError):
            await self.unanswered.refused(message, words_of(error))
        else:
            await self.unanswered.failed(message)

    async def _own_thread(
        self, message: discord.Message, me: discord.ClientUser, settings: ChannelSettings, *, patient: bool
    ) -> int | None:
        """The thread that is opened for the question, where each gets its own; None where it is answered in place.

        It is opened before the message is admitted: its id is the message's, so that doing both again does no harm.
        """
        channel = message.channel
        if not isinstance(channel, discord.TextChannel) or settings.threads != "auto":
            return None
        try:
            await self._poster.open_thread(message, thread_name(text_for_model(message, me)))
        except (DeliveryRefusedError, UnreachableError) as error:
            if patient and isinstance(error, UnreachableError) and not isinstance(error, ShutOutError):
                raise
            _log.warning("No thread can be opened in channel %d: %s", channel.id, error)
            return None
        return message.id

    async def edited(self, place: Place, message: discord.Message, *, patient: bool = True) -> None:
        """Process what a message was changed to. One that was not admitted is as good as written now.

        A question that no longer mentions the bot keeps its answer.

        Raises:
            StoreError: That cannot be looked up, or not be stored.
            UnreachableError: Discord cannot be reached for what is needed first.
        """
        me, turn_id = self._client.user, await self._store.turns.of_message(SOURCE, str(message.id))
        if turn_id is None:
            await self.created(place, message, patient=patient)
            return
        turn = await self._turn(turn_id)
        if me and turn and await self.decisions.verdict(message, place, was_ours=True) is Verdict.ANSWERED:
            result = await self._bus.execute(edit(message, me, turn))
            if isinstance(result.exception, StoreError):
                raise result.exception
        self.decisions.remember(message)

    async def _turn(self, turn_id: str) -> Turn | None:
        """A turn, unless its texts are gone."""
        found = await self._store.turns.many([turn_id])
        return found[0].turn if found else None

    async def given_up(self, message: discord.Message, *, patient: bool = True) -> None:
        """Tell people that this message and those before it were missed, and are not answered.

        Raises:
            UnreachableError: Discord cannot be reached, and this is to be tried again.
        """
        try:
            await self.unanswered.missed(message)
        except UnreachableError as error:
            if patient:
                raise
            _log.warning("Nobody could be told of what was missed in channel %d: %s", message.channel.id, error)

    async def deleted(self, message_ids: Sequence[int]) -> None:
        """Forget what was said in messages that were prompts.

        Raises:
            StoreError: That cannot be looked up, or not be stored.
        """
        turns = await self._store.turns.known(SOURCE, [str(message_id) for message_id in message_ids])
        for source_id, turn in turns.items():
            about = {"session_id": turn.session_id, "turn_id": turn.id, "source_id": source_id}
            result = await self._bus.execute(DeletePromptCommand.model_validate(about))
            if isinstance(result.exception, StoreError):
                raise result.exception
        for message_id in message_ids:
            self.decisions.remember_deleted(message_id)
