"""Lanes: each asynchronous handler sees the events of one session in order, and lanes do not wait for each other."""

import asyncio
import contextlib
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from contextvars import Context, ContextVar
from dataclasses import dataclass, field
from types import CoroutineType
from typing import cast

from llmgine.bus.failures import failure, name_of
from llmgine.messages.events import Event, HandlerFailedEvent
from llmgine.messages.message import CURRENT

DEPTH_WARNING = 1_000

# Events of a lane that are handled in one go if its handler never waits; then the other tasks get their turn.
_AT_ONCE = 250

_GRACE = 1.0  # seconds a cancelled handler has for its clean-up; then the bus continues without it

# The time limit is checked from outside, eight times within it: a timer for each event would cost more than the
# rest of its way through a lane.
_LOOKS = 8
_SHORTEST_LOOK, _LONGEST_LOOK = 0.002, 1.0  # seconds

_log = logging.getLogger(__name__)

# Set while a handler runs, so that waiting there for the bus to be idle can be refused instead of hanging.
handling: ContextVar[bool] = ContextVar("llmgine_handling", default=False)


@dataclass(frozen=True, eq=False)
class InlineHandler:
    """A `def` handler as it was registered; the same function may be registered twice."""

    call: Callable[[Event], object]


@dataclass(frozen=True, eq=False)
class AsyncHandler:
    """An `async def` handler as it was registered, and its lanes by session; `timeout` in seconds, None for none."""

    call: Callable[[Event], Awaitable[object]]
    timeout: float | None
    lanes: "dict[str | None, Lane]" = field(default_factory=dict)


class Lane:
    """The queue of one handler for one session; it exists while it has work.

    `seen` is the call that the watch last found running, since `seen_at`. `ending` says that its task was cancelled
    and ends with its present event: at `seen_at` for taking too long, or because the bus stops.
    """

    __slots__ = ("ending", "handler", "queue", "seen", "seen_at", "session_id", "task")

    def __init__(self, handler: AsyncHandler, session_id: str | None, queue: deque[Event]) -> None:
        self.handler = handler
        self.session_id = session_id
        self.queue = queue
        self.task: asyncio.Task[None] | None = None
        self.seen: object = None
        self.seen_at = 0.0
        self.ending = False


