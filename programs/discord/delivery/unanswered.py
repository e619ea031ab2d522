"""Whether Discord left a request without an answer: discord.py then repeats it, and reports only the last answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace

import aiohttp


class Unanswered:
    """Counts the requests of one block that were sent and got no answer, so that what they ask may have been done."""

    count: int = 0


_noting: ContextVar[Unanswered | None] = ContextVar("noting", default=None)


@contextmanager
def noting_unanswered() -> Iterator[Unanswered]:
    """Count the requests inside this block that get no answer. Yields the count, which grows."""
    found = Unanswered()
    token = _noting.set(found)
    try:
        yield found
    finally:
        _noting.reset(token)


def add_to(trace: aiohttp.TraceConfig) -> None:
    """Look at every request of the session that has this trace."""
    trace.on_request_end.append(_after)
    trace.on_request_exception.append(_broken)


async def _after(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
) -> None:
    if params.response.status >= 500:
        _note()


async def _broken(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, _params: aiohttp.TraceRequestExceptionParams
) -> None:
    _note()


def _note() -> None:
    noting = _noting.get()
    if noting is not None:
        noting.count += 1
