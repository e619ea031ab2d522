"""Discord's REST API as a whole: the token, rate limits, errors and the log around every route."""

import logging
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from programs.playground.errors import ApiError, unauthorized
from programs.playground.ids import iso
from programs.playground.ratelimits import RateLimits
from programs.playground.state import State
from programs.playground.wire import Call, Handler, Reply, Routes, answer, read_call

log = logging.getLogger(__name__)

BASE = "/api/v10"
KEPT_REQUESTS = 500
Answering = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True)
class RequestRecord:
    """One request of the bot, as it came and was answered. `route` is the template, without the base."""

    method: str
    route: str
    path: str
    status: int
    ms: float
    at: str
    request: Any = None
    response: Any = None


class Api:
    def __init__(self, state: State, token: str, limits: RateLimits) -> None:
        self._state = state
        self._token = token
        self._limits = limits
        self.requests: deque[RequestRecord] = deque(maxlen=KEPT_REQUESTS)

    def add(self, app: web.Application, routes: Routes, *, with_token: bool = True) -> None:
        for method, template, handler in routes:
            app.router.add_route(method, BASE + template, self._answering(template, handler, with_token))

    def add_unknown(self, app: web.Application) -> None:
        """Whatever no route took: Discord's 404, and a line in the log. Add it last."""
        app.router.add_route("*", "/api/{tail:.*}", self._answering("(unknown)", _not_found, with_token=True))

    def _answering(self, route: str, handler: Handler, with_token: bool) -> Answering:
        async def answering(request: web.Request) -> web.Response:
            began = time.monotonic()
            headers: dict[str, str] = {}
            call: Call | None = None
            try:
                if with_token:
                    self._authorize(request)
                verdict = self._limits.take(request.method, route, dict(request.match_info), counts_globally=with_token)
                headers = verdict.headers
                if verdict.refusal is not None:
                    reply = Reply(verdict.refusal, 429)
                else:
                    call = await read_call(request)
                    reply = handler(call)
            except ApiError as error:
                reply = Reply(error.body(), error.status)
            except Exception:
                # A fault of the playground must look like one of Discord's, and be found in the log.
                log.exception("%s %s failed", request.method, request.path)
                reply = Reply({"message": "500: Internal Server Error", "code": 0}, 500)
            self._record(request, route, reply, call and call.body, time.monotonic() - began)
            return answer(reply.body, reply.status, headers)

        return answering

    def _authorize(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not secrets.compare_digest(given, f"Bot {self._token}".encode()):
            raise unauthorized()

    def _record(self, request: web.Request, route: str, reply: Reply, body: Any, seconds: float) -> None:
        record = RequestRecord(
            method=request.method,
            route=route,
            path=request.path_qs.removeprefix(BASE),
            status=reply.status,
            ms=round(seconds * 1000, 2),
            at=iso(datetime.now(UTC)),
            request=body,
            response=reply.body,
        )
        self.requests.append(record)
        shown = ("method", "route", "path", "status", "ms", "at")
        self._state.tell_people("REQUEST", {name: getattr(record, name) for name in shown})


def _not_found(call: Call) -> Reply:
    log.warning("There is no route /api/%s", call.ids["tail"])
    return Reply({"message": "404: Not Found", "code": 0}, 404)
