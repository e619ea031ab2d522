"""The stored cursors of places: up to where everything was looked at, so that a restart knows where to read on."""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import discord

from llmgine.sessions import SessionStore
from llmgine.sessions.records import Cursor
from programs.discord.ids import SOURCE, Place


class Cursors:
    """Reads cursors, and writes those that moved together: many places that are read at once cost one transaction.

    A cursor moves only when a read has covered everything before it, never when a live message is admitted: what came
    before that message may not have been heard.

    Args:
        clock: Seconds since 1970.
    """

    def __init__(self, store: SessionStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._due: dict[int, Cursor] = {}  # by place; those that are not written yet
        self._writing = asyncio.Lock()
        self._newest: int | None = None  # once it is looked up

    async def at(self, places: Sequence[Place]) -> dict[int, int]:
        """The cursors of some places; nothing for those that have none.

        Raises:
            StoreError: They cannot be looked up.
        """
        newest = await self.newest()
        # What was made since has none: there was nothing of it to store when this process began.
        ids = [str(place.channel_id) for place in places if place.channel_id <= newest + 1]
        return {int(place): at for place, at in (await self._store.cursors.at(SOURCE, ids)).items()} if ids else {}

    async def newest(self) -> int:
        """The newest position of any place when this process began; the first process of all has its own beginning.

        What is newer was said while nobody listened, also in places that have no cursor.

        Raises:
            StoreError: It cannot be looked up.
        """
        if self._newest is None:
            stored = await self._store.cursors.newest(SOURCE)
            now = discord.utils.time_snowflake(datetime.fromtimestamp(self._clock(), UTC))
            self._newest = now if stored is None else stored
        return self._newest

    async def beginning(
        self, place: Place, *, joined: int = 0, last: float = math.inf, first_live: float = math.inf
    ) -> int:
        """Where a place without a cursor begins: not before it was made, nor before anybody listened.

        Args:
            place: The place.
            joined: When the bot came to its server, as an id.
            last: The last message there, if that is known.
            first_live: The first message there that was told live.

        Raises:
            StoreError: It cannot be looked up.
        """
        return int(min(max(place.channel_id - 1, await self.newest(), joined), last, first_live - 1))

    async def forget(self, place: Place) -> None:
        """Delete the cursor of a place that is gone for good.

        Raises:
            StoreError: It cannot be deleted.
        """
        self._due.pop(place.channel_id, None)
        await self._store.cursors.forget(SOURCE, str(place.channel_id))

    async def move(self, positions: Iterable[tuple[Place, int]]) -> None:
        """Store where these places are now.

        Raises:
            StoreError: They cannot be stored; they are with the next ones.
        """
        self._due |= {place.channel_id: _cursor(place, position) for place, position in positions}
        async with self._writing:
            if not self._due:  # whoever waited before wrote these too
                return
            due, self._due = self._due, {}
            try:
                await self._store.cursors.move(SOURCE, list(due.values()))
            except BaseException:
                self._due = {**due, **self._due}
                raise


def _cursor(place: Place, position: int) -> Cursor:
    parent = None if place.parent_id is None else str(place.parent_id)
    return Cursor(str(place.channel_id), position, place.kind.value, parent, place.guild_id)
