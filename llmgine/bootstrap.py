"""Putting an application together: the only place that names concrete classes, and the owner of start and stop."""

import time
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field

from llmgine.bus import MessageBus
from llmgine.context import ContextManager
from llmgine.engine import ToolChatEngine
from llmgine.engine.erasing import Erasing
from llmgine.engine.model import Model
from llmgine.engine.retention import Retention
from llmgine.engine.retries import RetryPolicy
from llmgine.engine.setting_changes import Choices
from llmgine.engine.turn import Renderer
from llmgine.engine.turn_limits import TurnLimits
from llmgine.errors import ConfigurationError, cannot_use
from llmgine.observability.metrics import TurnMetrics
from llmgine.observability.monitor import Monitor
from llmgine.observability.observer import Observer
from llmgine.observability.redaction import Redactor
from llmgine.observability.spans import TurnSpans
from llmgine.providers.base import Provider
from llmgine.providers.routing import RoutingProvider
from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.backup import HourlyBackup
from llmgine.sessions.costs import NANO, Today
from llmgine.sessions.integrity import IntegrityCheck
from llmgine.sessions.store import database_file
from llmgine.settings import PROVIDERS, Settings, split_name

if TYPE_CHECKING:
    from llmgine.mcp.servers import McpServers


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
    # What variables in the configuration of MCP servers stand for, and where their programs have PATH and HOME from.
    variables: Mapping[str, str] = Field(default_factory=dict, repr=False)


class ApplicationBootstrap:
    """An application: bus, store, engine. Start it with `async with`, or with `startup` and `shutdown`.

        async with ApplicationBootstrap(ApplicationConfig()) as app:
            await app.engine.register_tool(get_weather)
            answer = await ask(app.bus, PromptCommand(...))

    Args:
        config: What it is made of.
        provider: Who answers; the service named in the settings unless given. It is closed at shutdown.
        renderers: See `ToolChatEngine`.
        notes: See `ContextManager`.
        observers: What else listens and reports, such as an `OpenTelemetrySink`.
    """

    bus: MessageBus
    store: SessionStore
    integrity: IntegrityCheck | None = None  # of a SQLite file
    provider: Provider
    engine: ToolChatEngine
    erasing: Erasing
    mcp: "McpServers | None" = None  # where MCP_CONFIG names some

    def __init__(
        self,
        config: ApplicationConfig | None = None,
        *,
        provider: Provider | None = None,
        renderers: Mapping[str, Renderer] | None = None,
        notes: Mapping[str, str] | None = None,
        observers: Iterable[Observer] = (),
    ) -> None:
        self.config = config or ApplicationConfig()
        self._provider = provider
        self._renderers = renderers
        self._notes = notes
        self._observers = tuple(observers)
        self._stack = AsyncExitStack()
        self._end_by = 0.0  # on the monotonic clock

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
            self.store.limits = _limits_of_a_day(settings)
            if self.integrity is not None and file is not None:  # who runs a PostgreSQL server looks after it
                self.integrity.start()
                stack.push_async_callback(self.integrity.stop)
                if settings.backup_megabytes != 0:
                    backup = HourlyBackup(file, megabytes=settings.backup_megabytes)
                    backup.start()
                    stack.push_async_callback(self._stop_backup, backup)
            self.bus = await self._start_bus(stack)
            self.provider = self._provider or configured_provider(self.config)
            stack.push_async_callback(self.provider.aclose)
            self.engine = self._build_engine(self.provider)
            self.mcp = self._build_mcp()
            if self.mcp is not None:  # it ends after the engine, so that no call ends with its server
                stack.push_async_callback(self.mcp.stop)
            await self.engine.start()
            stack.push_async_callback(self.engine.stop)
            if self.mcp is not None:
                self.mcp.start()
            self.erasing = self._build_erasing(file)
            self.erasing.start()
            stack.push_async_callback(self.erasing.stop)
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
            raise cannot_use(f"LOG_DIR: {error.filename} cannot be written", error) from error
        stack.push_async_callback(bus.stop)
        monitor = Monitor(bus, lambda: bus.queued, interval=config.monitor_interval)
        monitor.start()
        stack.push_async_callback(monitor.stop)
        return bus

    async def _stop_backup(self, backup: HourlyBackup) -> None:
        is_damaged = self.integrity is not None and self.integrity.damage is not None
        await backup.stop(0.0 if is_damaged else max(0.0, self._end_by - time.monotonic()))

    def _build_engine(self, provider: Provider) -> ToolChatEngine:
        config, settings = self.config, self.config.settings
        redact = Redactor(settings.secrets())
        return ToolChatEngine(
            bus=self.bus,
            store=self.store,
            model=Model(
                provider,
                self.store,
                calls_at_once=config.calls_at_once,
                retry=config.retry,
                max_characters=settings.max_reply_characters,
                redact=redact,
                fallbacks=settings.fallback_models,
            ),
            context=ContextManager(
                self.store,
                system_prompt=settings.system_prompt,
                window=settings.context_tokens,
                vision=settings.openai_vision,
                image_bytes=settings.image_bytes,
                redact=redact,
                notes=self._notes,
            ),
            renderers=self._renderers,
            approval_timeout=settings.approval_timeout,
            titles=config.titles,
            redact=redact,
            choices=Choices(settings.allowed_models, settings.max_effort),
            allowed_tools=settings.allowed_tools,
            limits=_limits_of_a_turn(settings),
        )

    def _build_mcp(self) -> "McpServers | None":
        path = self.config.settings.mcp_config
        if path is None:
            return None
        # Here, because it needs an extra, and takes time to import.
        try:
            module = import_module("llmgine.mcp.servers")
        except ImportError as error:
            raise ConfigurationError("MCP_CONFIG needs an extra; install it with `uv sync --extra mcp`") from error
        servers: McpServers = module.McpServers(path, self.config.variables, self.engine.tools)
        return servers

    def _build_erasing(self, database: Path | None) -> Erasing:
        settings = self.config.settings
        log = settings.log_dir / self.config.log_filename if settings.log_dir else None
        retention = Retention(
            self.store, days=settings.retention_days, log_days=settings.log_days, log=log, database=database
        )
        return Erasing(self.bus, self.store, retention, database=database, log=log)

    def _all_observers(self) -> Iterable[Observer]:
        """The application's own, the metrics of turns, and where somebody reads them the spans."""
        name, _ = self.config.settings.provider_and_model
        yield TurnMetrics(provider_name="custom" if self._provider else name)
        if self.config.enable_console_traces:
            yield TurnSpans()
        yield from self._observers

    def ends_within(self, seconds: float) -> None:
        """The program is about to end: what is left of so many seconds at `shutdown` may be used for a last backup."""
        self._end_by = time.monotonic() + seconds

    async def shutdown(self) -> None:
        """Close everything in reverse order: no new turns, queues emptied, log written; closing twice is harmless."""
        await self._stack.aclose()


