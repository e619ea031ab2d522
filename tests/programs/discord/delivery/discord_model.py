"""A Discord of one channel, as far as the delivery sees it: messages, nonces, refusals, and requests that get lost."""

from collections.abc import Callable
from dataclasses import dataclass, field

from programs.discord.components.button_layout import buttons_of
from programs.discord.delivery.bodies import Body
from programs.discord.delivery.read_back import Seen
from programs.discord.delivery.refusals import UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, DeliveryRefusedError
from programs.discord.delivery.request_results import Done, Found, Refused, Result, Shut

NO_ACCESS, NO_PERMISSION, NO_HISTORY, TOO_OLD = 50001, 50013, 160002, 30046
REMEMBERED = 180.0  # seconds for which a nonce is remembered in any case, and not longer
HOUR = 3_600.0
LANDS_WITHIN = 40.0  # seconds in which a request that was cut off arrives, if it does

Nonce = tuple[str, int]  # a turn, and the number of the post


@dataclass(eq=False)
class Message:
    """A message in the channel; `turn_id` is the turn it shows, empty for what people write."""

    id: int
    body: Body
    posted_at: float
    turn_id: str = ""
    nonce: Nonce | None = None
    reply_to: int | None = None
    is_deleted: bool = False
    takes_no_edits: bool = False


@dataclass
class SimulatedDiscord:
    """One channel.

    Attributes:
        now: Seconds that never go back.
        may_write: Whether the bot may post.
        may_view: Whether it may see the channel at all.
        may_read: Whether it may read what was said before.
        is_gone: Whether the channel was deleted.
        late: Requests that were cut off and still arrive, and when, the first one first.
    """

    now: float = 10_000.0
    may_write: bool = True
    may_view: bool = True
    may_read: bool = True
    is_gone: bool = False
    messages: list[Message] = field(default_factory=list)
    late: list[tuple[float, Callable[[], object]]] = field(default_factory=list)

    @property
    def old_before(self) -> int:
        """The id before which messages are more than an hour old."""
        return self._first_id(self.now - HOUR)

    def land(self) -> None:
        """What was cut off arrives now: a later reading of the channel sees it."""
        while self.late:
            self.late.pop(0)[1]()

    def pass_time(self, seconds: float) -> None:
        """Time passes, and what was cut off arrives meanwhile."""
        end = self.now + seconds
        while self.late and self.late[0][0] <= end:
            self.now, request = self.late.pop(0)
            request()
        self.now = end

    def say(self) -> int:
        """A person writes; returns the message's id."""
        return self._add({"content": "a question"}).id

    def post(self, body: Body, nonce: Nonce, reply_to: int | None) -> Result:
        """Create a message, or return the one that the nonce made."""
        if self.is_gone:
            return _refused(UNKNOWN_CHANNEL)
        if not (self.may_view and self.may_write):
            return Shut(NO_PERMISSION if self.may_view else NO_ACCESS)
        if reply_to is not None and not self.may_read:
            return _refused(NO_HISTORY)
        forgotten = self.now - REMEMBERED
        for message in self.messages:
            if message.nonce == nonce and message.posted_at >= forgotten:
                return _refused(UNKNOWN_MESSAGE) if message.is_deleted else Done(message.id, shown=message.body == body)
        message = self._add(body)
        message.turn_id, message.nonce, message.reply_to = nonce[0], nonce, reply_to
        return Done(message.id)

    def edit(self, message_id: int, body: Body, turn_id: str) -> Result:
        """Change a message, which shows this turn from here on."""
        message = self._reachable(message_id)
        if not isinstance(message, Message):
            return message
        if message.takes_no_edits:
            return _refused(TOO_OLD)
        message.body, message.turn_id = body, turn_id
        return Done(message_id)

    def delete(self, message_id: int) -> Result:
        """Delete a message."""
        message = self._reachable(message_id)
        if not isinstance(message, Message):
            return message
        message.is_deleted = True
        return Done()

    def freeze(self, message_id: int) -> None:
        """Take no more edits of a message."""
        for message in self.messages:
            message.takes_no_edits |= message.id == message_id

    def read(self, question: int) -> Result | list[Seen]:
        """The bot's messages after a question; what was cut off before has arrived."""
        self.land()
        if self.is_gone:
            return _refused(UNKNOWN_CHANNEL)
        if not self.may_view:
            return Shut(NO_ACCESS)
        return [_seen(one) for one in self.visible() if one.id > question] if self.may_read else Found(None)

    def visible(self) -> list[Message]:
        """The bot's messages that are there, from top to bottom."""
        return [one for one in self.messages if one.nonce is not None and not one.is_deleted]

    def posted_at(self, message_id: int) -> float:
        """When a message was posted."""
        return next(one.posted_at for one in self.messages if one.id == message_id)

    def last_id(self) -> int:
        """The id of the newest message that there ever was."""
        return self.messages[-1].id if self.messages else 0

    def _add(self, body: Body) -> Message:
        message = Message(max(self._first_id(self.now), self.last_id() + 1), body, self.now)
        self.messages.append(message)
        return message

    def _reachable(self, message_id: int) -> Message | Result:
        if self.is_gone:
            return _refused(UNKNOWN_CHANNEL)
        if not self.may_view:
            return Shut(NO_ACCESS)
        found = next((one for one in self.messages if one.id == message_id and not one.is_deleted), None)
        return found or _refused(UNKNOWN_MESSAGE)

    def _first_id(self, moment: float) -> int:
        return int(max(moment, 0.0) * 1_000) << 8


def _seen(message: Message) -> Seen:
    buttons = (str(one["custom_id"]) for one in buttons_of(message.body) if isinstance(one, dict))
    return Seen(message.id, message.reply_to, tuple(buttons))


def _refused(code: int) -> Refused:
    return Refused(DeliveryRefusedError(code, "refused"))
