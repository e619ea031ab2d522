"""The state of the playground in memory: plain mutations, each of which notifies its subscribers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from programs.playground import payloads
from programs.playground.base_state import Audience, BaseState
from programs.playground.changes import Changes
from programs.playground.entities import Channel, ChannelType, Json, Message, MessageType
from programs.playground.snowflakes import Snowflakes, iso


@dataclass(frozen=True)
class Dispatch:
    """One event to send. `render` makes it for one viewer, now: what it shows may change later."""

    name: str
    render: Callable[[int], Json]
    audience: Audience = None

    def is_for(self, user_id: int) -> bool:
        """Whether this person is told of it."""
        return self.audience is None or user_id in self.audience


Listener = Callable[[Dispatch], None]


class State(BaseState):
    """The guild, and what is done in its channels: messages, reactions, threads, DMs.

    Members, roles and channels are changed by `Admin`. Each mutation emits the events that Discord would send.
    """

    def __init__(self, ids: Snowflakes) -> None:
        super().__init__(ids)
        self.changes = Changes()
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear every dispatch, inline; the listener must not block. Returns its undo."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def emit(self, name: str, render: Callable[[int], Json], audience: Audience = None) -> None:
        """Tell all listeners of an event.

        Args:
            name: The event's name.
            render: Its data, as a viewer sees it.
            audience: The ids of those who are told; None for everybody.
        """
        dispatch = Dispatch(name, render, audience)
        for listener in list(self._listeners):
            listener(dispatch)
        self.changes.note()

    def _message_event(self, channel: Channel, message: Message) -> Callable[[int], Json]:
        """A message as a gateway event has it: with its guild, and the member beside each user."""

        def render(viewer: int) -> Json:
            payload = self.message_payload(message, viewer)
            payload["channel_type"] = int(channel.type)
            if channel.guild_id is not None:
                payload["guild_id"] = str(channel.guild_id)
                if message.author_id in self.members:
                    payload["member"] = payloads.partial_member(self.members[message.author_id])
                for mentioned in payload["mentions"]:
                    if int(mentioned["id"]) in self.members:
                        mentioned["member"] = payloads.partial_member(self.members[int(mentioned["id"])])
            return payload

        return render

    def _message_audience(self, channel: Channel, message: Message) -> Audience:
        return self.audience(channel) if message.ephemeral_to is None else frozenset({message.ephemeral_to})

    def add_message(self, message: Message) -> None:
        """Put a message into its channel and tell of it."""
        channel = self.channels[message.channel_id]
        channel.messages[message.id] = message
        if message.ephemeral_to is None:
            channel.last_message_id = message.id
            if channel.thread is not None and message.type is not MessageType.THREAD_STARTER_MESSAGE:
                channel.thread.message_count += 1
                channel.thread.total_sent += 1
        self._tell_message("MESSAGE_CREATE", message)

    def update_message(self, message: Message) -> None:
        """Tell of a message that was changed."""
        self._tell_message("MESSAGE_UPDATE", message)

    def _tell_message(self, name: str, message: Message) -> None:
        channel = self.channels[message.channel_id]
        self.emit(name, self._message_event(channel, message), self._message_audience(channel, message))

    def delete_message(self, message: Message) -> None:
        """Delete a message with its files and tell of it."""
        channel = self.channels[message.channel_id]
        del channel.messages[message.id]
        if channel.thread is not None and message.ephemeral_to is None:
            channel.thread.message_count = max(0, channel.thread.message_count - 1)
        for attachment in message.files:
            self.attachments.pop(attachment.id, None)
        payload: Json = {"id": str(message.id), **self._place(channel)}
        self.emit("MESSAGE_DELETE", lambda _: dict(payload), self._message_audience(channel, message))

    def delete_messages(self, messages: list[Message]) -> None:
        """Several of one channel at once."""
        if not messages:
            return
        channel = self.channels[messages[0].channel_id]
        for message in messages:
            del channel.messages[message.id]
        payload: Json = {"ids": [str(message.id) for message in messages], **self._place(channel)}
        self.emit("MESSAGE_DELETE_BULK", lambda _: dict(payload), self.audience(channel))

    @staticmethod
    def _place(channel: Channel) -> Json:
        place: Json = {"channel_id": str(channel.id)}
        return place if channel.guild_id is None else place | {"guild_id": str(channel.guild_id)}

    def add_reaction(self, message: Message, emoji: str, user_id: int) -> None:
        """Add a reaction and tell of it; twice is once."""
        who = message.reactions.setdefault(emoji, [])
        if user_id not in who:
            who.append(user_id)
            self._tell_reaction("MESSAGE_REACTION_ADD", message, emoji, user_id)

    def remove_reaction(self, message: Message, emoji: str, user_id: int) -> None:
        """Remove a reaction and tell of it; where there is none nothing happens."""
        who = message.reactions.get(emoji, [])
        if user_id in who:
            who.remove(user_id)
            if not who:
                del message.reactions[emoji]
            self._tell_reaction("MESSAGE_REACTION_REMOVE", message, emoji, user_id)

    def _tell_reaction(self, name: str, message: Message, emoji: str, user_id: int) -> None:
        channel = self.channels[message.channel_id]
        payload: Json = {
            "user_id": str(user_id),
            "message_id": str(message.id),
            "emoji": payloads.emoji(emoji),
            "burst": False,
            "type": 0,
            **self._place(channel),
        }
        if name == "MESSAGE_REACTION_ADD":
            payload["message_author_id"] = str(message.author_id)
            if channel.guild_id is not None:
                payload["member"] = self.member_payload(user_id)
        self.emit(name, lambda _: dict(payload), self._message_audience(channel, message))

    def typing(self, channel: Channel, user_id: int) -> None:
        """Tell that somebody types in a channel."""
        payload: Json = {
            "user_id": str(user_id),
            "timestamp": int(self.ids.now().timestamp()),
            **self._place(channel),
        }
        if channel.guild_id is not None:
            payload["member"] = self.member_payload(user_id)
        self.emit("TYPING_START", lambda _: dict(payload), self.audience(channel))

    def open_dm(self, person_id: int) -> Channel:
        """The channel of a person and the bot, made on first use."""
        for channel in self.channels.values():
            if channel.recipient_id == person_id:
                return channel
        channel = Channel(self.ids.next(), ChannelType.DM, recipient_id=person_id)
        self.channels[channel.id] = channel
        self.emit("CHANNEL_CREATE", lambda v: self.channel_payload(channel, v), self.audience(channel))
        return channel

    def add_thread(self, channel: Channel) -> None:
        """Add a thread and tell of it."""
        self.channels[channel.id] = channel
        self.emit(
            "THREAD_CREATE",
            lambda v: self.channel_payload(channel, v) | {"newly_created": True},
            self.audience(channel),
        )

    def update_thread(self, channel: Channel) -> None:
        """Tell of a thread that was changed."""
        self.emit("THREAD_UPDATE", lambda v: self.channel_payload(channel, v), self.audience(channel))

    def update_pins(self, channel: Channel, last: datetime | None) -> None:
        """Tell of a channel's pins; `last` is when the last one was pinned."""
        payload: Json = {"last_pin_timestamp": None if last is None else iso(last), **self._place(channel)}
        self.emit("CHANNEL_PINS_UPDATE", lambda _: dict(payload), self.audience(channel))

    def delete_thread(self, channel: Channel) -> None:
        """Delete a thread and tell of it."""
        del self.channels[channel.id]
        payload = {
            "id": str(channel.id),
            "guild_id": str(channel.guild_id),
            "parent_id": str(channel.parent_id),
            "type": int(channel.type),
        }
        self.emit("THREAD_DELETE", lambda _: dict(payload), self.audience(channel))

    def join_thread(self, channel: Channel, user_id: int) -> None:
        """Add a person to a thread and tell of it; twice is once."""
        if channel.thread is not None and user_id not in channel.thread.members:
            channel.thread.members[user_id] = self.ids.now()
            self._tell_members(channel, [payloads.thread_member(channel, user_id)], [])

    def leave_thread(self, channel: Channel, user_id: int) -> None:
        """Take a person out of a thread and tell of it."""
        if channel.thread is not None and user_id in channel.thread.members:
            del channel.thread.members[user_id]
            self._tell_members(channel, [], [str(user_id)])

    def _tell_members(self, channel: Channel, added: list[Json], removed: list[str]) -> None:
        assert channel.thread is not None  # noqa: S101  only threads have members
        payload: Json = {
            "id": str(channel.id),
            "guild_id": str(channel.guild_id),
            "member_count": len(channel.thread.members),
            "added_members": added,
            "removed_member_ids": removed,
        }
        self.emit("THREAD_MEMBERS_UPDATE", lambda _: dict(payload), self.audience(channel))

    def set_online(self, online: bool) -> None:
        """Note whether the bot is online, and tell the page where that has changed."""
        if online != self.bot_online:
            self.bot_online = online
            self.tell_people("BOT_STATUS", {"online": online, "activity": self.bot_activity})

    def set_presence(self, presence: object) -> None:
        """What the bot says it is doing: the first of its activities (`game` in an IDENTIFY of discord.py)."""
        told = presence if isinstance(presence, dict) else {}
        activities = told.get("activities") or [told.get("game")]
        first = activities[0] if isinstance(activities, list) else None
        self.bot_activity = _worded(first) if isinstance(first, dict) else None
        self.tell_people("BOT_STATUS", {"online": self.bot_online, "activity": self.bot_activity})

    def tell_people(self, name: str, payload: Json, only: int | None = None) -> None:
        """Something for the page alone."""
        audience = frozenset(user.id for user in self.people) if only is None else frozenset({only})
        self.emit(name, lambda _: dict(payload), audience)


_VERBS = {0: "Playing", 1: "Streaming", 2: "Listening to", 3: "Watching", 5: "Competing in"}  # by type of activity


def _worded(activity: Json) -> str:
    """An activity in the words of Discord's clients; a custom status, type 4, has its own."""
    return str(activity.get("state") or f"{_VERBS.get(activity.get('type', 0), '')} {activity.get('name', '')}").strip()
