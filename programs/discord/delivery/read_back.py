"""Reading a channel back after a crash: messages of ours that Discord has and the store knows nothing of."""

import logging
from collections.abc import Iterable

import discord

from llmgine.errors import StoreError
from llmgine.messages.steps import Turn
from llmgine.sessions import SessionStore
from programs.discord.components.views import custom_ids
from programs.discord.delivery.notices import is_notice
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import UnreachableError
from programs.discord.ids import Origin

_LIMIT = 200  # messages after the question that are looked through

_log = logging.getLogger(__name__)


class ReadBack:
    """Finds what a dead process posted for a turn without having written it down.

    The nonce keeps such a post from being made twice, but only for the few minutes that Discord remembers it.
    """

    def __init__(self, client: discord.Client, store: SessionStore, poster: Poster) -> None:
        self._client = client
        self._store = store
        self._poster = poster

    async def orphans(self, turn: Turn, *, died: bool) -> "Orphans":
        """The bot's messages after the turn's question that are no known part of any turn, oldest first.

        Unless a process `died` over it, only those that name the turn, by what they reply to or by a button.
        """
        origin = Origin.of(turn)
        channel_id, question = origin.channel_id, origin.message_id
        if question is None:
            return Orphans()
        channel = self._client.get_partial_messageable(channel_id)
        try:
            async with self._poster.turnstile(channel_id):
                messages = await self._poster.history(channel, after=question, limit=_LIMIT) or []
                ours = [message for message in messages if died or _names(message, turn, question)]
                return Orphans([message for message in ours if await self._is_orphan(message, question)])
        except (UnreachableError, StoreError) as error:
            _log.warning("Channel %d cannot be read back, so only nonces protect from repeats: %s", channel_id, error)
            return Orphans()

    async def _is_orphan(self, message: discord.Message, question: int) -> bool:
        me = self._client.user
        if me is None or message.author.id != me.id or message.interaction_metadata is not None:
            return False
        if is_notice(message.content):
            return False
        if message.reference is not None and message.reference.message_id != question:
            return False
        return not await self._store.deliveries.has(str(message.id))


def _names(message: discord.Message, turn: Turn, question: int) -> bool:
    if message.reference is not None:
        return message.reference.message_id == question
    ids = custom_ids(discord.ui.View.from_message(message)) if message.components else ()
    return any(turn.id in str(one) for one in ids)


class Orphans:
    """Posts that belong to a turn, as long as nobody has said to which part.

    Parts are posted one after the other, so there is hardly ever more than one.
    """

    def __init__(self, messages: Iterable[discord.Message] = ()) -> None:
        self._messages = list(messages)

    def adopt(self) -> int | None:
        """The message that is taken for a part from here on, if there is one."""
        return self._messages.pop(0).id if self._messages else None

    def left(self) -> list[int]:
        """Those that are no part."""
        return [message.id for message in self._messages]
