"""What the simulated Discord is made of, and how it tells of it."""

import functools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from programs.playground.entities import BOT_ID, BOT_PERMISSIONS, GUILD_ID, NO_PERMISSION, Flag, Permission

Json = dict[str, Any]

EPOCH_MS = 1_420_070_400_000  # Discord's epoch
PEOPLE = {200_000_000_000_000_000 + number: name for number, name in enumerate(("Ada", "Grace", "Alan", "Kay"), 1)}
_JOINED = "2025-01-01T00:00:00.000000+00:00"


class Kind(IntEnum):
    """Discord's numbers for kinds of channels."""

    TEXT = 0
    DM = 1
    THREAD = 11


class RefusalError(Exception):
    """What Discord answers in place of doing it."""

    def __init__(self, status: int, code: int) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


@dataclass(slots=True, eq=False)
class Message:
    """A message.

    Attributes:
        nonce: What it was posted with, if it is the bot's.
        replies_to: The message it replies to.
        files: Names and texts.
        reactions: The bot's own.
        gone: Who deleted it: "bot", "person", or "channel" when that is gone.
    """

    id: int
    channel: "Channel"
    author_id: int
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    flags: int = 0
    nonce: str | None = None
    replies_to: "Message | None" = None
    edited_at: float | None = None
    files: list[tuple[str, str]] = field(default_factory=list)
    reactions: list[str] = field(default_factory=list)
    gone: str | None = None
    edits: int = 0


@dataclass(slots=True, eq=False)
class Channel:
    """A channel, a thread or a DM.

    Attributes:
        denied: What the bot may not do there, though its role lets it.
        gone: Whether it was deleted.
        person_id: Of a DM: the person.
    """

    id: int
    kind: Kind
    name: str
    parent_id: int | None = None
    person_id: int | None = None
    messages: dict[int, Message] = field(default_factory=dict)
    denied: Permission = NO_PERMISSION
    gone: bool = False
    archived: bool = False
    last_message_id: int | None = None


