"""What there is in the playground, how to find it, and how it is drawn for a viewer."""

from typing import Literal

from programs.playground import payloads
from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    BOT_PERMISSIONS,
    BOT_ROLE_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    MEMBERS_ROLE_ID,
    NO_PERMISSION,
    PERSON_PERMISSIONS,
    RANDOM_ID,
    TEXT_CHANNELS_ID,
    Attachment,
    Channel,
    ChannelType,
    Flag,
    Guild,
    Json,
    Member,
    Message,
    MessageType,
    Permission,
    Role,
    User,
    Webhook,
)
from programs.playground.errors import missing_access, missing_permissions, unknown
from programs.playground.extra_payloads import extras
from programs.playground.permissions import EVERYTHING, implied, permissions
from programs.playground.snowflakes import Snowflakes

Audience = frozenset[int] | None  # None is everyone
_WITHOUT_REFERENCE = 2  # how deep a reply shows what it replies to: a reply inside a reply does not


class BaseState:
    """The fixed world, and what was made in it since the start."""

    def __init__(self, ids: Snowflakes) -> None:
        self.ids = ids
        self.base_url = ""
        self.guild = Guild()
        self.bot_online = False
        self.leaves_out_references: Literal["absent", "null"] | None = None  # replies come without what they reply to
        self.bot_activity: str | None = None  # what its presence says it is doing
        self.commands: dict[int, Json] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.attachments: dict[int, Attachment] = {}
        self.users = {
            ADA_ID: User(ADA_ID, "ada", "Ada"),
            GRACE_ID: User(GRACE_ID, "grace", "Grace"),
            BOT_ID: User(BOT_ID, "llmgine", "LLMgine", bot=True),
        }
        everyone = Permission.VIEW_CHANNEL | Permission.READ_MESSAGE_HISTORY
        self.roles = {
            GUILD_ID: Role(GUILD_ID, "@everyone", everyone, 0),
            BOT_ROLE_ID: Role(BOT_ROLE_ID, "LLMgine", BOT_PERMISSIONS, 1, bot_id=BOT_ID),
            MEMBERS_ROLE_ID: Role(MEMBERS_ROLE_ID, "Members", PERSON_PERMISSIONS, 2),
        }
        self.members = {
            ADA_ID: Member(ADA_ID, [MEMBERS_ROLE_ID]),
            GRACE_ID: Member(GRACE_ID, [MEMBERS_ROLE_ID]),
            BOT_ID: Member(BOT_ID, [BOT_ROLE_ID]),
        }
        self.channels = {
            TEXT_CHANNELS_ID: Channel(TEXT_CHANNELS_ID, ChannelType.CATEGORY, "Text Channels", GUILD_ID),
            GENERAL_ID: Channel(GENERAL_ID, ChannelType.TEXT, "general", GUILD_ID, 0, TEXT_CHANNELS_ID),
            RANDOM_ID: Channel(RANDOM_ID, ChannelType.TEXT, "random", GUILD_ID, 1, TEXT_CHANNELS_ID),
        }

    @property
    def people(self) -> list[User]:
        """Everybody in the server but the bot."""
        return [user for user in self.users.values() if not user.bot and user.id in self.members]

    def person(self, user_id: int) -> int:
        """`user_id`, if it is a person's. Raises 10013."""
        user = self.users.get(user_id)
        if user is None or user.bot:
            raise unknown("User")
        return user_id

    def permissions(self, user_id: int, channel: Channel | None = None) -> Permission:
        """What somebody may do in a channel, or, without one, in the guild as a whole."""
        if channel is not None and channel.guild_id is None:
            return EVERYTHING
        member = self.members.get(user_id)
        if member is None:
            return NO_PERMISSION
        place = channel if channel is None or channel.thread is None else self.channels.get(channel.parent_id or 0)
        overwrites = place.overwrites if place else {}
        allowed = permissions(self.guild, self.roles, member, overwrites, self.ids.now())
        return allowed if channel is None else implied(allowed, in_thread=channel.thread is not None)

    def require(self, user_id: int, channel: Channel, needed: Permission) -> None:
        """Raises 50013 when somebody lacks any of these permissions in a channel."""
        if needed & ~self.permissions(user_id, channel):
            raise missing_permissions()

    def audience(self, channel: Channel) -> Audience:
        """Who may see a channel: a DM its two, a private thread its members, any other those with the permission."""
        if channel.type is ChannelType.DM:
            return frozenset({BOT_ID, channel.recipient_id or 0})
        place = channel if channel.thread is None else self.channels.get(channel.parent_id or 0, channel)
        everyone = self.roles[GUILD_ID].permissions & Permission.VIEW_CHANNEL and not place.overwrites
        if channel.type is ChannelType.PRIVATE_THREAD and channel.thread is not None:
            return frozenset(one for one in channel.thread.members if self.may_see(one, channel))
        if everyone and len(self.members) == len(self.users):
            return None
        return frozenset(one for one in self.members if self.may_see(one, channel))

    def may_see(self, user_id: int, channel: Channel) -> bool:
        """Whether somebody sees a channel; a category is seen also for the sake of a channel in it."""
        if channel.type is ChannelType.DM:
            return user_id in (BOT_ID, channel.recipient_id)
        if channel.type is ChannelType.PRIVATE_THREAD and (not channel.thread or user_id not in channel.thread.members):
            return False
        if self.permissions(user_id, channel) & Permission.VIEW_CHANNEL:
            return True
        return channel.type is ChannelType.CATEGORY and any(
            self.may_see(user_id, one) for one in self.channels_in(channel.id)
        )

    def channel(self, channel_id: int, viewer: int) -> Channel:
        """Raises 10003 for an unknown channel, a DM or private thread of others, and 50001 where seeing is denied."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise unknown("Channel")
        if not self.may_see(viewer, channel):
            hidden = channel.type in (ChannelType.DM, ChannelType.PRIVATE_THREAD)
            raise unknown("Channel") if hidden else missing_access()
        return channel

    def message(self, channel: Channel, message_id: int, viewer: int) -> Message:
        """Raises 10008 for an unknown message and for an ephemeral one of somebody else."""
        message = channel.messages.get(message_id)
        if message is None or message.ephemeral_to not in (None, viewer):
            raise unknown("Message")
        return message

    def threads(self, parent_id: int | None = None) -> list[Channel]:
        """The threads of a channel, or all of them (None)."""
        return [
            channel
            for channel in self.channels.values()
            if channel.thread is not None and parent_id in (None, channel.parent_id)
        ]

    def guild_channels(self) -> list[Channel]:
        """The channels and categories of the guild, without threads."""
        return [one for one in self.channels.values() if one.guild_id is not None and one.thread is None]

    def channels_in(self, category_id: int) -> list[Channel]:
        """The channels of a category, without their threads."""
        return [one for one in self.channels.values() if one.thread is None and one.parent_id == category_id]

    def guild_payload(self) -> Json:
        """The server, as REST answers it."""
        return payloads.guild(self.guild, self.roles.values())

    def member_payload(self, user_id: int) -> Json:
        """A member of the server."""
        return payloads.member(self.users[user_id], self.members[user_id])

    def channel_payload(self, channel: Channel, viewer: int) -> Json:
        """A channel, as this person sees it."""
        return payloads.channel(channel, self.users, viewer)

    def channel_event(self, channel: Channel, viewer: int) -> Json:
        """A channel as the gateway sends it: of one that `viewer` cannot see, only that it exists."""
        visible = channel.guild_id is None or self.may_see(viewer, channel)
        return self.channel_payload(channel, viewer) if visible else payloads.hidden_channel(channel)

    def message_payload(self, message: Message, viewer: int, depth: int = 1) -> Json:
        """A message with what it replies to, as this person sees it."""
        payload = payloads.message(message, self.users, viewer, self.base_url)
        payload |= extras(message, viewer, self.base_url)
        if message.reference is not None:
            payload["message_reference"] = self._reference(message)
            if message.type in (MessageType.REPLY, MessageType.THREAD_STARTER_MESSAGE) and depth < _WITHOUT_REFERENCE:
                target = self.referenced(message)
                if self.leaves_out_references != "absent":
                    shown = None if self.leaves_out_references == "null" else target
                    payload["referenced_message"] = shown and self.message_payload(shown, viewer, depth + 1)
        thread = self.channels.get(message.id)
        if thread is not None and thread.thread is not None and message.flags & Flag.HAS_THREAD:
            payload["thread"] = self.channel_payload(thread, viewer)
        return payload

    def referenced(self, message: Message) -> Message | None:
        """The message that another one replies to; None where it is gone."""
        if message.reference is None or message.reference.message_id is None:
            return None
        channel = self.channels.get(message.reference.channel_id)
        return None if channel is None else channel.messages.get(message.reference.message_id)

    def _reference(self, message: Message) -> Json:
        assert message.reference is not None  # noqa: S101  asked only for messages that have one
        payload: Json = {"type": message.reference.type, "channel_id": str(message.reference.channel_id)}
        channel = self.channels.get(message.reference.channel_id)
        if channel is not None and channel.guild_id is not None:
            payload["guild_id"] = str(channel.guild_id)
        if message.reference.message_id is not None:
            payload["message_id"] = str(message.reference.message_id)
        return payload
