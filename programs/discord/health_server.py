"""Whether the bot works, for whoever supervises it: /healthz, /readyz, and /metrics for Prometheus.

It shows no conversation and no name of a channel or a person, so it asks for no token.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from llmgine.errors import ConfigurationError, LLMgineError
from programs.application import Application
from programs.command_line import version
from programs.discord.connection_status import ConnectionPhase, ConnectionStatus
from programs.discord.delivery.metrics import FAMILIES
from programs.discord.ids import SOURCE
from programs.settings import ProgramSettings
from programs.web.listening import listening

if TYPE_CHECKING:
    from llmgine.observability.prometheus import PrometheusSink

PATIENCE = 3.0  # seconds that the store gets to answer
_UNFINISHED = ("queued", "running", "waiting")  # the states of a turn before its outcome

_log = logging.getLogger(__name__)


class Health:
    """Answers the probes. It reads states that others own, and changes none.

    Args:
        app: The application, started.
        status: How the connection to Discord is.
    """

    def __init__(self, app: Application, status: ConnectionStatus) -> None:
        self._app = app
        self._status = status
        self._unfinished: Counter[str] | None = Counter()  # turns by state; None when the store does not say
        self._sink: PrometheusSink | None = None
        self._no_metrics = ""  # why there is no sink

    @contextlib.contextmanager
    def measuring(self) -> Iterator[None]:
        """Count for /metrics inside this block, if the extra for it is installed."""
        try:
            from llmgine.observability.prometheus import PrometheusSink  # noqa: PLC0415  it needs an extra
        except ConfigurationError as error:
            self._no_metrics = str(error)
            _log.info("/metrics is off: %s", error)
            yield
            return
        self._sink = sink = PrometheusSink(families=FAMILIES)
        sink.info("llmgine_build", "The version that runs.", {"version": version()})
        phases = {phase.name.lower(): phase for phase in ConnectionPhase}
        sink.gauge(
            "llmgine_discord_connection",
            "1 for the present state of the connection to Discord, 0 for the others.",
            "state",
            {name: partial(self._is_in, phase) for name, phase in phases.items()},
        )
        sink.gauge(
            "llmgine_turns_unfinished",
            "Turns from Discord that have no outcome yet.",
            "state",
            {state: partial(self._count, state) for state in _UNFINISHED},
        )
        detach = sink.attach(self._app.bus)
        try:
            yield
        finally:
            detach()

    def _is_in(self, phase: ConnectionPhase) -> float:
        return float(self._status.phase is phase)

    def _count(self, state: str) -> float:
        return float("nan") if self._unfinished is None else float(self._unfinished[state])

    def application(self) -> web.Application:
        """What answers over HTTP."""
        served = web.Application()
        served.router.add_get("/healthz", self._healthz)
        served.router.add_get("/readyz", self._readyz)
        served.router.add_get("/metrics", self._metrics)
        return served

    async def _healthz(self, _: web.Request) -> web.Response:
        """Whether the process works: a bot that waits for Discord does, and starting it again would not help."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._app.check_store()
        except TimeoutError:
            return _said(503, f"The database has not answered for {PATIENCE:g} s.")
        except LLMgineError as error:
            return _said(503, str(error))
        return _said(200, "The process and its database work.")

    async def _readyz(self, _: web.Request) -> web.Response:
        phase = self._status.phase
        return _said(200 if phase is ConnectionPhase.READY else 503, phase.value)

    async def _metrics(self, request: web.Request) -> web.Response:
        if self._sink is None:
            return _said(501, self._no_metrics)
        try:
            async with asyncio.timeout(PATIENCE):
                turns = await self._app.store.turns.unfinished_of({SOURCE})
            self._unfinished = Counter(turn.state for turn in turns)
        except (TimeoutError, LLMgineError):
            self._unfinished = None
        text, content_type = self._sink.render(request.headers.get("Accept", ""))
        return web.Response(body=text, headers={"Content-Type": content_type})


def _said(status: int, sentence: str) -> web.Response:
    return web.Response(status=status, text=f"{sentence}\n", headers={"Cache-Control": "no-store"})


@contextlib.asynccontextmanager
async def health_of(app: Application, status: ConnectionStatus, settings: ProgramSettings) -> AsyncIterator[None]:
    """Answer probes at HEALTH_HOST and HEALTH_PORT inside this block; without HEALTH_PORT nothing listens.

    Raises:
        ConfigurationError: The address or the port cannot be used.
    """
    if settings.health_port is None:
        yield
        return
    health = Health(app, status)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(health.measuring())
        serving = listening(health.application(), settings.health_host, settings.health_port)
        try:
            port = await stack.enter_async_context(serving)
        except OSError as error:
            raise ConfigurationError(
                f"HEALTH_PORT: cannot listen on {settings.health_host}:{settings.health_port} ({error.strerror}): "
                "set HEALTH_PORT to a free port, and HEALTH_HOST to an address of this machine"
            ) from error
        _log.info("Health checks are answered at http://%s:%d/healthz", settings.health_host, port)
        yield
