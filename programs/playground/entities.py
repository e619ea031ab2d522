"""The things the playground is made of, as plain values, and the constant ids of its fixed world."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, IntFlag
from typing import Any

Json = dict[str, Any]

GUILD_ID = 100_000_000_000_000_001  # also the id of @everyone, as on Discord
GENERAL_ID = 100_000_000_000_000_011
RANDOM_ID = 100_000_000_000_000_012
TEXT_CHANNELS_ID = 100_000_000_000_000_013  # the category of the two
ADA_ID = 100_000_000_000_000_021
GRACE_ID = 100_000_000_000_000_022
BOT_ID = 100_000_000_000_000_031  # also the id of the application, as on Discord
BOT_ROLE_ID = 100_000_000_000_000_041
MEMBERS_ROLE_ID = 100_000_000_000_000_042  # what people have, so that they may do more than the bot
WORLD_BEGAN = datetime(2025, 1, 1, tzinfo=UTC)


class ChannelType(IntEnum):
    """The kinds of channels that are here, by Discord's numbers."""

    TEXT = 0
    DM = 1
    CATEGORY = 4
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    FORUM = 15


class MessageType(IntEnum):
    """The kinds of messages that are here, by Discord's numbers."""

    DEFAULT = 0
    PINNED = 6
    THREAD_CREATED = 18
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    THREAD_STARTER_MESSAGE = 21
    CONTEXT_MENU_COMMAND = 23


class Flag(IntFlag):
    """Message flags."""

    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    IS_VOICE_MESSAGE = 1 << 13
    IS_COMPONENTS_V2 = 1 << 15


class ChannelFlag(IntFlag):
    """Channel flags."""

    OBFUSCATED = 1 << 17  # the bot cannot see it, and gets nothing more of it


class Permission(IntFlag):
    """The permissions that make a difference here, by Discord's bits."""

    KICK_MEMBERS = 1 << 1
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    MANAGE_ROLES = 1 << 28
    MANAGE_WEBHOOKS = 1 << 29
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    MODERATE_MEMBERS = 1 << 40
    PIN_MESSAGES = 1 << 51
    BYPASS_SLOWMODE = 1 << 52


NO_PERMISSION = Permission(0)

# What an invite link for a bot like this asks for.
BOT_PERMISSIONS = (
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.CREATE_PRIVATE_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
)
PERSON_PERMISSIONS = (
    BOT_PERMISSIONS
    | Permission.MANAGE_MESSAGES
    | Permission.MENTION_EVERYONE
    | Permission.MANAGE_THREADS
    | Permission.PIN_MESSAGES
)


@dataclass
class User:
    """A person or the bot."""

    id: int
    username: str
    global_name: str | None
    bot: bool = False
    dms_closed: bool = False
    locale: str = "en-US"


@dataclass
class Role:
    """A role of the server."""

    id: int
    name: str
    permissions: Permission
    position: int = 1
    bot_id: int | None = None  # whose own role it is
    mentionable: bool = False


@dataclass
class Member:
    """A user in the guild."""

    id: int
    roles: list[int] = field(default_factory=list)  # without @everyone
    joined_at: datetime = WORLD_BEGAN
    timed_out_until: datetime | None = None
    nick: str | None = None


@dataclass(frozen=True)
class Overwrite:
    """What a channel allows and denies, beside the roles, to a role or a member."""

    id: int
    allow: Permission = NO_PERMISSION
    deny: Permission = NO_PERMISSION
    for_member: bool = False


@dataclass
class ThreadState:
    """What a channel has that is a thread."""

    archived: bool = False
    locked: bool = False
    auto_archive_duration: int = 1440
    archive_changed: datetime = WORLD_BEGAN
    members: dict[int, datetime] = field(default_factory=dict)  # who takes part, since when
    message_count: int = 0  # without the starter; goes down on deletion
    total_sent: int = 0


