"""The feed of a channel, thread or DM: everything that comes in there goes through one queue, in order.

What was missed is read before what comes in live, and joins the same queue.
"""

import asyncio
import logging
import math
import time
from collections import deque

from llmgine.errors import StoreError
from programs.discord.delivery.refusals import DeliveryRefusedError, MustWaitError, UnreachableError
from programs.discord.ids import Kind, Place
from programs.discord.incoming import feed_items
from programs.discord.incoming.feed_items import Covered, Created, Deleted, Edited, GivenUp, Item, from_read, name
from programs.discord.incoming.feed_state import FeedState, Missed
from programs.discord.incoming.history import Found, Reading
from programs.discord.incoming.read_queue import Rank
from programs.discord.incoming.shared import FeedsPhase, Shared

ACTIVE_SECONDS = 3600.0  # how long after its last message a place counts as active
MAX_ITEMS = 200  # of a queue, besides what was read; beyond it the place is read instead
_PATIENCE = 3  # tries to read, or to reach Discord for a message, before what comes after no longer waits for it

_log = logging.getLogger(__name__)


class Feed:
    """One place. It has a task only while it has something to do.

    Attributes:
        place: The place.
        state: What it is at.
        cursor: Up to where everything was looked at; None until that is known.
        is_stored: Whether the store has a cursor of it, perhaps an earlier one.
        activity: The newest message there that is known of; the newest is read first.
        heard_at: When somebody wrote; forgotten when something may have been missed since.
        looked_at: When all that may have been missed was last looked for. Both are seconds that never go back.
    """

    __slots__ = (
        "_failed_reads",
        "_failures",
        "_items",
        "_live_from",
        "_missed",
        "_reading",
        "_shared",
        "_task",
        "_timer",
        "activity",
        "cursor",
        "heard_at",
        "is_stored",
        "looked_at",
        "place",
        "state",
    )

    def __init__(self, place: Place, shared: Shared) -> None:
        self.place = place
        self.state = FeedState.UNKNOWN
        self.cursor: int | None = None
        self.is_stored = False
        self.activity = 0
        self.heard_at = -math.inf
        self.looked_at = -math.inf
        self._shared = shared
        self._missed = Missed.NOTHING
        self._items: deque[Item] | None = None  # made when there is one
        self._live_from = math.inf  # the first message that was told live and is not processed yet
        self._failed_reads = 0  # since the last that succeeded
        self._failures = 0  # of the first item
        self._reading: Reading | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_active(self) -> bool:
        """Whether somebody wrote lately, and nothing can have been missed since but what Discord lost."""
        return time.monotonic() - self.heard_at < ACTIVE_SECONDS

    @property
    def is_at_rest(self) -> bool:
        """Whether it has nothing to do, now or later, and the store knows all that it does."""
        waits = self._task is not None or self._timer is not None or bool(self._items) or bool(self._missed)
        return not waits and self.is_stored

    @property
    def may_read(self) -> bool:
        """Whether its history can be read."""
        return self._shared.history.may_read(self.place)

    @property
    def rank(self) -> Rank:
        """Which reads come before those of this place."""
        if self.activity > (self.cursor or 0):
            return Rank.NEWS
        return Rank.DM if self.place.is_dm else Rank.OTHER

    @property
    def first_live(self) -> float:
        """The first message in its queue that was told live; infinity without one."""
        return min((one.message.id for one in self._created() if not one.read), default=math.inf)

    def post(self, item: Created | Edited | Deleted) -> None:
        """Queue what was told live."""
        if self.state is FeedState.GONE or self._shared.phase is FeedsPhase.ENDING:
            return
        if isinstance(item, Created):
            self._live_from = min(self._live_from, item.message.id)
            if self._reading is not None:
                self._reading.live_from = self._live_from
        if self._items is None:
            self._items = deque()
        self._items.append(item)
        if len(self._items) > MAX_ITEMS and sum(not from_read(one) for one in self._items) > MAX_ITEMS:
            self._overflow()
        self.wake()

    def look_again(self, missed: Missed = Missed.MESSAGES) -> None:
        """Something may have been missed: read the place, once what is under way is done."""
        if missed is Missed.CHANGES:
            self.looked_at = time.monotonic()
        if self.state is FeedState.GONE or not self.may_read:
            return
        self._missed = max(self._missed, missed)
        self.wake()

    def gap(self) -> None:
        """Nothing was heard for a while: before the next live message the place is read, whatever failed before."""
        self.heard_at = -math.inf
        self._failed_reads = 0
        if self.state is FeedState.UNREADABLE:
            self._try_again()

    def start_at(self, cursor: int, *, stored: bool) -> None:
        """Where it reads on, unless that is known already: from a cursor that is `stored`, or that is not yet."""
        if self.cursor is None:
            self.cursor, self.is_stored = cursor, stored

    def is_at(self, place: Place) -> None:
        """The place as Discord tells of it now: it may have moved, or only its id was known."""
        says_more = self.place.kind is Kind.UNKNOWN and place.guild_id is not None
        if place.kind is not Kind.UNKNOWN or says_more:
            self.place = place

    def back(self) -> None:
        """The place is there, perhaps after it was not."""
        if self.state is FeedState.GONE:
            self.state = FeedState.UNKNOWN if self.cursor is None else FeedState.LIVE
        self.gap()
        self.wake()

    def gone(self) -> None:
        """The place is not there any more, or not at present."""
        self.state = FeedState.GONE
        self._missed, self._items, self._live_from = Missed.NOTHING, None, math.inf
        self._stop_timer()
        self._settle()

    def wake(self) -> None:
        """If there is something to do, do it: at once where people wait for it, else when it is its turn to be read."""
        if self._reading is not None and self._items:
            self._reading.hurry()
        if self._items:
            self.begin()
        elif self._missed and self._task is None and not self._halted and self.state is not FeedState.UNREADABLE:
            self.state = FeedState.BEHIND
            self._shared.busy(self)
            self._shared.reads.queue(self)

    def begin(self) -> bool:
        """Do what waited until now, if there is still something; whether a task was made for it."""
        if self._task is not None or self._halted or not (self._missed or self._items):
            return False
        self._shared.busy(self)
        self._task = asyncio.create_task(self._work())
        return True

    def end(self) -> asyncio.Task[None] | None:
        """The feeds are ending. A read is given up, for it changes nothing; gives the task if there is one."""
        self._stop_timer()
        if self._task is not None and self._reading is not None:
            self._task.cancel()
        return self._task

    @property
    def _halted(self) -> bool:
        """Whether nothing is to be done at present."""
        return self.state in (FeedState.BLOCKED, FeedState.GONE) or self._shared.phase is not FeedsPhase.LISTENING

    def _created(self) -> list[Created]:
        return [item for item in self._items or () if isinstance(item, Created)]

    def _overflow(self) -> None:
        """The queue is full: the place is read instead. Where it cannot be, what came last is lost."""
        if not self.may_read:
            if self._items:
                _log.error("%s is lost: the queue is full, and the channel cannot be read", name(self._items.pop()))
            return
        gone = [one for item in self._items or () if isinstance(item, Deleted) for one in item.message_ids]
        self._items = deque([Deleted(tuple(gone))] if gone else [])  # a read finds only those of the last hour
        self._missed = Missed.CHANGES

    async def _work(self) -> None:
        """Read what was missed and process what came in, until nothing is left or it has to wait."""
        try:
            while not self._halted:
                first = self._items[0] if self._items else None
                if first is not None and (not self._missed or from_read(first) or self.state is FeedState.UNREADABLE):
                    await self._process(first)
                elif self._missed and self.state is not FeedState.UNREADABLE:
                    await self._read()
                else:
                    break
        finally:
            self._task = None
            self._settle()

    def _settle(self) -> None:
        """Nothing is under way any more."""
        self._shared.reads.done(self)
        self._shared.done(self)
        self.wake()

    async def _read(self) -> None:
        """Read what was missed, and put it into the queue."""
        missed, self._missed = self._missed, Missed.NOTHING
        self._reading = self._shared.history.reading(urgent=bool(self._items), live_from=self._live_from)
        try:
            found = await self._find(self._reading, missed)
        except (StoreError, UnreachableError, DeliveryRefusedError) as error:
            _log.warning("Channel %d could not be read: %s", self.place.channel_id, error)
            self._read_failed(missed, error)
            if isinstance(error, DeliveryRefusedError) and (error.gone or error.no_message):
                self.gone()
                await self._shared.forget(self.place)
        except Exception as error:  # what Discord told cannot be understood; that must not make the place deaf
            _log.exception("Channel %d could not be read", self.place.channel_id)
            self._read_failed(missed, error)
        else:
            self._failed_reads = 0
            if self.state is not FeedState.GONE:
                self.state = FeedState.LIVE
                self._insert(found)
        finally:
            self._reading = None
            self._shared.reads.done(self)  # what was found is processed beside the next reads

    async def store_beginning(self) -> None:
        """Have the store know from where on the place is read. Raises StoreError where that cannot be stored."""
        cursors = self._shared.cursors
        if self.cursor is None:
            stored = (await cursors.at([self.place])).get(self.place.channel_id)
            cursor = await cursors.beginning(self.place, first_live=self.first_live) if stored is None else stored
            self.start_at(cursor, stored=stored is not None)
        if not self.is_stored:  # before the read, which may fail: the next process would begin after what is missed
            await cursors.move([(self.place, self.cursor or 0)])
            self.is_stored = True

    async def _find(self, reading: Reading, missed: Missed) -> Found | None:
        history = self._shared.history
        await self.store_beginning()
        known = await history.known(self.place) if missed is Missed.CHANGES else None
        if self.state is FeedState.GONE:
            return None
        self.state = FeedState.READING
        cursor = self.cursor or 0
        return await history.read(self.place, reading, cursor=cursor, until=self.first_live, known=known)

    def _insert(self, found: Found | None) -> None:
        """Put what was read before what was told live."""
        if found is None:
            return
        if found.position is not None and found.position <= (self.cursor or 0):
            found.position = None  # nothing is new
        self._items = feed_items.merged(self._items or (), found)
        if found.more:
            self._missed = max(self._missed, Missed.MESSAGES)

    def _read_failed(self, missed: Missed, error: Exception) -> None:
        self._failed_reads += 1
        if self.state is not FeedState.GONE:
            self._missed = max(self._missed, missed)
            # Where Discord says how long to wait, it is too long for those who wait for an answer.
            patient = self._failed_reads < _PATIENCE and not isinstance(error, MustWaitError)
            self.state = FeedState.BLOCKED if patient else FeedState.UNREADABLE
            self._wait(error, self._failed_reads)

    async def _process(self, item: Item) -> None:
        """Process the first item; it stays the first when that cannot be done now."""
        if self.state is not FeedState.UNREADABLE:
            self.state = FeedState.LIVE
        try:
            await self._handle(item)
        except (StoreError, UnreachableError) as error:
            level = logging.ERROR if isinstance(error, StoreError) else logging.WARNING
            _log.log(level, "%s is looked at again later: %s", name(item), error)
            self._failures += 1
            if self.state is not FeedState.GONE:
                self.state = FeedState.BLOCKED
                self._wait(error, self._failures)
            return
        except Exception:  # a fault in one must not keep the others from being processed
            _log.exception("%s could not be processed", name(item))
            if isinstance(item, Created):
                await self._shared.intake.unanswered.failed(item.message)
        self._failures = 0
        if self._items and self._items[0] is item:  # it may be gone, with the place or with a queue that was full
            self._items.popleft()
        if not self._missed:
            live = (one.message.id for one in self._created() if one.message.id >= self._live_from)
            self._live_from = min(live, default=math.inf)

    async def _handle(self, item: Item) -> None:
        intake, patient = self._shared.intake, self._failures < _PATIENCE
        match item:
            case Created(message, read):
                await intake.created(self.place, message, decided=read, patient=patient)
            case Edited(message, read):
                await intake.edited(self.place, message, missed=read, patient=patient)
            case Deleted(message_ids):
                await intake.deleted(message_ids)
            case GivenUp(message):
                await intake.given_up(message, patient=patient)
            case Covered(position):
                self.cursor = max(self.cursor or 0, position)
                await self._shared.cursors.move([(self.place, self.cursor)])
                self.is_stored = True

    def _wait(self, error: Exception, failures: int) -> None:
        """Try again after a while, the longer the more often it failed, or as long as Discord says."""
        self._stop_timer()
        if self._shared.phase is FeedsPhase.ENDING:
            return
        asked = error.seconds if isinstance(error, MustWaitError) else 0.0
        seconds = max(self._shared.wait(failures), asked)
        self._timer = asyncio.get_running_loop().call_later(seconds, self._try_again)

    def _try_again(self) -> None:
        self._stop_timer()
        self.state = FeedState.BEHIND if self._missed else FeedState.LIVE
        self.wake()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
