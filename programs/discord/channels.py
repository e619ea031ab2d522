"""The channels, threads and DMs of conversations, and the settings that hold there.

A setting is made for a server, a category, a channel or a thread; the nearest one holds.
"""

from typing import Annotated, Literal

import discord
from pydantic import BaseModel, BeforeValidator, ConfigDict

from llmgine.errors import RefusedError
from llmgine.sessions import SessionStore
from llmgine.sessions.scoped import holding
from programs.discord.delivery.rendering import SOURCE


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
    cards: Literal["quiet", "normal", "verbose"] = "normal"
    people: Literal["shared", "each"] = "shared"
    roles: Annotated[tuple[int, ...], BeforeValidator(_ids)] = ()


class Channels:
    """Finds the session of a channel, and its settings."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    async def settings(self, channel: object) -> ChannelSettings:
        """What holds in a channel."""
        return holding(ChannelSettings, await self._store.settings(scopes(channel)))

    async def session_id(self, channel: object, user_id: int, thread_id: int | None = None) -> str:
        """The session that a person talks to in a channel, or in a thread of it."""
        own = (await self.settings(channel)).people == "each" and not isinstance(channel, discord.DMChannel)
        channel_id: int = getattr(channel, "id", 0)
        return session_id(thread_id or channel_id, user_id if own else None)

    async def session_of(self, interaction: discord.Interaction) -> str:
        """The session that a person who uses a command or presses a button means.

        Raises:
            RefusedError: The command was not used in a channel.
        """
        if interaction.channel is None:
            raise RefusedError("This works in a channel, a thread or a DM.")
        return await self.session_id(interaction.channel, interaction.user.id)


def session_id(channel_id: int, user_id: int | None = None) -> str:
    """The session of a channel, thread or DM, or a person's own in it."""
    own = "" if user_id is None else f":{user_id}"
    return f"{SOURCE}:{channel_id}{own}"


def scopes(channel: object) -> tuple[str, ...]:
    """Whose settings hold in a channel, the nearest first: its own, a thread's parent's, the category's, the server's.

    They begin with the front end's name, so that no other's can be meant.
    """
    found = [session_id(getattr(channel, "id", 0))]
    if isinstance(channel, discord.Thread):
        found.append(session_id(channel.parent_id))
    category_id = getattr(channel, "category_id", None)
    if category_id is not None:
        found.append(f"{SOURCE}:category:{category_id}")
    guild = getattr(channel, "guild", None)
    if guild is not None:
        found.append(f"{SOURCE}:server:{guild.id}")
    return tuple(found)


def scopes_now(channel: object) -> tuple[str, ...]:
    """As `scopes`, for a session that was told of its own before its channel was moved; none of a channel not known."""
    return scopes(channel) if isinstance(channel, discord.abc.GuildChannel | discord.Thread) else ()
