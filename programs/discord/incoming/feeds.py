"""All feeds: which places there are, and when something may have been missed in them."""

import asyncio
import functools
import itertools
import logging
import math
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

import discord

from llmgine.errors import StoreError
from llmgine.sessions import SessionStore
from programs.discord.delivery.poster import Poster
from programs.discord.ids import SOURCE, Kind, Origin, Place
from programs.discord.incoming.cursors import Cursors
from programs.discord.incoming.decision import may_be_answered
from programs.discord.incoming.feed import ACTIVE_SECONDS, Feed
from programs.discord.incoming.feed_items import Created, Deleted, Edited
from programs.discord.incoming.feed_state import Missed
from programs.discord.incoming.history import Bounds, History
from programs.discord.incoming.intake import Intake
from programs.discord.incoming.read_queue import ReadQueue
from programs.discord.incoming.shared import FeedsPhase, Shared
from programs.discord.incoming.unlisted import Unlisted

_AGAIN_SECONDS = 180.0  # between two looks at one place for what Discord lost
LOOK_INTERVAL = 2.0  # seconds between two such looks at any place

_GuildChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread

_log = logging.getLogger(__name__)


class Feeds:
    """The feeds of all places the bot hears of.

    Args:
        first_wait: Seconds until what failed is tried again; doubled each time.
        look_interval: Seconds between two looks at one place after the other, for what Discord lost.
        bounds: How much of what was missed is answered.
        clock: Seconds since 1970, to tell how old messages are.
    """

    def __init__(
        self,
        client: discord.Client,
        store: SessionStore,
        poster: Poster,
        intake: Intake,
        *,
        first_wait: float = 1.0,
        look_interval: float = LOOK_INTERVAL,
        bounds: Bounds | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._store = store
        history = History(client, store, poster, intake, bounds=bounds, clock=clock)
        self._shared = Shared(intake, history, ReadQueue(), Cursors(store, clock=clock), first_wait=first_wait)
        self._unlisted = Unlisted(client, store, self._shared, feed_at=self._feed, let_go=self._let_go)
        self._look_interval = look_interval
        self._feeds: dict[int, Feed] = {}
        self._away: set[int] = set()  # servers that are not available
        self._looking: set[asyncio.Task[None]] = set()
        self._rotation: asyncio.Task[None] | None = None

    def created(self, message: discord.Message) -> None:
        """Somebody wrote. Most messages are for other people, and cost no more than to see that."""
        if not may_be_answered(message):
            if isinstance(message.channel, discord.DMChannel) and message.channel.id not in self._feeds:
                self._feed(Place.of(message.channel)).look_again()
            return
        feed, intake, now = self._feed(Place.of(message.channel)), self._shared.intake, time.monotonic()
        if dismissed := intake.decisions.dismisses(message, feed.place):
            intake.decisions.remember(message)
            if message.webhook_id is not None:  # many webhooks write where nobody talks to the bot
                return
        if message.webhook_id is None:
            intake.webhooks.in_a_row.pop(message.channel.id, None)
        quiet, feed.heard_at = now - feed.heard_at > ACTIVE_SECONDS, now
        if not dismissed:
            feed.post(Created(message))
        if quiet:  # what Discord may have lost before it is read first
            feed.activity = max(feed.activity, message.id)
            feed.look_again(Missed.CHANGES)

    def edited(self, message: discord.Message) -> None:
        """A message changed. Discord also tells of previews of links and of pins, which nobody wrote."""
        if message.edited_at is not None and may_be_answered(message):
            feed = self._feed(Place.of(message.channel))
            feed.post(Edited(message))
            if not feed.is_active:
                feed.look_again()

    def deleted(self, channel_id: int, message_ids: Iterable[int]) -> None:
        """Messages are gone."""
        self._feed(Place(Kind.UNKNOWN, channel_id)).post(Deleted(tuple(sorted(message_ids))))

    def made(self, channel: discord.abc.GuildChannel | discord.Thread) -> None:
        """A channel or thread was made, or the bot was added to it: it is looked at now and then."""
        if isinstance(channel, _GuildChannel):
            self._feed(Place.of(channel))

    async def opened(self, dm: discord.DMChannel) -> None:
        """The bot opened a DM, perhaps one that it does not know: nothing else would tell the next process of it.

        Returns once the store knows of it, or fails: what is posted there afterwards may be replied to at once.
        """
        feed = self._feed(Place.of(dm))
        if feed.is_stored:
            return
        try:
            await feed.store_beginning()
        except StoreError as error:
            _log.warning("The DM %d cannot be stored yet: %s", dm.id, error)
        feed.look_again()

    def shown(self, channel: discord.abc.GuildChannel) -> None:
        """The bot may read a channel that it could not read before."""
        if isinstance(channel, _GuildChannel):
            feed = self._feed(Place.of(channel))
            feed.gap()
            feed.look_again()

    def removed(self, channel_id: int) -> None:
        """A channel or thread is gone for good, and with a channel all its threads."""
        gone = [feed for feed in self._feeds.values() if channel_id in (feed.place.channel_id, feed.place.parent_id)]
        for feed in gone:
            del self._feeds[feed.place.channel_id]
            feed.gone()
        places = {channel_id: Place(Kind.UNKNOWN, channel_id)} | {feed.place.channel_id: feed.place for feed in gone}
        self._begin(lambda: self._forget([*places.values()]))

    def guarded(self, name: str, parse: Callable[[Any], None]) -> Callable[[Any], None]:
        """Keep an event that cannot be parsed from ending the client, as it would in discord.py.

        READY is not guarded: without it there is no client.
        """
        if name == "READY":
            return parse

        def parse_guarded(data: Any) -> None:
            try:
                parse(data)
            except Exception:  # whatever Discord sent, the events after it must not be lost
                _log.exception("An event from Discord cannot be read: %s", name)
                channel_id = str(data.get("channel_id")) if isinstance(data, dict) else ""
                if channel_id.isdecimal():
                    self.malformed(int(channel_id))

        return parse_guarded

    def malformed(self, channel_id: int) -> None:
        """An event of a channel could not be understood: what it told is read instead."""
        if channel_id in self._feeds:
            self._feeds[channel_id].look_again(Missed.CHANGES)

    def unavailable(self, guild: discord.Guild) -> None:
        """A server is out of reach, or the bot is not in it any more."""
        self._away.add(guild.id)
        for feed in self._feeds.values():
            if feed.place.guild_id == guild.id:
                feed.gone()

    def available(self, guild: discord.Guild) -> None:
        """A server is there: at the start, later, again, or as the bot was added to it. What was missed there is read.

        From here on the next live message in each of its channels waits for a read of that channel.
        """
        for channel in _channels(guild):
            self._feed(Place.of(channel)).back()
        returned = guild.id in self._away
        if returned:
            self._away.discard(guild.id)
            for feed in self._feeds.values():
                if feed.place.guild_id == guild.id:
                    feed.back()
        self._begin(lambda: self._look_at(guild, returned=returned))

    def connected(self) -> None:
        """A new session with the gateway begins: before it, anything may have been missed anywhere."""
        for feed in self._feeds.values():
            feed.gap()

    def ready(self) -> None:
        """The servers that come with a start are there, and what an earlier process left is under way: listen.

        What was missed in DMs is read too; Discord does not list them.
        """
        if self.stopped:
            return
        self._shared.phase = FeedsPhase.LISTENING
        for feed in sorted(self._feeds.values(), key=lambda feed: -feed.activity):
            feed.wake()
        self._begin(self._look_elsewhere)
        if self._rotation is None:
            self._rotation = asyncio.create_task(self._rotate())

    def look_again(self) -> None:
        """Look for messages where somebody wrote lately, and for everything where that was not done for longest."""
        for feed in [feed for feed in self._feeds.values() if feed.is_active]:
            feed.look_again()
        self._look_at_one()

    async def caught_up(self) -> None:
        """Wait until what was missed was read, and all that came in was processed, or is to be tried again later."""
        while not self._shared.idle.is_set():
            await self._shared.idle.wait()

    @property
    def stopped(self) -> bool:
        """Whether nothing is processed any more."""
        return self._shared.phase is FeedsPhase.ENDING

    async def stop(self, seconds: float) -> None:
        """Begin nothing any more. What is under way has so many seconds; the next process finds what did not end."""
        self._shared.phase = FeedsPhase.ENDING
        for task in (*self._looking, *([self._rotation] if self._rotation else [])):
            task.cancel()
        ends = [feed.end() for feed in self._feeds.values()]
        tasks = [task for task in ends if task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
        await asyncio.gather(*tasks, *self._looking, return_exceptions=True)

    def _feed(self, place: Place) -> Feed:
        feed = self._feeds.get(place.channel_id)
        if feed is None:
            feed = self._feeds[place.channel_id] = Feed(place, self._shared)
        elif feed.place != place:
            feed.is_at(place)
        return feed

    def _let_go(self, feed: Feed) -> None:
        """Forget a feed that has nothing to do, and is not new: where it reads on is known to the store."""
        if self._feeds.get(feed.place.channel_id) is feed:
            del self._feeds[feed.place.channel_id]

    def _begin(self, look: Callable[[], Coroutine[None, None, None]]) -> None:
        """Find out in a task what is to be read; again and again while the store fails."""
        if self._shared.phase is not FeedsPhase.ENDING:
            task = asyncio.create_task(self._until_looked(look))
            self._looking.add(task)
            self._shared.busy(task)
            task.add_done_callback(self._looked)

    def _looked(self, task: "asyncio.Task[None]") -> None:
        self._looking.discard(task)
        self._shared.done(task)

    async def _until_looked(self, look: Callable[[], Coroutine[None, None, None]]) -> None:
        for failures in itertools.count(1):
            try:
                await look()
            except StoreError as error:
                _log.error("What was missed cannot be looked up: %s", error)
            except Exception:  # a fault in it must not be silent, nor keep what else comes in from being processed
                _log.exception("What was missed cannot be looked up")
                return
            else:
                return
            await asyncio.sleep(self._shared.wait(failures))

    async def _forget(self, places: Sequence[Place]) -> None:
        for place in places:
            await self._shared.gone(place)

    async def _look_at(self, guild: discord.Guild, *, returned: bool) -> None:
        """Read the channels of a server in which something is new, and those in which something was asked lately.

        Of a server that `returned` from an outage discord.py still knows threads that were archived meanwhile.
        """
        channels = [(self._feed(Place.of(channel)), channel.last_message_id) for channel in _channels(guild)]
        await self._find_cursors(guild, [one for one in channels if not one[0].is_stored and one[0].may_read])
        for feed, last in channels:
            feed.activity = max(feed.activity, last or 0)
        behind = {feed for feed, _ in channels if feed.activity > (feed.cursor or math.inf)}
        archived = {feed for feed, _ in channels if returned and feed.place.kind is Kind.THREAD}
        await self._read(behind | archived, guild.id, (Kind.THREAD,))

    async def _find_cursors(self, guild: discord.Guild, channels: Sequence[tuple[Feed, int | None]]) -> None:
        """The cursors of a server's channels. One without begins at its end, or where this bot last read anything."""
        cursors = self._shared.cursors
        known = await cursors.at([feed.place for feed, _ in channels])
        joined = guild.me.joined_at if guild.me else None
        since = 0 if joined is None else discord.utils.time_snowflake(joined)
        for feed, last in channels:
            stored = known.get(feed.place.channel_id)
            cursor = stored or await cursors.beginning(
                feed.place, joined=since, last=last or math.inf, first_live=feed.first_live
            )
            feed.start_at(cursor, stored=stored is not None)
        new = [feed for feed, _ in channels if not feed.is_stored]
        if new:
            await cursors.move((feed.place, feed.cursor or 0) for feed in new)
        for feed in new:
            feed.is_stored = True

    async def _look_elsewhere(self) -> None:
        """Read what no server lists: DMs. Older versions did not store which places those are."""
        await self._read(set(), None, (Kind.DM, Kind.UNKNOWN))

    async def _read(self, behind: set[Feed], guild_id: int | None, unlisted: Iterable[Kind]) -> None:
        """Read places in which something may be new, and those where something was asked lately, the newest first.

        Then those of some kinds that Discord does not list.

        Of the latter also edits and deletions: nobody tells later what was changed meanwhile.
        """
        began = time.monotonic()
        lately = await self._store.turns.asked_lately(SOURCE, guild_id, self._shared.history.since)
        asked = {self._feed(Origin.read(origin).asked) for origin in lately.values()}
        new = {feed.place.channel_id: feed for feed in asked if feed.cursor is None}
        for place, cursor in (await self._shared.cursors.at([feed.place for feed in new.values()])).items():
            new[place].start_at(cursor, stored=True)
            new[place].activity = max(new[place].activity, cursor)
        for feed in sorted(behind | asked, key=lambda feed: -feed.activity):
            feed.look_again(Missed.CHANGES if feed in asked else Missed.MESSAGES)
        for kind in unlisted:
            walk = self._unlisted.walk(kind, guild_id)
            self._begin(functools.partial(walk.begin, since=began))

    def _look_at_one(self) -> None:
        """Look at the place that was not looked at for longest."""
        due = time.monotonic() - _AGAIN_SECONDS
        waiting = [feed for feed in self._feeds.values() if feed.looked_at < due]
        for feed in sorted(waiting, key=lambda feed: feed.looked_at):
            feed.look_again(Missed.CHANGES)
            if feed.may_read:
                return

    async def _rotate(self) -> None:
        """Look at one place after the other for what Discord lost."""
        while True:
            await asyncio.sleep(self._look_interval)
            if self._client.ws is None or not self._client.ws.open:
                continue  # Discord may tell it later
            try:
                self._look_at_one()
            except Exception:  # a fault in one look must not end the others
                _log.exception("No place could be looked at")


def _channels(guild: discord.Guild) -> list[_GuildChannel]:
    return [*guild.text_channels, *guild.voice_channels, *guild.stage_channels, *guild.threads]
