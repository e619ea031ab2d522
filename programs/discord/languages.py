"""In which language people are spoken to: the one place that decides.

What one person alone sees (a private reply, a form) is in the language of their Discord, which comes with every
interaction: `translation.language_of(interaction.locale)`. Everything else is decided here.
"""

import logging
from collections import OrderedDict

import discord

from llmgine.errors import StoreError
from llmgine.messages.translatable import Language
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import now
from programs.discord.channel_settings import AUTO, Channels
from programs.discord.ids import SOURCE, Place
from programs.discord.translation import language_of

_SETTING = "locale"  # of a person: the locale that their Discord had when it was seen last
_REMEMBERED = 5_000  # people

_log = logging.getLogger(__name__)


class Languages:
    """Decides the language of what is said where several people may read it, and of what is said in a DM.

    Args:
        store: Where the settings are, and which locale a person was seen with last.
        channels: Who knows the settings of channels; one of its own, unless given.
    """

    def __init__(self, store: SessionStore, channels: Channels | None = None) -> None:
        self._store = store
        self._channels = channels or Channels(store)
        self._seen: OrderedDict[int, str] = OrderedDict()
        self._version: int | None = None  # of the settings, when those of people that are known were read

    async def here(
        self, channel: object, person_id: int, place: Place | None = None, *, seen: str | None = None
    ) -> Language:
        """The language of what everybody in a channel sees: that of `/language`, else the server's, else English.

        In a DM without that setting, it is the language in which the person was seen last. While the store fails it is
        the server's, or English.

        Args:
            channel: The channel.
            person_id: Who is spoken to.
            place: Where that is, when more is known of it than the channel tells.
            seen: The person's locale, when it is known already.
        """
        place = place or Place.of(channel)
        try:
            chosen = (await self._channels.at(place)).language
            if chosen != AUTO:
                return language_of(chosen)
            if place.is_dm:
                return await self.of_person(person_id) if seen is None else language_of(seen)
        except StoreError as error:
            _log.warning("The language of channel %d cannot be looked up: %s", place.channel_id, error)
        guild = getattr(channel, "guild", None)
        return language_of(getattr(guild, "preferred_locale", None))

    async def of_reply(self, interaction: discord.Interaction) -> Language:
        """The language of what everybody sees of an interaction: its channel's; in a DM, the locale comes with it."""
        channel = interaction.channel
        if not Place.of(channel).is_dm:
            return await self.here(channel, interaction.user.id)
        return await self.here(channel, interaction.user.id, seen=str(interaction.locale))

    async def of_person(self, person_id: int) -> Language:
        """The language in which somebody was seen last, also by an earlier process; English for others.

        Raises:
            StoreError: That cannot be looked up.
        """
        return language_of(await self._locale(person_id))

    async def saw(self, interaction: discord.Interaction) -> None:
        """Remember the locale of somebody who used a command or pressed a button; it is stored when it is new."""
        person_id, locale = interaction.user.id, str(interaction.locale)
        try:
            if await self._locale(person_id) != locale:
                await self._store.settings.change(_scope(person_id), _SETTING, locale, None, now())
        except StoreError as error:  # it comes with the next interaction, too
            _log.warning("The locale of somebody cannot be stored: %s", error)

    async def _locale(self, person_id: int) -> str:
        """The locale that is stored; it is read again when any setting has changed, by this process or another."""
        version = self._store.settings_version
        if version is None or version != self._version:
            self._seen.clear()
            self._version = version
        if person_id not in self._seen:
            found = await self._store.settings.of([_scope(person_id)])
            self._seen[person_id] = next((one.value for one in found if one.name == _SETTING), "")
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return self._seen[person_id]


def _scope(person_id: int) -> str:
    """The scope of what is set for a person."""
    return f"{SOURCE}:person:{person_id}"
