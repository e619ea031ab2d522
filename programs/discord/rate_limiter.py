"""The one budget of requests: Discord allows a bot 50 a second over all routes, and what people wait for goes first."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from types import SimpleNamespace

import aiohttp

RATE = 45.0  # requests a second; Discord's limit is 50
_BURST = 2.0  # requests that may go at once after a pause; some jitter later, no second is to see 50
_FREE = {"webhooks", "interactions"}  # routes that Discord does not count towards the limit over all


class Importance(IntEnum):
    """Who goes first."""

    FIRST = 0  # Answers, and whatever else people wait for.
    PREVIEW = 1  # Previews of answers.
    COURTESY = 2  # Typing, status reactions.
    BACKGROUND = 3  # Reads of what may have been missed, which nobody is known to wait for.


class Ticket:
    """A place in the queue. Wait for it; once it is called it pays for one request."""

    def __init__(self, importance: Importance) -> None:
        self.importance = importance
        self.called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.paid = False  # for the request it was for


# The ticket of the request that is being made, or how important one without a ticket is.
_ticket: ContextVar[Ticket | None] = ContextVar("ticket", default=None)
_importance: ContextVar[Importance] = ContextVar("importance", default=Importance.FIRST)


@contextmanager
def paid_by(ticket: Ticket | None) -> Iterator[None]:
    """The first request inside this block was paid for in advance, when there is a ticket."""
    token = _ticket.set(ticket)
    try:
        yield
    finally:
        _ticket.reset(token)


@contextmanager
def as_courtesy() -> Iterator[None]:
    """Requests inside this block are made when people wait for nothing."""
    with _as(Importance.COURTESY):
        yield


@contextmanager
def as_background() -> Iterator[None]:
    """Requests inside this block are made when nothing else is to be done."""
    with _as(Importance.BACKGROUND):
        yield


@contextmanager
def _as(importance: Importance) -> Iterator[None]:
    token = _importance.set(importance)
    try:
        yield
    finally:
        _importance.reset(token)


class RateLimiter:
    """Lets `rate` requests a second through, the important ones first, those of one importance in their order.

    It stands around every request of the session that has its trace, so that none is forgotten.

    Args:
        rate: Requests a second.
        clock: Seconds that never go back.
    """

    def __init__(self, rate: float = RATE, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._saved = _BURST
        self._saved_at = clock()
        self._queues: dict[Importance, deque[Ticket]] = {importance: deque() for importance in Importance}
        self._waker: asyncio.TimerHandle | None = None

    def add_to(self, trace: aiohttp.TraceConfig) -> None:
        """Stand before every request of the session that has this trace."""
        trace.on_request_start.append(self._before)

    def ticket(self, importance: Importance) -> Ticket:
        """Queue for one request."""
        ticket = Ticket(importance)
        self._queues[importance].append(ticket)
        self._call()
        return ticket

    def hurry(self, ticket: Ticket, importance: Importance = Importance.FIRST) -> None:
        """What it is for became this important; what became less so keeps its place."""
        if importance < ticket.importance and not ticket.called.done():
            ticket.importance = importance
            self._queues[importance].append(ticket)
            self._call()

    async def _before(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestStartParams
    ) -> None:
        if _FREE & set(params.url.path.split("/")):
            return
        ticket = _ticket.get()
        if ticket is None or ticket.paid:
            ticket = self.ticket(_importance.get())
        ticket.paid = True
        await ticket.called

    def _call(self) -> None:
        """Call the tickets that there is something saved for; come back for the others."""
        now = self._clock()
        self._saved = min(_BURST, self._saved + (now - self._saved_at) * self._rate)
        self._saved_at = now
        while self._saved >= 1 and (ticket := self._next()) is not None:
            ticket.called.set_result(None)
            self._saved -= 1
        if self._waker is None and any(self._queues.values()):
            seconds = (1 - self._saved) / self._rate
            self._waker = asyncio.get_running_loop().call_later(seconds, self._wake)

    def _wake(self) -> None:
        self._waker = None
        self._call()

    def _next(self) -> Ticket | None:
        """The ticket to be called; those that were given up or called from a better queue are dropped."""
        for importance, queue in self._queues.items():
            while queue:
                ticket = queue.popleft()
                if not ticket.called.done() and ticket.importance is importance:
                    return ticket
        return None
