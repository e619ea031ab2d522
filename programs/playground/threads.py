"""Threads by Discord's rules: made from a message or alone, renamed, archived, locked."""

from datetime import timedelta

from programs.playground.entities import (
    NO_PERMISSION,
    Channel,
    ChannelType,
    Flag,
    Message,
    MessageType,
    Permission,
    Reference,
    ThreadState,
)
from programs.playground.errors import ApiError, archived_thread, invalid_form, missing_permissions
from programs.playground.forms import NewThread, PostForm, ThreadChanges, ThreadForm
from programs.playground.posting import Posting, Upload
from programs.playground.snowflakes import moment
from programs.playground.state import State


class Threads:
    """Opens and changes threads."""

    def __init__(self, state: State, posting: Posting) -> None:
        self._state = state
        self._posting = posting

    def from_message(self, message: Message, owner_id: int, form: ThreadForm) -> Channel:
        """A public thread whose id is the message's. Raises 160004 for a second one, 50024 outside a channel."""
        parent = self._parent(message.channel_id)
        self._state.require(owner_id, parent, Permission.CREATE_PUBLIC_THREADS)
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
        private = ChannelType(form.type) is ChannelType.PRIVATE_THREAD
        needed = Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS
        self._state.require(owner_id, parent, needed)
        thread = self._open(parent, self._state.ids.next(), ChannelType(form.type), owner_id, form)
        if thread.type is ChannelType.PUBLIC_THREAD:
            self._note(parent, thread, owner_id)
        return thread

    def post(self, forum: Channel, owner_id: int, form: PostForm, uploads: tuple[Upload, ...] = ()) -> Channel:
        """A thread of a forum, with its first message, which has the same id. Raises 50024 outside a forum."""
        if forum.type is not ChannelType.FORUM:
            raise ApiError(400, 50024, "Cannot execute action on this channel type")
        needed = Permission.SEND_MESSAGES | (Permission.ATTACH_FILES if uploads else NO_PERMISSION)
        self._state.require(owner_id, forum, needed)
        thread = self._thread(forum, self._state.ids.next(), ChannelType.PUBLIC_THREAD, owner_id, form)
        thread.applied_tags = list(form.applied_tags or ())
        if not {tag.id for tag in forum.tags}.issuperset(thread.applied_tags):
            raise invalid_form((("applied_tags",), "FORUM_TAG_INVALID", "Unknown tag"))
        self._state.channels[thread.id] = thread
        try:
            first = self._posting.draft(thread, owner_id, form.message, uploads)
        finally:
            del self._state.channels[thread.id]
        first.id = thread.id
        self._state.add_thread(thread)
        self._state.add_message(first)
        return thread

    def archive_idle(self) -> None:
        """Archive every thread in which nothing happened for as long as it says."""
        now = self._state.ids.now()
        for channel in self._state.threads():
            thread = channel.thread
            if thread is None or thread.archived:
                continue
            spoken = moment(channel.last_message_id) if channel.last_message_id else moment(channel.id)
            if now - max(spoken, thread.archive_changed) >= timedelta(minutes=thread.auto_archive_duration):
                thread.archived = True
                thread.archive_changed = now
                self._state.update_thread(channel)

    def _parent(self, channel_id: int) -> Channel:
        parent = self._state.channels[channel_id]
        if parent.type is not ChannelType.TEXT:
            raise ApiError(400, 50024, "Cannot execute action on this channel type")
        return parent

    def _open(self, parent: Channel, thread_id: int, kind: ChannelType, owner_id: int, form: ThreadForm) -> Channel:
        thread = self._thread(parent, thread_id, kind, owner_id, form)
        self._state.add_thread(thread)
        return thread

    def _thread(self, parent: Channel, thread_id: int, kind: ChannelType, owner_id: int, form: NewThread) -> Channel:
        now = self._state.ids.now()
        inside = ThreadState(
            auto_archive_duration=form.auto_archive_duration, archive_changed=now, members={owner_id: now}
        )
        return Channel(
            thread_id, kind, form.name, parent.guild_id, parent_id=parent.id, owner_id=owner_id, thread=inside
        )

    def _note(self, parent: Channel, thread: Channel, owner_id: int) -> None:
        """The line "Ada started a thread" in the channel."""
        note = Message(self._state.ids.next(), parent.id, owner_id, thread.name or "", MessageType.THREAD_CREATED)
        note.reference = Reference(thread.id)
        self._state.add_message(note)

    def change(self, channel: Channel, user_id: int, changes: ThreadChanges) -> None:
        """Raises 50083 for any change of an archived thread that does not also open it.

        Who may not manage threads changes the own ones, and opens others that are not locked.
        """
        thread = channel.thread
        if thread is None:
            raise missing_permissions()
        wanted = {name: value for name, value in changes if name in changes.model_fields_set and value is not None}
        opens = wanted.get("archived") is False
        if not self._state.permissions(user_id, channel) & Permission.MANAGE_THREADS:
            own = channel.owner_id == user_id and "locked" not in wanted
            if thread.locked or not (own or (opens and len(wanted) == 1)):
                raise missing_permissions()
        if thread.archived and not opens and wanted:
            raise archived_thread()
        if wanted.get("archived", thread.archived) != thread.archived:
            thread.archive_changed = self._state.ids.now()
        channel.name = wanted.pop("name", channel.name)
        for name, value in wanted.items():
            setattr(thread, name, value)
        self._state.update_thread(channel)
