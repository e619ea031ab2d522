"""Telling people that an answer has to wait, is late, or cannot be shown; never what was asked or answered."""

import logging

import discord

from llmgine.errors import StoreError
from llmgine.messages.commands import Author
from llmgine.messages.steps import Turn
from llmgine.messages.translatable import Text
from llmgine.sessions import SessionStore
from programs.discord.delivery import notices
from programs.discord.delivery.answer import NoticeState
from programs.discord.delivery.next_steps import NoticeKind
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import DeliveryRefusedError, ShutOutError, UnreachableError
from programs.discord.ids import Origin, notice_nonce
from programs.discord.languages import Languages
from programs.discord.translation import language_of_turn

_SIGN = "❌"
_REMINDER = 600.0  # seconds in which a channel is told of one wait only
_SEEN = 100  # DMs looked through for the same notice
_NONCES = {
    NoticeKind.SHUT: "?",
    NoticeKind.LOCKED: "/",
    NoticeKind.FAILING: "~",
    NoticeKind.LATE: "+",
    NoticeKind.UNKNOWN: "=",
}  # what their nonces begin with

_log = logging.getLogger(__name__)


class DelayNotices:
    """Tells people of answers that are not where they expect them. Nothing waits for it, and it stores nothing."""

    def __init__(self, client: discord.Client, store: SessionStore, poster: Poster) -> None:
        self._client = client
        self._store = store
        self._poster = poster
        self._languages = Languages(store)
        self._reminded: dict[int, float] = {}  # when each channel was told of a wait

    async def post(self, turn: Turn, kind: NoticeKind, code: int = 0) -> NoticeState:
        """Tell people about an answer; `code` says why its channel is shut. Returns how people know of it."""
        match kind:
            case NoticeKind.SHUT:
                return await self._tell_of_shut_channel(turn, ShutOutError(code))
            case NoticeKind.LOCKED:
                await self._tell_of_lock(turn)
            case NoticeKind.FAILING:
                await self._post(Origin.of(turn).channel_id, notices.FAILING, turn, kind)
            case NoticeKind.UNKNOWN:
                author = await self._author(turn)
                text = notices.unknown(author.id if author is not None and author.is_person else None)
                await self._post(Origin.of(turn).channel_id, text, turn, kind)
            case NoticeKind.LATE:
                await self._tell_of_wait(turn)
            case NoticeKind.TAKEN_BACK:
                await self._take_back(turn)
        return NoticeState.NOT

    async def _tell_of_shut_channel(self, turn: Turn, error: ShutOutError) -> NoticeState:
        """By a reaction on the question, else by a DM, else in the log.

        Of a DM that is closed, in a channel where the person was heard, else in the log.
        """
        channel_id, question = _place_of(turn)
        if error.by_a_person:
            told = await self._in_public(turn)
        elif await self._by_reaction(channel_id, question):
            return NoticeState.BY_REACTION
        else:
            told = await self._directly(turn, channel_id, question)
        if not told:
            _log.warning("Nobody could be told that turn %s has to wait: %s", turn.id, error)
        return NoticeState.BY_WORDS

    async def _take_back(self, turn: Turn) -> None:
        """The answer is there after all."""
        channel_id, question = _place_of(turn)
        if question is not None:
            try:
                await self._poster.react(channel_id, question, _SIGN, on=False)
            except (UnreachableError, DeliveryRefusedError) as error:
                _log.warning("The reaction on message %d stays: %s", question, error)

    async def _tell_of_lock(self, turn: Turn) -> None:
        """In the channel of the thread that is locked."""
        thread_id = Origin.of(turn).channel_id
        try:
            thread = await self._client.fetch_channel(thread_id)
        except (discord.DiscordException, OSError, TimeoutError):
            return
        if isinstance(thread, discord.Thread):
            await self._post(thread.parent_id, notices.locked(thread_id), turn, NoticeKind.LOCKED)

    async def _tell_of_wait(self, turn: Turn) -> None:
        """Why an answer came late; once, however many had to wait."""
        channel_id, now = Origin.of(turn).channel_id, self._poster.now()
        if now - self._reminded.get(channel_id, 0.0) > _REMINDER:
            self._reminded[channel_id] = now
            await self._post(channel_id, notices.LATE, turn, NoticeKind.LATE)

    async def _by_reaction(self, channel_id: int, question: int | None) -> bool:
        if question is None or not self._poster.permissions.may_react(channel_id):
            return False
        try:
            await self._poster.react(channel_id, question, _SIGN, on=True)
        except (UnreachableError, DeliveryRefusedError):
            return False
        return True

    async def _directly(self, turn: Turn, channel_id: int, question: int | None) -> bool:
        author = await self._author(turn)
        if author is None or not author.is_person:
            return False
        try:
            dm = await self._poster.open_dm(int(author.id))
            text = (await self._languages.here(dm, int(author.id))).say(notices.not_allowed(channel_id))
            said = await self._poster.history(dm, after=question or 0, limit=_SEEN) or []
        except (UnreachableError, DeliveryRefusedError):
            return False
        # After a restart nobody remembers who was told, and Discord no nonce.
        return any(message.content == text for message in said) or await self._post(dm.id, text, turn, NoticeKind.SHUT)

    async def _in_public(self, turn: Turn) -> bool:
        author = await self._author(turn)
        if author is None or not author.is_person:
            return False
        for message in reversed(self._client.cached_messages):
            if str(message.author.id) == author.id and message.guild is not None:
                language = await self._languages.here(message.channel, message.author.id)
                text = language.say(notices.no_direct_messages(author.id))
                return await self._post(message.channel.id, text, turn, NoticeKind.SHUT)
        return False

    async def _author(self, turn: Turn) -> Author | None:
        try:
            return (await self._store.turns.get(turn.id)).state.prompt.author
        except StoreError:
            return None  # its conversation was cleared

    async def _post(self, channel_id: int, text: Text | str, turn: Turn, kind: NoticeKind) -> bool:
        """Post a notice; one that is not said yet, in the language of the turn."""
        said = language_of_turn(turn).say(text)
        try:
            await self._poster.post(channel_id, {"content": said}, nonce=notice_nonce(turn.id, _NONCES[kind]))
        except (UnreachableError, DeliveryRefusedError) as error:
            _log.warning("Nobody could be told in channel %d: %s", channel_id, error)
            return False
        return True


def _place_of(turn: Turn) -> tuple[int, int | None]:
    """The channel of a turn, and the message it answers."""
    origin = Origin.of(turn)
    return origin.asked.channel_id, origin.message_id