class Lanes:
    """All lanes of a bus.

    Args:
        report: Takes the `HandlerFailedEvent` of a handler that raised or took too long.
    """

    def __init__(self, report: Callable[[HandlerFailedEvent], None]) -> None:
        self._report = report
        self._lanes: set[Lane] = set()
        self._busy: Counter[str | None] = Counter()  # lanes by session
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context = Context()
        self._waiters: list[tuple[str | None, asyncio.Future[None]]] = []
        self._watch: asyncio.TimerHandle | None = None
        self._watch_within = 0.0  # seconds from its setting
        self._stuck: set[asyncio.Task[None]] = set()  # tasks that were given up
        self._abandoned = False

    def start(self, context: Context) -> None:
        """Start handling what is queued; handlers run in copies of `context`."""
        self._loop, self._context = asyncio.get_running_loop(), context
        for lane in self._lanes:
            self._run(lane)

    def put(self, handlers: Iterable[AsyncHandler], event: Event) -> None:
        """Queue an event for these handlers."""
        if self._abandoned:
            return
        session_id = event.session_id
        for handler in handlers:
            lane = handler.lanes.get(session_id)
            if lane is None:
                self._open(handler, event)
                continue
            queue = lane.queue
            queue.append(event)
            if len(queue) == DEPTH_WARNING:
                _log.warning("%s events are waiting for %s", DEPTH_WARNING, name_of(handler.call))

    def _open(self, handler: AsyncHandler, event: Event) -> None:
        """Make the lane of an event that found none."""
        lane = handler.lanes[event.session_id] = Lane(handler, event.session_id, deque([event]))
        self._lanes.add(lane)
        self._busy[event.session_id] += 1
        self._run(lane)

    def _run(self, lane: Lane) -> None:
        if self._loop is not None:
            lane.task = self._loop.create_task(self._work(lane), context=self._context.copy())
            if lane.handler.timeout is not None:
                self._look_within(self._loop, lane.handler.timeout)

    async def _work(self, lane: Lane) -> None:
        """Handle the events of a lane, or a part of them."""
        handling.set(True)
        call, queue, enter = lane.handler.call, lane.queue, CURRENT.set
        try:
            for _ in range(_AT_ONCE):
                event = queue[0]
                enter(event)
                try:
                    await call(event)
                except Exception as error:  # a handler's failure must not silence the lane
                    if not lane.ending:
                        failure(self._report, call, event, repr(error), error)
                if lane.ending:
                    break
                queue.popleft()
                if not queue:
                    break
        except BaseException as error:  # it ends this task, not the lane
            self._interrupt(lane, error)
            if not isinstance(error, asyncio.CancelledError):
                raise
        finally:
            self._leave(lane)

    def _interrupt(self, lane: Lane, error: BaseException) -> None:
        """Remove an event on which a handler was cancelled, or the program ended, so that it does not come again."""
        if isinstance(error, GeneratorExit):  # the loop was closed without `stop`: there is nothing to continue with
            self._abandoned = True
        elif not lane.ending:
            what = "cancelled itself" if isinstance(error, asyncio.CancelledError) else repr(error)
            failure(self._report, lane.handler.call, lane.queue.popleft(), what)

    def _leave(self, lane: Lane) -> None:
        """End a lane's task: remove an empty lane, continue with what is left in a new task."""
        if self._abandoned or lane not in self._lanes:
            return
        if lane.ending:
            lane.ending = False
            failure(self._report, lane.handler.call, lane.queue.popleft(), _too_long(lane))
        self._go_on(lane)

    def _go_on(self, lane: Lane) -> None:
        if lane.queue:
            self._run(lane)
        else:
            self._remove(lane)

    def _give_up(self, lane: Lane, task: asyncio.Task[None]) -> None:
        """Continue without a handler that hangs although it was cancelled: its task keeps the lane, not the queue."""
        self._stuck.add(task)
        task.add_done_callback(self._stuck.discard)
        event = lane.queue.popleft()
        heir = lane.handler.lanes[lane.session_id] = Lane(lane.handler, lane.session_id, lane.queue)
        self._lanes.remove(lane)
        self._lanes.add(heir)
        failure(self._report, lane.handler.call, event, f"{_too_long(lane)} and still runs although it was cancelled")
        self._go_on(heir)

    def _remove(self, lane: Lane) -> None:
        session_id = lane.session_id
        self._lanes.discard(lane)
        lane.handler.lanes.pop(session_id, None)
        self._busy[session_id] -= 1
        if not self._busy[session_id]:
            del self._busy[session_id]
            self._wake()

    def _look_within(self, loop: asyncio.AbstractEventLoop, limit: float) -> None:
        """Make the next check of the lanes early enough for a handler with this time limit."""
        look = min(max(limit / _LOOKS, _SHORTEST_LOOK), _LONGEST_LOOK)
        if self._watch is None or self._watch_within > look:
            if self._watch is not None:
                self._watch.cancel()
            self._watch, self._watch_within = loop.call_later(look, self._look, loop), look

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancel the handlers that have spent longer than their limit on one event."""
        self._watch = None
        now = loop.time()
        for lane in list(self._lanes):
            limit, task = lane.handler.timeout, lane.task
            if limit is None or task is None:
                continue
            if lane.ending:
                if now - lane.seen_at >= _GRACE:
                    self._give_up(lane, task)
            else:
                # What the task awaits is one call of the handler, though the same event may come again.
                call = cast("CoroutineType[None, None, None]", task.get_coro()).cr_await
                if call is None or call is not lane.seen:
                    lane.seen, lane.seen_at = call, now
                elif now - lane.seen_at >= limit:
                    lane.ending, lane.seen_at = True, now
                    task.cancel()
            self._look_within(loop, limit)

    @property
    def inside(self) -> bool:
        """Whether the running task is a lane's."""
        task = asyncio.current_task()
        return handling.get() and (task in self._stuck or any(lane.task is task for lane in self._lanes))

    @property
    def queued(self) -> int:
        """How many events are queued or being handled."""
        return sum(len(lane.queue) for lane in self._lanes)

    def left(self) -> dict[str, int]:
        """How many events wait or are being handled, by the name of their handler."""
        counts: Counter[str] = Counter()
        for lane in self._lanes:
            counts[name_of(lane.handler.call)] += len(lane.queue)
        return dict(counts)

    def is_idle(self, session_id: str | None) -> bool:
        """Whether nothing is queued, in all sessions (None) or in one."""
        return not self._lanes if session_id is None else session_id not in self._busy

    async def wait_until_idle(self, session_id: str | None) -> None:
        """Return at the next moment when nothing is queued."""
        while not self.is_idle(session_id):
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append((session_id, waiter))
            try:
                await waiter
            finally:
                with contextlib.suppress(ValueError):
                    self._waiters.remove((session_id, waiter))

    def _wake(self) -> None:
        for session_id, waiter in self._waiters:
            if not waiter.done() and self.is_idle(session_id):
                waiter.set_result(None)

    async def abandon(self) -> None:
        """Cancel what still runs and drop what waits; a handler that does not end is left alone."""
        self._abandoned = True
        if self._watch is not None:
            self._watch.cancel()
        for lane in self._lanes:
            lane.ending = True
        tasks = [*self._stuck, *(lane.task for lane in self._lanes if lane.task)]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE)
        for lane in self._lanes:
            lane.handler.lanes.clear()
        self._lanes.clear()
        self._busy.clear()
        self._wake()


def _too_long(lane: Lane) -> str:
    return f"took longer than {lane.handler.timeout or 0:g} s"