@dataclass
class Attachment:
    """A file of a message, with its content. Discord knows no `content_type` of many."""

    id: int
    channel_id: int
    filename: str
    content_type: str | None
    content: bytes
    description: str | None = None
    duration_secs: float | None = None  # of a voice message, as its sender says
    waveform: str | None = None  # of a voice message: loudness over time, a byte each, in base64


@dataclass(frozen=True)
class Reference:
    """What a message points at. `message_id` is None for the note that a thread was started."""

    channel_id: int
    message_id: int | None = None
    type: int = 0  # 1 for a forwarded message


@dataclass(frozen=True)
class Sticker:
    """A sticker of the server."""

    id: int
    name: str


@dataclass(frozen=True)
class ForumTag:
    """A tag that posts of a forum may have."""

    id: int
    name: str


@dataclass
class Poll:
    """A poll in a message. Its answers are counted from 1."""

    question: str
    answers: list[str]
    ends: datetime
    multiselect: bool = False
    votes: dict[int, list[int]] = field(default_factory=dict)  # by answer: who chose it
    finalized: bool = False


@dataclass
class Webhook:
    """A webhook of a channel: made by a person, or by an application."""

    id: int
    channel_id: int
    name: str
    token: str
    application_id: int | None = None


@dataclass(frozen=True)
class WebhookName:
    """The webhook that wrote a message, and the name it used for that."""

    id: int
    name: str
    application_id: int | None = None


@dataclass
class Origin:
    """The interaction a message answers."""

    id: int
    type: int
    user_id: int
    command_name: str | None = None
    message_id: int | None = None  # the message whose component was used
    trigger: "Origin | None" = None  # of a modal: the interaction that opened it


@dataclass
class Message:
    """A message of a channel."""

    id: int
    channel_id: int
    author_id: int
    content: str = ""
    type: MessageType = MessageType.DEFAULT
    edited_at: datetime | None = None
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    mentions: list[int] = field(default_factory=list)
    mention_roles: list[int] = field(default_factory=list)
    mention_everyone: bool = False
    flags: int = 0
    nonce: str | None = None
    reference: Reference | None = None
    reactions: dict[str, list[int]] = field(default_factory=dict)  # emoji to who used it, in order
    origin: Origin | None = None
    webhook: WebhookName | None = None  # then its id is that of the author
    ephemeral_to: int | None = None
    pinned_at: datetime | None = None
    poll: Poll | None = None
    stickers: list[Sticker] = field(default_factory=list)
    snapshots: list["Message"] = field(default_factory=list)  # of forwarded messages, as they were

    @property
    def files(self) -> list[Attachment]:
        """All files that go with the message."""
        return [*self.attachments, *(file for one in self.snapshots for file in one.attachments)]


@dataclass
class Channel:
    """A channel, category, thread, forum or DM."""

    id: int
    type: ChannelType
    name: str | None = None  # a DM has none
    guild_id: int | None = None
    position: int = 0
    parent_id: int | None = None  # of a thread its channel, of a channel its category
    owner_id: int | None = None  # of a thread
    recipient_id: int | None = None  # of a DM: the person, not the bot
    overwrites: dict[int, Overwrite] = field(default_factory=dict)  # by role or member; only a thread has its parent's
    slowmode: int = 0  # seconds between two messages of one member
    topic: str | None = None
    thread: ThreadState | None = None
    tags: list[ForumTag] = field(default_factory=list)  # of a forum
    applied_tags: list[int] = field(default_factory=list)  # of a post
    last_message_id: int | None = None
    messages: dict[int, Message] = field(default_factory=dict)  # in order of id


@dataclass
class Guild:
    """The one server of the playground."""

    id: int = GUILD_ID
    name: str = "Playground"
    owner_id: int = ADA_ID
    locale: str = "en-US"
    system_channel_id: int | None = None
    stickers: dict[int, Sticker] = field(default_factory=dict)
