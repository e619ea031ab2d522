"""The playground as one object: everything built, served on 127.0.0.1, and handed to tests to drive."""

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import web

from programs.playground.admin import Admin
from programs.playground.application_commands import Commands
from programs.playground.callbacks import Callbacks
from programs.playground.contract import Contract
from programs.playground.credentials import Credentials, new_token
from programs.playground.deadlines import Deadlines
from programs.playground.fault_api import FaultApi
from programs.playground.faults import Faults
from programs.playground.files import FileRoutes
from programs.playground.gateway import Gateway
from programs.playground.interactions import Interactions
from programs.playground.log import Log, RequestRecord, Violation
from programs.playground.other_bots import OtherBots
from programs.playground.page_api import PageApi
from programs.playground.page_events import PageEvents
from programs.playground.page_settings import PageSettings
from programs.playground.people import People
from programs.playground.pins import Pins
from programs.playground.posting import Posting
from programs.playground.posting_rules import PostingRules
from programs.playground.ratelimits import RateLimits
from programs.playground.rest.api import BASE, Api
from programs.playground.rest.application_commands import CommandRoutes
from programs.playground.rest.channels import ChannelRoutes
from programs.playground.rest.interactions import InteractionRoutes
from programs.playground.rest.messages import MessageRoutes
from programs.playground.rest.pins import PinRoutes
from programs.playground.rest.reactions import ReactionRoutes
from programs.playground.rest.users import UserRoutes
from programs.playground.rest.webhooks import WebhookRoutes
from programs.playground.rules import Rules
from programs.playground.snowflakes import Snowflakes
from programs.playground.state import State
from programs.playground.storage import Storage
from programs.playground.threads import Threads
from programs.playground.webhooks import Webhooks
from programs.playground.wire import MAX_REQUEST_BYTES, Routes
from programs.web.guard import guard
from programs.web.page_files import add_page

T = TypeVar("T")
HOST = "127.0.0.1"
_PAGE = Path(__file__).parent / "page"
SHUTDOWN_SECONDS = 2.0
TICK_SECONDS = 60.0


