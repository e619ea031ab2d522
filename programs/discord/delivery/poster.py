"""Requests to Discord, each with its time limit and its errors sorted; those outside of answers are repeated here."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import aiohttp
import discord
from pydantic import JsonValue
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_after_delay, wait_exponential

from programs.discord.components.views import view_of
from programs.discord.delivery.bodies import Body
from programs.discord.delivery.message_arguments import MessageArguments
from programs.discord.delivery.refusals import (
    ARCHIVED,
    LOCKED,
    THREAD_EXISTS,
    UNKNOWN_MESSAGE,
    BreakerOpenError,
    DeliveryRefusedError,
    ShutOutError,
    sorted_out,
)
from programs.discord.permissions.bot import BotPermissions
from programs.discord.rate_limiter import RateLimiter

LONGEST_LIMIT = 30.0  # seconds of a rate limit that discord.py waits for; a longer one is told to whoever asked
_TRIES = 10
_LONGEST_WAIT = 60.0  # seconds
_PATIENCE = 120.0  # seconds until no try is begun; well within the minutes for which Discord remembers a nonce
_TIMEOUT = LONGEST_LIMIT + 20.0  # seconds a request may take; discord.py itself waits for up to 300
_OLD = 3_600.0  # seconds; Discord takes a few edits an hour only of messages that are older
_EPOCH = discord.utils.DISCORD_EPOCH / 1_000  # seconds since 1970, when ids begin
PAGE = 100  # messages in one answer; Discord gives no more
_FAILURES = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError, TimeoutError)

Channel = (
    discord.TextChannel
    | discord.VoiceChannel
    | discord.StageChannel
    | discord.Thread
    | discord.DMChannel
    | discord.PartialMessageable
)

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Poster:
    """Makes requests. Those for parts of answers are made once (`once`); the delivery decides what comes of it.

    A send that may or may not have arrived is repeated with the same nonce, which Discord answers with the message
    it already has. discord.py repeats 429s and most server errors; what it does not (503, a reset connection, a
    timeout) is repeated here. Every method raises `UnreachableError`, in one of its kinds, when it cannot be done now,
    and `DeliveryRefusedError` when Discord will never do it.

    Args:
        client: The client.
        permissions: What it may do where.
        limiter: How many requests there may be.
        first_wait: Seconds before a request that got no answer is sent again; doubled each time.
        clock: Seconds since 1970, to tell a message's age from its id.
        sleep: How the end of a rate limit is waited for.
    """

    def __init__(
        self,
        client: discord.Client,
        *,
        permissions: BotPermissions | None = None,
        limiter: RateLimiter | None = None,
        first_wait: float = 1.0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.permissions = permissions or BotPermissions(client)
        self.arguments = MessageArguments(self.permissions)
        self.limiter = limiter or RateLimiter()
        self.sleep = sleep
        self._client = client
        self._first_wait = first_wait
        self._clock = clock

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock()

    def old_before(self) -> int:
        """The id before which messages are so old that Discord hardly takes edits of them."""
        return discord.utils.time_snowflake(datetime.fromtimestamp(max(_EPOCH, self._clock() - _OLD), UTC))

    def is_old(self, message_id: int) -> bool:
        """Whether a message is so old that Discord hardly takes edits of it."""
        return message_id < self.old_before()

    async def post(self, channel_id: int, body: Body, *, nonce: str, reply_to: int | None = None) -> int:
        """Post something that is no part of an answer, once however often it is asked for within minutes.

        Returns the message's id.
        """
        shut_out = self.permissions.shut_out(channel_id)
        if shut_out is not None:
            raise shut_out
        channel = self._client.get_partial_messageable(channel_id)

        async def send() -> discord.Message:
            return await channel.send(**self.arguments.to_send(channel_id, body, nonce=nonce, reply_to=reply_to))

        try:
            message = await self._try(channel_id, send)
        except DeliveryRefusedError as error:
            if error.no_history and reply_to is not None:
                return await self.post(channel_id, body, nonce=nonce)
            raise
        except ShutOutError as error:
            self.permissions.note_shut(channel_id, error)
            raise
        return int(message.id)

    async def set_buttons(self, channel_id: int, message_id: int, buttons: list[JsonValue]) -> None:
        """Give a message other buttons, and leave the rest of it as it is."""
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        view = view_of(buttons)
        await self._try(channel_id, lambda: message.edit(view=view, allowed_mentions=discord.AllowedMentions.none()))

    async def react(self, channel_id: int, message_id: int, emoji: str, *, on: bool) -> None:
        """Add a reaction of the bot's to a message, or take it away."""
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        me = discord.Object(self._client.user.id if self._client.user else 0)
        await self._try(channel_id, lambda: message.add_reaction(emoji) if on else message.remove_reaction(emoji, me))

    async def open_dm(self, person_id: int) -> discord.DMChannel:
        """The DM with a person."""
        person = discord.Object(person_id)
        dm: discord.DMChannel = await self._try(person_id, lambda: self._client.create_dm(person))
        return dm

    async def member(self, guild: discord.Guild, user_id: int) -> discord.Member | None:
        """A member of a server; None when there is none."""
        try:
            found: discord.Member = await self._try(guild.id, lambda: guild.fetch_member(user_id))
        except (DeliveryRefusedError, ShutOutError):
            return None
        return found

    async def open_thread(self, message: discord.Message, name: str) -> None:
        """Open the thread of a message, if it has none. The thread's id is the message's."""
        try:
            await self._try(message.channel.id, lambda: message.create_thread(name=name))
        except DeliveryRefusedError as error:
            if error.code != THREAD_EXISTS:
                raise

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Take a message away, if it is there and Discord lets us."""
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        try:
            await self._try(channel_id, message.delete)
        except (DeliveryRefusedError, ShutOutError) as error:
            _log.warning("Message %d in channel %d is not taken away: %s", message_id, channel_id, error)

    async def history(self, channel: Channel, *, after: int, limit: int) -> list[discord.Message] | None:
        """The channel's messages after one, oldest first; None where the bot may not read them."""
        if not self.permissions.may_read_back(channel.id):
            return None

        async def read() -> list[discord.Message]:
            return [m async for m in channel.history(limit=limit, after=discord.Object(after), oldest_first=True)]

        try:
            found: list[discord.Message] = await self._try(channel.id, read)
        except (DeliveryRefusedError, ShutOutError) as error:
            _log.warning("Channel %d cannot be read: %s", channel.id, error)
            return None
        return found

    async def page(self, channel: Channel, *, after: int) -> list[discord.Message] | None:
        """The next messages after one, at most `PAGE`, oldest first; None where the bot may not read them.

        It is asked for once: whoever reads a history in the background decides when it is tried again.

        Raises:
            DeliveryRefusedError: Discord refuses it, for instance because the channel is gone.
            UnreachableError: Discord cannot be reached.
        """
        if not self.permissions.may_read_back(channel.id):
            return None

        async def read() -> list[discord.Message]:
            return [m async for m in channel.history(limit=PAGE, after=discord.Object(after), oldest_first=True)]

        try:
            return await self._ask(read)
        except ShutOutError:
            return None

    async def message(self, channel: Channel, message_id: int) -> discord.Message | None:
        """A message that somebody points at; None where it is gone. It is asked for once.

        Raises:
            DeliveryRefusedError: The bot may not read it.
            UnreachableError: Discord cannot be reached.
        """
        try:
            return await self._ask(lambda: channel.fetch_message(message_id))
        except DeliveryRefusedError as error:
            if error.code == UNKNOWN_MESSAGE:
                return None
            raise

    async def before(self, channel: Channel, message_id: int, *, limit: int) -> list[discord.Message] | None:
        """The messages before one, at most `PAGE`, newest first; None where the bot may not read them. It asks once.

        Raises:
            DeliveryRefusedError: Discord refuses it.
            UnreachableError: Discord cannot be reached.
        """
        if not self.permissions.may_read_back(channel.id):
            return None

        async def read() -> list[discord.Message]:
            return [m async for m in channel.history(limit=limit, before=discord.Object(message_id))]

        return await self._ask(read)

    async def is_gone(self, channel: Channel, message_id: int) -> bool:
        """Whether Discord says that a message is not there. It is asked once.

        Raises:
            UnreachableError: It did not say.
        """
        try:
            await self._ask(lambda: channel.fetch_message(message_id))
        except DeliveryRefusedError as error:
            return error.code == UNKNOWN_MESSAGE
        return False

    async def _ask(self, request: Callable[[], Awaitable[T]]) -> T:
        """Make a request that changes nothing, once."""
        try:
            async with asyncio.timeout(_TIMEOUT):
                return await request()
        except _FAILURES as error:
            raise sorted_out(error) from error

    async def _try(self, channel_id: int, request: Callable[[], Awaitable[Any]]) -> Any:
        """Make a request until it succeeds, or until another try would not help."""
        try:
            async for attempt in AsyncRetrying(
                stop=stop_after_attempt(_TRIES) | stop_after_delay(_PATIENCE),
                wait=wait_exponential(multiplier=self._first_wait, max=_LONGEST_WAIT),
                retry=retry_if_exception(_may_pass),
                reraise=True,
            ):
                with attempt:
                    return await self._once(channel_id, request)
        except _FAILURES as error:
            raise sorted_out(error) from error
        return None

    async def once(self, channel_id: int, request: Callable[[], Awaitable[T]]) -> T:
        """Make a request that changes something, once; a thread that is archived is opened for it."""
        try:
            return await self._once(channel_id, request)
        except _FAILURES as error:
            raise sorted_out(error) from error

    async def _once(self, channel_id: int, request: Callable[[], Awaitable[T]]) -> T:
        async with asyncio.timeout(_TIMEOUT):
            try:
                return await request()
            except discord.HTTPException as error:
                if error.code != ARCHIVED:
                    raise
            try:
                thread = await self._client.fetch_channel(channel_id)
                if isinstance(thread, discord.Thread):
                    await thread.edit(archived=False)
            except discord.Forbidden as error:
                raise DeliveryRefusedError(LOCKED, "the thread is locked") from error
            return await request()


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, BreakerOpenError):
        return False
    if isinstance(error, discord.HTTPException):
        return error.status >= 500
    return isinstance(error, aiohttp.ClientError | OSError | TimeoutError)