@functools.lru_cache(10_000)
def iso(seconds: float) -> str:
    """A time as Discord writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def time_of(snowflake: int) -> float:
    """The seconds since 1970 at which an id was made."""
    return ((snowflake >> 22) + EPOCH_MS) / 1000


@functools.cache
def user(user_id: int) -> Json:
    """A person, or the bot. What is returned must not be changed."""
    name = PEOPLE.get(user_id, "LLMgine")
    payload = {"id": str(user_id), "username": name.lower(), "discriminator": "0", "global_name": name, "avatar": None}
    return {**payload, "bot": True} if user_id == BOT_ID else payload


def member() -> Json:
    """Somebody as a member, without who it is."""
    return {"roles": [], "joined_at": _JOINED, "deaf": False, "mute": False, "nick": None, "avatar": None, "flags": 0}


def message(of: Message, *, referenced: bool = True) -> Json:
    """A message, with the one it replies to."""
    payload: Json = {
        "id": str(of.id),
        "channel_id": str(of.channel.id),
        "type": 0 if of.replies_to is None else 19,
        "author": user(of.author_id),
        "content": of.content,
        "timestamp": iso(time_of(of.id)),
        "edited_timestamp": None if of.edited_at is None else iso(of.edited_at),
        "tts": False,
        "pinned": False,
        "mention_everyone": False,
        "mentions": [user(BOT_ID)] if f"<@{BOT_ID}>" in of.content else [],
        "mention_roles": [],
        "embeds": [] if of.flags & Flag.SUPPRESS_EMBEDS else of.embeds,
        "components": of.components,
        "attachments": [_file(of, number) for number in range(len(of.files))],
        "flags": of.flags,
    }
    if of.nonce is not None:
        payload["nonce"] = of.nonce
    if of.reactions:
        payload["reactions"] = [_reaction(emoji) for emoji in of.reactions]
    if of.replies_to is not None:
        reference = {"message_id": str(of.replies_to.id), "channel_id": str(of.channel.id), "type": 0}
        payload["message_reference"] = reference
        if referenced:
            there = of.replies_to.gone is None
            payload["referenced_message"] = message(of.replies_to, referenced=False) if there else None
    return payload


def _reaction(emoji: str) -> Json:
    details = {"burst": 0, "normal": 1}
    return {
        "emoji": {"id": None, "name": emoji},
        "count": 1,
        "count_details": details,
        "burst_colors": [],
        "me_burst": False,
        "me": True,
    }


def _file(of: Message, number: int) -> Json:
    name, text = of.files[number]
    url = f"https://cdn.discordapp.com/attachments/{of.channel.id}/{of.id}/{name}"
    size = len(text.encode())
    return {"id": str(of.id + number), "filename": name, "size": size, "url": url, "proxy_url": url}


def told(of: Message) -> Json:
    """A message as the gateway tells of it."""
    payload = message(of)
    if of.channel.kind is not Kind.DM:
        payload["guild_id"] = str(GUILD_ID)
        payload["member"] = member()
    return payload


def channel(of: Channel) -> Json:
    """A channel, thread or DM."""
    last = None if of.last_message_id is None else str(of.last_message_id)
    payload: Json = {"id": str(of.id), "type": int(of.kind), "flags": 0, "last_message_id": last}
    if of.kind is Kind.DM:
        return {**payload, "recipients": [user(of.person_id or 0)]}
    payload |= {"guild_id": str(GUILD_ID), "name": of.name, "parent_id": None, "rate_limit_per_user": 0}
    if of.kind is Kind.THREAD:
        return {**payload, **_thread(of)}
    overwrites = [{"id": str(BOT_ID), "type": 1, "allow": "0", "deny": str(int(of.denied))}] if of.denied else []
    return {**payload, "position": 0, "nsfw": False, "topic": None, "permission_overwrites": overwrites}


def _thread(of: Channel) -> Json:
    began = iso(time_of(of.id))
    return {
        "parent_id": str(of.parent_id),
        "owner_id": str(next(iter(PEOPLE))),
        "message_count": len(of.messages),
        "member_count": 2,
        "total_message_sent": len(of.messages),
        "thread_metadata": {
            "archived": of.archived,
            "locked": False,
            "auto_archive_duration": 1440,
            "archive_timestamp": began,
            "create_timestamp": began,
        },
        "member": {"id": str(of.id), "user_id": str(BOT_ID), "join_timestamp": began, "flags": 0},
    }


def guild(channels: list[Channel]) -> Json:
    """The server, with all in it."""
    there = [one for one in channels if not one.gone]
    return {
        "id": str(GUILD_ID),
        "name": "Simulated",
        "owner_id": str(next(iter(PEOPLE))),
        "unavailable": False,
        "roles": [_everyone()],
        "preferred_locale": "en-US",
        "member_count": len(PEOPLE) + 1,
        "joined_at": _JOINED,
        "large": False,
        "members": [{"user": user(BOT_ID), **member()}],
        "channels": [channel(one) for one in there if one.kind is Kind.TEXT],
        "threads": [channel(one) for one in there if one.kind is Kind.THREAD],
        **dict.fromkeys(_NUMBERS_OF_A_GUILD, 0),
        **{name: [] for name in _LISTS_OF_A_GUILD},
    }


_NUMBERS_OF_A_GUILD = (
    "verification_level", "default_message_notifications", "explicit_content_filter", "mfa_level", "nsfw_level",
    "premium_tier", "system_channel_flags", "afk_timeout",
)  # fmt: skip
_LISTS_OF_A_GUILD = (
    "features", "emojis", "stickers", "voice_states", "presences", "stage_instances", "guild_scheduled_events",
    "soundboard_sounds",
)  # fmt: skip


def _everyone() -> Json:
    """The role that the bot has with everybody else."""
    return {
        "id": str(GUILD_ID),
        "name": "@everyone",
        "permissions": str(int(BOT_PERMISSIONS)),
        "position": 0,
        "color": 0,
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
