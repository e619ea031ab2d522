"""Posting and editing messages: the one place that sends what the bot shows, with its retries and its manners."""

import asyncio
import io
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import aiohttp
import discord
from pydantic import JsonValue
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_after_delay, wait_exponential

from programs.discord.breaker import BreakerOpenError
from programs.discord.components.views import custom_ids, view_of
from programs.discord.delivery.access import Access
from programs.discord.delivery.bodies import Body, file_of
from programs.discord.delivery.budget import Budget
from programs.discord.delivery.refusals import (
    ARCHIVED,
    LOCKED,
    THREAD_EXISTS,
    UNKNOWN_MESSAGE,
    RefusedError,
    ShutOutError,
    sorted_out,
)

LONGEST_LIMIT = 30.0  # seconds of a rate limit that discord.py waits for; a longer one is told to whoever asked
_TRIES = 10
_LONGEST_WAIT = 60.0  # seconds
_PATIENCE = 120.0  # seconds until no try is begun; well within the minutes for which Discord remembers a nonce
_TIMEOUT = LONGEST_LIMIT + 20.0  # seconds a request may take; discord.py itself waits for up to 300
_OLD = 3_600.0  # seconds; Discord takes a few edits an hour only of messages that are older
PAGE = 100  # messages in one answer; Discord gives no more
_FAILURES = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError, TimeoutError)
_MENTIONS = discord.AllowedMentions(everyone=False, users=False, roles=False, replied_user=True)

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
    """Sends parts to Discord.

    A send that may or may not have arrived is repeated with the same nonce, which Discord answers with the message
    it already has. discord.py repeats 429s and most server errors; what it does not (503, a reset connection, a
    timeout) is repeated here. Every method raises `UnreachableError`, in one of its kinds, when it cannot be done now,
    and `RefusedError` when Discord will never do it.

    Args:
        client: The client.
        access: What it may do where.
        budget: How many requests there may be.
        first_wait: Seconds before a request that got no answer is sent again; doubled each time.
        clock: Seconds since 1970, to tell a message's age from its id.
        sleep: How the end of a rate limit is waited for.
    """

    def __init__(
        self,
        client: discord.Client,
        *,
        access: Access | None = None,
        budget: Budget | None = None,
        first_wait: float = 1.0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.access = access or Access(client)
        self.budget = budget or Budget()
        self.sleep = sleep
        self._client = client
        self._first_wait = first_wait
        self._clock = clock
        self._turnstiles: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def turnstile(self, channel_id: int) -> asyncio.Lock:
        """Held from a post until it is written down, so that whoever holds it can tell what nobody wrote down."""
        return self._turnstiles.setdefault(channel_id, asyncio.Lock())

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock()

    def is_old(self, message_id: int) -> bool:
        """Whether a message is so old that Discord hardly takes edits of it."""
        return self._clock() - discord.utils.snowflake_time(message_id).timestamp() > _OLD

    async def post(self, channel_id: int, body: Body, *, nonce: str, reply_to: int | None) -> int:
        """Post a part; returns the message's id.

        A message that had been posted before with this nonce, by an attempt that did not learn of it, is given the
        present body.
        """
        shut_out = self.access.shut_out(channel_id)
        if shut_out is not None:
            raise shut_out
        channel = self._client.get_partial_messageable(channel_id)
        reference = None
        if reply_to is not None:
            reference = discord.MessageReference(message_id=reply_to, channel_id=channel_id, fail_if_not_exists=False)
        suppress = "content" in body  # links in the model's words are not fetched for a preview

        async def send() -> discord.Message:
            options = self._options(channel_id, body)
            if reference is not None:
                options["reference"] = reference
            if attached := _attached(body):
                options["file"] = attached
            return await channel.send(nonce=nonce, allowed_mentions=_MENTIONS, suppress_embeds=suppress, **options)

        message = await self._say(channel_id, body, send)
        if not self._shows(message, body):
            await self.edit(channel_id, message.id, body)
        return int(message.id)

    async def edit(self, channel_id: int, message_id: int, body: Body) -> None:
        """Show another body."""
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        mentions = discord.AllowedMentions.none()

        async def edit() -> object:
            attached = _attached(body)
            bare = {"content": None, "embed": None, "view": None, "attachments": [attached] if attached else []}
            options = {**bare, **self._options(channel_id, body)}
            return await message.edit(allowed_mentions=mentions, **options)

        await self._say(channel_id, body, edit)

    async def set_buttons(self, channel_id: int, message_id: int, buttons: list[JsonValue]) -> None:
        """Give a message other buttons, and leave the rest of it as it is."""
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        view = view_of(buttons)
        await self._try(channel_id, lambda: message.edit(view=view, allowed_mentions=discord.AllowedMentions.none()))

    async def is_shown(self, channel_id: int, message_id: int, body: Body) -> bool:
        """Whether the message is as this body makes it."""
        channel = self._client.get_partial_messageable(channel_id)
        try:
            message = await self._try(channel_id, lambda: channel.fetch_message(message_id))
        except ShutOutError:  # it may write there and not read
            return False
        return self._shows(message, body)

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
        except (RefusedError, ShutOutError):
            return None
        return found

    async def open_thread(self, message: discord.Message, name: str) -> None:
        """Open the thread of a message, if it has none. The thread's id is the message's."""
        try:
            await self._try(message.channel.id, lambda: message.create_thread(name=name))
        except RefusedError as error:
            if error.code != THREAD_EXISTS:
                raise

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Take a message away, if it is there and Discord lets us."""
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        try:
            await self._try(channel_id, message.delete)
        except (RefusedError, ShutOutError) as error:
            _log.warning("Message %d in channel %d is not taken away: %s", message_id, channel_id, error)

    async def history(self, channel: Channel, *, after: int, limit: int) -> list[discord.Message] | None:
        """The channel's messages after one, oldest first; None where the bot may not read them."""
        if not self.access.may_read_back(channel.id):
            return None

        async def read() -> list[discord.Message]:
            return [m async for m in channel.history(limit=limit, after=discord.Object(after), oldest_first=True)]

        try:
            found: list[discord.Message] = await self._try(channel.id, read)
        except (RefusedError, ShutOutError) as error:
            _log.warning("Channel %d cannot be read: %s", channel.id, error)
            return None
        return found

    async def page(self, channel: Channel, *, after: int) -> list[discord.Message] | None:
        """The next messages after one, at most `PAGE`, oldest first; None where the bot may not read them.

        It is asked for once: whoever reads a history in the background decides when it is tried again.

        Raises:
            RefusedError: Discord refuses it, for instance because the channel is gone.
            UnreachableError: Discord cannot be reached.
        """
        if not self.access.may_read_back(channel.id):
            return None

        async def read() -> list[discord.Message]:
            return [m async for m in channel.history(limit=PAGE, after=discord.Object(after), oldest_first=True)]

        try:
            return await self._ask(read)
        except ShutOutError:
            return None

    async def is_gone(self, channel: Channel, message_id: int) -> bool:
        """Whether Discord says that a message is not there. It is asked once.

        Raises:
            UnreachableError: It did not say.
        """
        try:
            await self._ask(lambda: channel.fetch_message(message_id))
        except RefusedError as error:
            return error.code == UNKNOWN_MESSAGE
        return False

    def _options(self, channel_id: int, body: Body) -> dict[str, Any]:
        """The arguments for discord.py; a card becomes text where embeds are not allowed."""
        options: dict[str, Any] = {"view": view_of(body["buttons"])} if body.get("buttons") else {}
        if "content" in body:
            return {"content": body["content"], **options}
        embed = discord.Embed.from_dict(body["embed"])  # type: ignore[arg-type]  # JSON is wider than its TypedDict
        allowed = self.access.may_embed(channel_id)
        return {**({"embed": embed} if allowed else {"content": _as_text(embed)}), **options}

    def _shows(self, message: discord.Message, body: Body) -> bool:
        """Whether the message is as this body makes it; one that a nonce brought back may be older."""
        options = self._options(message.channel.id, body)
        if custom_ids(discord.ui.View.from_message(message)) != custom_ids(options.get("view")):
            return False
        embed: discord.Embed | None = options.get("embed")
        if embed is None:
            same = message.content.strip() == str(options["content"]).strip()
            return same and bool(message.attachments) == (file_of(body) is not None)
        return [_essence(shown) for shown in message.embeds] == [_essence(embed)]

    async def _say(self, channel_id: int, body: Body, request: Callable[[], Awaitable[Any]]) -> Any:
        """Post or edit, and remember what is not allowed there. What has a file may be allowed without it."""
        try:
            return await self._try(channel_id, request)
        except (RefusedError, ShutOutError) as error:
            if file_of(body) is not None and not (isinstance(error, RefusedError) and error.gone):
                self.access.note_without_files(channel_id)
                raise RefusedError(error.code, str(error)) from error
            if isinstance(error, ShutOutError):
                self.access.note_shut(channel_id, error)
            raise

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

    async def _once(self, channel_id: int, request: Callable[[], Awaitable[Any]]) -> Any:
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
                raise RefusedError(LOCKED, "the thread is locked") from error
            return await request()


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, BreakerOpenError):
        return False
    if isinstance(error, discord.HTTPException):
        return error.status >= 500
    return isinstance(error, aiohttp.ClientError | OSError | TimeoutError)


def _attached(body: Body) -> discord.File | None:
    """The file of a body, made anew for every request: discord.py closes it."""
    file = file_of(body)
    return None if file is None else discord.File(io.BytesIO(file.text.encode()), filename=file.name)


def _essence(embed: discord.Embed) -> tuple[object, ...]:
    """What a card says, without what Discord adds to it."""
    fields = [(str(field.name).strip(), str(field.value).strip()) for field in embed.fields]
    return embed.color, fields, embed.footer.text


def _as_text(embed: discord.Embed) -> str:
    """A card in plain text, for channels where the bot may not embed."""
    text = "\n".join(f"**{field.name}**\n{field.value}" for field in embed.fields)
    return text[:2000]
