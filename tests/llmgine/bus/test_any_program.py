"""Whatever a program does with a bus, a small model says what is heard by whom, and in which order."""

import asyncio
import contextlib
import itertools
import logging
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import takewhile
from typing import Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from llmgine.bus import MessageBus
from llmgine.errors import BusStoppedError
from llmgine.messages.commands import Command
from llmgine.messages.events import CommandErrorEvent, CommandEvent, CommandResultEvent, Event, HandlerFailedEvent
from tests.llmgine.bus.clock import StandingClock

LIMIT, SOON, LATE = 8, 4, 10_000  # seconds: of a handler; for a stop that outlasts no limit, and one that outlasts all

Deed = Literal["return", "wait", "raise", "cancel itself", "publish", "execute", "hang", "hang on"]
DEEDS: st.SearchStrategy[Deed] = st.sampled_from(
    ["return", "wait", "raise", "cancel itself", "publish", "execute", "hang", "hang on"]
)
SESSIONS = st.sampled_from(["a", "b", None])


class Told(Event):
    """The handlers whose number is `doer` modulo 2 do the deed, the others return."""

    number: int
    deed: Deed = "return"
    doer: int = 0


class LoudlyTold(Told):
    pass


class Do(Command):
    deed: Deed


KINDS: st.SearchStrategy[type[Told]] = st.sampled_from([Told, LoudlyTold])


class Lane:
    """What one handler must hear of one session, and what it heard. The first `settled` had all the time they need."""

    def __init__(self) -> None:
        self.expected: list[tuple[int, Deed]] = []
        self.heard: list[int] = []
        self.settled = 0

    @property
    def done(self) -> list[tuple[int, Deed]]:
        """What was handled: all, up to the first that hangs."""
        rest = takewhile(lambda told: told[1] not in ("hang", "hang on"), self.expected[self.settled :])
        return [*self.expected[: self.settled], *rest]

    @property
    def left(self) -> int:
        return len(self.expected) - len(self.done)

    def failures(self) -> Counter[int]:
        """How often a failure on each event must have been told."""
        bad = ("raise", "cancel itself", "hang", "hang on")
        return Counter(number for number, deed in self.done if deed in bad)

    def check(self) -> None:
        """The handler heard all that was handled, and the one it hangs on, each once and in order."""
        assert self.heard == [number for number, _ in self.expected[: len(self.done) + bool(self.left)]]


class Handler:
    """One registration and its lanes, by session."""

    def __init__(self, number: int, kind: type[Told], *, inline: bool) -> None:
        self.number, self.kind, self.inline = number, kind, inline
        self.lanes: dict[str | None, Lane] = defaultdict(Lane)
        self.undo: Callable[[], None] | None = None

    def does(self, event: Told) -> Deed:
        deed = event.deed if event.doer == self.number % 2 else "return"
        return deed if not self.inline or deed in ("raise", "cancel itself") else "return"


