"""The channels, threads and DMs of conversations, and the settings that hold there.

A setting is made for a server, a category, a channel or a thread; the nearest one holds.
"""

from typing import Annotated, Literal

import discord
from pydantic import BaseModel, BeforeValidator, ConfigDict

from llmgine.errors import RefusedError
from llmgine.sessions import SessionStore
from llmgine.sessions.scoped import holding
from programs.discord.ids import Cards, Place


def _ids(value: object) -> object:
    """Ids as they are stored: in one text, with commas between."""
    return [one for one in value.split(",") if one] if isinstance(value, str) else value


class ChannelSettings(BaseModel):
    """What holds in a channel for the bot; what the model is told and offered is the engine's (`SessionSettings`).

    Attributes:
        listen: Which messages are answered: those that mention the bot or reply to it, all, or none.
        threads: Whether each question gets a thread of its own.
        cards: How much is shown of tool calls.
        people: Whether everybody shares the channel's conversation, or each person has one of their own.
        roles: The ids of the roles of whom people who are answered have one; none for everybody.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    listen: Literal["mention", "always", "off"] = "mention"
    threads: Literal["off", "auto"] = "off"
    cards: Cards = "normal"
    people: Literal["shared", "each"] = "shared"
    roles: Annotated[tuple[int, ...], BeforeValidator(_ids)] = ()


class Channels:
    """Finds the session of a channel, and its settings."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    async def settings(self, channel: object) -> ChannelSettings:
        """What holds in a channel."""
        return holding(ChannelSettings, await self._store.settings(Place.of(channel).scopes))

    async def session_id(self, channel: object, user_id: int, thread_id: int | None = None) -> str:
        """The session that a person talks to in a channel, or in a thread of it."""
        place = Place.of(channel)
        own = (await self.settings(channel)).people == "each" and not place.is_dm
        answered = place if thread_id is None else place.thread(thread_id)
        return answered.session_id(user_id if own else None)

    async def session_of(self, interaction: discord.Interaction) -> str:
        """The session that a person who uses a command or presses a button means.

        Raises:
            RefusedError: The command was not used in a channel.
        """
        if interaction.channel is None:
            raise RefusedError("This works in a channel, a thread or a DM.")
        return await self.session_id(interaction.channel, interaction.user.id)
