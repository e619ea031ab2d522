"""Events: any number of handlers, which fail independently and wait for nobody."""

import asyncio
import functools
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmgine.bus import MessageBus
from llmgine.messages.events import Event
from tests.llmgine.bus.messages import Add, Keeper, LoudlyNoted, Noted


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


async def test_a_deep_lane_warns_and_drops_nothing(bus: MessageBus, caplog: pytest.LogCaptureFixture) -> None:
    """At a thousand waiting events the program's log names the handler that is behind."""
    keeper = Keeper()
    bus.register_event_handler(Noted, keeper)

    with caplog.at_level(logging.WARNING):
        for number in range(1_500):
            await bus.publish(Noted(number=number, session_id="s"))
    await bus.wait_until_idle()

    assert [record.getMessage() for record in caplog.records] == [
        "1000 events are waiting for " + Keeper.__module__ + ".Keeper"
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
