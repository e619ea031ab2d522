"""The channels, threads and DMs of conversations, and the settings that hold there.

A setting is made for a server, a category, a channel or a thread; the nearest one holds.
"""

from collections import OrderedDict
from typing import Annotated, Literal

import discord
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from llmgine.errors import UserError
from llmgine.messages.translatable import tr
from llmgine.sessions import SessionStore
from llmgine.sessions.limits import limited_roles
from llmgine.sessions.records import Pause
from llmgine.sessions.scoped import effective, is_paused, pauses_in
from programs.discord.ids import Cards, Place
from programs.discord.translation import languages

AUTO = "auto"  # in place of a language: the server's own

_REMEMBERED = 5_000  # places


def _ids(value: object) -> object:
    """Ids as they are stored: in one text, with commas between."""
    return [one for one in value.split(",") if one] if isinstance(value, str) else value


def _known(code: str) -> str:
    if code != AUTO and code not in languages():
        raise ValueError(f"no language of the bot: {code}")
    return code


class ChannelSettings(BaseModel):
    """What holds in a channel for the bot; what the model is told and offered is the engine's (`SessionSettings`).

    Attributes:
        listen: Which messages are answered: those that mention the bot or reply to it, all, or none.
        threads: Whether each question gets a thread of its own.
        cards: How much is shown of tool calls.
        people: Whether everybody shares the channel's conversation, or each person has one of their own.
        webhooks: The ids of the webhooks, and of the bots with webhooks, whose messages are answered like people's.
        roles: The ids of the roles of whom people who are answered have one; none for everybody.
        context: How much is read of what was written in a server's channel before a question.
        language: The code of the language in which the bot's own texts are there; "auto" for the server's.
        pauses: What is paused there, or was last: begun and ended by interactions, whose ids are in order with those of
            messages.
        limited_roles: The ids of the roles that limits of a day are set for.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    listen: Literal["mention", "always", "off"] = "mention"
    threads: Literal["off", "auto"] = "off"
    cards: Cards = "normal"
    people: Literal["shared", "each"] = "shared"
    webhooks: Annotated[tuple[int, ...], BeforeValidator(_ids)] = ()
    roles: Annotated[tuple[int, ...], BeforeValidator(_ids)] = ()
    context: Literal["off", "some", "much"] = "some"
    language: Annotated[str, AfterValidator(_known)] = AUTO
    pauses: tuple[Pause, ...] = ()
    limited_roles: frozenset[str] = frozenset()

    @property
    def answers_are_paused(self) -> bool:
        """Whether nobody is answered there at present."""
        return is_paused("answers", self.pauses)

    def answers_were_paused(self, moment: int) -> bool:
        """Whether nobody was answered there at the moment of an id."""
        ended = ((int(one.begun), int(one.ended)) for one in self.pauses if one.what == "answers" and one.ended)
        return any(begin <= moment < end for begin, end in ended)


class Channels:
    """Finds the session of a channel, and its settings. These are read once and known until somebody changes one."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._known: OrderedDict[Place, ChannelSettings] = OrderedDict()
        self._version: int | None = None  # of the settings, when those that are known were read

    def known(self, place: Place) -> ChannelSettings | None:
        """The effective settings of a place, if they are known."""
        version = self._store.settings_version
        if version != self._version:
            self._known.clear()
            self._version = version
        return self._known.get(place)

    async def settings(self, channel: object) -> ChannelSettings:
        """The effective settings of a channel."""
        return await self.at(Place.of(channel))

    async def at(self, place: Place) -> ChannelSettings:
        """The effective settings of a place."""
        if self._store.settings_version is None:
            await self._store.version()
        known = self.known(place)
        if known is not None:
            return known
        version = self._version
        made = await self._store.settings.of(place.scopes)
        beside = {"pauses": tuple(pauses_in(made)), "limited_roles": limited_roles(made)}
        found = effective(ChannelSettings, made).model_copy(update=beside)
        if version is not None and version == self._store.settings_version:
            self._known[place] = found
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    async def session_id(self, channel: object, user_id: int, thread_id: int | None = None) -> str:
        """The session that a person talks to in a channel, or in a thread of it."""
        return await self.session_at(Place.of(channel), user_id, thread_id)

    async def session_at(self, place: Place, user_id: int, thread_id: int | None = None, *, alone: bool = False) -> str:
        """The session that a person talks to at a place, or in a thread of it; `alone`: in any case their own."""
        own = alone or ((await self.at(place)).people == "each" and not place.is_dm)
        answered = place if thread_id is None else place.thread(thread_id)
        return answered.session_id(user_id if own else None)

    async def session_of(self, interaction: discord.Interaction) -> str:
        """The session that a person who uses a command or presses a button means.

        Raises:
            UserError: The command was not used in a channel.
        """
        if interaction.channel is None:
            raise UserError(tr("This works in a channel, a thread or a DM."))
        return await self.session_id(interaction.channel, interaction.user.id)
