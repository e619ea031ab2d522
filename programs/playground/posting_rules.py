"""Whether a message may be written where it is meant to go: permissions, slowmode, locks, closed DMs, old edits."""

from collections import deque
from datetime import timedelta

from programs.playground.entities import BOT_ID, Channel, ChannelType, Message, Permission
from programs.playground.errors import ApiError, locked_thread, missing_permissions, slowmode
from programs.playground.forms import FORWARD, MessageForm
from programs.playground.rules import Rules, Window
from programs.playground.snowflakes import moment
from programs.playground.state import State

_OLD = timedelta(hours=1)


class PostingRules:
    """Decides whether a message may be written or changed: place, permissions, slowmode.

    Args:
        state: What there is.
        old_edits: How many edits of messages over an hour old a channel takes.
    """

    def __init__(self, state: State, old_edits: Window = Rules.old_edits) -> None:
        self._state = state
        self._old_edits = old_edits
        self._sent: dict[tuple[int, int], float] = {}  # when each author last wrote in each channel with slowmode
        self._edited: dict[int, deque[float]] = {}  # when old messages of each channel were edited

    def require(self, channel: Channel, author_id: int, form: MessageForm, *, with_files: bool) -> None:
        """Raises 50007, 50008, 50013, 160002, 160005 and 20016."""
        self._require_place(channel, author_id)
        allowed = self._state.permissions(author_id, channel)
        in_thread = channel.thread is not None
        needed = Permission.SEND_MESSAGES_IN_THREADS if in_thread else Permission.SEND_MESSAGES
        if with_files:
            needed |= Permission.ATTACH_FILES
        embeds_alone = form.embeds and not (form.content or with_files or form.components)
        if embeds_alone:  # nothing would be left of it
            needed |= Permission.EMBED_LINKS
        if needed & ~allowed:
            raise missing_permissions()
        replies = form.message_reference is not None and form.message_reference.type != FORWARD
        if replies and not allowed & Permission.READ_MESSAGE_HISTORY:
            raise ApiError(403, 160002, "Cannot reply without permission to read message history")
        if channel.thread is not None and channel.thread.locked and not allowed & Permission.MANAGE_THREADS:
            raise locked_thread()
        if channel.slowmode and not allowed & Permission.BYPASS_SLOWMODE:
            left = self._sent.get((channel.id, author_id), -1e9) + channel.slowmode - self._now()
            if left > 0:
                raise slowmode(left)

    def _require_place(self, channel: Channel, author_id: int) -> None:
        if channel.type in (ChannelType.FORUM, ChannelType.CATEGORY):
            raise ApiError(400, 50008, "Cannot send messages in a non-text channel")
        person = self._state.users.get(channel.recipient_id or 0)
        if author_id == BOT_ID and person is not None and person.dms_closed:
            raise ApiError(403, 50007, "Cannot send messages to this user")

    def sent(self, channel: Channel, author_id: int) -> None:
        """A message was written: the author's slowmode begins."""
        if channel.slowmode:
            self._sent[channel.id, author_id] = self._now()

    def require_edit(self, message: Message) -> None:
        """Raises 30046 for one edit too many of messages over an hour old."""
        now = self._state.ids.now()
        if now - moment(message.id) <= _OLD:
            return
        edited = self._edited.setdefault(message.channel_id, deque())
        while edited and now.timestamp() - edited[0] >= self._old_edits.seconds:
            edited.popleft()
        if len(edited) >= self._old_edits.limit:
            words = "Maximum number of edits to messages older than 1 hour reached. Try again later"
            left = edited[0] + self._old_edits.seconds - now.timestamp()
            raise ApiError(429, 30046, words, retry_after=left)
        edited.append(now.timestamp())

    def may_embed(self, message: Message) -> bool:
        """Whether the author may embed links, so that previews are made of them."""
        return self._may(message, Permission.EMBED_LINKS)

    def may_ping_everyone(self, message: Message) -> bool:
        """Whether the author may ping @everyone and all roles."""
        return self._may(message, Permission.MENTION_EVERYONE)

    def _may(self, message: Message, needed: Permission) -> bool:
        if message.webhook is not None:  # which has no roles, and may do this
            return True
        return bool(self._state.permissions(message.author_id, self._state.channels[message.channel_id]) & needed)

    def _now(self) -> float:
        return self._state.ids.now().timestamp()
