"""Run a blocking function off the event loop, in a thread that holds nothing up when it never ends."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from llmgine.errors import ToolError

T = TypeVar("T")


async def in_thread(function: Callable[[], T], name: str) -> T:
    """What `function` returns or raises, run with the caller's context variables.

    Not `asyncio.to_thread`: its pool is small, shared with name resolution, and joined when the process ends,
    so a few functions that hang would stop the network and then keep the process from ending. A thread of
    its own costs some 50 µs and, being a daemon, nothing at the end. Cancelling the wait leaves it running:
    a thread cannot be killed.
    """
    loop = asyncio.get_running_loop()
    context = contextvars.copy_context()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(result: Callable[[], None]) -> None:
        if not outcome.done():
            result()

    def work() -> None:
        try:
            value = context.run(function)
        except BaseException as exc:  # SystemExit and StopIteration too: a thread must say how it ended
            error = _as_exception(exc)
            _tell(loop, lambda: settle(lambda: outcome.set_exception(error)))
        else:
            _tell(loop, lambda: settle(lambda: outcome.set_result(value)))

    threading.Thread(target=work, name=name, daemon=True).start()
    return await outcome


def _tell(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(callback)


def _as_exception(exc: BaseException) -> Exception:
    """What a future may hold: neither the end of the program nor StopIteration, which it refuses."""
    if isinstance(exc, Exception) and not isinstance(exc, StopIteration):
        return exc
    error = ToolError(f"it ended by {type(exc).__name__}, which is not a result")
    error.__cause__ = exc
    return error
