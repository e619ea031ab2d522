"""Lanes: a handler that misbehaves, or has much to do, is no one else's concern."""

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable

import pytest

from llmgine.bus import MessageBus
from llmgine.errors import BusError
from llmgine.messages.events import HandlerFailedEvent
from tests.llmgine.bus.messages import Add, LoudlyNoted, Noted


class Stubborn:
    """Hangs on the first event, through every cancellation, until `free` is set."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.heard: list[int] = []
        self.tasks: list[asyncio.Task[object] | None] = []

    async def __call__(self, event: Noted) -> None:
        self.heard.append(event.number)
        self.tasks.append(asyncio.current_task())
        while len(self.tasks) == 1 and not self.free.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await self.free.wait()

    async def end(self) -> None:
        """Let it end, and wait until it has."""
        self.free.set()
        if self.tasks[0] is not None:
            await asyncio.wait([self.tasks[0]])


def failures_of(bus: MessageBus) -> list[HandlerFailedEvent]:
    failures: list[HandlerFailedEvent] = []
    bus.register_event_handler(HandlerFailedEvent, failures.append)
    return failures


@pytest.fixture
def grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancelled handler is waited for a moment only."""
    monkeypatch.setattr("llmgine.bus.lanes._GRACE", 0.01)


@pytest.mark.usefixtures("grace")
async def test_a_lane_goes_on_without_a_handler_that_swallows_its_cancellation(bus: MessageBus) -> None:
    """It is left to itself and reported once; its session hears what follows, in order, and comes to rest."""
    stubborn, failures = Stubborn(), failures_of(bus)
    bus.register_event_handler(Noted, stubborn, timeout=0.01)
    events = [Noted(number=number, session_id="s") for number in range(4)]

    for event in events:
        await bus.publish(event)
    await bus.wait_until_idle()

    assert stubborn.heard == [0, 1, 2, 3]
    assert [(failure.event_id, failure.error) for failure in failures] == [
        (events[0].id, "took longer than 0.01 s and still runs although it was cancelled")
    ]
    await stubborn.end()
    assert len(failures) == 1


@pytest.mark.usefixtures("grace")
async def test_what_ends_long_after_it_was_given_up_disturbs_nobody(bus: MessageBus) -> None:
    """Neither its end nor its error takes an event from the handler that has the lane by then."""
    heard: list[int] = []
    given_up, hold, free = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handle(event: Noted) -> None:
        heard.append(event.number)
        if event.number == 0:
            while not free.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await free.wait()
            tasks.append(asyncio.current_task())
            raise ValueError
        if event.number == 1:
            given_up.set()
            with contextlib.suppress(asyncio.CancelledError):
                await hold.wait()

    tasks: list[asyncio.Task[object] | None] = []
    failures = failures_of(bus)
    bus.register_event_handler(Noted, handle, timeout=0.01)
    for number in range(3):
        await bus.publish(Noted(number=number))
    await given_up.wait()
    free.set()
    await bus.wait_until_idle()

    assert heard == [0, 1, 2]
    assert "ValueError()" not in [failure.error for failure in failures]
    assert tasks[0] is not None
    await asyncio.wait([tasks[0]])


@pytest.mark.usefixtures("grace")
async def test_stop_cancels_once_more_what_was_given_up(bus: MessageBus) -> None:
    """A handler that hung through its limit may still end when the bus does; its event was reported and is not left."""
    cancelled = asyncio.Event()

    async def twice(_: Noted) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    bus.register_event_handler(Noted, twice, timeout=0.01)
    await bus.publish(Noted())
    await bus.wait_until_idle()
    assert not cancelled.is_set()

    assert await bus.stop() == 0
    assert cancelled.is_set()


@pytest.mark.usefixtures("grace")
async def test_a_handler_that_was_given_up_cannot_stop_the_bus(bus: MessageBus) -> None:
    """It would wait for itself, as any handler would."""
    given_up = asyncio.Event()
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def stop_at_last(_: Noted) -> None:
        while not given_up.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await given_up.wait()
        try:
            await bus.stop()
        except BusError as error:
            answer.set_result(str(error))

    bus.register_event_handler(Noted, stop_at_last, timeout=0.01)
    await bus.publish(Noted())
    await bus.wait_until_idle()
    given_up.set()

    assert "in an event handler" in await answer


