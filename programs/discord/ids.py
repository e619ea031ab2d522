"""Where something is said and answered, and the ids that are made of that: sessions, scopes, origins and nonces.

It lies below all else of the bot, so that each of these is written and read in one place.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

import discord
from pydantic import BaseModel, ConfigDict, JsonValue

from llmgine.messages.events import TurnEvent
from llmgine.messages.steps import Turn
from llmgine.sessions.costs import Asker
from llmgine.sessions.limits import PERSON
from programs.discord.visibility import is_hidden

SOURCE = "discord"
MAX_NONCE = 25  # characters, Discord's limit

Cards = Literal["quiet", "normal", "verbose"]  # how much is shown of tool calls

_THREADS = (discord.ChannelType.news_thread, discord.ChannelType.public_thread, discord.ChannelType.private_thread)


class Kind(Enum):
    """What kind of channel a place is."""

    DM = "dm"  # A conversation with one person.
    CHANNEL = "channel"  # A channel of a server, or of a group of people.
    THREAD = "thread"  # A thread of a server's channel.
    UNKNOWN = "unknown"  # Only its id is known, and perhaps its server. It is never taken for a DM.


_TYPES = {
    Kind.DM: discord.ChannelType.private,
    Kind.CHANNEL: discord.ChannelType.text,
    Kind.THREAD: discord.ChannelType.public_thread,
}


@dataclass(frozen=True)
class Place:
    """A channel, thread or DM, and what it lies in; None also where that is not known.

    Attributes:
        parent_id: The channel that a thread belongs to.
        category_id: The category of the channel, or of a thread's channel.
        guild_id: The server.
    """

    kind: Kind
    channel_id: int
    parent_id: int | None = None
    category_id: int | None = None
    guild_id: int | None = None

    @classmethod
    def of(cls, channel: object) -> "Place":
        """The place of any channel of discord.py's, also of one that it knows only the id of."""
        guild_id: int | None = getattr(getattr(channel, "guild", None), "id", None)
        return cls(
            kind=_kind(channel),
            channel_id=getattr(channel, "id", 0),
            parent_id=getattr(channel, "parent_id", None),
            category_id=_category_id(channel),
            guild_id=getattr(channel, "guild_id", None) if guild_id is None else guild_id,
        )

    @property
    def is_dm(self) -> bool:
        """Whether it is a DM: a message without a server may as well be of one that is not available."""
        return self.kind is Kind.DM

    @property
    def category_scope(self) -> str | None:
        """The scope of its category's settings."""
        return None if self.category_id is None else f"{SOURCE}:category:{self.category_id}"

    @property
    def server_scope(self) -> str | None:
        """The scope of its server's settings."""
        return None if self.guild_id is None else server_scope(self.guild_id)

    @property
    def scopes(self) -> tuple[str, ...]:
        """Whose settings hold there, the nearest first: its own, a thread's channel's, the category's, the server's.

        They begin with the front end's name, so that no other's can be meant.
        """
        parent = None if self.parent_id is None else session_id(self.parent_id)
        wider = (parent, self.category_scope, self.server_scope)
        return (self.session_id(), *(scope for scope in wider if scope is not None))

    def session_id(self, user_id: int | None = None) -> str:
        """The session of the place, or a person's own in it."""
        return session_id(self.channel_id, user_id)

    def thread(self, thread_id: int) -> "Place":
        """The place of a thread of this channel."""
        return replace(self, kind=Kind.THREAD, channel_id=thread_id, parent_id=self.channel_id)

    def partial(self, client: discord.Client) -> discord.PartialMessageable:
        """The channel for discord.py where it does not know it. What is read from it is of this kind and server."""
        return client.get_partial_messageable(self.channel_id, guild_id=self.guild_id, type=_TYPES.get(self.kind))


def _kind(channel: object) -> Kind:
    kind = getattr(channel, "type", None)
    if kind is None:
        return Kind.UNKNOWN
    if kind is discord.ChannelType.private:
        return Kind.DM
    return Kind.THREAD if kind in _THREADS else Kind.CHANNEL


def _category_id(channel: object) -> int | None:
    try:
        return getattr(channel, "category_id", None)
    except discord.ClientException:  # a thread whose channel is not known
        return None


def session_id(channel_id: int, user_id: int | None = None) -> str:
    """The session of a channel, thread or DM, or a person's own in it."""
    own = "" if user_id is None else f":{user_id}"
    return f"{SOURCE}:{channel_id}{own}"


def channel_of(session_id: str) -> int | None:
    """The channel of a session; None of another front end's, and of a scope that is no channel."""
    found = re.fullmatch(rf"{SOURCE}:(\d+)(?:[:/].*)?", session_id)
    return int(found[1]) if found else None


def server_scope(guild_id: int) -> str:
    """The scope of a server's settings."""
    return f"{SOURCE}:server:{guild_id}"


def is_in_a_server(scopes: Iterable[str]) -> bool:
    """Whether these are the scopes of a place in a server."""
    return any(scope.startswith(f"{SOURCE}:server:") for scope in scopes)


def scopes_now(channel: object) -> tuple[str, ...]:
    """As a place's scopes, for a session that was told of its own before its channel was moved.

    None of a channel of which not all is known.
    """
    known = isinstance(channel, discord.abc.GuildChannel) or (
        isinstance(channel, discord.Thread) and channel.parent is not None
    )
    return Place.of(channel).scopes if known else ()


def channel_name(channel: object, person: discord.abc.User) -> str:
    """What people call the channel that a person is in. In a DM, discord.py may not know its recipient."""
    if Place.of(channel).is_dm:  # one that was read, discord.py knows only the id of
        return f"DM with {person.display_name}"
    name = None if is_hidden(channel) else getattr(channel, "name", None)
    guild = getattr(channel, "guild", None)
    if name is None:
        return "a channel"
    return f"#{name} in {guild.name}" if guild else f"#{name}"


