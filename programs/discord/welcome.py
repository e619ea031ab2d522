"""The welcome: when the bot comes to a server, it says once what it can do and what to do first."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator

import discord

from llmgine.errors import StoreError
from llmgine.messages.translatable import Language, tr
from llmgine.sessions import SessionStore
from llmgine.sessions.records import Cursor
from programs.discord.context_note import ContextNote
from programs.discord.delivery.bodies import Body
from programs.discord.delivery.poster import Poster
from programs.discord.delivery.refusals import DeliveryRefusedError, UnreachableError
from programs.discord.delivery.safe_text import plain_words
from programs.discord.ids import welcome_nonce
from programs.discord.permissions.authorize import access_of
from programs.discord.translation import language_of
from programs.discord.unserved import Unserved

HELLO = tr("Hello, I'm {name}")
ABOUT = tr(
    "I chat with you, and use tools where they help: mention me, {me}, and ask. Reply to my answer to continue. You "
    "see what I'm doing while I do it, and can stop me at any time."
)
FIRST = tr("First steps")
STEPS = tr(
    "1. Write `@{name} what can you do?`\n"
    "2. {help} lists my commands and tools\n"
    "3. For moderators: {doctor} checks that I have the permissions I need, and {system} sets my system prompt"
)

_SOURCE = "discord welcome"  # of cursors: a server has one, its welcome, once it has had that
_NEW = 86_400.0  # seconds for which somebody who joined is new
_SEEN = 50  # messages looked through for a welcome that nobody wrote down
_BLURPLE = 0x5865F2

_log = logging.getLogger(__name__)


class Welcome:
    """Greets servers: once each, also when the bot was away when it was added, or died while it greeted.

    Args:
        client: The client.
        store: Remembers who was greeted.
        poster: Posts.
        mention: Makes the name of a command into what people can click.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        client: discord.Client,
        store: SessionStore,
        poster: Poster,
        *,
        mention: Callable[[str], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._store = store
        self._poster = poster
        self._mention = mention
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._access = access_of(client)
        self._unserved = Unserved(store, poster)
        self._context_note = ContextNote(client, store, poster)

    async def greet_new(self) -> None:
        """Do so for all servers that the bot is in; those that were there before an update are told what is new."""
        for guild in list(self._client.guilds):
            await self.greet(guild)
        served = [guild for guild in self._client.guilds if self._access.serves(guild.id)]
        try:
            await self._context_note.tell(served, self._mention("context"))
        except (StoreError, UnreachableError) as error:
            _log.warning("Not all servers are told of /context yet: %s", error)

    async def greet(self, guild: discord.Guild) -> None:
        """Greet a server, if the bot is new there and has not done so; one that is not served is told that instead."""
        if not self._access.serves(guild.id):
            await self._unserved.tell(guild)
            return
        joined = guild.me.joined_at if guild.me else None
        if joined is None or self._clock() - joined.timestamp() > _NEW:
            return
        async with self._one_at_a_time:
            try:
                if not await self._store.cursors.at(_SOURCE, [str(guild.id)]):
                    await self._greet(guild, discord.utils.time_snowflake(joined))
            except (StoreError, UnreachableError) as error:
                _log.warning("Server %d is not welcomed yet: %s", guild.id, error)

    async def _greet(self, guild: discord.Guild, joined: int) -> None:
        language = language_of(guild.preferred_locale)
        fields = self._fields(guild, language)
        body: Body = {"embed": {"color": _BLURPLE, "fields": [{"name": n, "value": v} for n, v in fields]}}
        for channel in _channels(guild):
            try:
                message_id = await self._said(channel, joined, fields[0][0]) or await self._poster.post(
                    channel.id, body, nonce=welcome_nonce(guild.id), reply_to=None
                )
            except DeliveryRefusedError as error:
                _log.warning("The welcome was refused in channel %d: %s", channel.id, error)
                continue
            await self._store.cursors.move(_SOURCE, [Cursor(str(guild.id), message_id)])
            return

    async def _said(self, channel: discord.TextChannel, joined: int, hello: str) -> int | None:
        """The welcome that a process posted which died before it wrote that down."""
        read = await self._poster.history(channel, after=joined, limit=_SEEN) or []
        return next(
            (message.id for message in read if message.author == self._client.user and _says(message, hello)), None
        )

    def _fields(self, guild: discord.Guild, language: Language) -> list[tuple[str, str]]:
        """Headings and texts."""
        me = guild.me
        facts = {"name": plain_words(me.display_name, 100), "me": me.mention}
        facts |= {name: self._mention(name) for name in ("help", "doctor", "system")}
        pairs = ((HELLO, ABOUT), (FIRST, STEPS))
        return [(language.say(a.filled(**facts)), language.say(b.filled(**facts))) for a, b in pairs]


def _says(message: discord.Message, words: str) -> bool:
    """Whether the words are in a message, or are a heading in its card."""
    return words in message.content or any(field.name == words for card in message.embeds for field in card.fields)


def _channels(guild: discord.Guild) -> Iterator[discord.TextChannel]:
    """Where it may be said: the server's own choice first, then from the top."""
    first = [guild.system_channel] if guild.system_channel else []
    for channel in dict.fromkeys([*first, *guild.text_channels]):
        allowed = channel.permissions_for(guild.me)
        if allowed.view_channel and allowed.send_messages:
            yield channel
