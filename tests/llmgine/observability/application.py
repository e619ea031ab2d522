"""A whole application on a scripted model for the tests of what observes it."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from llmgine.bootstrap import ApplicationBootstrap, ApplicationConfig
from llmgine.engine.retries import RetryPolicy
from llmgine.observability.observer import Observer
from llmgine.observability.telemetry import Metric, MetricEvent
from llmgine.providers.scripted import ScriptedProvider, ScriptedReply
from llmgine.settings import Settings


class Collected:
    """Keeps the metrics that pass over a bus."""

    def __init__(self) -> None:
        self.events: list[MetricEvent] = []
        self._more = asyncio.Event()

    def keep(self, event: MetricEvent) -> None:
        self.events.append(event)
        self._more.set()

    def named(self, name: str) -> list[Metric]:
        return [metric for event in self.events for metric in event.metrics if metric.name == name]

    async def until(self, name: str, *, at_least: float = 0.0) -> Metric:
        """Wait for a metric of this name and size."""
        while not (found := [metric for metric in self.named(name) if metric.value >= at_least]):
            self._more.clear()
            await self._more.wait()
        return found[0]


@asynccontextmanager
async def application(
    folder: Path, script: Iterable[ScriptedReply], *, observers: Iterable[Observer] = (), **options: object
) -> AsyncIterator[ApplicationBootstrap]:
    """An application that runs, with retries that do not wait."""
    settings = Settings(_env_file=None, database_url=f"sqlite:///{folder}/test.db", log_dir=folder / "logs")
    config = ApplicationConfig.model_validate(
        {"settings": settings, "retry": RetryPolicy(tries=2, first_wait=0), **options}
    )
    async with ApplicationBootstrap(config, provider=ScriptedProvider(script), observers=observers) as app:
        yield app
