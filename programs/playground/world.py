"""What there is in the playground, how to find it, and how it is drawn for a viewer."""

from programs.playground import payloads
from programs.playground.entities import (
    ADA_ID,
    BOT_ID,
    GENERAL_ID,
    GRACE_ID,
    GUILD_ID,
    RANDOM_ID,
    Attachment,
    Channel,
    ChannelType,
    Flag,
    Guild,
    Json,
    Message,
    MessageType,
    User,
)
from programs.playground.errors import unknown

Audience = frozenset[int] | None  # None is everyone
_WITHOUT_REFERENCE = 2  # how deep a reply shows what it replies to: a reply inside a reply does not


class World:
    """The fixed world, and what was made in it since the start."""

    def __init__(self) -> None:
        self.base_url = ""
        self.guild = Guild()
        self.bot_online = False
        self.commands: dict[int, Json] = {}
        self.attachments: dict[int, Attachment] = {}
        self.users = {
            ADA_ID: User(ADA_ID, "ada", "Ada"),
            GRACE_ID: User(GRACE_ID, "grace", "Grace"),
            BOT_ID: User(BOT_ID, "llmgine", "LLMgine", bot=True),
        }
        self.channels = {
            GENERAL_ID: Channel(GENERAL_ID, ChannelType.TEXT, "general", GUILD_ID, position=0),
            RANDOM_ID: Channel(RANDOM_ID, ChannelType.TEXT, "random", GUILD_ID, position=1),
        }

    @property
    def people(self) -> list[User]:
        return [user for user in self.users.values() if not user.bot]

    def person(self, user_id: int) -> int:
        """`user_id`, if it is a person's. Raises 10013."""
        user = self.users.get(user_id)
        if user is None or user.bot:
            raise unknown("User")
        return user_id

    def audience(self, channel: Channel) -> Audience:
        """Who may see a channel: a DM its two, a private thread its members, anything else everyone."""
        if channel.type is ChannelType.DM:
            return frozenset({BOT_ID, channel.recipient_id or 0})
        if channel.type is ChannelType.PRIVATE_THREAD and channel.thread is not None:
            return frozenset(channel.thread.members)
        return None

    def may_see(self, user_id: int, channel: Channel) -> bool:
        audience = self.audience(channel)
        return audience is None or user_id in audience

    def channel(self, channel_id: int, viewer: int) -> Channel:
        """Raises 10003 for an unknown channel and for one the viewer cannot see."""
        channel = self.channels.get(channel_id)
        if channel is None or not self.may_see(viewer, channel):
            raise unknown("Channel")
        return channel

    def message(self, channel: Channel, message_id: int, viewer: int) -> Message:
        """Raises 10008 for an unknown message and for an ephemeral one of somebody else."""
        message = channel.messages.get(message_id)
        if message is None or message.ephemeral_to not in (None, viewer):
            raise unknown("Message")
        return message

    def threads(self, parent_id: int | None = None) -> list[Channel]:
        return [
            channel
            for channel in self.channels.values()
            if channel.thread is not None and parent_id in (None, channel.parent_id)
        ]

    def channel_payload(self, channel: Channel, viewer: int) -> Json:
        return payloads.channel(channel, self.users, viewer)

    def message_payload(self, message: Message, viewer: int, depth: int = 1) -> Json:
        payload = payloads.message(message, self.users, viewer, self.base_url)
        if message.reference is not None:
            payload["message_reference"] = self._reference(message)
            if message.type in (MessageType.REPLY, MessageType.THREAD_STARTER_MESSAGE) and depth < _WITHOUT_REFERENCE:
                target = self.referenced(message)
                payload["referenced_message"] = target and self.message_payload(target, viewer, depth + 1)
        thread = self.channels.get(message.id)
        if thread is not None and thread.thread is not None and message.flags & Flag.HAS_THREAD:
            payload["thread"] = self.channel_payload(thread, viewer)
        return payload

    def referenced(self, message: Message) -> Message | None:
        if message.reference is None or message.reference.message_id is None:
            return None
        channel = self.channels.get(message.reference.channel_id)
        return None if channel is None else channel.messages.get(message.reference.message_id)

    def _reference(self, message: Message) -> Json:
        assert message.reference is not None  # noqa: S101  asked only for messages that have one
        payload: Json = {"type": 0, "channel_id": str(message.reference.channel_id)}
        channel = self.channels.get(message.reference.channel_id)
        if channel is not None and channel.guild_id is not None:
            payload["guild_id"] = str(channel.guild_id)
        if message.reference.message_id is not None:
            payload["message_id"] = str(message.reference.message_id)
        return payload
