"""An event loop on virtual time: when nothing is ready it goes to the next moment at which something happens."""

import asyncio
import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context, copy_context
from typing import Any, TypeVar, TypeVarTuple

from tests.simulation.timeline import Timeline

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

_ROUND = 1e-6  # seconds that one round of the loop takes: where time stood still, a wait of next to nothing never ended
_THREAD = 0.001  # seconds until a thread has done its work


class StuckError(Exception):
    """Nothing will ever happen again."""


class _Task(asyncio.Task[Any]):
    """A task with a hash that is the same in every run, so that sets of tasks have the same order in every run."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], *, loop: "VirtualLoop", context: Context | None) -> None:
        self.number = next(loop.numbers)
        super().__init__(coroutine, loop=loop, context=context)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class _Future(asyncio.Future[Any]):
    """As a task."""

    def __init__(self, *, loop: "VirtualLoop") -> None:
        self.number = next(loop.numbers)
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class _Handle(asyncio.Handle):
    """One without what is only looked at while debugging."""

    __slots__ = ()

    def __init__(self, callback: Any, args: Any, loop: "VirtualLoop", context: Context | None) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None


class _Timer(_Handle, asyncio.TimerHandle):
    """As a handle, at a moment."""

    __slots__ = ()

    def __init__(self, when: float, callback: Any, args: Any, loop: "VirtualLoop", context: Context | None) -> None:
        super().__init__(callback, args, loop, context)
        self._when = when
        self._scheduled = False


class VirtualLoop(asyncio.BaseEventLoop):
    """The loop of one life of the bot. It has no sockets and no threads.

    Attributes:
        numbers: Gives each task and future its number.
        errors: What nobody retrieved or caught, in words.
    """

    _closed: bool
    _ready: deque[asyncio.Handle]
    _stopping: bool

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        super().__init__()
        self.numbers = itertools.count()
        self.errors: list[str] = []
        self._timers: list[tuple[float, int, _Handle]] = []
        self.set_task_factory(_new_task)
        self.set_exception_handler(self._remember)

    def time(self) -> float:
        """The virtual time."""
        return self._timeline.now

    def get_debug(self) -> bool:
        """Never: it is asked for many times in each turn."""
        return False

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As any loop's, without what is only looked at while debugging."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As any loop's."""
        return self.call_at(self._timeline.now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As any loop's; of two at the same moment the first comes first."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        timer = _Timer(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self.numbers), timer))
        return timer

    def _run_once(self) -> None:
        """One round: the world goes on, by itself or to the next moment, and then the bot does what it has to do."""
        timeline, ready, timers = self._timeline, self._ready, self._timers
        timeline.now += _ROUND
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
        if ready or self._stopping:
            timeline.happen()
        else:
            moment = timers[0][0] if timers else math.inf
            if math.isinf(moment) and math.isinf(timeline.next):
                raise StuckError
            timeline.advance(max(moment, timeline.now))
        while timers and timers[0][0] <= timeline.now:
            ready.append(heapq.heappop(timers)[2])
        for _ in range(len(ready)):  # what is added meanwhile is done in the next round
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def create_future(self) -> asyncio.Future[Any]:
        """A future with a hash that is the same in every run."""
        return _Future(loop=self)

    def run_in_executor(self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts) -> asyncio.Future[_T]:
        """There are no threads here: the work is done at once, a moment later."""
        done = self.create_future()

        def work() -> None:
            try:
                result = func(*args)
            except Exception as error:
                if not done.cancelled():
                    done.set_exception(error)
            else:
                if not done.cancelled():
                    done.set_result(result)

        self.call_later(_THREAD, work)
        return done

    def abandon(self) -> None:
        """Forget all that runs, as when the process is killed; nothing of it is heard of again."""
        self.set_exception_handler(lambda *_: None)
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # not in typeshed
            coroutine = task.get_coro()
            for _ in range(20):  # a `finally` that waits for something has to be told more than once
                try:
                    if coroutine is not None:
                        coroutine.close()
                except BaseException:  # noqa: S112  whatever ends in there, the process is dead
                    continue
                break
        self.close()

    def _remember(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.errors.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _process_events(self, event_list: object) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody is in another thread."""


def _new_task(loop: asyncio.AbstractEventLoop, coroutine: Any, context: Context | None = None) -> asyncio.Task[Any]:
    assert isinstance(loop, VirtualLoop)
    return _Task(coroutine, loop=loop, context=context)
