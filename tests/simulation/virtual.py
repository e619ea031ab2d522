"""In place of the machine's clocks and sources of chance, everywhere in this process: those of the run."""

import itertools
import os
import random
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import discord.backoff
import discord.utils

import llmgine.messages.message
from programs.discord.incoming.feed import Feed
from tests.simulation.timeline import BEGAN, Timeline

_OURS = ("llmgine", "programs", "discord", "tenacity")


class _Source:
    """Where time and chance come from at present."""

    timeline: Timeline
    chance: random.Random


def _monotonic() -> float:
    return _Source.timeline.now


def _wall() -> float:
    return _Source.timeline.now + BEGAN


def _wall_ns() -> int:
    return int((_Source.timeline.now + BEGAN) * 1e9)


def _random_bytes(size: int) -> bytes:
    return _Source.chance.randbytes(size)


def _token(size: int) -> str:
    return _random_bytes(size).hex()


def _choice(values: Sequence[Any]) -> Any:
    return _Source.chance.choice(values)


_CLOCKS: dict[str, Callable[[], float]] = {
    "time": _wall,
    "time_ns": _wall_ns,
    "monotonic": _monotonic,
    "perf_counter": _monotonic,
}


class _Kind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class _Datetime(datetime, metaclass=_Kind):
    """`datetime` on virtual time; what it makes are plain ones."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.fromtimestamp(_wall(), tz)

    @classmethod
    def fromtimestamp(cls, timestamp: float, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.fromtimestamp(timestamp, tz)

    @classmethod
    def fromisoformat(cls, text: str) -> datetime:  # type: ignore[override]
        return datetime.fromisoformat(text)


_Datetime.max, _Datetime.min = datetime.max, datetime.min  # noqa: DTZ901  # as they are


@contextmanager
def installed() -> Iterator[None]:
    """Inside this block the clocks and the sources of chance are those of a run, see `use`."""
    replaced = {getattr(time, name): clock for name, clock in _CLOCKS.items()}
    undo = [_replace(time, name, clock) for name, clock in _CLOCKS.items()]
    for module in [module for name, module in sys.modules.items() if name.partition(".")[0] in _OURS]:
        undo += _in_module(module, replaced)
    undo += [
        _replace(secrets, "token_hex", _token),
        _replace(secrets, "choice", _choice),
        _replace(os, "urandom", _random_bytes),
        _replace(discord.backoff, "random", SimpleNamespace(Random=lambda: _Seeded(_Source.chance.random()))),
        _replace(discord.utils, "utcnow", lambda: datetime.fromtimestamp(_wall(), UTC)),
        # Feeds are kept in sets, whose order would else be that of their addresses in memory.
        _replace(Feed, "__hash__", lambda feed: feed.place.channel_id),
    ]
    try:
        yield
    finally:
        for one in reversed(undo):
            one()


def use(timeline: Timeline, chance: random.Random) -> None:
    """From here on the time is this one's, and ids come from this source of chance."""
    _Source.timeline, _Source.chance = timeline, chance
    random.seed(chance.random())


def begin_life() -> None:
    """A new process begins, with new numbers for its messages."""
    llmgine.messages.message._ids = itertools.count(_wall_ns() // 1_000_000 << 10)


class _Seeded(random.Random):
    """One that stays as it was seeded."""

    def seed(self, *args: Any, **_options: Any) -> None:
        if args:
            super().seed(args[0])


def _replace(owner: object, name: str, value: object) -> Callable[[], None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    return lambda: setattr(owner, name, before)


def _in_module(module: ModuleType, replaced: dict[Any, Any]) -> Iterator[Callable[[], None]]:
    """Replace what a module has imported by name, and the default arguments of its functions."""
    for name, value in list(vars(module).items()):
        if value is datetime:
            yield _replace(module, name, _Datetime)
        elif isinstance(value, FunctionType) and value.__module__ == module.__name__:
            yield from _in_function(value, replaced)
        elif isinstance(value, type) and value.__module__ == module.__name__:
            for function in [one for one in vars(value).values() if isinstance(one, FunctionType)]:
                yield from _in_function(function, replaced)
        elif getattr(value, "__module__", None) == "time" and value in replaced:
            yield _replace(module, name, replaced[value])


def _in_function(function: FunctionType, replaced: dict[Any, Any]) -> Iterator[Callable[[], None]]:
    if function.__kwdefaults__ and any(_is_clock(value, replaced) for value in function.__kwdefaults__.values()):
        new: Any = {name: _clock(value, replaced) for name, value in function.__kwdefaults__.items()}
        yield _replace(function, "__kwdefaults__", new)
    if function.__defaults__ and any(_is_clock(value, replaced) for value in function.__defaults__):
        yield _replace(function, "__defaults__", tuple(_clock(value, replaced) for value in function.__defaults__))


def _is_clock(value: object, replaced: dict[Any, Any]) -> bool:
    return getattr(value, "__module__", None) == "time" and value in replaced


def _clock(value: Any, replaced: dict[Any, Any]) -> Any:
    return replaced[value] if _is_clock(value, replaced) else value
