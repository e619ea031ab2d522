"""From a message to a command on the bus: is it for the bot, what of it is the model told, and is it stored."""

import functools
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import discord

from llmgine.bus import MessageBus
from llmgine.errors import LLMgineError, StoreError
from llmgine.messages.commands import DeletePromptCommand, EditPromptCommand
from llmgine.messages.erasing_commands import ForgetMessagesCommand
from llmgine.messages.translatable import tr, words_of
from llmgine.sessions import SessionStore
from programs.discord.channel_settings import Channels, ChannelSettings
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import DeliveryRefusedError, ShutOutError, UnreachableError
from programs.discord.ids import SOURCE, Place
from programs.discord.incoming.attachments import AttachmentReader
from programs.discord.incoming.content import PromptParts, edit, is_newer, prompt, thread_name
from programs.discord.incoming.decision import Decisions, Verdict, is_too_often
from programs.discord.incoming.pointing import Pointing
from programs.discord.incoming.recent_messages import RecentMessages
from programs.discord.incoming.unanswered import Unanswered
from programs.discord.incoming.voice import Ears, with_spoken
from programs.discord.languages import Languages
from programs.discord.permissions.rates import Rates, TooOften
from programs.discord.permissions.webhook_bounds import InARow, WebhookBounds
from programs.discord.permissions.webhooks import WebhookAuthor, number_of
from programs.discord.visibility import everyone_reads

