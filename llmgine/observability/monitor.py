"""Watching the event loop and the queues of the bus: how late tasks run, and how many events wait."""

import asyncio
from collections.abc import Callable

from llmgine.observability import names
from llmgine.observability.observer import ObservedBus
from llmgine.observability.telemetry import Metric, MetricEvent


class Monitor:
    """Checks loop and queues every `interval`, and publishes the worst values: seldom, unless they are bad.

    Args:
        bus: Where the metrics go.
        queued: Says how many events wait.
        interval: Seconds between two checks.
        report_every: Seconds between two metrics of ordinary values.
        bad_lag: Seconds; a timer this late is published at once.
        bad_queue: This many waiting events are published at once.
    """

    def __init__(
        self,
        bus: ObservedBus,
        queued: Callable[[], int],
        *,
        interval: float = 1.0,
        report_every: float = 60.0,
        bad_lag: float = 0.1,
        bad_queue: int = 1_000,
    ) -> None:
        self._bus = bus
        self._queued = queued
        self._interval = interval
        self._report_every = report_every
        self._bad_lag = bad_lag
        self._bad_queue = bad_queue
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start checking."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Stop checking; stopping twice is harmless."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _work(self) -> None:
        clock = asyncio.get_running_loop().time
        lag, queued, reported = 0.0, 0, clock()
        while True:
            due = clock() + self._interval
            await asyncio.sleep(self._interval)
            now = clock()
            lag, queued = max(lag, now - due), max(queued, self._queued())
            if lag >= self._bad_lag or queued >= self._bad_queue or now - reported >= self._report_every:
                await self._bus.publish(
                    MetricEvent(
                        metrics=[
                            Metric(name=names.LOOP_LAG, value=lag, unit="s"),
                            Metric(name=names.QUEUED, value=queued, unit="{event}"),
                        ]
                    )
                )
                lag, queued, reported = 0.0, 0, now
