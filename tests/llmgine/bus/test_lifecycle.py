"""Start, stop and what lies before and after."""

import asyncio
import contextlib
import gc
import logging

import pytest

from llmgine.bus import MessageBus
from llmgine.errors import BusError, BusStoppedError
from llmgine.messages.events import Event
from tests.llmgine.bus.messages import Noted


async def test_what_is_published_before_start_is_kept() -> None:
    """Events wait for `start` and come in order, to handlers registered meanwhile too."""
    bus = MessageBus()
    inline: list[int] = []
    laned: list[int] = []

    async def hear(event: Noted) -> None:
        laned.append(event.number)

    for number in range(3):
        await bus.publish(Noted(number=number))
    bus.register_event_handler(Noted, lambda event: inline.append(event.number))
    bus.register_event_handler(Noted, hear)

    await bus.start()
    await bus.wait_until_idle()

    assert inline == laned == [0, 1, 2]
    await bus.stop()


async def test_starting_twice_is_harmless() -> None:
    """The second start does nothing: no event is delivered twice."""
    bus = MessageBus()
    heard: list[Event] = []
    bus.register_event_handler(Noted, heard.append)
    await bus.publish(Noted())

    await bus.start()
    await bus.start()

    assert len(heard) == 1
    await bus.stop()


async def test_stop_drains_also_what_handlers_publish_meanwhile(bus: MessageBus) -> None:
    """Of all events queued, and of those their handlers add, none is lost."""
    heard: list[int] = []

    async def count_down(event: Noted) -> None:
        heard.append(event.number)
        if event.number:
            await bus.publish(Noted(number=event.number - 1))

    bus.register_event_handler(Noted, count_down)
    await bus.publish(Noted(number=50))

    left = await bus.stop()

    assert left == 0
    assert heard == list(range(50, -1, -1))


async def test_stop_past_its_deadline_says_what_was_left(bus: MessageBus, caplog: pytest.LogCaptureFixture) -> None:
    """The hung handler is cancelled and named with its count; the number of unhandled events comes back."""
    cancelled = asyncio.Event()

    async def hang(_: Noted) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    bus.register_event_handler(Noted, hang)
    for _ in range(3):
        await bus.publish(Noted())

    with caplog.at_level(logging.ERROR):
        left = await bus.stop(timeout=0.01)

    assert left == 3
    assert cancelled.is_set()
    assert "3 events not handled by" in caplog.text
    assert "hang" in caplog.text


async def test_a_handler_that_swallows_its_cancellation_does_not_hold_up_stop(
    bus: MessageBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`stop` gives it a moment, then returns without it; it gets no further event."""
    monkeypatch.setattr("llmgine.bus.lanes._GRACE", 0.01)
    free = asyncio.Event()
    heard: list[int] = []
    lanes: set[asyncio.Task[object]] = set()

    async def stubborn(event: Noted) -> None:
        heard.append(event.number)
        lanes.update(task for task in [asyncio.current_task()] if task)
        while not free.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await free.wait()

    bus.register_event_handler(Noted, stubborn)
    await bus.publish(Noted(number=1))
    await bus.publish(Noted(number=2))

    assert await bus.stop(timeout=0.01) == 2

    free.set()
    await asyncio.wait(lanes)
    assert heard == [1]


async def test_a_handler_that_fails_while_it_is_cancelled_starts_nothing_new(bus: MessageBus) -> None:
    """Its failure is not delivered any more: after `stop` no handler runs."""
    heard: list[Event] = []

    async def hear(event: Event) -> None:
        heard.append(event)

    async def fail_in_clean_up(_: Noted) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError

    bus.register_event_handler(Noted, fail_in_clean_up)
    await bus.publish(Noted())
    bus.register_event_handler(Event, hear)

    await bus.stop(timeout=0.01)

    assert not heard
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_stopping_twice_is_harmless(bus: MessageBus) -> None:
    """The second stop has nothing left to do."""
    await bus.stop()

    assert await bus.stop() == 0


async def test_stop_inside_an_event_handler_raises(bus: MessageBus) -> None:
    """It would wait for its own handler until the deadline."""
    errors: list[str] = []

    async def stop(_: Noted) -> None:
        try:
            await bus.stop()
        except BusError as error:
            errors.append(str(error))

    bus.register_event_handler(Noted, stop)

    await bus.publish(Noted())
    await bus.wait_until_idle()

    assert len(errors) == 1


async def test_a_stopped_bus_takes_no_event(bus: MessageBus) -> None:
    """After `stop` publishing raises."""
    await bus.stop()

    with pytest.raises(BusStoppedError, match="Noted"):
        await bus.publish(Noted())


@pytest.mark.parametrize("started", [True, False])
async def test_a_stopped_bus_does_not_start_again(started: bool) -> None:
    """It says so, rather than to deliver what was published before and refuse what comes after."""
    bus = MessageBus()
    heard: list[Event] = []
    bus.register_event_handler(Noted, heard.append)
    if started:
        await bus.start()
    else:
        await bus.publish(Noted())
    await bus.stop()

    with pytest.raises(BusStoppedError, match="create a new one"):
        await bus.start()
    assert heard == []


def test_a_loop_that_is_closed_without_stop_leaves_its_handlers_in_peace() -> None:
    """A handler whose task is thrown away is neither reported nor begun again."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # asyncio says that a pending task was destroyed
    heard: list[Event] = []
    running = asyncio.Event()

    async def hang(event: Event) -> None:
        heard.append(event)
        running.set()
        await asyncio.Event().wait()

    async def begin() -> None:
        bus = MessageBus()
        await bus.start()
        bus.register_event_handler(Event, hang)
        await bus.publish(Noted(number=1))
        await bus.publish(Noted(number=2))
        await running.wait()

    loop.run_until_complete(begin())
    loop.close()
    gc.collect()

    assert len(heard) == 1


async def test_stopping_a_bus_that_never_started_counts_what_was_published() -> None:
    """Nothing hangs, and what nobody heard is counted."""
    bus = MessageBus()
    await bus.publish(Noted())

    assert await bus.stop() == 1
