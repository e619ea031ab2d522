"""The places that Discord does not list, DMs and archived threads: read page by page, however many there are."""

import logging
import math
from collections.abc import Callable

import discord

from llmgine.sessions import SessionStore
from llmgine.sessions.records import Cursor
from programs.discord.ids import SOURCE, Kind, Place
from programs.discord.incoming.feed import Feed
from programs.discord.incoming.shared import Shared
from programs.discord.rate_limiter import as_background

_PAGE = 100  # places
_LATE = 20  # places that may still have something to do when the next page is begun
_KEPT = 1_000  # feeds of such places, those with the newest messages, that are kept to be looked at now and then

_log = logging.getLogger(__name__)


class Unlisted:
    """Makes feeds for unlisted places, and lets go of them once they were read.

    A feed that was let go is made again when something is heard from its place; where it reads on is in the store.

    Args:
        client: The client.
        store: Where the cursors are.
        shared: What all feeds share.
        feed_at: Gives the feed of a place.
        let_go: Lets go of a feed that has nothing to do.
    """

    def __init__(
        self,
        client: discord.Client,
        store: SessionStore,
        shared: Shared,
        *,
        feed_at: Callable[[Place], Feed],
        let_go: Callable[[Feed], None],
    ) -> None:
        self._client = client
        self._store = store
        self._shared = shared
        self._feed_at = feed_at
        self._let_go = let_go
        self._kept = 0
        self._walks: dict[tuple[Kind, int | None], Walk] = {}

    def walk(self, kind: Kind, guild_id: int | None) -> "Walk":
        """The walk through all places of a kind in a server, or in none; the newest first."""
        if (kind, guild_id) not in self._walks:
            self._walks[kind, guild_id] = Walk(self, kind, guild_id)
        return self._walks[kind, guild_id]

    async def page(self, kind: Kind, guild_id: int | None, after: Cursor | None) -> list[Cursor]:
        """The cursors of the next places.

        Raises:
            StoreError: They cannot be looked up.
        """
        return await self._store.cursors.page(SOURCE, kind.value, guild_id, after=after, most=_PAGE)

    async def look_at(self, cursor: Cursor, since: float) -> Feed | None:
        """Have the place of a cursor read, unless it was looked at since then; None where a server lists it.

        Raises:
            StoreError: Older versions did not store what kind of place it is, and that cannot be stored now.
        """
        if isinstance(self._client.get_channel(int(cursor.place)), discord.abc.GuildChannel | discord.Thread):
            return None
        parent = None if cursor.parent is None else int(cursor.parent)
        category = None if parent is None else Place.of(self._client.get_channel(parent)).category_id
        feed = self._feed_at(Place(Kind(cursor.kind), int(cursor.place), parent, category, cursor.guild))
        feed.start_at(cursor.position, stored=True)
        feed.activity = max(feed.activity, cursor.position)
        if feed.place.kind is Kind.UNKNOWN:
            await self._identify(feed)
        if feed.looked_at < since:
            feed.look_again()
        return feed

    async def rested(self, feeds: set[Feed], late: int) -> None:
        """Wait until so few of some feeds have something to do; let go of others, but for the first and active ones."""
        while True:
            for feed in [one for one in feeds if one.is_at_rest]:
                feeds.discard(feed)
                if self._kept < _KEPT:
                    self._kept += 1
                elif not feed.is_active:
                    self._let_go(feed)
            if len(feeds) <= late:
                return
            await self._shared.another_done()

    async def _identify(self, feed: Feed) -> None:
        """Find out what kind of place it is, and store that."""
        try:
            with as_background():
                channel = await self._client.fetch_channel(feed.place.channel_id)
        except discord.NotFound:
            await self._shared.gone(feed.place)
        except (discord.DiscordException, OSError, TimeoutError) as error:
            _log.info("Nothing is known of channel %d until the next start: %s", feed.place.channel_id, error)
        else:
            feed.is_at(Place.of(channel))
            await self._shared.cursors.move([(feed.place, feed.cursor or 0)])


class Walk:
    """A walk. After the store failed it goes on where it was; when it is begun again meanwhile it starts over."""

    def __init__(self, unlisted: Unlisted, kind: Kind, guild_id: int | None) -> None:
        self._unlisted = unlisted
        self._kind = kind
        self._guild_id = guild_id
        self._last: Cursor | None = None
        self._feeds: set[Feed] = set()
        self._walking = False
        self._since = -math.inf

    async def begin(self, *, since: float) -> None:
        """Have one page after the other read, none before most of the last one was.

        A cursor that moved meanwhile, towards what is newer, is passed over: its place was read. So is one whose place
        was looked at for changes since the time that is given, in seconds that never go back.

        Raises:
            StoreError: A page cannot be looked up.
        """
        self._since = since
        if self._walking:
            self._last = None
            return
        self._walking = True
        try:
            await self._go_on()
        finally:
            self._walking = False
        self._last = None

    async def _go_on(self) -> None:
        while page := await self._unlisted.page(self._kind, self._guild_id, self._last):
            for cursor in page:
                feed = await self._unlisted.look_at(cursor, self._since)
                self._feeds |= set() if feed is None else {feed}
                self._last = cursor
            await self._unlisted.rested(self._feeds, _LATE)
        await self._unlisted.rested(self._feeds, 0)
