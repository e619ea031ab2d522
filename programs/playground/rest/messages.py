"""Messages of a channel: list, create, edit, delete."""

from datetime import timedelta

from programs.playground.entities import BOT_ID, Channel, Message, Permission
from programs.playground.errors import ApiError, invalid_form, unknown
from programs.playground.forms import BulkDelete, MessageForm
from programs.playground.posting import Posting
from programs.playground.snowflakes import moment, read_id
from programs.playground.state import State
from programs.playground.wire import NOTHING, Call, Reply, Routes

_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = _MESSAGES + "/{message_id}"
_BULK_AGE = timedelta(days=14)


class MessageRoutes:
    """The routes of messages."""

    def __init__(self, state: State, posting: Posting) -> None:
        self._state = state
        self._posting = posting

    def routes(self) -> Routes:
        """Method, path and handler of each."""
        return [
            ("GET", _MESSAGES, self.list),
            ("POST", _MESSAGES, self.create),
            ("POST", _MESSAGES + "/bulk-delete", self.bulk_delete),
            ("GET", _MESSAGE, self.get),
            ("PATCH", _MESSAGE, self.edit),
            ("DELETE", _MESSAGE, self.delete),
        ]

    def list(self, call: Call) -> Reply:
        """Messages of a channel; none where the bot may not read the history."""
        channel = self._state.channel(call.id("channel_id"), BOT_ID)
        found = page(channel, call, viewer=BOT_ID)
        if not self._state.permissions(BOT_ID, channel) & Permission.READ_MESSAGE_HISTORY:
            found = []
        return Reply([self._state.message_payload(message, BOT_ID) for message in found])

    def create(self, call: Call) -> Reply:
        """Write a message."""
        channel = self._state.channel(call.id("channel_id"), BOT_ID)
        message = self._posting.create(channel, BOT_ID, call.form(MessageForm), call.files)
        return Reply(self._state.message_payload(message, BOT_ID))

    def get(self, call: Call) -> Reply:
        """A message. Raises 10008 where there is none, 50013 where the bot may not read the history."""
        channel, message = self._find(call)
        self._state.require(BOT_ID, channel, Permission.READ_MESSAGE_HISTORY)
        return Reply(self._state.message_payload(message, BOT_ID))

    def edit(self, call: Call) -> Reply:
        """Edit a message of the bot's own. Raises 50005 for another's."""
        _, message = self._find(call)
        if message.author_id != BOT_ID:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        self._posting.edit(message, call.form(MessageForm), call.files)
        return Reply(self._state.message_payload(message, BOT_ID))

    def delete(self, call: Call) -> Reply:
        """Delete a message. Raises 50013 for another's where the bot may not, 50083 in an archived thread."""
        channel, message = self._find(call)
        if message.author_id != BOT_ID:
            self._state.require(BOT_ID, channel, Permission.MANAGE_MESSAGES)
        self._posting.require_open(channel)
        self._state.delete_message(message)
        return NOTHING

    def bulk_delete(self, call: Call) -> Reply:
        """Raises 50034 when one is older than two weeks; those already gone are passed over."""
        channel = self._state.channel(call.id("channel_id"), BOT_ID)
        ids = call.form(BulkDelete).messages
        self._state.require(BOT_ID, channel, Permission.MANAGE_MESSAGES)
        if any(moment(one) < self._state.ids.now() - _BULK_AGE for one in ids):
            raise ApiError(400, 50034, "You can only bulk delete messages that are under 14 days old.")
        self._state.delete_messages([channel.messages[one] for one in ids if one in channel.messages])
        return NOTHING

    def _find(self, call: Call) -> tuple[Channel, Message]:
        channel = self._state.channel(call.id("channel_id"), BOT_ID)
        message = self._state.message(channel, call.id("message_id"), BOT_ID)
        if message.ephemeral_to is not None:
            raise unknown("Message")
        return channel, message


def page(channel: Channel, call: Call, *, viewer: int) -> list[Message]:
    """A page of a channel's messages, newest first: `before`, `after` or `around` an id, at most `limit`.

    Raises 50035 for a limit outside 1 to 100.
    """
    limit = _number(call, "limit", 50)
    if not 1 <= limit <= 100:
        kind, words = ("MIN", "greater than or equal to 1") if limit < 1 else ("MAX", "less than or equal to 100")
        raise invalid_form((("limit",), f"NUMBER_TYPE_{kind}", f"int value should be {words}."))
    ids = [one.id for one in channel.messages.values() if one.ephemeral_to in (None, viewer)]
    before, after, around = (_number(call, name, 0) for name in ("before", "after", "around"))
    if "after" in call.query:
        ids = [one for one in ids if one > after][:limit]
    elif "around" in call.query:
        older = [one for one in ids if one < around][-(limit // 2) :] if limit > 1 else []
        ids = older + [one for one in ids if one >= around][: limit - len(older)]
    else:
        ids = [one for one in ids if not before or one < before][-limit:]
    return [channel.messages[one] for one in reversed(ids)]


def _number(call: Call, name: str, default: int) -> int:
    if name not in call.query:
        return default
    number = read_id(call.query[name])
    if number is None:
        raise invalid_form(((name,), "NUMBER_TYPE_COERCE", f'Value "{call.query[name][:40]}" is not int.'))
    return number