_MET_A_PAUSE = (Verdict.PAUSED, Verdict.WAS_PAUSED)

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
        rates: How often a person may ask. What was missed does not count, and is answered however much it is.
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
        rates: Rates,
        burst: float,
    ) -> None:
        self.decisions = Decisions(client, store, channels)
        self._languages = Languages(store, channels)
        self.unanswered = Unanswered(poster, self._languages)
        self._client = client
        self._bus = bus
        self._store = store
        self._channels = channels
        self._recent = RecentMessages(client, store, poster, self.decisions.access.members)
        self._pointing = Pointing(client, store, poster, files, self.decisions.access)
        self._ears = Ears(client, files.transcriber, poster.permissions)
        self._rates = rates
        self.webhooks = WebhookBounds(rates)
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
        verdicts = [await self.decisions.verdict(message, place) for message in news]
        ours = [message for message, found in zip(news, verdicts, strict=True) if found is Verdict.ANSWERED]
        ours = [message for message in ours if not is_too_often(message)]  # its author was told
        paused = [message for message, found in zip(news, verdicts, strict=True) if found is Verdict.PAUSED]
        changed = [message for message in news if message.edited_at is not None]
        ids = {str(message.id) for message in (*ours, *paused, *changed)}
        admitted = await self._store.turns.admitted(SOURCE, sorted(ids)) if ids else frozenset()
        paused = [message for message in paused if str(message.id) not in admitted]
        if paused and not self.unanswered.knows_of_pause(paused[-1]):  # one of them is enough
            await self.unanswered.paused(paused[-1], lasts=True)
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
                admit = functools.partial(self._admit, place, message, alone=decided, patient=patient)
                await (admit() if decided else self._within_rate(message, admit))
            elif verdict is Verdict.REFUSED and place.is_dm:
                await self.unanswered.not_allowed(message, await self.decisions.access.authorize(message.author, place))
            elif verdict in _MET_A_PAUSE:
                await self.unanswered.paused(message, lasts=verdict is Verdict.PAUSED)
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

    async def _within_rate(self, message: discord.Message, answer: Callable[[], Awaitable[None]]) -> None:
        """Have a message answered, unless its author asks too often. What is to be done again counts once."""
        webhook = None if message.webhook_id is None else WebhookAuthor.of(message)
        refusal: TooOften | InARow | None
        if webhook is None:
            refusal = self._rates.take(message.author.id)
        else:
            refusal = self.webhooks.take(webhook, message.channel.id)
        if refusal is not None:
            await self.unanswered.too_often(message, refusal)
            return
        try:
            await answer()
        except (StoreError, UnreachableError):
            if webhook is None:
                self._rates.give_back(message.author.id)
            else:
                self.webhooks.give_back(webhook, message.channel.id)
            raise

    async def _admit(self, place: Place, message: discord.Message, *, alone: bool, patient: bool) -> None:
        me = self._client.user
        if me is None:
            return
        settings = await self._channels.at(place)
        thread_id = await self._own_thread(message, me, settings, patient=patient)
        # A webhook reads no more than @everyone: where that is nothing, not what was said before in the channel either.
        own = message.webhook_id is not None and not everyone_reads(message.channel)
        session_id = await self._channels.session_at(place, number_of(message), thread_id, alone=own)
        roles = await self.decisions.limited_roles(message, settings)
        language = (await self._languages.here(message.channel, message.author.id, place)).code
        hear = functools.partial(self._ears.of, message, place, session_id=session_id, thread_id=thread_id, roles=roles)
        context = await self._recent.before(message, place, settings.context, session_id)
        pointed_at = await self._pointing.of(message, me, place, session_id, hear=hear, patient=patient)
        parts = PromptParts(
            quoted=pointed_at.quoted,
            thread=pointed_at.thread,
            material=pointed_at.material,
            attachments=pointed_at.attachments,
            images=pointed_at.images,
            context=context,
            roles=roles,
            burst=0.0 if alone else self._burst,
        )
        said = prompt(message, me, place, session_id, thread_id, cards=settings.cards, language=language, **parts)
        result = await self._bus.execute(with_spoken(said, message))
        if result.success:
            self.unanswered.stored(message.channel.id)
            await self.unanswered.answered_after_all(message)
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
            await self._poster.open_thread(message, thread_name(message, me))
        except (DeliveryRefusedError, UnreachableError) as error:
            if patient and isinstance(error, UnreachableError) and not isinstance(error, ShutOutError):
                raise
            _log.warning("No thread can be opened in channel %d: %s", channel.id, error)
            return None
        return message.id

    async def edited(
        self, place: Place, message: discord.Message, *, missed: bool = False, patient: bool = True
    ) -> None:
        """Process what a message was changed to. One that was not admitted is as good as written now.

        A question that no longer mentions the bot keeps its answer. One that was `missed` is answered in any case.

        Raises:
            StoreError: That cannot be looked up, or not be stored.
            UnreachableError: Discord cannot be reached for what is needed first.
        """
        me, turn_id = self._client.user, await self._store.turns.of_message(SOURCE, str(message.id))
        if turn_id is None:
            await self.created(place, message, patient=patient)
            return
        if message.flags.voice:  # nobody can change what they said: what was edited is its looks
            self.decisions.remember(message)
            return
        found = await self._store.turns.many([turn_id])  # without those whose texts are gone
        verdict = await self.decisions.verdict(message, place, was_ours=True) if found else None
        if me and verdict is Verdict.ANSWERED:
            answer = functools.partial(self._edit, message, edit(message, me, found[0].turn))
            counts = not missed and is_newer(message, found[0].state)
            await (self._within_rate(message, answer) if counts else answer())
        elif verdict is Verdict.PAUSED and is_newer(message, found[0].state):
            await self.unanswered.paused(message, lasts=True)
        self.decisions.remember(message)

    async def _edit(self, message: discord.Message, command: EditPromptCommand) -> None:
        result = await self._bus.execute(command)
        if isinstance(result.exception, StoreError):
            raise result.exception
        await self.unanswered.answered_after_all(message)

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
        """Forget what was said in messages that were prompts, and what was read of others before prompts.

        Raises:
            StoreError: That cannot be looked up, or not be stored.
        """
        turns = await self._store.turns.known(SOURCE, [str(message_id) for message_id in message_ids])
        for source_id, turn in turns.items():
            about = {"session_id": turn.session_id, "turn_id": turn.id, "source_id": source_id}
            result = await self._bus.execute(DeletePromptCommand.model_validate(about))
            if isinstance(result.exception, StoreError):
                raise result.exception
        gone = tuple(str(message_id) for message_id in message_ids)
        await self._forget(ForgetMessagesCommand(source=SOURCE, source_ids=gone))
        for message_id in message_ids:
            self.decisions.remember_deleted(message_id)

    async def place_gone(self, place: Place) -> None:
        """Forget what was read in a place before prompts.

        Raises:
            StoreError: That cannot be stored.
        """
        await self._forget(ForgetMessagesCommand(source=SOURCE, place=str(place.channel_id)))

    async def _forget(self, command: ForgetMessagesCommand) -> None:
        result = await self._bus.execute(command)
        if isinstance(result.exception, StoreError):
            raise result.exception
