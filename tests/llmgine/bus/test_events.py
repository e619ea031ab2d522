"""Events: any number of handlers, which fail independently and wait for nobody."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmgine.bus import MessageBus
from llmgine.errors import BusError
from llmgine.messages.events import Event, HandlerFailedEvent
from tests.llmgine.bus.messages import Add, LoudlyNoted, Noted


class Keeper:
    """An `async def` handler that keeps the numbers it heard."""

    def __init__(self, until: int = -1) -> None:
        self.numbers: list[int] = []
        self.full = asyncio.Event()
        self._until = until

    async def __call__(self, event: Noted) -> None:
        self.numbers.append(event.number)
        if len(self.numbers) == self._until:
            self.full.set()


async def never(_: Event) -> None:
    await asyncio.Event().wait()


async def test_a_base_class_hears_all_its_subclasses(bus: MessageBus) -> None:
    """A handler of `Event` hears everything; one of a subclass only that."""
    everything: list[str] = []
    loud: list[str] = []
    bus.register_event_handler(Event, lambda event: everything.append(type(event).__name__))
    bus.register_event_handler(LoudlyNoted, lambda event: loud.append(type(event).__name__))

    await bus.publish(Noted())
    await bus.publish(LoudlyNoted())

    assert everything == ["Noted", "LoudlyNoted"]
    assert loud == ["LoudlyNoted"]


async def test_a_handler_registered_late_hears_what_comes_after(bus: MessageBus) -> None:
    """Routes are looked up anew after every registration, also for types published before."""
    heard: list[int] = []
    await bus.publish(Noted(number=1))

    bus.register_event_handler(Event, lambda event: heard.append(event.id))
    second = Noted(number=2)
    await bus.publish(second)

    assert heard == [second.id]


async def test_undoing_a_registration_twice_is_harmless(bus: MessageBus) -> None:
    """The undo takes away its own registration only, though the same function was registered twice."""
    heard: list[int] = []

    def hear(event: Noted) -> None:
        heard.append(event.number)

    remove = bus.register_event_handler(Noted, hear)
    bus.register_event_handler(Noted, hear)

    remove()
    remove()
    await bus.publish(Noted(number=1))

    assert heard == [1]


async def test_each_handler_sees_a_session_in_order(bus: MessageBus) -> None:
    """However long each event takes, the order of publishing is the order of handling."""
    seen: dict[str | None, list[int]] = {}

    async def handle(event: Noted) -> None:
        for _ in range(event.number % 3):
            await asyncio.sleep(0)
        seen.setdefault(event.session_id, []).append(event.number)

    bus.register_event_handler(Noted, handle)

    for number in range(100):
        for session in ("a", "b", None):
            await bus.publish(Noted(number=number, session_id=session))
    await bus.wait_until_idle()

    assert seen == {session: list(range(100)) for session in ("a", "b", None)}


async def test_sessions_do_not_wait_for_each_other(bus: MessageBus) -> None:
    """While a handler is held in one session, it goes on in another."""
    free = asyncio.Event()
    done = asyncio.Event()

    async def handle(event: Noted) -> None:
        if event.session_id == "held":
            await free.wait()
        else:
            done.set()

    bus.register_event_handler(Noted, handle)

    await bus.publish(Noted(session_id="held"))
    await bus.publish(Noted(session_id="other"))

    await done.wait()
    assert not free.is_set()
    free.set()


async def test_handlers_do_not_wait_for_each_other(bus: MessageBus) -> None:
    """While one handler is held, another hears every event of the same session."""
    free = asyncio.Event()
    keeper = Keeper(until=3)

    async def held(_: Noted) -> None:
        await free.wait()

    bus.register_event_handler(Noted, held)
    bus.register_event_handler(Noted, keeper)

    for number in range(3):
        await bus.publish(Noted(number=number, session_id="s"))
    await keeper.full.wait()

    free.set()
    await bus.wait_until_idle("s")
    assert keeper.numbers == [0, 1, 2]


async def test_a_raising_handler_harms_nobody(bus: MessageBus, caplog: pytest.LogCaptureFixture) -> None:
    """Its failure is an event and a log line; the others, and its own next events, go on."""
    keeper = Keeper()
    failures: list[HandlerFailedEvent] = []

    async def fail(event: Noted) -> None:
        raise ValueError(event.number)

    def fail_inline(event: Noted) -> None:
        raise KeyError(event.number)

    bus.register_event_handler(HandlerFailedEvent, failures.append)
    bus.register_event_handler(Noted, fail)
    bus.register_event_handler(Noted, fail_inline)
    bus.register_event_handler(Noted, keeper)

    first, second = Noted(number=1, session_id="s"), Noted(number=2, session_id="s")
    await bus.publish(first)
    await bus.publish(second)
    await bus.wait_until_idle()

    assert keeper.numbers == [1, 2]
    assert {(f.event_id, f.error, f.session_id) for f in failures} == {
        (event.id, error, "s")
        for event in (first, second)
        for error in (f"ValueError({event.number})", f"KeyError({event.number})")
    }
    assert len(caplog.records) == 4


async def test_a_failing_failure_handler_does_not_go_on_for_ever(bus: MessageBus) -> None:
    """Failing on a `HandlerFailedEvent` is only logged: the bus comes to rest."""
    calls = 0

    async def fail(_: Event) -> None:
        nonlocal calls
        calls += 1
        raise ValueError

    bus.register_event_handler(Event, fail)

    await bus.publish(Noted())
    await bus.wait_until_idle()

    assert calls == 2


async def test_a_hung_handler_is_ended_by_its_limit(bus: MessageBus) -> None:
    """Past its limit the handler is cancelled, an event says so, and its lane goes on with the next event."""
    failures: list[str] = []
    keeper = Keeper()

    async def hang_on_one(event: Noted) -> None:
        if event.number == 1:
            await never(event)
        await keeper(event)

    bus.register_event_handler(HandlerFailedEvent, lambda event: failures.append(event.error))
    bus.register_event_handler(Noted, hang_on_one, timeout=0.01)

    await bus.publish(Noted(number=1))
    await bus.publish(Noted(number=2))
    await bus.wait_until_idle()

    assert keeper.numbers == [2]
    assert failures == ["took longer than 0.01 s"]


async def test_a_timeout_of_the_handlers_own_is_not_its_limit(bus: MessageBus) -> None:
    """A `TimeoutError` that the handler raises is told as what it is."""
    failures: list[str] = []

    async def fail(_: Noted) -> None:
        raise TimeoutError("of my own")

    bus.register_event_handler(HandlerFailedEvent, lambda event: failures.append(event.error))
    bus.register_event_handler(Noted, fail)

    await bus.publish(Noted())
    await bus.wait_until_idle()

    assert failures == ["TimeoutError('of my own')"]


async def _raise_cancelled(_: Noted) -> None:
    raise asyncio.CancelledError


async def _cancel_own_task(_: Noted) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


@pytest.mark.parametrize("cancel", [_raise_cancelled, _cancel_own_task])
async def test_a_handler_that_cancels_itself_does_not_silence_its_lane(
    bus: MessageBus, cancel: Callable[[Noted], Awaitable[None]]
) -> None:
    """It failed on one event; the next ones still reach it."""
    keeper = Keeper()
    failures: list[HandlerFailedEvent] = []

    async def handle(event: Noted) -> None:
        if event.number == 1:
            await cancel(event)
        await keeper(event)

    bus.register_event_handler(HandlerFailedEvent, failures.append)
    bus.register_event_handler(Noted, handle)

    for number in (1, 2, 3):
        await bus.publish(Noted(number=number))
    await bus.wait_until_idle()

    assert keeper.numbers == [2, 3]
    assert len(failures) == 1


async def test_a_def_that_returns_a_coroutine_is_told(bus: MessageBus) -> None:
    """It would never run: the failure says what to write instead."""
    failures: list[str] = []
    bus.register_event_handler(HandlerFailedEvent, lambda event: failures.append(event.error))

    def forgetful(event: Noted) -> Awaitable[None]:
        return never(event)

    bus.register_event_handler(Noted, forgetful)

    await bus.publish(Noted())

    assert failures == ["returned a coroutine; declare it with async def"]


async def test_partials_methods_and_callable_objects_are_async_when_they_are(bus: MessageBus) -> None:
    """Which kind a handler is, is seen through what wraps it."""
    heard: list[str] = []

    class Methods:
        async def method(self, _: Noted) -> None:
            heard.append("method")

    async def named(name: str, _: Noted) -> None:
        heard.append(name)

    keeper = Keeper()
    bus.register_event_handler(Noted, Methods().method)
    bus.register_event_handler(Noted, functools.partial(named, "partial"))
    bus.register_event_handler(Noted, keeper)

    await bus.publish(Noted(number=7))
    await bus.wait_until_idle()

    assert sorted(heard) == ["method", "partial"]
    assert keeper.numbers == [7]


async def test_a_hundred_levels_of_publishing_and_executing(bus: MessageBus) -> None:
    """A handler may publish and execute, to any depth, and nothing deadlocks."""
    depth = 0

    async def go_deeper(command: Add) -> int:
        if command.left < 100:
            await bus.publish(Noted(number=command.left + 1, session_id="s"))
        return command.left

    async def execute(event: Noted) -> None:
        nonlocal depth
        depth = (await bus.execute(Add(left=event.number))).unwrap()

    async def recurse(event: LoudlyNoted) -> None:
        if event.number < 100:
            await bus.publish(LoudlyNoted(number=event.number + 1, session_id="s"))

    bus.register_command_handler(Add, go_deeper)
    bus.register_event_handler(Noted, execute)
    bus.register_event_handler(LoudlyNoted, recurse)

    await bus.publish(Noted(number=1, session_id="s"))
    await bus.publish(LoudlyNoted(number=1, session_id="s"))
    await bus.wait_until_idle()

    assert depth == 100


async def test_commands_within_commands(bus: MessageBus) -> None:
    """A command's handler may execute the same command, a hundred deep, in one task."""

    async def count(command: Add) -> int:
        if command.left == 100:
            return 0
        inner: int = (await bus.execute(Add(left=command.left + 1))).unwrap()
        return inner + 1

    bus.register_command_handler(Add, count)

    assert (await bus.execute(Add(left=0))).unwrap() == 100


