"""Threads by Discord's rules: made from a message or alone, renamed, archived, locked."""

from datetime import UTC, datetime

from programs.playground.entities import (
    BOT_ID,
    Channel,
    ChannelType,
    Flag,
    Message,
    MessageType,
    Reference,
    ThreadState,
)
from programs.playground.errors import ApiError, archived_thread, missing_permissions
from programs.playground.forms import ThreadChanges, ThreadForm
from programs.playground.state import State


class Threads:
    def __init__(self, state: State) -> None:
        self._state = state

    def from_message(self, message: Message, owner_id: int, form: ThreadForm) -> Channel:
        """A public thread whose id is the message's. Raises 160004 for a second one, 50024 outside a channel."""
        parent = self._parent(message.channel_id)
        if message.flags & Flag.HAS_THREAD:
            raise ApiError(400, 160004, "A thread has already been created for this message")
        message.flags |= Flag.HAS_THREAD
        thread = self._open(parent, message.id, ChannelType.PUBLIC_THREAD, owner_id, form)
        self._state.update_message(message)
        self._note(parent, thread, owner_id)
        starter = Message(self._state.ids.next(), thread.id, message.author_id, type=MessageType.THREAD_STARTER_MESSAGE)
        starter.reference = Reference(parent.id, message.id)
        self._state.add_message(starter)
        return thread

    def alone(self, channel: Channel, owner_id: int, form: ThreadForm) -> Channel:
        """A thread without a starting message; a public one is announced in its channel."""
        parent = self._parent(channel.id)
        thread = self._open(parent, self._state.ids.next(), ChannelType(form.type), owner_id, form)
        if thread.type is ChannelType.PUBLIC_THREAD:
            self._note(parent, thread, owner_id)
        return thread

    def _parent(self, channel_id: int) -> Channel:
        parent = self._state.channels[channel_id]
        if parent.type is not ChannelType.TEXT:
            raise ApiError(400, 50024, "Cannot execute action on this channel type")
        return parent

    def _open(self, parent: Channel, thread_id: int, kind: ChannelType, owner_id: int, form: ThreadForm) -> Channel:
        now = datetime.now(UTC)
        inside = ThreadState(
            auto_archive_duration=form.auto_archive_duration, archive_changed=now, members={owner_id: now}
        )
        thread = Channel(
            thread_id, kind, form.name, parent.guild_id, parent_id=parent.id, owner_id=owner_id, thread=inside
        )
        self._state.add_channel(thread)
        return thread

    def _note(self, parent: Channel, thread: Channel, owner_id: int) -> None:
        """The line "Ada started a thread" in the channel."""
        note = Message(self._state.ids.next(), parent.id, owner_id, thread.name or "", MessageType.THREAD_CREATED)
        note.reference = Reference(thread.id)
        self._state.add_message(note)

    def change(self, channel: Channel, user_id: int, changes: ThreadChanges) -> None:
        """Raises 50083 for any change of an archived thread that does not also open it.

        The bot may not manage threads: it changes its own, and opens others that are not locked.
        """
        thread = channel.thread
        if thread is None:
            raise missing_permissions()
        wanted = {name: value for name, value in changes if name in changes.model_fields_set and value is not None}
        opens = wanted.get("archived") is False
        if user_id == BOT_ID:
            own = channel.owner_id == BOT_ID and "locked" not in wanted
            if thread.locked or not (own or (opens and len(wanted) == 1)):
                raise missing_permissions()
        if thread.archived and not opens and wanted:
            raise archived_thread()
        if wanted.get("archived", thread.archived) != thread.archived:
            thread.archive_changed = datetime.now(UTC)
        channel.name = wanted.pop("name", channel.name)
        for name, value in wanted.items():
            setattr(thread, name, value)
        self._state.update_thread(channel)
