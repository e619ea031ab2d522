"""Much of everything: nothing is lost, and nothing stays behind."""

import asyncio
import gc
import sys

import pytest

from llmgine.bus import MessageBus
from llmgine.bus.failures import name_of
from tests.llmgine.bus.messages import Noted
from tests.waiting import patience

_WAVE = 100  # events that wait at a time


@pytest.fixture(autouse=True)
def deadline() -> None:
    """In place of the other tests' deadline: a million events take longer on a busy machine."""


async def _publish(bus: MessageBus, waves: range, *, own_session: bool) -> None:
    for wave in waves:
        for number in range(wave * _WAVE, (wave + 1) * _WAVE):
            await bus.publish(Noted(number=number, session_id=str(number) if own_session else "s"))
        await bus.wait_until_idle()


@pytest.mark.parametrize(
    ("own_session", "waves"), [(True, 10_000), (False, 3_000)], ids=["1,000,000 sessions", "one session"]
)
async def test_events_leave_nothing_behind(bus: MessageBus, own_session: bool, waves: int) -> None:
    """However many events and sessions there were, no lane is left, and no more memory held than after the first."""
    count = 0

    async def hear(_: Noted) -> None:
        nonlocal count
        count += 1

    bus.register_event_handler(Noted, hear)
    bus.register_event_handler(Noted, lambda event: event.number)
    async with patience("all events", lambda: count):
        await _publish(bus, range(50), own_session=own_session)
        gc.collect()
        blocks = sys.getallocatedblocks()
        await _publish(bus, range(50, waves), own_session=own_session)
        gc.collect()

    assert count == waves * _WAVE
    assert bus.queued == 0
    assert not bus._lanes._lanes
    assert not bus._lanes._busy
    assert sys.getallocatedblocks() - blocks < 1_000  # one block kept for each event would be hundreds of times that


async def test_stop_with_ten_thousand_events_queued_loses_none(bus: MessageBus) -> None:
    """They are spread over many sessions and two handlers, and all are handled, each session's in order."""
    heard: dict[tuple[int, str | None], list[int]] = {}

    async def slow(event: Noted) -> None:
        await asyncio.sleep(0)
        heard.setdefault((0, event.session_id), []).append(event.number)

    async def quick(event: Noted) -> None:
        heard.setdefault((1, event.session_id), []).append(event.number)

    bus.register_event_handler(Noted, slow)
    bus.register_event_handler(Noted, quick)
    for number in range(5_000):
        await bus.publish(Noted(number=number, session_id=str(number % 50)))
    assert bus.queued == 10_000

    assert await bus.stop() == 0

    assert heard == {
        (which, str(session)): list(range(session, 5_000, 50)) for which in (0, 1) for session in range(50)
    }


async def test_stop_with_a_hung_handler_loses_only_what_was_behind_it(
    bus: MessageBus, caplog: pytest.LogCaptureFixture
) -> None:
    """Of 10,000 events the others are handled before the deadline; it reports those of the hung lane, by handler."""
    heard: list[int] = []

    async def hang_in_one_session(event: Noted) -> None:
        if event.session_id == "0":
            await asyncio.Event().wait()
        heard.append(event.number)

    bus.register_event_handler(Noted, hang_in_one_session)
    for number in range(10_000):
        await bus.publish(Noted(number=number, session_id=str(number % 100)))

    left = await bus.stop(timeout=1)

    assert left == 100
    assert sorted(heard) == [number for number in range(10_000) if number % 100]
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        f"The bus stopped with 100 events not handled by {name_of(hang_in_one_session)}"
    ]
