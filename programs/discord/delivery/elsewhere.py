"""Telling people elsewhere that the bot cannot write where it was asked; never what was asked or answered there."""

import asyncio
import logging

import discord

from llmgine.errors import StoreError
from llmgine.messages.commands import Author
from llmgine.messages.steps import Turn
from llmgine.sessions import SessionStore
from programs.discord.delivery import notices
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import RefusedError, ShutOutError, UnreachableError
from programs.discord.ids import Origin, notice_nonce

_SIGN = "❌"
_LONGEST_DEBT = 86_400.0  # seconds after which an answer that could not be posted is not posted any more
_REMINDER = 600.0  # seconds in which a channel is told of one wait only
_SEEN = 100  # DMs looked through for the same notice

_log = logging.getLogger(__name__)


class Elsewhere:
    """Says once for each question that its answer cannot be posted, where people may see it."""

    def __init__(self, client: discord.Client, store: SessionStore, poster: Poster) -> None:
        self._client = client
        self._store = store
        self._poster = poster
        self._told: dict[str, bool] = {}  # turns whose people were told, to whether by a reaction
        self._waited: dict[int, float] = {}  # when each channel was told of a wait

    async def tell(self, turn: Turn, error: ShutOutError) -> None:
        """Tell that the answer has to wait: by a reaction, else by a DM, else in the log.

        Of a DM that is closed, in a channel where the person was heard, else in the log.
        """
        if turn.id in self._told:
            return
        self._told[turn.id] = False
        try:
            told = await (self._in_public(turn) if error.by_a_person else self._by_sign_or_directly(turn))
        except asyncio.CancelledError:
            del self._told[turn.id]
            raise
        if not told:
            _log.warning("Nobody could be told that turn %s has to wait: %s", turn.id, error)

    async def take_back(self, turn: Turn) -> None:
        """The answer is there after all."""
        channel_id, question = _place_of(turn)
        if self._told.pop(turn.id, False) and question is not None:
            try:
                await self._poster.react(channel_id, question, _SIGN, on=False)
            except (UnreachableError, RefusedError) as error:
                _log.warning("The sign on message %d stays: %s", question, error)

    async def tell_of_lock(self, turn: Turn) -> None:
        """Tell the channel of a thread that the thread is locked."""
        thread_id, _ = _place_of(turn)
        try:
            thread = await self._client.fetch_channel(thread_id)
        except (discord.DiscordException, OSError, TimeoutError):
            return
        if isinstance(thread, discord.Thread) and turn.id not in self._told:
            self._told[turn.id] = False
            await self._post(thread.parent_id, notices.locked(thread_id), turn)

    async def tell_of_wait(self, turn: Turn) -> None:
        """Tell why an answer came late; once, however many had to wait."""
        channel_id, _ = _place_of(turn)
        now = self._poster.now()
        if now - self._waited.get(channel_id, 0.0) > _REMINDER:
            self._waited[channel_id] = now
            await self._post(channel_id, notices.LATE, turn)

    def is_given_up(self, turn: Turn) -> bool:
        """Whether an answer has been owed for so long that what people were told is its outcome."""
        return self._poster.now() - turn.created_at.timestamp() > _LONGEST_DEBT

    async def _by_sign_or_directly(self, turn: Turn) -> bool:
        channel_id, question = _place_of(turn)
        self._told[turn.id] = await self._by_reaction(channel_id, question)
        return self._told[turn.id] or await self._directly(turn, channel_id, question)

    async def _by_reaction(self, channel_id: int, question: int | None) -> bool:
        if question is None or not self._poster.access.may_react(channel_id):
            return False
        try:
            await self._poster.react(channel_id, question, _SIGN, on=True)
        except (UnreachableError, RefusedError):
            return False
        return True

    async def _directly(self, turn: Turn, channel_id: int, question: int | None) -> bool:
        author = await self._author(turn)
        if author is None:
            return False
        text = notices.not_allowed(channel_id)
        try:
            dm = await self._poster.open_dm(int(author.id))
            said = await self._poster.history(dm, after=question or 0, limit=_SEEN) or []
        except (UnreachableError, RefusedError):
            return False
        # After a restart nobody remembers who was told, and Discord no nonce.
        return any(message.content == text for message in said) or await self._post(dm.id, text, turn)

    async def _in_public(self, turn: Turn) -> bool:
        author = await self._author(turn)
        if author is None:
            return False
        for message in reversed(self._client.cached_messages):
            if str(message.author.id) == author.id and message.guild is not None:
                return await self._post(message.channel.id, notices.no_direct_messages(author.id), turn)
        return False

    async def _author(self, turn: Turn) -> Author | None:
        try:
            return (await self._store.turns.get(turn.id)).state.prompt.author
        except StoreError:
            return None  # its conversation was cleared

    async def _post(self, channel_id: int, text: str, turn: Turn) -> bool:
        try:
            await self._poster.post(channel_id, {"content": text}, nonce=notice_nonce(turn), reply_to=None)
        except (UnreachableError, RefusedError) as error:
            _log.warning("Nobody could be told in channel %d: %s", channel_id, error)
            return False
        return True


def _place_of(turn: Turn) -> tuple[int, int | None]:
    """The channel of a turn, and the message it answers."""
    origin = Origin.of(turn)
    return origin.asked.channel_id, origin.message_id