async def test_a_slow_clean_up_within_its_moment_keeps_the_order(bus: MessageBus) -> None:
    """The next event waits while a cancelled handler cleans up, so one session's events never overlap."""
    log: list[str] = []
    late = asyncio.Event()

    async def handle(event: Noted) -> None:
        log.append(f"{event.number} begins")
        try:
            if event.number == 0:
                await asyncio.Event().wait()
        finally:
            late.set()
            for _ in range(5):
                await asyncio.sleep(0)
            log.append(f"{event.number} ends")

    failures = failures_of(bus)
    bus.register_event_handler(Noted, handle, timeout=0.01)
    await bus.publish(Noted(number=0))
    await bus.publish(Noted(number=1))
    await bus.wait_until_idle()

    assert log == ["0 begins", "0 ends", "1 begins", "1 ends"]
    assert [failure.error for failure in failures] == ["took longer than 0.01 s"]


async def test_the_limit_is_for_each_event_though_it_be_the_same_one(bus: MessageBus) -> None:
    """One event published many times is handled many times, each within its own limit."""
    loop = asyncio.get_running_loop()
    failures = failures_of(bus)

    async def handle(_: Noted) -> None:
        done = asyncio.Event()
        loop.call_later(0.05, done.set)
        await done.wait()

    bus.register_event_handler(Noted, handle, timeout=0.4)
    event = Noted()
    for _ in range(12):
        await bus.publish(event)
    await bus.wait_until_idle()

    assert failures == []


async def test_a_handler_that_never_waits_leaves_the_others_their_turn(bus: MessageBus) -> None:
    """Though it publishes to its own lane for ever, other tasks run, and `stop` ends it at its deadline."""
    calls = 0

    async def again(_: Noted) -> None:
        nonlocal calls
        calls += 1
        await bus.publish(Noted())

    bus.register_event_handler(Noted, again)
    await bus.publish(Noted())

    left = await bus.stop(timeout=0.01)

    assert calls > 1
    assert left == 1


async def test_five_thousand_events_to_its_own_lane(bus: MessageBus) -> None:
    """A handler may publish as much as it likes to itself: nothing deadlocks, nothing is lost, order holds."""
    heard: list[int] = []

    async def handle(event: Noted) -> None:
        heard.append(event.number)
        if event.number == 0:
            for number in range(1, 5_001):
                await bus.publish(Noted(number=number, session_id="s"))

    bus.register_event_handler(Noted, handle)
    await bus.publish(Noted(number=0, session_id="s"))
    await bus.wait_until_idle()

    assert heard == list(range(5_001))


class _ForeignError(BaseException):
    """As some test frameworks raise: no `Exception`, and no cancellation."""


async def test_an_error_outside_of_exception_is_reported_and_its_event_not_repeated(bus: MessageBus) -> None:
    """The lane goes on with the next event; the task says the rest to asyncio."""
    heard: list[int] = []
    told: list[BaseException | None] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context.get("exception")))
    failures = failures_of(bus)

    async def handle(event: Noted) -> None:
        heard.append(event.number)
        if event.number == 0:
            raise _ForeignError

    bus.register_event_handler(Noted, handle)
    await bus.publish(Noted(number=0))
    await bus.publish(Noted(number=1))
    await bus.wait_until_idle()

    assert heard == [0, 1]
    assert [failure.error for failure in failures] == ["_ForeignError()"]
    assert [type(error) for error in told] == [_ForeignError]