class Origin(BaseModel):
    """Where a turn was asked and where it is answered, as it is stored with the turn.

    Turns of older versions say nothing of what their channel lies in.

    Attributes:
        channel_id: The channel it is answered in.
        message_id: The message that asks, if it was one.
        asked_in: The channel of that message, where each question gets a thread of its own for its answer.
        cards: How much is shown of its tool calls.
        language: The code of the language it is answered in, as far as the words are the bot's own.
        kind: What kind of channel it was asked in; so do the other ids tell of that one.
        parent_id: The channel of the thread it was asked in.
        category_id: The category it was asked in.
        guild_id: The server it was asked in.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    channel_id: int
    message_id: int | None = None
    asked_in: int | None = None
    cards: Cards = "normal"
    language: str = "en"
    kind: Kind = Kind.UNKNOWN
    parent_id: int | None = None
    category_id: int | None = None
    guild_id: int | None = None

    @classmethod
    def at(
        cls,
        place: Place,
        message_id: int | None,
        *,
        cards: Cards = "normal",
        language: str = "en",
        thread_id: int | None = None,
    ) -> "Origin":
        """The origin of what is asked at a place. With `thread_id`, it is answered in that thread of it."""
        return cls(
            channel_id=place.channel_id if thread_id is None else thread_id,
            message_id=message_id,
            asked_in=None if thread_id is None else place.channel_id,
            cards=cards,
            language=language,
            kind=place.kind,
            parent_id=place.parent_id,
            category_id=place.category_id,
            guild_id=place.guild_id,
        )

    @classmethod
    def of(cls, turn: Turn | TurnEvent) -> "Origin":
        """The origin of a turn of the bot's, by the turn or by one of its events."""
        return cls.read(turn.origin)

    @classmethod
    def read(cls, stored: Mapping[str, JsonValue]) -> "Origin":
        """The origin as it is stored, also by an older version."""
        return cls.model_validate(dict(stored))

    def as_json(self) -> dict[str, JsonValue]:
        """The origin as it is stored: ids as texts, and nothing for what there is not."""
        return {name: str(value) for name, value in self.model_dump(mode="json", exclude_none=True).items()}

    @property
    def asked(self) -> Place:
        """Where it was asked."""
        channel_id = self.channel_id if self.asked_in is None else self.asked_in
        return Place(self.kind, channel_id, self.parent_id, self.category_id, self.guild_id)

    @property
    def answered(self) -> Place:
        """Where it is answered."""
        return self.asked if self.asked_in is None else self.asked.thread(self.channel_id)

    @property
    def question(self) -> tuple[int, int] | None:
        """The channel and the id of the message that asks; None where no message does."""
        return None if self.message_id is None else (self.asked.channel_id, self.message_id)

    @property
    def reply_to(self) -> int | None:
        """The message that the answer replies to; one in another channel cannot be replied to."""
        return self.message_id if self.asked_in is None else None


def nonce(turn_id: str, number: int) -> str:
    """The nonce of a message of a turn, by how many were posted for the turn before it. Discord posts it once."""
    return _fitting(f"{turn_id}.{number}")


def notice_nonce(turn_id: str, kind: str) -> str:
    """The nonce of what people are told of a turn beside its answer; each kind of notice begins with its own sign."""
    return _fitting(f"{kind}{turn_id}")


def refusal_nonce(message_id: int) -> str:
    """The nonce of what is said of a message that could not be admitted."""
    return _fitting(f"!{message_id}")


def unstored_nonce(message_id: int) -> str:
    """The nonce of the notice that nothing can be stored, when this message came; it may be refused later on."""
    return _fitting(f"#{message_id}")


def missed_nonce(message_id: int) -> str:
    """The nonce of the notice on messages that came too long ago; this is the last of them."""
    return _fitting(f"-{message_id}")


def paused_nonce(message_id: int) -> str:
    """The nonce of the notice that answers are paused, in reply to this message."""
    return _fitting(f"p{message_id}")


def rate_nonce(message_id: int) -> str:
    """The nonce of the notice that its author asks too often, in reply to this message."""
    return _fitting(f"r{message_id}")


def welcome_nonce(guild_id: int) -> str:
    """The nonce of a server's welcome."""
    return _fitting(f"w{guild_id}")


def unserved_nonce(guild_id: int) -> str:
    """The nonce of the line that a server is not served."""
    return _fitting(f"u{guild_id}")


def context_note_nonce(guild_id: int) -> str:
    """The nonce of the line that tells a server of /context."""
    return _fitting(f"k{guild_id}")


def refused_nonce(message_id: int) -> str:
    """The nonce of the notice that somebody may not use the bot in DMs, in reply to this message."""
    return _fitting(f"n{message_id}")


def asker_of(user: discord.abc.User, limited: Collection[str] = ()) -> Asker:
    """Somebody as one for whom the model is asked, with those of their roles that limits are set for."""
    return Asker(person=f"{SOURCE}:{PERSON}:{user.id}", roles=roles_of(user, limited))


def roles_of(user: discord.abc.User, limited: Collection[str]) -> tuple[str, ...]:
    """The ids of somebody's roles that are among these."""
    roles = user.roles if isinstance(user, discord.Member) else ()
    return tuple(str(role.id) for role in roles if str(role.id) in limited)


def _fitting(text: str) -> str:
    if len(text) > MAX_NONCE:
        raise ValueError(f"{text!r} is longer than the {MAX_NONCE} characters Discord takes")
    return text
