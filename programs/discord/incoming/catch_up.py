"""Catching up: what was said while nobody listened is read, and goes the same way as what is heard live.

A channel's cursor says up to where it was read. It moves only when a read has covered everything before, never when a
live message is admitted: what came before that message may not have been heard.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import discord

from llmgine.errors import StoreError
from llmgine.sessions import SessionStore
from programs.discord.delivery.notices import MISSED
from programs.discord.delivery.poster import Channel, Poster
from programs.discord.delivery.refusals import RefusedError, ShutOutError, UnreachableError
from programs.discord.ids import SOURCE, missed_nonce
from programs.discord.incoming.intake import Intake

_ACTIVE_SECONDS = 3600.0  # how long after its last message a channel is still read now and then
_READS_AT_ONCE = 8

_GuildChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bounds:
    """How much is caught up with in a channel; what is older or more gets one notice.

    Attributes:
        seconds: How old a message may be.
        turns: How many messages are answered.
        messages: How many messages are read.
    """

    seconds: float = 3600.0
    turns: int = 10
    messages: int = 500


class CatchUp:
    """The cursors of all channels, and the reading behind them.

    Args:
        clock: Seconds since 1970, to tell a message's age from its id.

    Attributes:
        over: Set while nothing is being caught up with: live messages are taken up as they come.
    """

    def __init__(
        self,
        client: discord.Client,
        store: SessionStore,
        poster: Poster,
        intake: Intake,
        *,
        bounds: Bounds | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._store = store
        self._poster = poster
        self._intake = intake
        self._bounds = bounds or Bounds()
        self._clock = clock
        self._cursors: dict[int, int] = {}
        self._heard: dict[int, float] = {}  # when each channel last had a message
        self._unstored: set[int] = set()  # channels whose cursor is not in the store, as nothing was admitted there
        self._behind: set[int] = set()  # channels with messages that could not be admitted
        self._first_live: dict[int, int] = {}  # the first message that was heard in each channel
        self._gates: dict[int, asyncio.Event] = {}  # of channels whose first catch-up is not over
        self._stopped = False
        self.over = asyncio.Event()
        self._reads = asyncio.Semaphore(_READS_AT_ONCE)

    def begin(self) -> None:
        """A connection begins that may have missed something: live messages wait."""
        self.over.clear()
        self._gates = {}
        self._first_live = {}

    def notice(self, message: discord.Message) -> None:
        """A live message came in; it is taken up by `hear`. What is before it in its channel counts as missed."""
        channel_id = message.channel.id
        self._first_live.setdefault(channel_id, message.id)
        self._heard[channel_id] = time.monotonic()

    def remember(self, message: discord.Message) -> None:
        """Somebody wrote, for the bot or not. In a channel that was made since, nothing was said before it."""
        channel_id = message.channel.id
        if self.over.is_set() and channel_id not in self._cursors:
            self._cursors[channel_id] = message.id - 1
            self._unstored.add(channel_id)

    def is_behind(self, message: discord.Message) -> bool:
        """Whether there is something before a message of its channel that could not be admitted."""
        return message.channel.id in self._behind

    async def run(self) -> None:
        """Catch up with every channel the bot sees, then let live messages in."""
        try:
            self._cursors = {int(place): at for place, at in (await self._store.cursors.of(SOURCE)).items()}
            newest = max(self._cursors.values(), default=None)
            channels = [channel for guild in self._client.guilds for channel in _channels(guild)]
            known = {channel.id for channel in channels}
            others = sorted(self._cursors.keys() - known, key=self._cursors.__getitem__)[-_READS_AT_ONCE * 8 :]
            async with asyncio.TaskGroup() as group:
                for channel in channels:
                    group.create_task(self._first_look(channel, newest))
                for channel_id in others:  # DMs, which Discord does not list
                    group.create_task(self._look_elsewhere(channel_id))
        except* StoreError as errors:
            _log.error("Catching up failed: %s", errors.exceptions[0])
        finally:
            self.over.set()
            for gate in self._gates.values():
                gate.set()

    def stop(self) -> None:
        """Take nothing up any more; what is written from here on is found by the next start."""
        self._stopped = True

    @property
    def stopped(self) -> bool:
        """Whether no message is admitted any more."""
        return self._stopped

    async def check(self) -> None:
        """Read the channels that are active, for what Discord never told."""
        now = time.monotonic()
        self._heard = {at: when for at, when in self._heard.items() if now - when < _ACTIVE_SECONDS}
        # Where nobody but the bot has written yet, as in a thread it has just opened, there is nothing to read.
        for channel_id in (self._heard.keys() | self._behind) & self._cursors.keys():
            channel = self._client.get_channel(channel_id)
            if isinstance(channel, Channel):
                await self._look(channel)

    async def hear(self, message: discord.Message) -> None:
        """Take a live message up, or what it was changed to, after everything before it."""
        channel_id = message.channel.id
        if self._stopped:
            return
        if not self.over.is_set():
            await self._gates.setdefault(channel_id, asyncio.Event()).wait()
        self.remember(message)
        try:
            if await self._intake.edited(message):
                return
            if channel_id in self._behind and isinstance(message.channel, Channel):
                await self._look(message.channel)
            elif await self._intake.is_news(message):
                if channel_id in self._unstored:
                    await self._store_cursor(channel_id)
                if not await self._intake.admit(message):
                    self._behind.add(channel_id)
        except StoreError as error:
            _log.error("Message %d cannot be looked at: %s", message.id, error)
            self._behind.add(channel_id)
            await self._intake.tell_of_riddle(message)
        except UnreachableError as error:
            _log.warning("Message %d is looked at again later: %s", message.id, error)
            self._behind.add(channel_id)

    async def _first_look(self, channel: _GuildChannel, newest: int | None) -> None:
        try:
            if not channel.permissions_for(channel.guild.me).read_message_history:
                return
            last = channel.last_message_id or channel.id
            if channel.id not in self._cursors:
                # What is newer than all we ever read was said meanwhile, and a channel that is was made meanwhile.
                before = min(last, self._first_live.get(channel.id, last + 1) - 1)
                await self._move(channel.id, before if newest is None else min(before, max(newest, channel.id)))
            if last > self._cursors[channel.id]:
                await self._look(channel)
        finally:
            self._gates.setdefault(channel.id, asyncio.Event()).set()

    async def _look_elsewhere(self, channel_id: int) -> None:
        async with self._reads:
            try:
                channel = await self._client.fetch_channel(channel_id)
            except (discord.DiscordException, OSError, TimeoutError):
                return  # gone, or not ours to see any more
        if isinstance(channel, discord.DMChannel):
            await self._look(channel)

    async def _look(self, channel: Channel) -> None:
        """Read everything after the cursor, and admit what is for us."""
        async with self._reads:
            try:
                await self._catch_up(channel)
            except UnreachableError as error:
                _log.warning("Channel %d could not be read: %s", channel.id, error)
                self._behind.add(channel.id)

    async def _catch_up(self, channel: Channel) -> None:
        bounds, cursor = self._bounds, self._cursors[channel.id]
        window = discord.utils.time_snowflake(_as_time(self._clock() - bounds.seconds))
        older: list[discord.Message] = []
        if cursor < window:
            older = await self._poster.history(channel, after=cursor, limit=100) or []
        read = await self._poster.history(channel, after=max(cursor, window), limit=bounds.messages) or []
        for message in read:
            await self._intake.edited(message)
        news = await self._intake.news(read)
        live = self._first_live.get(channel.id, math.inf)  # what is live is taken up in any case, and in its order
        too_many = [message for message in news if message.id < live][: -bounds.turns]
        missed = await self._intake.news([m for m in older if m.id < window]) + too_many
        if missed:  # first, since it is about what was said before
            await self._say_missed(missed[-1], [*older, *read])
            await self._move(channel.id, missed[-1].id)  # what was given up is not answered by a later read
        refused = self._replied_to(read)
        for message in news[len(too_many) :]:
            if message.id in refused:
                continue
            if not await self._intake.admit(message, late=True):
                self._behind.add(channel.id)
                return
        self._behind.discard(channel.id)
        await self._move(channel.id, max([cursor, *(message.id for message in [*older, *read])]))

    async def _say_missed(self, message: discord.Message, read: Iterable[discord.Message]) -> None:
        """The one notice, unless a process that died over it has given it."""
        if message.id not in self._replied_to(read):
            with contextlib.suppress(RefusedError, ShutOutError):  # there is nobody to be told, or no way
                await self._poster.post(
                    message.channel.id, {"content": MISSED}, nonce=missed_nonce(message.id), reply_to=message.id
                )

    def _replied_to(self, read: Iterable[discord.Message]) -> set[int | None]:
        """Which messages have a reply of ours among these."""
        return {m.reference.message_id for m in read if m.reference and m.author == self._client.user}

    async def _move(self, channel_id: int, position: int) -> None:
        if position > self._cursors.get(channel_id, -1):
            self._cursors[channel_id] = position
            await self._store_cursor(channel_id)

    async def _store_cursor(self, channel_id: int) -> None:
        self._unstored.add(channel_id)
        await self._store.cursors.move(SOURCE, str(channel_id), self._cursors[channel_id])
        self._unstored.discard(channel_id)


def _channels(guild: discord.Guild) -> list[_GuildChannel]:
    return [*guild.text_channels, *guild.voice_channels, *guild.stage_channels, *guild.threads]


def _as_time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