class AnyProgram(RuleBasedStateMachine):
    """A bus, any program of steps on it, and the model of what comes of them."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = StandingClock()
        self.bus = MessageBus(handler_timeout=LIMIT)
        self.started = self.stopped = False
        self.numbers = itertools.count()
        self.told: dict[int, int] = {}  # an event's number by its id
        self.waiting: list[Told] = []  # for the start
        self.handlers: list[Handler] = []
        self.callers: list[asyncio.Task[None]] = []
        self.ends: dict[int, list[type[CommandEvent]]] = defaultdict(list)  # of commands, as they must be told
        self.ends_heard: dict[int, list[type[CommandEvent]]] = defaultdict(list)
        self.failures_heard: Counter[int] = Counter()
        self.free = asyncio.Event()  # ends what hangs on
        self.bus.register_command_handler(Do, lambda command: self.act(command.deed, command.session_id))
        self.bus.register_event_handler(CommandEvent, self.hear_end)
        self.bus.register_event_handler(HandlerFailedEvent, self.hear_failure)

    def hear_end(self, event: CommandEvent) -> None:
        self.ends_heard[event.command_id].append(type(event))

    def hear_failure(self, event: HandlerFailedEvent) -> None:
        self.failures_heard[self.told[event.event_id]] += 1

    async def act(self, deed: Deed, session_id: str | None) -> None:
        """What a handler does, of an event or of a command."""
        match deed:
            case "wait":
                await asyncio.sleep(0)
            case "raise":
                raise ValueError
            case "cancel itself":
                raise asyncio.CancelledError
            case "publish":
                await self.tell(self.event(Told, session_id))
            case "execute":
                await self.ask(Do(deed="publish", session_id=session_id))
            case "hang":
                await asyncio.Event().wait()
            case "hang on":
                while not self.free.is_set():
                    with contextlib.suppress(asyncio.CancelledError):
                        await self.free.wait()

    def event(self, kind: type[Told], session_id: str | None, deed: Deed = "return", doer: int = 0) -> Told:
        event = kind(number=next(self.numbers), session_id=session_id, deed=deed, doer=doer)
        self.told[event.id] = event.number
        return event

    def expect(self, event: Told) -> None:
        for handler in self.handlers:
            if handler.undo and isinstance(event, handler.kind):
                handler.lanes[event.session_id].expected.append((event.number, handler.does(event)))

    async def tell(self, event: Told) -> None:
        if self.started:
            self.expect(event)
        else:
            self.waiting.append(event)
        await self.bus.publish(event)

    async def ask(self, command: Do) -> None:
        try:
            success = (await self.bus.execute(command)).success
        except asyncio.CancelledError:
            success = False
        self.ends[command.id].append(CommandResultEvent if success else CommandErrorEvent)

    @initialize(handlers=st.lists(st.tuples(KINDS, st.booleans()), min_size=1, max_size=3), started=st.booleans())
    def begin(self, handlers: list[tuple[type[Told], bool]], started: bool) -> None:
        for kind, inline in handlers:
            self.register(kind, inline)
        if started:
            self.start()

    @rule(kind=KINDS, inline=st.booleans())
    def register(self, kind: type[Told], inline: bool) -> None:
        handler = Handler(len(self.handlers), kind, inline=inline)

        async def hear(event: Told) -> None:
            handler.lanes[event.session_id].heard.append(event.number)
            await self.act(handler.does(event), event.session_id)

        def hear_inline(event: Told) -> None:
            handler.lanes[event.session_id].heard.append(event.number)
            match handler.does(event):
                case "raise":
                    raise ValueError
                case "cancel itself":
                    raise asyncio.CancelledError

        handler.undo = self.bus.register_event_handler(kind, hear_inline if inline else hear)
        self.handlers.append(handler)

    @precondition(lambda self: self.handlers)
    @rule(data=st.data(), twice=st.booleans())
    def undo(self, data: st.DataObject, twice: bool) -> None:
        handler = self.handlers[data.draw(st.integers(0, len(self.handlers) - 1))]
        if handler.undo:
            handler.undo()
            if twice:
                handler.undo()
            handler.undo = None

    @precondition(lambda self: not self.stopped)
    @rule(kind=KINDS, session_id=SESSIONS, doer=st.integers(0, 1), deeds=st.lists(DEEDS, min_size=1, max_size=6))
    def publish(self, kind: type[Told], session_id: str | None, doer: int, deeds: list[Deed]) -> None:
        async def tell_all() -> None:
            for deed in deeds:
                await self.tell(self.event(kind, session_id, deed, doer))

        self.clock.run(tell_all())

    @precondition(lambda self: not self.stopped)
    @rule(deed=DEEDS, session_id=SESSIONS)
    def execute(self, deed: Deed, session_id: str | None) -> None:
        async def call() -> None:
            task = asyncio.create_task(self.ask(Do(deed=deed, session_id=session_id)))
            self.callers.append(task)

        self.clock.run(call())
        assert self.callers[-1].done() == (deed not in ("hang", "hang on"))

    @precondition(lambda self: self.callers)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        caller = self.callers[data.draw(st.integers(0, len(self.callers) - 1))]

        async def cancel() -> None:
            caller.cancel()

        self.clock.run(cancel())

    @precondition(lambda self: not self.stopped)
    @rule()
    def start(self) -> None:
        if not self.started:
            self.started = True
            for event in self.waiting:
                self.expect(event)
        self.clock.run(self.bus.start())

    def settle(self) -> None:
        """Everything had the time it needs."""
        for lane in self.lanes():
            lane.settled = len(lane.expected)

    @precondition(lambda self: self.started and not self.stopped)
    @rule()
    def wait_until_idle(self) -> None:
        self.clock.run_for(self.bus.wait_until_idle(), at_most=LATE)
        self.settle()

    @precondition(lambda self: not self.stopped)
    @rule(session_id=SESSIONS)
    def wait_for_a_session(self, session_id: str | None) -> None:
        async def is_idle() -> bool:
            waiter = asyncio.create_task(self.bus.wait_until_idle(session_id))
            for _ in range(3):
                await asyncio.sleep(0)
            return waiter.done() or not waiter.cancel()

        hanging = [lane for lane in self.lanes(session_id) if lane.left]
        assert self.clock.run(is_idle()) == (not hanging)

    @precondition(lambda self: not self.stopped and len(self.told) >= 10)  # most programs have run a while
    @rule(timeout=st.sampled_from([SOON, LATE]))
    def stop(self, timeout: int) -> None:
        left = self.clock.run_for(self.bus.stop(timeout), at_most=timeout + 2)
        if timeout == LATE:
            self.settle()
        self.stopped = True
        told_of_commands = 0 if self.started else len(self.ends)
        assert (
            left
            == sum(lane.left for lane in self.lanes()) + (0 if self.started else len(self.waiting)) + told_of_commands
        )

    @precondition(lambda self: self.stopped)
    @rule()
    def come_too_late(self) -> None:
        with pytest.raises(BusStoppedError):
            self.clock.run(self.bus.publish(Told(number=0)))
        with pytest.raises(BusStoppedError):
            self.clock.run(self.bus.execute(Do(deed="return")))
        with pytest.raises(BusStoppedError):
            self.clock.run(self.bus.start())

    def lanes(self, session_id: str | None = None) -> list[Lane]:
        """All lanes of `async def` handlers, or those of one session."""
        return [
            lane
            for handler in self.handlers
            for session, lane in handler.lanes.items()
            if not handler.inline and session_id in (None, session)
        ]

    @invariant()
    def everybody_heard_what_they_must(self) -> None:
        failures: Counter[int] = Counter()
        for handler in self.handlers:
            for lane in handler.lanes.values():
                lane.check()
                failures += lane.failures()
        assert self.failures_heard == failures
        assert self.bus.queued == (0 if self.stopped else sum(lane.left for lane in self.lanes()))

    @invariant()
    def every_command_has_one_end(self) -> None:
        assert all(len(ends) == 1 for ends in self.ends.values())
        assert self.ends_heard == (self.ends if self.started else {})

    def teardown(self) -> None:
        async def free() -> None:
            self.free.set()
            for caller in self.callers:
                caller.cancel()

        self.clock.run(free())
        self.clock.run_for(self.bus.stop(LATE), at_most=LATE)
        assert not self.clock.tasks()
        self.clock.close()


def test_any_program_is_heard_as_the_model_says(caplog: pytest.LogCaptureFixture) -> None:
    """Over any steps: register, undo, publish, execute, raise, hang, cancel, wait, start and stop, in any order.

    A failure prints the shortest program that shows it, and the line that runs it again.
    """
    caplog.set_level(logging.CRITICAL)
    run_state_machine_as_test(
        AnyProgram, settings=settings(max_examples=150, stateful_step_count=25, deadline=None, print_blob=True)
    )
