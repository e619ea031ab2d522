"""Posting and editing messages: the one place that sends what the bot shows, with its retries and its manners."""

import asyncio
import logging
from typing import Any
from weakref import WeakValueDictionary

import aiohttp
import discord
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_after_delay, wait_exponential

from programs.discord.breaker import BreakerOpenError
from programs.discord.rendering import Body

_TRIES = 10
_LONGEST_WAIT = 60.0  # seconds
_PATIENCE = 120.0  # seconds until no try is begun; well within the minutes for which Discord remembers a nonce
_TIMEOUT = 20.0  # seconds a request may take; discord.py itself waits for up to 300
_MENTIONS = discord.AllowedMentions(everyone=False, users=False, roles=False, replied_user=True)
_UNKNOWN_CHANNEL, _UNKNOWN_MESSAGE, _ARCHIVED = 10003, 10008, 50083
_STYLES = {"success": discord.ButtonStyle.success, "danger": discord.ButtonStyle.danger}

_REFUSED = (400, 403, 404, 405, 413)  # statuses that the same request will meet again

Channel = (
    discord.TextChannel
    | discord.VoiceChannel
    | discord.StageChannel
    | discord.Thread
    | discord.DMChannel
    | discord.PartialMessageable
)

_log = logging.getLogger(__name__)


class UnreachableError(Exception):
    """Discord could not be reached, on all tries; the request may have arrived or not."""


class Poster:
    """Sends parts to Discord.

    A send that may or may not have arrived is repeated with the same nonce, which Discord answers with the message
    it already has. discord.py repeats 429s and most server errors; what it does not (503, a reset connection, a
    timeout) is repeated here. Every method raises `UnreachableError` when no try got an answer.
    """

    def __init__(self, client: discord.Client, *, first_wait: float = 1.0) -> None:
        self._client = client
        self._first_wait = first_wait
        self._turnstiles: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def turnstile(self, channel_id: int) -> asyncio.Lock:
        """Held from a post until it is written down, so that whoever holds it can tell what nobody wrote down."""
        return self._turnstiles.setdefault(channel_id, asyncio.Lock())

    async def post(self, channel_id: int, body: Body, *, nonce: str, reply_to: int | None) -> int | None:
        """Post a part; returns the message's id, or None when Discord refuses it for good.

        A message that had been posted before with this nonce, by an attempt that did not learn of it, is given the
        present body.
        """
        channel = self._client.get_partial_messageable(channel_id)
        options = self._options(channel_id, body)
        if reply_to is not None:
            options["reference"] = discord.MessageReference(
                message_id=reply_to, channel_id=channel_id, fail_if_not_exists=False
            )
        suppress = "content" in options  # links in the model's words are not fetched for a preview
        message = await self._try(
            channel_id,
            lambda: channel.send(nonce=nonce, allowed_mentions=_MENTIONS, suppress_embeds=suppress, **options),
        )
        if message is None:
            return None
        if not _shows(message, options):
            await self.edit(channel_id, message.id, body)
        return int(message.id)

    async def edit(self, channel_id: int, message_id: int, body: Body) -> bool:
        """Show another body; False when the message is gone or Discord refuses."""
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        options = {"view": None, **self._options(channel_id, body)}
        mentions = discord.AllowedMentions.none()
        return await self._try(channel_id, lambda: message.edit(allowed_mentions=mentions, **options)) is not None

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Take a message away."""
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        await self._try(channel_id, message.delete)

    async def history(self, channel: Channel, *, after: int, limit: int) -> list[discord.Message] | None:
        """The channel's messages after one, oldest first; None where the bot may not read them."""

        async def read() -> list[discord.Message]:
            return [m async for m in channel.history(limit=limit, after=discord.Object(after), oldest_first=True)]

        found = await self._try(channel.id, read)
        return [] if found is True else found

    def _options(self, channel_id: int, body: Body) -> dict[str, Any]:
        """The arguments for discord.py; a card becomes text where embeds are not allowed."""
        if "content" in body:
            return {"content": body["content"]}
        embed = discord.Embed.from_dict(body["embed"])  # type: ignore[arg-type]  # JSON is wider than its TypedDict
        options: dict[str, Any] = {"embed": embed} if self._may_embed(channel_id) else {"content": _as_text(embed)}
        if body.get("buttons"):
            options["view"] = _view(body["buttons"])
        return options

    def _may_embed(self, channel_id: int) -> bool:
        """Whether embeds are shown there; Discord drops them silently where they are not allowed."""
        channel = self._client.get_channel(channel_id)
        if isinstance(channel, discord.TextChannel | discord.Thread | discord.VoiceChannel):
            return channel.permissions_for(channel.guild.me).embed_links
        return True

    async def _try(self, channel_id: int, request: Any) -> Any:
        """Make a request until it succeeds; None when Discord refuses it for good."""
        try:
            async for attempt in AsyncRetrying(
                stop=stop_after_attempt(_TRIES) | stop_after_delay(_PATIENCE),
                wait=wait_exponential(multiplier=self._first_wait, max=_LONGEST_WAIT),
                retry=retry_if_exception(_may_pass),
                reraise=True,
            ):
                with attempt:
                    return await self._once(channel_id, request)
        except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
            if getattr(error, "status", None) not in _REFUSED:
                raise UnreachableError(str(error) or type(error).__name__) from error
            _log.warning("Discord refused a request in channel %s: %s", channel_id, error)
        return None

    async def _once(self, channel_id: int, request: Any) -> Any:
        async with asyncio.timeout(_TIMEOUT):
            try:
                return await request() or True
            except discord.HTTPException as error:
                if error.code != _ARCHIVED:
                    raise
            thread = await self._client.fetch_channel(channel_id)
            if isinstance(thread, discord.Thread):
                await thread.edit(archived=False)
            return await request() or True


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, BreakerOpenError):
        return False
    if isinstance(error, discord.HTTPException):
        return error.status >= 500
    return isinstance(error, aiohttp.ClientError | OSError | TimeoutError)


def _shows(message: discord.Message, options: dict[str, Any]) -> bool:
    """Whether the message is as these options make it; one that a nonce brought back may be older."""
    embed: discord.Embed | None = options.get("embed")
    if embed is None:
        return message.content.strip() == str(options["content"]).strip()
    return [_essence(shown) for shown in message.embeds] == [_essence(embed)]


def _essence(embed: discord.Embed) -> tuple[object, ...]:
    """What a card says, without what Discord adds to it."""
    fields = [(str(field.name).strip(), str(field.value).strip()) for field in embed.fields]
    return embed.color, fields, embed.footer.text


def _view(buttons: Any) -> discord.ui.View:
    """The buttons as discord.py sends them. It is stopped at once: clicks are handled by custom id, see buttons.py."""
    view = discord.ui.View(timeout=None)
    for button in buttons:
        style = _STYLES.get(button["style"], discord.ButtonStyle.secondary)
        view.add_item(discord.ui.Button(custom_id=button["custom_id"], label=button["label"], style=style))
    view.stop()
    return view


def _as_text(embed: discord.Embed) -> str:
    """A card in plain text, for channels where the bot may not embed."""
    text = "\n".join(f"**{field.name}**\n{field.value}" for field in embed.fields)
    return text[:2000]
