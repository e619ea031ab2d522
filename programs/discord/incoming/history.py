"""Reading what was missed in a place: new messages, edits and deletions, by one read of its history."""

import math
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import discord

from llmgine.sessions import SessionStore
from programs.discord.delivery.poster import PAGE, Channel, Poster
from programs.discord.delivery.refusals import UnreachableError
from programs.discord.ids import SOURCE, Kind, Place
from programs.discord.incoming.intake import Intake, News
from programs.discord.rate_limiter import Importance, Ticket, paid_by


@dataclass(frozen=True)
class Bounds:
    """How much of what was missed is answered in a place; what is older or more gets one notice.

    Attributes:
        seconds: How old a message may be. Edits and deletions of questions are looked for as far back.
        turns: How many messages are answered.
    """

    seconds: float = 3600.0
    turns: int = 10


@dataclass
class Found:
    """What a read found.

    Attributes:
        edited: Answered messages that were edited at some time.
        deleted: The ids of messages that were known and are gone.
        given_up: The last of the messages that are not answered, as they are too old or too many.
        new: The messages to answer, the oldest first.
        seen: The ids of all messages that were looked at.
        position: Up to where everything was looked at; None when nothing was.
        more: Whether there is more after that, as there are too many messages for one read.
    """

    edited: list[discord.Message] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)
    given_up: discord.Message | None = None
    new: list[discord.Message] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    position: int | None = None
    more: bool = False


class Known(NamedTuple):
    """Messages of a place that are known of lately: questions, and others that were read as what was before these."""

    questions: Collection[int] = ()
    others: Collection[int] = ()


class Reading:
    """One read. While it is under way somebody may begin to wait for it, and messages of its place may be heard.

    Attributes:
        live_from: Messages from here on were told live, so none of them is too many.
    """

    def __init__(self, poster: Poster, *, urgent: bool, live_from: float = math.inf) -> None:
        self.live_from = live_from
        self._poster = poster
        self._importance = Importance.FIRST if urgent else Importance.BACKGROUND
        self._ticket: Ticket | None = None

    def hurry(self) -> None:
        """Somebody waits for it now."""
        self._importance = Importance.FIRST
        if self._ticket is not None:
            self._poster.limiter.hurry(self._ticket)

    async def page(self, channel: Channel, after: int) -> list[discord.Message] | None:
        """See `Poster.page`."""
        with paid_by(await self._paid()):
            return await self._poster.page(channel, after=after)

    async def is_gone(self, channel: Channel, message_id: int) -> bool:
        """See `Poster.is_gone`."""
        with paid_by(await self._paid()):
            return await self._poster.is_gone(channel, message_id)

    async def _paid(self) -> Ticket:
        self._ticket = self._poster.limiter.ticket(self._importance)
        await self._ticket.called  # here, as waiting for others is no part of the time a request may take
        return self._ticket


class _Sorting:
    """Sorts what one read brings, page by page."""

    def __init__(self, reading: Reading, cursor: int, window: int, turns: int) -> None:
        self._reading = reading
        self._cursor = cursor
        self._window = window
        self._turns = turns
        self._found = Found()
        self._old = deque[discord.Message](maxlen=1)  # the last that is too old, or was one too many
        self._new = deque[discord.Message]()
        self._replies: list[tuple[int | None, discord.abc.User]] = []  # to which message, by whom

    def add(self, page: list[discord.Message], news: News) -> None:
        """The next page, and what is to be done about its messages."""
        self._found.seen |= {message.id for message in page}
        self._replies += [(m.reference.message_id, m.author) for m in page if m.reference is not None]
        self._found.edited += news.edited
        for message in news.new:
            if message.id > self._cursor:
                (self._new if message.id >= self._window else self._old).append(message)
        self._give_up()

    def _give_up(self) -> None:
        late = sum(message.id < self._reading.live_from for message in self._new)
        for _ in range(late - self._turns):
            self._old.append(self._new.popleft())

    @property
    def is_full(self) -> bool:
        """Whether so many messages that were told live are here that they are processed before more is read."""
        return sum(message.id >= self._reading.live_from for message in self._new) >= PAGE

    def result(self, me: discord.abc.User | None) -> Found:
        """What was found, up to the last page."""
        found = self._found
        self._give_up()
        replied_to = {message_id for message_id, author in self._replies if author == me}
        found.position = max(found.seen, default=None)
        found.new = [message for message in self._new if message.id not in replied_to]
        # A process that died over it may have told already.
        found.given_up = next((message for message in self._old if message.id not in replied_to), None)
        return found


