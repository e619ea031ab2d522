"""Waiting until everything is handled, and what is left of a lane then."""

import asyncio

import pytest

from llmgine.bus import MessageBus
from llmgine.errors import BusError
from tests.llmgine.bus.messages import Add, Keeper, Noted


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