def configured_provider(config: ApplicationConfig) -> Provider:
    """The model service that the settings name, or several: those whose models the settings name.

    Raises:
        ConfigurationError: One of them cannot be used; the text names the setting.
    """
    settings = config.settings
    default, model = settings.provider_and_model
    named = [one for one in settings.allowed_models if split_name(one)[0] is not None]
    asked = [name for one in (*named, *settings.fallback_models) if (name := split_name(one)[0]) is not None]
    others = [name for name in dict.fromkeys(asked) if name != default]
    first = _provider_called(default, config, model)
    if not asked and split_name(settings.openai_model or "")[0] is None:
        return first
    return RoutingProvider({default: first} | {name: _provider_called(name, config) for name in others}, named)


def _provider_called(name: str, config: ApplicationConfig, model: str | None = None) -> Provider:
    # Here, because the openai package takes half a second to import, and the offline demo does without it.
    module = import_module(PROVIDERS[name])
    provider: Provider = module.from_settings(config.settings, model=model, max_connections=config.calls_at_once + 1)
    return provider


def _nanodollars(dollars: Decimal | None) -> int | None:
    return None if dollars is None else int(dollars * NANO)


def _limits_of_a_day(settings: Settings) -> Today:
    return Today(
        day=0,
        tokens=settings.daily_tokens,
        nanodollars=_nanodollars(settings.daily_dollars),
        person_tokens=settings.daily_tokens_per_person,
        person_nanodollars=_nanodollars(settings.daily_dollars_per_person),
    )


def _limits_of_a_turn(settings: Settings) -> TurnLimits:
    return TurnLimits(
        rounds=settings.turn_rounds,
        calls=settings.turn_calls,
        tokens=settings.turn_tokens,
        seconds=settings.turn_seconds,
        nanodollars=_nanodollars(settings.turn_dollars),
    )