async def test_waiting_for_idle_inside_a_handler_raises(bus: MessageBus) -> None:
    """It would wait for itself, in event handlers and in command handlers."""
    errors: list[BaseException | None] = []

    async def wait(_: Noted) -> None:
        with pytest.raises(BusError, match="inside a handler") as caught:
            await bus.wait_until_idle()
        errors.append(caught.value)

    async def wait_in_command(_: Add) -> None:
        await bus.wait_until_idle()

    bus.register_event_handler(Noted, wait)
    bus.register_command_handler(Add, wait_in_command)

    await bus.publish(Noted())
    await bus.wait_until_idle()

    assert len(errors) == 1
    assert "inside a handler" in ((await bus.execute(Add())).error or "")


async def test_idle_is_per_session(bus: MessageBus) -> None:
    """Waiting for one session does not wait for another; waiting for all does."""
    free = asyncio.Event()

    async def hold(event: Noted) -> None:
        if event.session_id == "held":
            await free.wait()

    bus.register_event_handler(Noted, hold)
    await bus.publish(Noted(session_id="held"))
    await bus.publish(Noted(session_id="free"))

    await bus.wait_until_idle("free")
    await bus.wait_until_idle("unknown")
    everything = asyncio.create_task(bus.wait_until_idle())
    held = asyncio.create_task(bus.wait_until_idle("held"))
    await bus.wait_until_idle("free")
    assert not everything.done()
    assert not held.done()

    free.set()
    await everything
    await held