async def test_an_inline_handler_that_asks_a_cancelled_future_does_not_cancel_the_publisher(bus: MessageBus) -> None:
    """A `CancelledError` out of a `def` is a failure as any other: publisher and other handlers go on."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.cancel()
    heard: list[int] = []
    failures = failures_of(bus)
    bus.register_event_handler(Noted, lambda _: future.result())
    bus.register_event_handler(Noted, lambda event: heard.append(event.number))

    await bus.publish(Noted(number=1))

    assert heard == [1]
    assert [failure.error for failure in failures] == ["CancelledError()"]


@pytest.mark.parametrize("deep", [False, True], ids=["same class", "a base class"])
async def test_who_registers_while_an_event_is_delivered_hears_the_next_one(bus: MessageBus, deep: bool) -> None:
    """Who hears an event is settled when it is published."""
    inline: list[int] = []
    laned: list[int] = []

    async def hear(event: Noted) -> None:
        laned.append(event.number)

    def register(event: Noted) -> None:
        if event.number == 0:
            bus.register_event_handler(Noted, lambda event: inline.append(event.number))
            bus.register_event_handler(Noted, hear)

    bus.register_event_handler(LoudlyNoted if deep else Noted, register)
    await bus.publish(LoudlyNoted(number=0))
    await bus.publish(LoudlyNoted(number=1))
    await bus.wait_until_idle()

    assert inline == laned == [1]


async def test_what_was_queued_before_an_undo_is_still_delivered(bus: MessageBus) -> None:
    """An undone handler hears what was published before, in order, and nothing that came after."""
    free = asyncio.Event()
    heard: list[int] = []

    async def hold(event: Noted) -> None:
        await free.wait()
        heard.append(event.number)

    remove = bus.register_event_handler(Noted, hold)
    for number in range(3):
        await bus.publish(Noted(number=number, session_id="s"))
    remove()
    await bus.publish(Noted(number=3, session_id="s"))
    free.set()
    await bus.wait_until_idle()

    assert heard == [0, 1, 2]


async def test_an_undo_during_delivery_does_not_take_the_event_from_its_handler(bus: MessageBus) -> None:
    """A handler that undoes another one's registration changes the next event, not this one."""
    heard: list[int] = []
    undos: list[Callable[[], None]] = []
    bus.register_event_handler(Noted, lambda _: undos[0]())
    undos.append(bus.register_event_handler(Noted, lambda event: heard.append(event.number)))

    await bus.publish(Noted(number=0))
    await bus.publish(Noted(number=1))

    assert heard == [0]


async def test_a_handler_waits_for_an_event_that_another_session_brings(bus: MessageBus) -> None:
    """All other sessions and handlers finish while one is held; then it goes on where it was."""
    free, others = asyncio.Event(), asyncio.Event()
    heard: dict[tuple[str, str | None], list[int]] = {}

    async def handle(name: str, event: Noted) -> None:
        if (name, event.session_id, event.number) == ("first", "held", 1):
            await free.wait()
        heard.setdefault((name, event.session_id), []).append(event.number)
        if sum(map(len, heard.values())) == 2 * 3 * 3 - 2:
            others.set()

    for name in ("first", "second"):
        bus.register_event_handler(Noted, functools.partial(handle, name))
    for number in range(3):
        for session in ("held", "other", None):
            await bus.publish(Noted(number=number, session_id=session))
    await others.wait()
    assert heard["first", "held"] == [0]

    free.set()
    await bus.wait_until_idle()

    assert set(heard) == {(name, session) for name in ("first", "second") for session in ("held", "other", None)}
    assert all(numbers == [0, 1, 2] for numbers in heard.values())


async def test_a_hundred_levels_across_sessions_with_every_level_awaiting_the_next(bus: MessageBus) -> None:
    """A handler that awaits a command, whose handler publishes to a new session, never waits for itself."""
    depths: list[int] = []

    async def down(command: Add) -> int:
        await bus.publish(Noted(number=command.left + 1, session_id=str(command.left + 1)))
        if command.right:
            await bus.execute(Add(left=command.left + 1_000, right=0))
        return command.left

    async def follow(event: Noted) -> None:
        depths.append(event.number)
        if event.number < 100:
            (await bus.execute(Add(left=event.number))).unwrap()

    async def ignore(_: Noted) -> None:
        await asyncio.sleep(0)

    handlers: list[Callable[[Noted], Awaitable[None]]] = [follow, ignore]
    for handler in handlers:
        bus.register_event_handler(Noted, handler)
    bus.register_command_handler(Add, down)
    await bus.publish(Noted(number=0, session_id="0"))
    await bus.wait_until_idle()

    assert [depth for depth in depths if depth <= 100] == list(range(101))
    assert len(depths) == 201
