"""Channels, DMs and threads."""

from programs.playground import payloads
from programs.playground.admin import Admin
from programs.playground.entities import BOT_ID, Channel, ChannelType, Json, Permission
from programs.playground.errors import unknown
from programs.playground.forms import DmForm, PostForm, ThreadChanges, ThreadForm
from programs.playground.posting import Posting
from programs.playground.state import State
from programs.playground.threads import Threads
from programs.playground.wire import NOTHING, Call, Reply, Routes

_CHANNEL = "/channels/{channel_id}"


class ChannelRoutes:
    """The routes of channels, DMs and threads."""

    def __init__(self, state: State, admin: Admin, posting: Posting, threads: Threads) -> None:
        self._state = state
        self._admin = admin
        self._posting = posting
        self._threads = threads

    def routes(self) -> Routes:
        """Method, path and handler of each."""
        return [
            ("POST", "/users/@me/channels", self.open_dm),
            ("GET", _CHANNEL, self.get),
            ("PATCH", _CHANNEL, self.change),
            ("DELETE", _CHANNEL, self.delete),
            ("POST", _CHANNEL + "/threads", self.start_thread),
            ("POST", _CHANNEL + "/messages/{message_id}/threads", self.start_thread_from_message),
            ("GET", _CHANNEL + "/thread-members", self.members),
            ("PUT", _CHANNEL + "/thread-members/@me", self.join),
            ("DELETE", _CHANNEL + "/thread-members/@me", self.leave),
            ("GET", _CHANNEL + "/thread-members/{user_id}", self.member),
            ("PUT", _CHANNEL + "/thread-members/{user_id}", self.add_member),
            ("DELETE", _CHANNEL + "/thread-members/{user_id}", self.remove_member),
            ("GET", _CHANNEL + "/threads/archived/public", self.archived_public),
            ("GET", _CHANNEL + "/threads/archived/private", self.archived_private),
            ("GET", _CHANNEL + "/users/@me/threads/archived/private", self.archived_private),
        ]

    def open_dm(self, call: Call) -> Reply:
        """Open a DM. Raises 10013 where there is no such person."""
        recipient = self._state.users.get(call.form(DmForm).recipient_id)
        if recipient is None or recipient.bot:
            raise unknown("User")
        return self._reply(self._state.open_dm(recipient.id))

    def get(self, call: Call) -> Reply:
        """A channel. Raises 10003 where there is none, 50001 where the bot cannot see it."""
        return self._reply(self._channel(call))

    def change(self, call: Call) -> Reply:
        """Change a thread."""
        channel = self._channel(call)
        self._threads.change(channel, BOT_ID, call.form(ThreadChanges))
        return self._reply(channel)

    def delete(self, call: Call) -> Reply:
        """Closing a DM only hides it; threads and channels are gone."""
        channel = self._channel(call)
        reply = self._reply(channel)
        if channel.thread is not None:
            self._state.require(BOT_ID, channel, Permission.MANAGE_THREADS)
            self._state.delete_thread(channel)
        elif channel.type is not ChannelType.DM:
            self._admin.delete_channel(channel.id, by=BOT_ID)
        return reply

    def start_thread(self, call: Call) -> Reply:
        """Open a thread without a message, or a post where the channel is a forum."""
        channel = self._channel(call)
        if channel.type is not ChannelType.FORUM:
            return self._reply(self._threads.alone(channel, BOT_ID, call.form(ThreadForm)), 201)
        thread = self._threads.post(channel, BOT_ID, call.form(PostForm), call.files)
        message = self._state.message_payload(thread.messages[thread.id], BOT_ID)
        return Reply(self._state.channel_payload(thread, BOT_ID) | {"message": message}, 201)

    def start_thread_from_message(self, call: Call) -> Reply:
        """Open a thread from a message. Raises 160004 where it has one."""
        channel = self._channel(call)
        message = self._state.message(channel, call.id("message_id"), BOT_ID)
        return self._reply(self._threads.from_message(message, BOT_ID, call.form(ThreadForm)), 201)

    def members(self, call: Call) -> Reply:
        """Who takes part in a thread."""
        channel = self._thread(call)
        ids = channel.thread.members if channel.thread else ()
        return Reply([payloads.thread_member(channel, user_id) for user_id in ids])

    def member(self, call: Call) -> Reply:
        """One who takes part in a thread. Raises 10007 where they do not."""
        channel, user_id = self._thread(call), call.id("user_id")
        if channel.thread is None or user_id not in channel.thread.members:
            raise unknown("Member")
        return Reply(payloads.thread_member(channel, user_id))

    def join(self, call: Call) -> Reply:
        """Let the bot join a thread. Raises 50083 where it is archived."""
        channel = self._thread(call)
        self._posting.require_open(channel)
        self._state.join_thread(channel, BOT_ID)
        return NOTHING

    def leave(self, call: Call) -> Reply:
        """Let the bot leave a thread. Raises 50083 where it is archived."""
        channel = self._thread(call)
        self._posting.require_open(channel)
        self._state.leave_thread(channel, BOT_ID)
        return NOTHING

    def add_member(self, call: Call) -> Reply:
        """Add a person to a thread. Raises 50083 where it is archived, 50013 where the bot may not."""
        channel = self._thread(call)
        self._posting.require_open(channel)
        self._state.require(BOT_ID, channel, Permission.SEND_MESSAGES_IN_THREADS)
        user_id = self._state.person(call.id("user_id"))
        self._state.join_thread(channel, user_id)
        return NOTHING

    def remove_member(self, call: Call) -> Reply:
        """Only who may manage threads, or owns a private one, may take others out."""
        channel = self._thread(call)
        self._posting.require_open(channel)
        if channel.type is not ChannelType.PRIVATE_THREAD or channel.owner_id != BOT_ID:
            self._state.require(BOT_ID, channel, Permission.MANAGE_THREADS)
        self._state.leave_thread(channel, call.id("user_id"))
        return NOTHING

    def archived_public(self, call: Call) -> Reply:
        """The archived public threads of a channel, page by page."""
        return self._archived(call, ChannelType.PUBLIC_THREAD)

    def archived_private(self, call: Call) -> Reply:
        """The archived private threads of a channel, page by page."""
        return self._archived(call, ChannelType.PRIVATE_THREAD)

    def _archived(self, call: Call, kind: ChannelType) -> Reply:
        parent = self._channel(call)
        found = [
            channel
            for channel in self._state.threads(parent.id)
            if channel.thread and channel.thread.archived and channel.type is kind
            if self._state.may_see(BOT_ID, channel)
        ]
        found.sort(key=lambda channel: channel.thread.archive_changed if channel.thread else 0, reverse=True)
        body: Json = {
            "threads": [self._state.channel_payload(channel, BOT_ID) for channel in found],
            "members": [
                payloads.thread_member(channel, BOT_ID)
                for channel in found
                if channel.thread and BOT_ID in channel.thread.members
            ],
            "has_more": False,
        }
        return Reply(body)

    def _channel(self, call: Call) -> Channel:
        return self._state.channel(call.id("channel_id"), BOT_ID)

    def _thread(self, call: Call) -> Channel:
        channel = self._channel(call)
        if channel.thread is None:
            raise unknown("Channel")
        return channel

    def _reply(self, channel: Channel, status: int = 200) -> Reply:
        return Reply(self._state.channel_payload(channel, BOT_ID), status)
