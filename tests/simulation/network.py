"""The network between discord.py and the simulated Discord: in place of aiohttp's session, with all its faults."""

import asyncio
import json
import random
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import aiohttp
import yarl
from multidict import CIMultiDict

from tests.simulation.entities import Json, RefusalError
from tests.simulation.faults import Fault, Weather
from tests.simulation.gateway import Gateway, Socket
from tests.simulation.life import Life
from tests.simulation.server import Limited, Server
from tests.simulation.timeline import Timeline

_PREFIX = "/api/v10/"
_PATIENCE = 300.0  # seconds after which aiohttp gives a request up
_VIA = {"Via": "1.1 google", "content-type": "application/json"}


class _Form:
    """In place of aiohttp's form, whose fields cannot be read back."""

    def __init__(self, **_options: Any) -> None:
        self.body: Json = {}
        self.files: list[tuple[str, str]] = []

    def add_field(self, name: str, value: Any, **options: Any) -> None:
        """A field: the body as JSON, or a file."""
        if name == "payload_json":
            self.body = json.loads(value)
        else:
            self.files.append((options["filename"], value.read().decode()))


class _Response:
    """An answer."""

    reason = "simulated"

    def __init__(self, status: int, headers: Mapping[str, str], text: str) -> None:
        self.status = status
        self.headers = CIMultiDict(headers)
        self._text = text

    async def text(self, encoding: str = "utf-8") -> str:
        """The body."""
        return self._text


class Network:
    """Carries requests, or loses them.

    Attributes:
        requests: How many were made.
    """

    def __init__(
        self, server: Server, gateway: Gateway, weather: Weather, timeline: Timeline, chance: random.Random
    ) -> None:
        self.requests = 0
        self._server = server
        self._gateway = gateway
        self._weather = weather
        self._timeline = timeline
        self._chance = chance
        self._blocked_until = self._down_until = 0.0

    def stand_in(self, life: Life) -> SimpleNamespace:
        """What discord.py finds under the name `aiohttp`, in one life of the bot."""
        return SimpleNamespace(
            **{name: getattr(aiohttp, name) for name in dir(aiohttp) if not name.startswith("__")}
            | {
                "ClientSession": lambda **options: Session(self, life, options.get("trace_configs") or ()),
                "TCPConnector": lambda **_: SimpleNamespace(),
                "FormData": _Form,
                "__version__": aiohttp.__version__,
            }
        )

    async def ask(self, life: Life, method: str, url: yarl.URL, options: Mapping[str, Any]) -> _Response:
        """Send a request and wait for its answer."""
        future: asyncio.Future[_Response] = asyncio.get_running_loop().create_future()
        self.requests += 1
        if life.alive and self._weather.strikes(Fault.KILL_BEFORE_REQUEST):
            life.kill(f"at {method} {url.path}")
        if life.alive:
            latency = 0.01 + 0.08 * self._chance.random()
            self._timeline.after(latency, lambda: self._arrive(life, method, url, options, future))
        return await future

    def _arrive(
        self, life: Life, method: str, url: yarl.URL, options: Mapping[str, Any], future: "asyncio.Future[_Response]"
    ) -> None:
        if future.cancelled() and self._chance.random() < 0.5:
            return  # it was given up before it was sent
        answer = self._in_the_way() or self._lost(before=True)
        if answer is None:
            answer = self._limit() or self._done(method, url, options)
            if method != "GET" and life.alive and self._weather.strikes(Fault.KILL_AFTER_REQUEST):
                life.kill(f"after {method} {url.path}")
                return
            if method != "GET" and isinstance(answer, _Response) and answer.status < 300:
                answer = self._lost(before=False) or answer
        seconds = 0.01 + 0.08 * self._chance.random()
        if isinstance(answer, TimeoutError):
            seconds = _PATIENCE
        elif self._weather.strikes(Fault.SLOW):
            seconds += 8.0 * self._chance.random()
        self._timeline.after(seconds, lambda: _deliver(life, answer, future))

    def _in_the_way(self) -> _Response | None:
        """What stands before Discord."""
        now, weather = self._timeline.now, self._weather
        if weather.is_calm:
            return None
        if weather.strikes(Fault.PROXY_BLOCK):
            self._blocked_until = now + self._chance.uniform(5.0, 120.0)
        if weather.strikes(Fault.DISCORD_DOWN):
            self._down_until = now + self._chance.uniform(20.0, 400.0)
        if now < self._blocked_until:
            wait = {"Retry-After": f"{self._blocked_until - now:.0f}", "content-type": "text/html"}
            return _Response(429, wait, "<html>blocked</html>")
        if now < self._down_until:
            return _Response(503, {"content-type": "text/html"}, "<html>down</html>")
        return None

    def _lost(self, *, before: bool) -> _Response | Exception | None:
        weather = self._weather
        error, reset, hang = (
            (Fault.ERROR_BEFORE, Fault.RESET_BEFORE, Fault.HANG_BEFORE)
            if before
            else (Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.HANG_AFTER)
        )
        if weather.strikes(error):
            return _Response(self._chance.choice((500, 502, 503, 504)), _VIA, '{"code": 0, "message": "simulated"}')
        if weather.strikes(reset):
            return self._chance.choice((ConnectionResetError(104, "reset"), aiohttp.ServerDisconnectedError()))
        return TimeoutError() if weather.strikes(hang) else None

    def _limit(self) -> _Response | None:
        weather = self._weather
        if weather.strikes(Fault.LIMIT_SHORT):
            return _limited(self._chance.uniform(0.3, 8.0), "user")
        if weather.strikes(Fault.LIMIT_LONG):
            return _limited(self._chance.uniform(31.0, 90.0), "shared")
        if weather.strikes(Fault.LIMIT_GLOBAL):
            return _limited(self._chance.uniform(0.3, 5.0), "global")
        return None

    def _done(self, method: str, url: yarl.URL, options: Mapping[str, Any]) -> _Response:
        """Let Discord do it."""
        body, files = _content(options.get("data"))
        parts = url.path.removeprefix(_PREFIX).split("/")
        try:
            answer, bucket = self._server.answer(method, parts, options.get("params") or {}, body, files)
        except RefusalError as error:
            self._timeline.note(f"{method} {url.path} {error}")
            return _Response(error.status, _VIA, json.dumps({"code": error.code, "message": "simulated"}))
        except Limited as error:
            return _limited(error.seconds, "user")
        self._timeline.note(f"{method} {url.path}")
        headers = dict(_VIA)
        if bucket is not None:
            limit, rest, seconds = bucket
            headers |= {
                "X-RateLimit-Limit": f"{limit}",
                "X-RateLimit-Remaining": f"{rest}",
                "X-RateLimit-Reset-After": f"{seconds:.3f}",
                "X-RateLimit-Bucket": f"{method}-{len(parts)}",
            }
        if answer is None:
            del headers["content-type"]
            return _Response(204, headers, "")
        return _Response(200, headers, json.dumps(answer))

    async def connect(self, life: Life) -> Socket:
        """A connection to the gateway."""
        future: asyncio.Future[Socket] = asyncio.get_running_loop().create_future()

        def arrive() -> None:
            if not life.alive or future.done():
                return
            if self._timeline.now < self._down_until and not self._weather.is_calm:
                future.set_exception(aiohttp.ClientConnectionError("simulated"))
            else:
                future.set_result(self._gateway.connect(life))

        if life.alive:
            self._timeline.after(0.05, arrive)
        return await future