class Playground:
    """A local Discord. Use it with `async with`, or `start` and `stop`.

    Args:
        port: where to listen; 0 takes a free one.
        host: 127.0.0.1, or 0.0.0.0 in a container that publishes the port; pages and bots use 127.0.0.1 all the same.
        token: the bot token to accept; a random one in the form of Discord's by default.
        notice: a line the page shows as a banner.
        people: names of further people, beside Ada and Grace.
        data: a file that keeps the state over restarts; nothing is written without it.
        rules: limits and deadlines.
        openapi: Discord's own document (`openapi.Document`); every exchange is then checked against it, too.
        fault_api: whether faults may be asked for over HTTP, at /playground/faults.
        clock: seconds since 1970, for ids, times and rate limits.
        monotonic: seconds that never go back, for nonces, quotas and deadlines.
        secret: makes tokens and session ids of so many bytes.

    Raises:
        ValueError: The data file is something else.
        InUseError: Another playground uses the data file.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = HOST,
        token: str | None = None,
        notice: str | None = None,
        people: Iterable[str] = (),
        data: Path | None = None,
        rules: Rules | None = None,
        openapi: Contract | None = None,
        fault_api: bool = False,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        secret: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self.rules = rules or Rules()
        self.token = token or new_token(secret)
        self.port = port
        self._host = host
        self.state = State(Snowflakes(clock))
        self._storage = None if data is None else Storage(self.state, data)
        if self._storage is not None:
            self._storage.load()
        self.log = Log()
        self._deadlines = Deadlines(monotonic)
        self.faults = Faults(self.state, self._deadlines)
        credentials = Credentials(self.token)
        self.gateway = Gateway(
            self.state, credentials, self.rules, self.log, contract=openapi, clock=monotonic, secret=secret
        )
        self.admin = Admin(self.state)
        admission = PostingRules(self.state, self.rules.old_edits)
        self._posting = Posting(self.state, self.rules.nonce_seconds, monotonic, admission)
        self._threads = Threads(self.state, self._posting)
        self._commands = Commands(self.state, monotonic)
        self._interactions = Interactions(self.state, self.rules, self._deadlines, secret)
        self._pins = Pins(self.state)
        self.webhooks = Webhooks(self.state, self._posting, secret)
        self.people = People(
            self.state,
            posting=self._posting,
            threads=self._threads,
            pins=self._pins,
            commands=self._commands,
            interactions=self._interactions,
        )
        self.other_bots = OtherBots(self.state, self._posting)
        here = {person.global_name for person in self.state.people}
        for name in people:
            if name not in here:
                self.admin.join(name)
        settings = PageSettings(self.state, self.people, self.admin)
        self._page_api = PageApi(self.state, self.people, settings, notice=notice, requests=self.log.requests)
        self._page_events = PageEvents(self.state)
        self._api = Api(
            self.state,
            credentials=credentials,
            limits=RateLimits(self.rules, clock),
            seen=self.log,
            faults=self.faults,
            contract=openapi,
        )
        self._fault_api = FaultApi(self.faults, self.gateway, self.log) if fault_api else None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address of the page, without a slash at its end."""
        return f"http://{HOST}:{self.port}"

    @property
    def api_base(self) -> str:
        """The address of REST, which bots take as DISCORD_API_BASE."""
        return self.url + BASE

    @property
    def gateway_url(self) -> str:
        """The address of the gateway, which bots take as DISCORD_GATEWAY_URL."""
        return f"ws://{HOST}:{self.port}/gateway"

    @property
    def requests(self) -> deque[RequestRecord]:
        """The bot's last REST requests, oldest first."""
        return self.log.requests

    @property
    def violations(self) -> deque[Violation]:
        """What Discord would have refused, or would not have answered."""
        return self.log.violations

    async def wait_for(self, find: Callable[[State], T]) -> T:
        """The first truthy result of `find`, which checks the state now and after each change."""
        return await self.state.changes.wait_for(lambda: find(self.state))

    def tick(self) -> None:
        """Let the clocks have their effects after a test moved one: deadlines pass, idle threads are archived.

        By itself a deadline passes in its time, and threads are looked at every minute.
        """
        self._deadlines.run_due()
        self._threads.archive_idle()

    def _keep_ticking(self) -> None:
        self._threads.archive_idle()
        self._deadlines.after(TICK_SECONDS, self._keep_ticking)

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        # Keep-alive connections are closed at once on stop: nothing waits for an idle client.
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._host, self.port)
            await site.start()
        except OSError:
            await runner.cleanup()
            if self._storage is not None:
                await self._storage.stop()
            raise
        self.port = runner.addresses[0][1]
        self.state.base_url = self.url
        self.gateway.url = self.gateway_url
        self._runner = runner
        self._keep_ticking()
        if self._storage is not None:
            self._storage.start()

    async def stop(self) -> None:
        """Close every connection and stop listening; twice is harmless."""
        if self._runner is not None:
            self.faults.clear()
            self._interactions.close()
            self._deadlines.close()
            await self._page_events.close()
            self.gateway.drop(1001)
            await self._runner.cleanup()
            self._runner = None
            if self._storage is not None:
                await self._storage.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def routes(self) -> list[tuple[str, str]]:
        """Method and path template of every route of Discord's that is here."""
        families = (*self._open_families(), *self._families())
        return [(method, template) for family in families for method, template, _ in family]

    def _open_families(self) -> Iterator[Routes]:
        """Those that need no token of the bot's."""
        yield UserRoutes.open_routes(lambda: self.gateway_url)
        callbacks = Callbacks(self.state, self._posting, self._interactions)
        interactions = InteractionRoutes(self.state, self._interactions, callbacks)
        yield interactions.routes()
        yield WebhookRoutes(self.state, self.webhooks, interactions).open_routes()

    def _families(self) -> Iterator[Routes]:
        yield UserRoutes(self.state, lambda: self.gateway_url, self.gateway.start_limit).routes()
        yield PinRoutes(self.state, self._pins).routes()  # before messages: "pins" is where an id may be
        yield MessageRoutes(self.state, self._posting).routes()
        yield ReactionRoutes(self.state, self._posting).routes()
        yield ChannelRoutes(self.state, self.admin, self._posting, self._threads).routes()
        yield CommandRoutes(self._commands).routes()
        yield WebhookRoutes(self.state, self.webhooks).routes()

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[guard(lambda: self.port)], client_max_size=MAX_REQUEST_BYTES)
        for routes in self._open_families():
            self._api.add(app, routes, with_token=False)
        for routes in self._families():
            self._api.add(app, routes)
        self._api.add_unknown(app)
        app.router.add_get("/gateway", self.gateway.connect)
        app.router.add_get("/gateway/", self.gateway.connect)
        FileRoutes(self.state).add(app)
        self._page_api.add(app)
        app.router.add_get("/playground/events", self._page_events.connect)
        if self._fault_api is not None:
            self._fault_api.add(app)
        add_page(app, _PAGE)
        return app
