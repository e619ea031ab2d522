"""Faults on request: what a test, or a program over HTTP, asks to go wrong with the bot's requests, and when."""

import asyncio
import math
import socket
import struct
from collections.abc import Callable
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from programs.playground.changes import Changes
from programs.playground.deadlines import Deadlines
from programs.playground.entities import Json
from programs.playground.forms import Form, read
from programs.playground.ratelimits import refusal
from programs.playground.snowflakes import read_id
from programs.playground.state import State
from programs.playground.wire import Call, Reply, proxy_page

_NOW = struct.pack("ii", 1, 0)  # SO_LINGER: a close is a reset
_IN_THE_WORLD = ("delete_message", "delete_thread", "archive_thread", "lock_thread")

Effect = Literal[
    "error",
    "rate_limit",
    "html",
    "reset",
    "hang",
    "delay",
    "delete_message",
    "delete_thread",
    "archive_thread",
    "lock_thread",
]


class Fault(Form):
    """What goes wrong with the `nth` request of a route from now on, and the `times - 1` after it.

    `error`, `rate_limit` and `html` answer something else; `reset` cuts the connection and `hang` never answers;
    `delay` answers late. With `committed` the request is carried out before that: so it is for `reset` and `hang`
    unless said otherwise. The last four change the world just before the request: they take away the message, or
    the thread, that its path names, or archive, or archive and lock, that thread.
    """

    effect: Effect
    method: str = Field(pattern="^(GET|POST|PUT|PATCH|DELETE)$")
    route: str = Field(pattern="^/")  # a template as in the log: "/channels/{channel_id}/messages"
    nth: int = Field(1, ge=1)
    times: int = Field(1, ge=1)
    committed: bool | None = None
    status: int = Field(500, ge=400, le=599)  # of `error` and `html`
    retry_after: float = Field(1.0, ge=0)  # seconds, of `rate_limit`
    scope: Literal["user", "global", "shared"] = "user"
    seconds: float | None = Field(None, ge=0)  # of `delay` and `hang`; without, until released

    @property
    def commits(self) -> bool:
        """Whether the request is done all the same."""
        return self.effect in ("reset", "hang") if self.committed is None else self.committed


class Planned:
    """A fault that waits for its request. `hits` counts the requests it met."""

    def __init__(self, fault: Fault, changes: Changes, deadlines: Deadlines) -> None:
        self.fault = fault
        self.hits = 0
        self._seen = 0
        self._changes = changes
        self._deadlines = deadlines
        self._released = False
        self._held: set[asyncio.Event] = set()

    @property
    def spent(self) -> bool:
        """Whether it has happened as often as was planned."""
        return self.hits >= self.fault.times

    def meets(self, method: str, route: str) -> bool:
        """Count one request; True when it is to go wrong."""
        if self.spent or (method, route) != (self.fault.method, self.fault.route):
            return False
        self._seen += 1
        if self._seen < self.fault.nth:
            return False
        self.hits += 1
        self._changes.note()
        return True

    async def reached(self, hits: int = 1) -> None:
        """Wait until so many requests have met it; what is committed first, is."""
        await self._changes.wait_for(lambda: self.hits >= hits)

    def release(self) -> None:
        """Release what `delay` or `hang` holds back."""
        self._released = True
        for held in self._held:
            held.set()

    async def wait(self) -> None:
        """Wait until it is released, or the fault's seconds are over."""
        if self._released:
            return
        held = asyncio.Event()
        self._held.add(held)
        seconds = self.fault.seconds
        deadline = None if seconds is None else self._deadlines.after(seconds, held.set)
        try:
            await held.wait()
        finally:
            self._held.discard(held)
            if deadline is not None:
                self._deadlines.cancel(deadline)

    def described(self) -> Json:
        """The fault and how often it has happened, as JSON."""
        return {**self.fault.model_dump(exclude_defaults=True), "hits": self.hits}


class NoAnswerError(Exception):
    """The request gets no answer: the connection is cut once `planned` lets it. `reply` is what is not sent."""

    def __init__(self, planned: Planned, reply: Reply) -> None:
        super().__init__("no answer")
        self.planned = planned
        self.reply = reply


class Faults:
    """The faults that are planned for requests."""

    def __init__(self, state: State, deadlines: Deadlines) -> None:
        self._state = state
        self._deadlines = deadlines
        self._planned: list[Planned] = []

    def plan(self, effect: Effect, method: str, route: str, **options: Any) -> Planned:
        """Plan a `Fault`; the options are its fields. Raises `ApiError` for a fault that is none."""
        return self.add(read(Fault, {"effect": effect, "method": method, "route": route, **options}))

    def add(self, fault: Fault) -> Planned:
        """Plan a fault; returns it with the count of its hits."""
        planned = Planned(fault, self._state.changes, self._deadlines)
        self._planned.append(planned)
        return planned

    def all(self) -> list[Planned]:
        """The faults that are planned, in their order."""
        return list(self._planned)

    def clear(self) -> None:
        """Forget all plans, and release what they hold back."""
        for planned in self._planned:
            planned.release()
        self._planned.clear()

    async def around(self, method: str, route: str, call: Call, handle: Callable[[Call], Reply]) -> Reply:
        """`handle(call)`, unless something was planned for it. Raises NoAnswerError."""
        met = [planned for planned in self._planned if planned.meets(method, route)]
        return await self._spoil(met[0], call, handle) if met else handle(call)

    async def _spoil(self, planned: Planned, call: Call, handle: Callable[[Call], Reply]) -> Reply:
        fault = planned.fault
        if fault.effect in _IN_THE_WORLD:
            self._change_the_world(fault.effect, call)
            return handle(call)
        if fault.effect == "delay" and not fault.commits:
            await planned.wait()
            return handle(call)
        reply = handle(call) if fault.commits else Reply()
        if fault.effect == "delay":
            await planned.wait()
            return reply
        if fault.effect in ("reset", "hang"):
            raise NoAnswerError(planned, reply)
        return _answer_instead(fault)

    def _change_the_world(self, effect: Effect, call: Call) -> None:
        channel = self._state.channels.get(read_id(call.ids.get("channel_id")) or 0)
        if channel is None:
            return
        if effect == "delete_message":
            message = channel.messages.get(read_id(call.ids.get("message_id")) or 0)
            if message is not None:
                self._state.delete_message(message)
        elif channel.thread is not None and effect == "delete_thread":
            self._state.delete_thread(channel)
        elif channel.thread is not None:
            channel.thread.archived = True
            channel.thread.locked |= effect == "lock_thread"
            self._state.update_thread(channel)


def _answer_instead(fault: Fault) -> Reply:
    if fault.effect == "rate_limit":
        headers, body = refusal(fault.retry_after, fault.scope)
        return Reply(body, 429, headers=headers)
    if fault.effect == "html":
        wait = {"Retry-After": str(math.ceil(fault.retry_after))} if fault.status == 429 else {}
        return Reply(status=fault.status, headers=wait, html=proxy_page(fault.status))
    return Reply({"message": f"{fault.status}: the playground was asked to fail", "code": 0}, fault.status)


async def cut(request: web.Request, planned: Planned) -> None:
    """End the connection by a reset: at once, or, for a `hang`, when it is released."""
    if planned.fault.effect == "hang":
        await planned.wait()
    if request.transport is not None:
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOW)
        request.transport.abort()
