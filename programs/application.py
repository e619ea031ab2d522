"""What both programs share: the application built from the settings, and the log."""

import asyncio
import contextlib
import copy
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module

from pydantic import ValidationError

from llmgine.bootstrap import ApplicationBootstrap
from llmgine.engine.transcribing import Transcriber
from llmgine.engine.turn import Renderer
from llmgine.errors import ConfigurationError, LeaseLostError, ProviderError, StoreError
from llmgine.messages.steps import LeftOut
from llmgine.observability.redaction import Redactor
from llmgine.providers.base import Provider
from llmgine.providers.choosing import chosen, shutdown_notice
from llmgine.providers.speech import SpeechService
from llmgine.sessions.database import Operation, Steps
from llmgine.sessions.store import database_file
from llmgine.tools import plugins
from llmgine.tools.blocking import in_thread
from llmgine.tools.plugins import FoundTool, ToolProblem
from programs.demo_model import DemoModel
from programs.settings import ProgramConfig, ProgramSettings
from programs.tools import build_tools
from programs.tools.email import SmtpConfig
from programs.tools.search import SearchConfig
from programs.tools.weather import WeatherConfig

DEMO_NOTICE = (
    "Answers come from the offline demo model, which knows only a few phrases. "
    "Set OPENAI_API_KEY or OPENAI_BASE_URL for a real model (see .env.example)."
)
# What people read when the model was not given something.
LEFT_OUT: Mapping[LeftOut, str] = {
    "images": "This model can't read the images, so it answered without them",
    "tools": "This model can't use tools, so it answered without them",
    "history": "This conversation is too long for the model, so older messages were left out",
}
NOT_CHOSEN = "chosen at the first question"  # in place of a model's name
_OPEN_METEO = "https://api.open-meteo.com"

_log = logging.getLogger(__name__)


# What the system text says of the program that shows the answer, by the source of a turn.
NOTES = {
    "discord": "Your answer is shown in Discord: it renders bold, italics, strikethrough, ||spoilers||, headings up to"
    " ###, lists, quotes, links and code between three backticks. It has no LaTeX and no HTML, and only narrow tables"
    " fit a phone.",
}