async def test_giving_up_waiting_leaves_nothing_behind(bus: MessageBus) -> None:
    """A cancelled wait for idle takes its waiter with it."""
    free = asyncio.Event()

    async def hold(_: Noted) -> None:
        await free.wait()

    bus.register_event_handler(Noted, hold)
    await bus.publish(Noted())

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await bus.wait_until_idle()

    assert not bus._lanes._waiters
    free.set()


async def test_an_empty_lane_is_removed(bus: MessageBus) -> None:
    """A thousand sessions that have gone quiet hold no memory and no task."""
    bus.register_event_handler(Noted, Keeper())

    for number in range(1_000):
        await bus.publish(Noted(session_id=str(number)))
    await bus.wait_until_idle()

    assert not bus._lanes._lanes


async def test_a_deep_lane_warns_and_drops_nothing(bus: MessageBus, caplog: pytest.LogCaptureFixture) -> None:
    """At a thousand waiting events the program's log names the handler that is behind."""
    keeper = Keeper()
    bus.register_event_handler(Noted, keeper)

    with caplog.at_level(logging.WARNING):
        for number in range(1_500):
            await bus.publish(Noted(number=number, session_id="s"))
    await bus.wait_until_idle()

    assert [record.getMessage() for record in caplog.records] == [
        "1000 events wait for " + Keeper.__module__ + ".Keeper"
    ]
    assert keeper.numbers == list(range(1_500))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=60))
@settings(max_examples=40, deadline=None)
def test_order_holds_for_any_mix_of_sessions(mix: list[tuple[str, int]]) -> None:
    """Whatever the mix of sessions and of how long each event takes, each handler sees each session in order."""

    async def run() -> dict[tuple[int, str | None], list[int]]:
        bus = MessageBus()
        await bus.start()
        seen: dict[tuple[int, str | None], list[int]] = {}

        async def handle(which: int, event: Noted) -> None:
            for _ in range(mix[event.number][1] * which):
                await asyncio.sleep(0)
            seen.setdefault((which, event.session_id), []).append(event.number)

        for which in (0, 1):
            bus.register_event_handler(Noted, functools.partial(handle, which))
        for number, (session, _) in enumerate(mix):
            await bus.publish(Noted(number=number, session_id=session))
        assert await bus.stop() == 0
        return seen

    seen = asyncio.run(run())

    for session in {session for session, _ in mix}:
        expected = [number for number, (other, _) in enumerate(mix) if other == session]
        assert seen[0, session] == seen[1, session] == expected
