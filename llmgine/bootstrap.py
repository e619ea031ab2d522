"""Putting an application together: the only place that names concrete classes, and the owner of start and stop."""

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from llmgine.bus import MessageBus
from llmgine.context import ContextManager
from llmgine.engine import ToolChatEngine
from llmgine.engine.model import Model
from llmgine.engine.retries import RetryPolicy
from llmgine.engine.turn import Renderer
from llmgine.errors import ConfigurationError
from llmgine.observability.metrics import TurnMetrics
from llmgine.observability.monitor import Monitor
from llmgine.observability.observer import Observer
from llmgine.observability.redaction import Redactor
from llmgine.observability.spans import TurnSpans
from llmgine.providers.base import Provider
from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.backup import DailyBackup
from llmgine.sessions.integrity import IntegrityCheck
from llmgine.sessions.store import database_file
from llmgine.settings import PROVIDERS, Settings


class ApplicationConfig(BaseModel):
    """What an application is made of. The fields that a setting has are described in `Settings`."""

    model_config = ConfigDict(frozen=True)

    settings: Settings = Field(default_factory=lambda: Settings(_env_file=None))
    log_filename: str = "events.jsonl"
    enable_console_metrics: bool = False
    enable_console_traces: bool = False
    calls_at_once: int = 8
    retry: RetryPolicy = RetryPolicy()
    monitor_interval: float = 1.0
    titles: bool = False


class ApplicationBootstrap:
    """An application: bus, store, engine. Start it with `async with`, or with `startup` and `shutdown`.

        async with ApplicationBootstrap(ApplicationConfig()) as app:
            await app.engine.register_tool(get_weather)
            answer = await ask(app.bus, PromptCommand(...))

    Args:
        config: What it is made of.
        provider: Who answers; the service named in the settings unless given. It is closed at shutdown.
        renderers: See `ToolChatEngine`.
        observers: What else listens and reports, such as an `OpenTelemetrySink`.
    """

    bus: MessageBus
    store: SessionStore
    integrity: IntegrityCheck | None = None  # of a SQLite file
    provider: Provider
    engine: ToolChatEngine

    def __init__(
        self,
        config: ApplicationConfig | None = None,
        *,
        provider: Provider | None = None,
        renderers: Mapping[str, Renderer] | None = None,
        observers: Iterable[Observer] = (),
    ) -> None:
        self.config = config or ApplicationConfig()
        self._provider = provider
        self._renderers = renderers
        self._observers = tuple(observers)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self.startup()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.shutdown()

    async def startup(self) -> None:
        """Open everything, in order; what was opened is closed again when a later part fails.

        Raises:
            ConfigurationError: A setting cannot be used; the text names it.
            StoreError: The database cannot be used.
        """
        async with AsyncExitStack() as stack:
            settings = self.config.settings
            file = database_file(settings.database_url)
            if file is not None:
                self.integrity = IntegrityCheck(file)
                stack.callback(self.integrity.close)  # after the store, which leaves a damaged file as it is
            self.store = await open_store(settings.database_url, lease_seconds=settings.lease_seconds)
            stack.push_async_callback(self.store.close)
            self.store.daily_tokens = settings.daily_tokens
            if self.integrity is not None and file is not None:  # who runs a PostgreSQL server looks after it
                self.integrity.start()
                stack.push_async_callback(self.integrity.stop)
                backup = DailyBackup(file)
                backup.start()
                stack.push_async_callback(backup.stop)
            self.bus = await self._start_bus(stack)
            self.provider = self._provider or configured_provider(self.config)
            stack.push_async_callback(self.provider.aclose)
            self.engine = self._build_engine(self.provider)
            await self.engine.start()
            stack.push_async_callback(self.engine.stop)
            self._stack = stack.pop_all()

    async def _start_bus(self, stack: AsyncExitStack) -> MessageBus:
        """The bus, running, with all that observes it."""
        config, settings = self.config, self.config.settings
        bus = MessageBus(
            log_dir=settings.log_dir,
            log_filename=config.log_filename,
            enable_console_metrics=config.enable_console_metrics,
            enable_console_traces=config.enable_console_traces,
            secrets=settings.secrets(),
        )
        for observer in self._all_observers():
            stack.callback(observer.attach(bus))
        try:
            await bus.start()
        except OSError as error:
            raise ConfigurationError(f"LOG_DIR: {error.filename} cannot be written: {error.strerror}") from error
        stack.push_async_callback(bus.stop)
        monitor = Monitor(bus, lambda: bus.queued, interval=config.monitor_interval)
        monitor.start()
        stack.push_async_callback(monitor.stop)
        return bus

    def _build_engine(self, provider: Provider) -> ToolChatEngine:
        config, settings = self.config, self.config.settings
        return ToolChatEngine(
            bus=self.bus,
            store=self.store,
            model=Model(
                provider,
                self.store,
                calls_at_once=config.calls_at_once,
                retry=config.retry,
                max_characters=settings.max_reply_characters,
            ),
            context=ContextManager(
                self.store,
                system_prompt=settings.system_prompt,
                window=settings.context_tokens,
                vision=settings.openai_vision,
            ),
            renderers=self._renderers,
            approval_timeout=settings.approval_timeout,
            titles=config.titles,
            redact=Redactor(settings.secrets()),
        )

    def _all_observers(self) -> Iterable[Observer]:
        """The application's own, the metrics of turns, and where somebody reads them the spans."""
        name, _ = self.config.settings.provider_and_model
        yield TurnMetrics(provider_name="custom" if self._provider else name)
        if self.config.enable_console_traces:
            yield TurnSpans()
        yield from self._observers

    async def shutdown(self) -> None:
        """Close everything in reverse order: no new turns, queues emptied, log written; closing twice is harmless."""
        await self._stack.aclose()


def configured_provider(config: ApplicationConfig) -> Provider:
    """The model service that the settings name."""
    name, model = config.settings.provider_and_model
    # Here, because the openai package takes half a second to import, and the offline demo does without it.
    module = import_module(PROVIDERS[name])
    provider: Provider = module.from_settings(config.settings, model=model, max_connections=config.calls_at_once + 1)
    return provider