class Application(ApplicationBootstrap):
    """The engine with the tools of both programs, on the model the settings name or else the demo model.

    Attributes:
        transcriber: Makes text of audio; None where no model for that is set.
        tool_problems: Which tools of the operator's own are not there, and why.
    """

    config: ProgramConfig
    transcriber: Transcriber | None = None

    def __init__(
        self,
        config: ProgramConfig,
        *,
        provider: Provider | None = None,
        renderers: Mapping[str, Renderer] | None = None,
    ) -> None:
        if provider is None and not config.settings.has_model:
            provider = DemoModel()
        super().__init__(config, provider=provider, renderers=renderers, notes=NOTES)
        self._look: asyncio.Task[None] | None = None
        self.tool_problems: list[ToolProblem] = []

    @contextlib.asynccontextmanager
    async def while_usable(self, end: Callable[[], object]) -> AsyncIterator[None]:
        """Call `end` when this process can no longer use the store; `end` may cancel the task that runs the block.

        Raises:
            DamagedStoreError: The database is damaged; after the block.
            LeaseLostError: Another process took over this one's work; after the block.
        """
        watching = asyncio.create_task(self._until_unusable())
        watching.add_done_callback(lambda task: task.cancelled() or end())
        try:
            yield
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._unusable is None or task is None:
                raise
            task.uncancel()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        if self._unusable is not None:
            raise self._unusable

    async def _until_unusable(self) -> None:
        reasons = [asyncio.create_task(self.store.owners.lost.wait())]
        if self.integrity is not None:
            reasons.append(asyncio.create_task(self.integrity.damaged.wait()))
        try:
            await asyncio.wait(reasons, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for reason in reasons:
                reason.cancel()

    @property
    def _unusable(self) -> StoreError | None:
        if self.store.owners.lost.is_set():
            return LeaseLostError()
        return None if self.integrity is None else self.integrity.damage

    async def check_store(self) -> None:
        """Read from the store.

        Raises:
            StoreError: It cannot be read, or this process can no longer use it.
        """
        if self._unusable is not None:
            raise self._unusable
        await self.store.run(_read, Operation("health.read", writes=False))

    async def startup(self) -> None:
        """Start, register the tools, and check in the background whether the model is about to be shut down.

        Raises:
            ConfigurationError: A setting cannot be used; the text names it.
        """
        settings = self.config.settings
        tools = build_tools(
            weather=_weather(settings),
            outbox=settings.outbox_dir,
            smtp=_smtp(settings),
            email_recipients=settings.email_recipients,
            email_allowed=settings.email_domains,
            fetch=settings.web_fetch,
            search=_search(settings),
        )
        # Foreign code is imported beside the loop, so that the program can be ended while a file takes its time.
        has_own = settings.tools or settings.tools_dir is not None or plugins.are_installed()
        added = await in_thread(lambda: [*_added_tools(settings)], name="loading tools") if has_own else []
        speech = _speech(settings)
        await super().startup()
        self.store.timezone = settings.timezone or "UTC"
        if speech is not None:
            self.transcriber = Transcriber(
                speech,
                self.store,
                retry=self.config.retry,
                longest=settings.transcribe_seconds,
                redact=Redactor(settings.secrets()),
            )
        for tool in tools:
            await self.engine.register_tool(tool)
        await self._add(added)
        if settings.has_model:
            self._look = asyncio.create_task(_warn_of_shutdown(self.provider))

    async def _add(self, added: Iterable[FoundTool | ToolProblem]) -> None:
        """Register the operator's own tools; what cannot be is logged, and shown by /doctor."""
        self.tool_problems = []
        for found in added:
            if isinstance(found, FoundTool):
                try:
                    await self.engine.register_tool(found.tool)
                except ValueError as error:  # the name is taken
                    self.tool_problems.append(ToolProblem(found.source, found.line, str(error)))
            else:
                self.tool_problems.append(found)
        redact = Redactor(self.config.settings.secrets())
        self.tool_problems = [replace(problem, words=redact(problem.words)) for problem in self.tool_problems]
        for problem in self.tool_problems:
            _log.warning("A tool was not loaded: %s", problem)

    async def shutdown(self) -> None:
        """Close everything, see `ApplicationBootstrap`."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.gather(self._look, return_exceptions=True)
        await super().shutdown()
        if self.transcriber is not None:
            await self.transcriber.aclose()
            self.transcriber = None


def _added_tools(settings: ProgramSettings) -> Iterator[FoundTool | ToolProblem]:
    """The operator's own tools.

    Raises:
        ConfigurationError: TOOLS_DIR is no folder to load code from.
    """
    yield from plugins.named(settings.tools)
    yield from plugins.installed()
    if settings.tools_dir is not None:
        database = database_file(settings.database_url)
        written = [settings.log_dir, settings.outbox_dir, *([] if database is None else [database.parent])]
        yield from plugins.in_folder(settings.tools_dir, written)


def _read() -> Steps[None]:
    yield "SELECT version FROM schema_version", ()


async def _warn_of_shutdown(provider: Provider) -> None:
    """Log a warning if the service plans to shut down the model that answers, or the one it would choose."""
    try:
        listed = await provider.models()
    except ProviderError as error:
        _log.info("Cannot list the service's models: %s", error)
        return
    today = datetime.now(UTC).date()
    name = provider.model
    if not name:
        with contextlib.suppress(ProviderError):  # whoever asks the first question sees it
            name = chosen(listed, today)
    notice = shutdown_notice(listed, name, today)
    if notice is not None:
        _log.warning("%s", notice)


def _speech(settings: ProgramSettings) -> SpeechService | None:
    """Who transcribes, if the settings name somebody.

    Raises:
        ConfigurationError: That cannot be used; the text names the setting.
    """
    if settings.transcribe_model is None:
        if settings.transcribe_base_url or settings.transcribe_api_key:
            raise ConfigurationError("TRANSCRIBE_MODEL: set the name of the model, such as gpt-4o-mini-transcribe")
        return None
    # Here, because the openai package takes half a second to import.
    module = import_module("llmgine.providers.transcription")
    key, address = settings.transcribe_service
    made: SpeechService = module.OpenAISpeech(settings.transcribe_model, key, address)
    return made


def _weather(settings: ProgramSettings) -> WeatherConfig:
    """Open-Meteo unless the settings name another address; the offline demo stays offline."""
    base_url = settings.weather_base_url or (_OPEN_METEO if settings.has_model else None)
    try:
        return WeatherConfig.model_validate({"base_url": base_url})
    except ValidationError as error:
        raise ConfigurationError(f"WEATHER_BASE_URL: {error.errors()[0]['msg']}") from None


def _search(settings: ProgramSettings) -> SearchConfig | None:
    """Who searches the web, if the settings name somebody.

    Raises:
        ConfigurationError: What that needs is not set, or cannot be used; the text names the setting.
    """
    service = settings.web_search
    if service is None:
        return None
    named = {
        "searxng": ("SEARXNG_URL", "url", settings.searxng_url),
        "brave": ("BRAVE_API_KEY", "key", settings.brave_api_key),
        "tavily": ("TAVILY_API_KEY", "key", settings.tavily_api_key),
    }
    name, field, value = named[service]
    if value is None:
        raise ConfigurationError(f"{name}: WEB_SEARCH={service} needs it (see .env.example)")
    try:
        return SearchConfig.model_validate({"service": service, field: value})
    except ValidationError as error:
        raise ConfigurationError(f"{name}: {error.errors()[0]['msg']}") from None


def _smtp(settings: ProgramSettings) -> SmtpConfig | None:
    """The mail server of the settings, if there is one."""
    if not settings.smtp_host:
        return None
    values = {
        "host": settings.smtp_host,
        "port": settings.smtp_port,
        "username": settings.smtp_username,
        "password": settings.smtp_password,
        "sender": settings.smtp_from or settings.smtp_username,
        "tls": settings.smtp_tls,
    }
    try:
        return SmtpConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["loc"] == ("sender",) and values["sender"] is None:
            raise ConfigurationError("SMTP_FROM: set the address e-mails come from (see .env.example)") from None
        name = "_".join(str(part) for part in ("SMTP", *first["loc"])).upper().replace("SENDER", "FROM")
        raise ConfigurationError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None


def configure_log(settings: ProgramSettings) -> None:
    """Send the program's own log to standard error, without secrets.

    discord.py's and the model client's debug lines contain whole requests, so these libraries stay at INFO, and those
    that log whole addresses at WARNING.
    """
    redact = Redactor(settings.secrets())

    class Formatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            error = record.exc_info[1] if record.exc_info else None
            if error is not None and record.name.startswith("discord."):
                # It logs a lost connection with the whole traceback; the error alone says as much.
                record = copy.copy(record)
                record.msg, record.args = f"{record.getMessage()} ({error!r})", None
                record.exc_info = record.exc_text = None
            return redact(super().format(record))

    handler = logging.StreamHandler()
    handler.setFormatter(Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    level = logging.getLevelName(settings.log_level)
    for library in ("discord", "openai", "anthropic", "aiohttp", "asyncio", "aiosqlite"):
        logging.getLogger(library).setLevel(max(logging.INFO, level))
    # They log what goes to services and MCP servers: whole addresses, with the keys in them, and session ids.
    for library in ("httpx2", "httpcore2", "mcp"):
        logging.getLogger(library).setLevel(max(logging.WARNING, level))
