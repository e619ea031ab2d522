"""Pinned messages of a channel: list, pin, unpin."""

from datetime import datetime

from programs.playground.entities import BOT_ID, Json, Message, Permission
from programs.playground.errors import invalid_form
from programs.playground.pins import Pins
from programs.playground.snowflakes import iso, read_id
from programs.playground.state import State
from programs.playground.wire import NOTHING, Call, Reply, Routes

_PINS = "/channels/{channel_id}/messages/pins"
_MOST = 50


class PinRoutes:
    """The routes of pinned messages."""

    def __init__(self, state: State, pins: Pins) -> None:
        self._state = state
        self._pins = pins

    def routes(self) -> Routes:
        """Method, path and handler of each."""
        return [
            ("GET", _PINS, self.list),
            ("PUT", _PINS + "/{message_id}", self.pin),
            ("DELETE", _PINS + "/{message_id}", self.unpin),
        ]

    def list(self, call: Call) -> Reply:
        """Raises 50035 for a limit outside 1 to 50, or a `before` that is no time."""
        channel = self._state.channel(call.id("channel_id"), BOT_ID)
        limit = read_id(call.query.get("limit", str(_MOST))) or 0
        if not 1 <= limit <= _MOST:
            raise invalid_form((("limit",), "NUMBER_TYPE_MAX", f"int value should be between 1 and {_MOST}."))
        before = _time(call.query["before"]) if "before" in call.query else None
        found = self._pins.of(channel)
        if not self._state.permissions(BOT_ID, channel) & Permission.READ_MESSAGE_HISTORY:
            found = []
        older = [one for one in found if one.pinned_at and (before is None or one.pinned_at < before)]
        return Reply({"items": [self._item(one) for one in older[:limit]], "has_more": len(older) > limit})

    def _item(self, message: Message) -> Json:
        assert message.pinned_at is not None  # noqa: S101  only pinned ones are listed
        return {"pinned_at": iso(message.pinned_at), "message": self._state.message_payload(message, BOT_ID)}

    def pin(self, call: Call) -> Reply:
        """Pin a message. Raises 50013 where the bot may not."""
        channel = self._state.channel(call.id("channel_id"), BOT_ID)
        self._pins.pin(channel, self._state.message(channel, call.id("message_id"), BOT_ID), BOT_ID)
        return NOTHING

    def unpin(self, call: Call) -> Reply:
        """Unpin a message. Raises 50013 where the bot may not."""
        channel = self._state.channel(call.id("channel_id"), BOT_ID)
        self._pins.unpin(channel, self._state.message(channel, call.id("message_id"), BOT_ID), BOT_ID)
        return NOTHING


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as invalid:
        raise invalid_form((("before",), "DATETIME_TYPE_PARSE", "Could not parse it as a time.")) from invalid
    return at if at.tzinfo else at.astimezone()
