"""Other buses doing the same work, where they are installed: `uv run --group bench python -m programs.bench bus`."""

import asyncio
import importlib
import logging
import types
from collections.abc import Callable
from typing import Any

from programs.bench.measure import Timing, Work, time_side_by_side

BURST = 500
_FEW = 40  # bubus takes most of a millisecond an event, and refuses more than 100 at once


async def time_others(
    handlers: int, handler: Callable[[object], Any], make: Callable[[int], object], *, burst: bool, rounds: int
) -> dict[str, Timing]:
    """Time the libraries that are installed, by name. Run it with `alone`: bubus's tasks survive being cancelled.

    Args:
        handlers: How many there are of each event.
        handler: What each of them does: a plain function, `def` or `async def`.
        make: Makes the event of a number; bubus carries events of its own.
        burst: Whether all events are published before any is waited for.
        rounds: How often it is timed.
    """
    return await time_side_by_side(_works(handlers, handler, make, burst=burst), rounds=rounds)


def _works(
    handlers: int, handler: Callable[[object], Any], make: Callable[[int], object], *, burst: bool
) -> dict[str, Work]:
    works: dict[str, Work] = {}
    if blinker := _module("blinker"):
        works["blinker"] = _blinker(blinker, _copies(handler, handlers), make)
    if pyee := _module("pyee.asyncio"):
        works["pyee"] = _pyee(pyee, _copies(handler, handlers), make, burst=burst)
    if bubus := _module("bubus"):
        works["bubus"] = _bubus(bubus, _copies(handler, handlers), burst=burst)
    return works


def _module(name: str) -> Any:
    """The module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _copies(handler: Callable[[object], Any], count: int) -> list[Any]:
    """Functions that do the same, each its own: some libraries keep one of each, by name."""
    if not isinstance(handler, types.FunctionType):
        raise TypeError("handlers here are plain functions")
    code = handler.__code__
    return [types.FunctionType(code, handler.__globals__, f"{handler.__name__}_{n}") for n in range(count)]


def _blinker(blinker: Any, handlers: list[Any], make: Callable[[int], object]) -> Work:
    signal = blinker.Signal()
    for handler in handlers:
        signal.connect(handler, weak=False)
    asynchronous = asyncio.iscoroutinefunction(handlers[0])

    async def run() -> None:
        for number in range(BURST):
            if asynchronous:
                await signal.send_async(make(number))
            else:
                signal.send(make(number))

    return Work(run, BURST)


def _pyee(pyee: Any, handlers: list[Any], make: Callable[[int], object], *, burst: bool) -> Work:
    emitter = pyee.AsyncIOEventEmitter()
    for handler in handlers:
        emitter.add_listener("event", handler)

    async def run() -> None:
        for number in range(BURST):
            emitter.emit("event", make(number))
            if not burst:
                await emitter.wait_for_complete()
        await emitter.wait_for_complete()

    return Work(run, BURST)


def _bubus(bubus: Any, handlers: list[Any], *, burst: bool) -> Work:
    logging.getLogger("bubus").setLevel(logging.ERROR)
    bus = bubus.EventBus()
    for handler in handlers:
        bus.on("BaseEvent", handler)

    async def run() -> None:
        events = []
        for _ in range(_FEW):
            event = bus.dispatch(bubus.BaseEvent())
            if burst:
                events.append(event)
            else:
                await event
        for event in events:
            await event

    return Work(run, _FEW)