class Session:
    """In place of aiohttp's session."""

    def __init__(self, network: Network, life: Life, traces: Any) -> None:
        self.closed = False
        self._network = network
        self._life = life
        self._traces = tuple(traces)

    def request(self, method: str, url: str, **options: Any) -> "_Request":
        """A request, to be made by `async with`."""
        return _Request(self, method, yarl.URL(url), options)

    async def ws_connect(self, url: str, **_options: Any) -> Socket:
        """A connection to the gateway."""
        del url
        return await self._network.connect(self._life)

    async def close(self) -> None:
        """No requests any more."""
        self.closed = True

    async def made(self, method: str, url: yarl.URL, options: Mapping[str, Any]) -> _Response:
        """Make a request, with what stands around it."""
        if self.closed:
            raise RuntimeError("Session is closed")
        context = SimpleNamespace()
        about = SimpleNamespace(method=method, url=url, headers=options.get("headers", {}))
        for trace in self._traces:
            for before in trace.on_request_start:
                await before(self, context, about)
        response = await self._network.ask(self._life, method, url, options)
        about.response = response
        for trace in self._traces:
            for after in trace.on_request_end:
                await after(self, context, about)
        return response


class _Request:
    def __init__(self, session: Session, method: str, url: yarl.URL, options: Mapping[str, Any]) -> None:
        self._session = session
        self._about = method, url, options

    async def __aenter__(self) -> _Response:
        return await self._session.made(*self._about)

    async def __aexit__(self, *_exc: object) -> None:
        """Nothing is held."""


def _deliver(life: Life, answer: _Response | Exception, future: "asyncio.Future[_Response]") -> None:
    if not life.alive or future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _limited(seconds: float, scope: str) -> _Response:
    body = {"message": "limited", "retry_after": seconds, "global": scope == "global", "code": 0}
    headers = {**_VIA, "Retry-After": f"{seconds:.3f}", "X-RateLimit-Scope": scope}
    return _Response(429, headers, json.dumps(body))


def _content(data: object) -> tuple[Json, list[tuple[str, str]]]:
    if isinstance(data, _Form):
        return data.body, data.files
    return (json.loads(data), []) if isinstance(data, str) else ({}, [])
