"""A second look at what was asked lately: nobody tells later what was changed or taken back while the bot was away."""

import logging
import time
from collections.abc import Callable

import discord

from llmgine.errors import StoreError
from llmgine.sessions import SessionStore
from programs.discord.delivery.poster import Channel, Poster
from programs.discord.delivery.refusals import UnreachableError
from programs.discord.ids import SOURCE, Origin, Place
from programs.discord.incoming.intake import Intake

_SECONDS = 3600.0  # how old a question may be
_MOST = 200  # messages that are read of a channel

_log = logging.getLogger(__name__)


class SecondLook:
    """Compares the questions of the last hour with what stands in their channels."""

    def __init__(
        self,
        client: discord.Client,
        store: SessionStore,
        poster: Poster,
        intake: Intake,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._store = store
        self._poster = poster
        self._intake = intake
        self._clock = clock

    async def run(self) -> None:
        """Look once at every channel where something was asked."""
        since = int((self._clock() - _SECONDS) * 1_000_000)
        asked: dict[int, list[int]] = {}
        places: dict[int, Place] = {}  # of these channels, as the newest question tells of them
        try:
            for message_id, origin in await self._store.turns.recent(SOURCE, since):
                if not message_id.isdecimal():
                    continue  # no message: a button that asked
                place = Origin.read(origin).asked
                asked.setdefault(place.channel_id, []).append(int(message_id))
                places[place.channel_id] = place
        except StoreError as error:
            _log.warning("What was changed meanwhile cannot be looked up: %s", error)
        for channel_id, message_ids in asked.items():
            try:
                await self._look(places[channel_id], sorted(message_ids)[-_MOST:])
            except (StoreError, UnreachableError) as error:
                _log.warning("What was changed in channel %d cannot be looked up: %s", channel_id, error)

    async def _look(self, place: Place, message_ids: list[int]) -> None:
        known = self._client.get_channel(place.channel_id)
        # Discord does not list DMs, for one.
        channel = known if isinstance(known, Channel) else place.partial(self._client)
        read = await self._poster.history(channel, after=message_ids[0] - 1, limit=_MOST)
        if read is None:
            return
        there = {message.id: message for message in read}
        end = max(there, default=0) if len(read) == _MOST else message_ids[-1]
        for message_id in message_ids:
            if message_id in there:
                await self._intake.edited(there[message_id])
            elif message_id <= end:
                await self._intake.deleted(message_id)