class History:
    """Reads the histories of places.

    Args:
        clock: Seconds since 1970, to tell a message's age from its id.
    """

    def __init__(
        self,
        client: discord.Client,
        store: SessionStore,
        poster: Poster,
        intake: Intake,
        *,
        bounds: Bounds | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._store = store
        self._poster = poster
        self._intake = intake
        self._bounds = bounds or Bounds()
        self._clock = clock

    def may_read(self, place: Place) -> bool:
        """Whether its history can be read: not where the bot may not, serves nobody, or its kind is not known."""
        if not self._intake.decisions.access.covers(place):
            return False
        if place.kind is Kind.UNKNOWN or place.is_dm:
            return place.is_dm
        # Of an archived thread discord.py knows nothing; its permissions are those of its channel.
        known = self._client.get_channel(place.channel_id) is not None or place.parent_id is None
        return self._poster.permissions.may_read_back(place.channel_id if known else place.parent_id or 0)

    def reading(self, *, urgent: bool, live_from: float) -> Reading:
        """A read that has not begun; `urgent` when somebody waits for it."""
        return Reading(self._poster, urgent=urgent, live_from=live_from)

    @property
    def since(self) -> int:
        """When what is too old ends, in microseconds since 1970."""
        return int((self._clock() - self._bounds.seconds) * 1_000_000)

    async def known(self, place: Place) -> Known:
        """The messages of a place whose edits and deletions are looked for: those that were admitted or read lately.

        Raises:
            StoreError: They cannot be looked up.
        """
        found, others = await self._store.context_messages.lately(SOURCE, str(place.channel_id), self.since)
        # What is no number is no message: a button that asked.
        return Known([int(one) for one in found if one.isdecimal()], [int(one) for one in others])

    async def read(
        self, place: Place, reading: Reading, *, cursor: int, until: float = math.inf, known: Known | None = None
    ) -> Found | None:
        """Read a place from its cursor on, and from the oldest of the messages that are known on.

        Args:
            place: The place.
            reading: This read.
            cursor: New are messages after this one.
            until: Where to end: the first message that was told live.
            known: Messages whose deletions are looked for, and edits of questions.

        Returns:
            What was found; None where the bot may not read.

        Raises:
            DeliveryRefusedError: Discord refuses it, for instance because the place is gone.
            StoreError: What is to be done about a message cannot be looked up.
            UnreachableError: Discord cannot be reached, or what it answers makes no sense.
        """
        window = _snowflake(self._clock() - self._bounds.seconds)
        known = known or Known()
        asked = {one for one in known.questions if window <= one < until}
        wanted = asked | {one for one in known.others if window <= one < until}
        sorting = _Sorting(reading, cursor, window, self._bounds.turns)
        after = min([cursor, *(one - 1 for one in wanted)])
        while after + 1 < until:
            read = await reading.page(self._channel(place), after)
            if read is None:
                return None
            page = [message for message in read if message.id < until]
            sorting.add(page, await self._intake.news(place, [m for m in page if m.id > cursor or m.id in asked]))
            if len(page) < PAGE:
                break
            last = max(message.id for message in page)
            if last <= after:
                raise UnreachableError("Discord answers with the same messages again")
            after = max(last, window)  # of what is too old the first page is enough
            if sorting.is_full:
                found = sorting.result(self._client.user)
                found.more = True
                return found
        found = sorting.result(self._client.user)
        if not math.isinf(until):
            found.position = int(until) - 1
        found.deleted = await self._deleted(place, reading, wanted - found.seen, sure=bool(found.seen))
        return found

    async def _deleted(self, place: Place, reading: Reading, missing: set[int], *, sure: bool) -> list[int]:
        """Which of the messages that are known and were not read are gone.

        Where nothing at all was read that is not sure: Discord answers so, too, where the bot may not read.
        """
        new = sorted(one for one in missing if not self._intake.decisions.is_deleted(one))
        return [one for one in new if sure or await reading.is_gone(self._channel(place), one)]

    def _channel(self, place: Place) -> Channel:
        known = self._client.get_channel(place.channel_id)
        return known if isinstance(known, Channel) else place.partial(self._client)


def _snowflake(seconds: float) -> int:
    return discord.utils.time_snowflake(datetime.fromtimestamp(seconds, UTC))
