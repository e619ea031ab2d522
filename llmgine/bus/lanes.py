"""Lanes: each asynchronous handler sees the events of one session in order, and nobody waits for anybody else."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import Context, ContextVar
from dataclasses import dataclass

from llmgine.messages.events import Event, HandlerFailedEvent
from llmgine.messages.message import inside

DEPTH_WARNING = 1_000

_GRACE = 1.0  # seconds a cancelled handler has for its clean-up before the bus stops without it

_log = logging.getLogger(__name__)

# Set while a handler runs, so that waiting there for the bus to be idle can be refused instead of hanging.
handling: ContextVar[bool] = ContextVar("llmgine_handling", default=False)


def name_of(handler: object) -> str:
    """A handler's name for logs: `module.function`."""
    name = getattr(handler, "__qualname__", None) or type(handler).__qualname__
    return f"{getattr(handler, '__module__', '?')}.{name}"


@dataclass(frozen=True, eq=False)
class InlineHandler:
    """A `def` handler as it was registered; the same function may be registered twice."""

    call: Callable[[Event], object]


@dataclass(frozen=True, eq=False)
class AsyncHandler:
    """An `async def` handler as it was registered; `timeout` in seconds, None for no limit."""

    call: Callable[[Event], Awaitable[object]]
    timeout: float | None


class Lane:
    """The queue of one handler for one session; it lives while it has work."""

    __slots__ = ("queue", "task")

    def __init__(self) -> None:
        self.queue: deque[Event] = deque()
        self.task: asyncio.Task[None] | None = None


class Lanes:
    """All lanes of a bus.

    Args:
        report: Takes the `HandlerFailedEvent` of a handler that raised or took too long.
    """

    def __init__(self, report: Callable[[HandlerFailedEvent], None]) -> None:
        self._report = report
        self._lanes: dict[tuple[AsyncHandler, str | None], Lane] = {}
        self._context: Context | None = None
        self._waiters: list[tuple[str | None, asyncio.Future[None]]] = []
        self._abandoned = False

    def start(self, context: Context) -> None:
        """Begin to work off what is queued; handlers run in copies of `context`."""
        self._context = context
        for key, lane in self._lanes.items():
            self._run(key, lane)

    def put(self, handler: AsyncHandler, event: Event) -> None:
        """Queue an event for a handler."""
        if self._abandoned:
            return
        key = (handler, event.session_id)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane()
            lane.queue.append(event)
            self._run(key, lane)
        else:
            lane.queue.append(event)
            if len(lane.queue) == DEPTH_WARNING:
                _log.warning("%s events wait for %s", DEPTH_WARNING, name_of(handler.call))

    def _run(self, key: tuple[AsyncHandler, str | None], lane: Lane) -> None:
        if self._context is not None:
            work = self._work(key, lane)
            lane.task = asyncio.get_running_loop().create_task(work, context=self._context.copy())

    async def _work(self, key: tuple[AsyncHandler, str | None], lane: Lane) -> None:
        """Work off a lane, and remove it when it is empty."""
        handling.set(True)
        handler, queue = key[0], lane.queue
        try:
            while queue and not self._abandoned:
                event = queue[0]
                with inside(event.trace_id, event.span_id):
                    await self._step(handler, event)
                queue.popleft()
        except asyncio.CancelledError:
            if self._abandoned:
                raise
            self._failed(handler, queue.popleft(), "cancelled its own task")
        finally:
            if not queue:
                self._lanes.pop(key, None)
                self._wake()
            elif not self._abandoned:
                self._run(key, lane)

    async def _step(self, handler: AsyncHandler, event: Event) -> None:
        """Run one handler on one event. What goes wrong is reported; only `stop()` ends the lane."""
        deadline = asyncio.timeout(handler.timeout)
        try:
            async with deadline:
                await handler.call(event)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            self._failed(handler, event, "cancelled itself")
        except Exception as error:  # a handler's failure must not silence the lane
            late = isinstance(error, TimeoutError) and deadline.expired()
            self._failed(handler, event, f"took longer than {handler.timeout:g} s" if late else repr(error), error)

    def _failed(self, handler: AsyncHandler, event: Event, what: str, error: Exception | None = None) -> None:
        failure(self._report, handler.call, event, what, error)

    @property
    def inside(self) -> bool:
        """Whether the running task is a lane's."""
        return any(lane.task is asyncio.current_task() for lane in self._lanes.values())

    @property
    def queued(self) -> int:
        """How many events are queued or being handled."""
        return sum(len(lane.queue) for lane in self._lanes.values())

    def left(self) -> dict[str, int]:
        """How many events wait or are being handled, by the name of their handler."""
        counts: dict[str, int] = {}
        for (handler, _), lane in self._lanes.items():
            name = name_of(handler.call)
            counts[name] = counts.get(name, 0) + len(lane.queue)
        return counts

    def is_idle(self, session_id: str | None) -> bool:
        """Whether nothing is queued, in all sessions (None) or in one."""
        if session_id is None:
            return not self._lanes
        return all(key[1] != session_id for key in self._lanes)

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
        """Cancel what still runs and drop what waits; a handler that will not end is left to itself."""
        self._abandoned = True
        tasks = [lane.task for lane in self._lanes.values() if lane.task]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE)
        self._lanes.clear()
        self._wake()


def failure(
    report: Callable[[HandlerFailedEvent], None],
    handler: object,
    event: Event,
    what: str,
    error: Exception | None = None,
) -> None:
    """Log and report a handler's failure. Failures to handle a failure are only logged, or they would never end."""
    _log.error("%s failed on %s: %s", name_of(handler), type(event).__name__, what, exc_info=error)
    if not isinstance(event, HandlerFailedEvent):
        with inside(event.trace_id, event.span_id):
            report(
                HandlerFailedEvent(
                    session_id=event.session_id,
                    handler=name_of(handler),
                    event_id=event.id,
                    event_type=type(event).__name__,
                    error=what,
                )
            )
