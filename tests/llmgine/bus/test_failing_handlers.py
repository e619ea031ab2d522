"""A handler that fails, hangs or is not what it says: told, and nobody else's concern."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from llmgine.bus import MessageBus
from llmgine.messages.events import Event, HandlerFailedEvent
from tests.llmgine.bus.messages import Keeper, Noted


async def never(_: Event) -> None:
    await asyncio.Event().wait()


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
