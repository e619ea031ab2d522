"""The monitor: it says when the loop is late or the queues are long, and else little."""

import asyncio
import time
from pathlib import Path

from llmgine.bus import MessageBus
from llmgine.messages.events import Event
from llmgine.observability import MetricEvent
from llmgine.observability.monitor import Monitor
from tests.llmgine.observability.application import Collected, application


class Wrote(Event):
    pass


async def test_a_blocked_loop_is_told(tmp_path: Path) -> None:
    """Code that holds the loop for 0.3 s shows as a lag of about that, published at once."""
    heard = Collected()
    async with application(tmp_path, [], monitor_interval=0.01) as app:
        app.bus.register_event_handler(MetricEvent, heard.keep)
        await asyncio.sleep(0)  # so that the monitor sleeps when the loop is held

        time.sleep(0.3)  # noqa: ASYNC251  this is the fault
        lag = await heard.until("llmgine.loop.lag", at_least=0.2)

    assert lag.unit == "s"
    assert not [m for m in heard.named("llmgine.loop.lag") if m.value > 10]


async def test_a_long_queue_is_told() -> None:
    """Events that wait for a slow handler are counted, and many of them are told at once."""
    bus, heard, free = MessageBus(), Collected(), asyncio.Event()
    bus.register_event_handler(MetricEvent, heard.keep)

    async def slow(_: Wrote) -> None:
        await free.wait()

    bus.register_event_handler(Wrote, slow)
    await bus.start()
    monitor = Monitor(bus, lambda: bus.queued, interval=0.001, bad_lag=60, bad_queue=5)
    for _ in range(7):
        await bus.publish(Wrote())

    monitor.start()
    queued = await heard.until("llmgine.bus.queued")
    free.set()
    await monitor.stop()
    await bus.stop()

    assert (queued.value, queued.unit) == (7, "{event}")
    assert bus.queued == 0


async def test_what_is_ordinary_is_told_seldom_as_the_worst_of_its_time() -> None:
    """Between two reports nothing is published; the report holds the longest queue since the last one."""
    bus, heard = MessageBus(), Collected()
    bus.register_event_handler(MetricEvent, heard.keep)
    await bus.start()
    looks = iter([3, 7, *[0] * 10_000])
    looked = asyncio.Event()

    def queued() -> int:
        count = next(looks)
        if not count:
            looked.set()
        return count

    monitor = Monitor(bus, queued, interval=0.001, report_every=0.2, bad_lag=60)

    monitor.start()
    await looked.wait()
    early = len(heard.events)
    worst = await heard.until("llmgine.bus.queued")
    await monitor.stop()
    await bus.stop()

    assert early == 0
    assert worst.value == 7


async def test_it_ends_when_told() -> None:
    """Stopping twice, or without a start, is harmless, and no task is left."""
    bus = MessageBus()
    monitor = Monitor(bus, lambda: 0)

    await monitor.stop()
    monitor.start()
    await monitor.stop()
    await monitor.stop()

    assert asyncio.all_tasks() == {asyncio.current_task()}
