"""Pinned messages: who may pin, how many there may be, and the events it causes."""

from programs.playground.entities import Channel, Message, MessageType, Permission, Reference
from programs.playground.errors import ApiError, archived_thread
from programs.playground.state import State

MAX_PINS = 250
_PINNABLE = frozenset(MessageType) - {MessageType.THREAD_CREATED, MessageType.PINNED}


class Pins:
    """The pinned messages of channels."""

    def __init__(self, state: State) -> None:
        self._state = state

    def of(self, channel: Channel) -> list[Message]:
        """The last pinned first."""
        pinned = [message for message in channel.messages.values() if message.pinned_at is not None]
        return sorted(pinned, key=lambda message: message.pinned_at or 0, reverse=True)

    def pin(self, channel: Channel, message: Message, user_id: int) -> None:
        """Raises 50013, 50083, 50021 for a note of Discord's own, 30003 past the limit; twice is once."""
        self._require(channel, user_id)
        if message.type not in _PINNABLE or message.ephemeral_to is not None:
            raise ApiError(403, 50021, "Cannot execute action on a system message")
        if message.pinned_at is not None:
            return
        if len(self.of(channel)) >= MAX_PINS:
            raise ApiError(400, 30003, f"Maximum number of pins reached ({MAX_PINS})")
        message.pinned_at = self._state.ids.now()
        self._tell(channel, message)
        note = Message(self._state.ids.next(), channel.id, user_id, type=MessageType.PINNED)
        note.reference = Reference(channel.id, message.id)
        self._state.add_message(note)

    def unpin(self, channel: Channel, message: Message, user_id: int) -> None:
        """Unpin a message; twice is once. Raises 50013 and 50083."""
        self._require(channel, user_id)
        if message.pinned_at is not None:
            message.pinned_at = None
            self._tell(channel, message)

    def _require(self, channel: Channel, user_id: int) -> None:
        self._state.require(user_id, channel, Permission.PIN_MESSAGES)
        if channel.thread is not None and channel.thread.archived:
            raise archived_thread()

    def _tell(self, channel: Channel, message: Message) -> None:
        last = self.of(channel)
        self._state.update_message(message)
        self._state.update_pins(channel, last[0].pinned_at if last else None)
