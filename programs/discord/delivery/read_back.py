"""Reading a channel back: messages of an answer that Discord has and the store knows nothing of."""

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

import discord

from llmgine.messages.steps import Turn
from llmgine.sessions import SessionStore
from programs.discord.components.views import custom_ids
from programs.discord.delivery.notices import is_notice
from programs.discord.delivery.poster import PAGE, Poster
from programs.discord.delivery.refusals import NO_ACCESS, ShutOutError, UnreachableError
from programs.discord.ids import Origin

_PAGES = 2  # of messages after the question that are looked through
_AHEAD = timedelta(seconds=5)  # by which our clock may be before Discord's

_log = logging.getLogger(__name__)


class Seen(NamedTuple):
    """A message of the bot's: which one it replies to, and the ids of its buttons."""

    id: int
    reply_to: int | None
    buttons: tuple[str, ...]


class ReadBack:
    """Finds what was posted for a turn without having been stored, because a process died or Discord did not answer.

    The nonce keeps such a post from being made twice, but only for the few minutes that Discord remembers it.
    """

    def __init__(self, client: discord.Client, store: SessionStore, poster: Poster) -> None:
        self._client = client
        self._store = store
        self._poster = poster

    async def orphans(self, turn: Turn, *, unsure: bool = True, alone: bool = False) -> tuple[int, ...] | None:
        """The bot's messages after the turn's question that are parts of it and not stored, in the order of their ids.

        Args:
            turn: The turn.
            unsure: Whether there may be messages that do not name the turn, neither as a reply nor by a button.
            alone: Whether there are such messages of no other turn.

        Returns:
            None where the channel may not be read, so that only the nonces protect from repeats.

        Raises:
            UnreachableError: Discord does not answer.
            DeliveryRefusedError: The channel is gone.
            ShutOutError: The bot may not see the channel, so what is there is looked up when it may.
            StoreError: It cannot be looked up which messages are known.
        """
        origin = Origin.of(turn)
        channel = self._client.get_partial_messageable(origin.channel_id)
        begin = _first_id(turn) if origin.message_id is None else origin.message_id
        after = begin - 1
        seen: list[Seen] = []
        for _ in range(_PAGES):
            page = await self._page(channel, after)
            permissions = self._poster.permissions
            if page is None and (permissions.may_read_back(channel.id) or not permissions.may_view(channel.id)):
                raise ShutOutError(NO_ACCESS)
            if page is None:
                _log.warning("Channel %d may not be read, so only nonces protect from repeats", origin.channel_id)
                return None
            if not page and after < begin and not await self._is_empty(origin):
                return None
            seen += [_seen(message) for message in page if self._is_of_an_answer(message)]
            if len(page) < PAGE:
                break
            after = page[-1].id
        stored = await self._store.deliveries.turns_of([str(one.id) for one in seen]) if seen else {}
        owners = {int(one): owner for one, owner in stored.items()}
        return orphans_of(turn.id, begin, seen, owners, unsure=unsure, alone=alone)

    async def _page(self, channel: discord.PartialMessageable, after: int) -> list[discord.Message] | None:
        try:
            return await self._poster.page(channel, after=after)
        except (
            ValueError,
            TypeError,
            LookupError,
            AttributeError,
        ) as error:  # of discord.py
            raise UnreachableError(f"what Discord answered cannot be understood: {error}") from error

    async def _is_empty(self, origin: Origin) -> bool:
        """Whether nothing is there, where nothing was read: Discord answers so, too, where the bot may not read.

        Raises:
            UnreachableError: That cannot be known now.
        """
        if origin.question is None:
            return True
        channel_id, message_id = origin.question
        channel = self._client.get_partial_messageable(channel_id)
        try:
            is_gone = await self._poster.is_gone(channel, message_id)
        except ShutOutError:
            return False
        if not is_gone and channel_id == origin.channel_id:
            raise UnreachableError("the history lacks a message that is there")
        return True

    def _is_of_an_answer(self, message: discord.Message) -> bool:
        me = self._client.user
        is_ours = me is not None and message.author.id == me.id and message.interaction_metadata is None
        return is_ours and not is_notice(message.content)


def orphans_of(
    turn_id: str,
    question: int,
    seen: Iterable[Seen],
    stored: Mapping[int, str],
    *,
    unsure: bool = True,
    alone: bool = False,
) -> tuple[int, ...]:
    """Which messages are parts of a turn that the store does not know.

    A part that says nothing of its turn was posted directly below another part of it, or what is left of that is the
    question: anywhere else it would reply, if the bot might read the history then. Below a part of another turn that
    the store knows, it is of this turn only if it can be of no other.

    Args:
        turn_id: The turn.
        question: The message that asked.
        seen: The bot's messages after that one, oldest first.
        stored: The turns of those that the store knows.
        unsure: Whether there may be messages that do not name the turn.
        alone: Whether there are such messages of no other turn.
    """
    found, is_of_the_turn = [], True
    for message in seen:
        owner = stored.get(message.id)
        if owner is not None:
            is_of_the_turn = alone or owner == turn_id
        elif message.reply_to is not None:
            is_of_the_turn = message.reply_to == question
        elif message.buttons:
            is_of_the_turn = any(turn_id in one for one in message.buttons)
        elif not unsure:
            continue
        if is_of_the_turn and owner is None:
            found.append(message.id)
    return tuple(found)


def _first_id(turn: Turn) -> int:
    """An id before all messages of a turn that no message asked."""
    return discord.utils.time_snowflake(turn.created_at - _AHEAD)


def _seen(message: discord.Message) -> Seen:
    ids = custom_ids(discord.ui.View.from_message(message)) if message.components else []
    reply_to = message.reference.message_id if message.reference is not None else None
    return Seen(message.id, reply_to, tuple(str(one) for one in ids))
