"""Discord's REST API as a whole: the token, rate limits, errors, faults and the log around every route."""

import logging
import math
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from programs.playground.contract import UNKNOWN_ROUTE, Contract, refused_by_rules
from programs.playground.credentials import Credentials
from programs.playground.errors import ApiError, unauthorized
from programs.playground.faults import Faults, NoAnswerError, cut
from programs.playground.log import NO_ANSWER, Log, RequestRecord, Violation
from programs.playground.ratelimits import RateLimits, refusal
from programs.playground.snowflakes import iso
from programs.playground.state import State
from programs.playground.wire import Call, Handler, Reply, Routes, answer, proxy_page, read_call

log = logging.getLogger(__name__)

BASE = "/api/v10"
Answering = Callable[[web.Request], Awaitable[web.Response]]


class Api:
    """`contract` is Discord's own document, when there is a copy to check the traffic against."""

    def __init__(
        self,
        state: State,
        *,
        credentials: Credentials,
        limits: RateLimits,
        seen: Log,
        faults: Faults,
        contract: Contract | None,
    ) -> None:
        self._state = state
        self._credentials = credentials
        self._limits = limits
        self._log = seen
        self._faults = faults
        self._contract = contract

    def add(self, app: web.Application, routes: Routes, *, with_token: bool = True) -> None:
        """Add routes to an application; `with_token` says whether they ask for the bot's token."""
        for method, template, handler in routes:
            app.router.add_route(method, BASE + template, self._answering(template, handler, with_token))

    def add_unknown(self, app: web.Application) -> None:
        """Whatever no route took: Discord's 404, and a line in the log. Add it last."""
        app.router.add_route("*", "/api/{tail:.*}", self._answering(UNKNOWN_ROUTE, self._not_found, with_token=True))

    def _answering(self, route: str, handler: Handler, with_token: bool) -> Answering:
        async def answering(request: web.Request) -> web.Response:
            began = time.monotonic()
            asked: list[Any] = []  # the body, once it is read
            lost: NoAnswerError | None = None
            try:
                reply = await self._reply(request, route, handler, with_token, asked)
            except NoAnswerError as no_answer:
                lost, reply = no_answer, no_answer.reply
            shared = reply.headers.get("X-RateLimit-Scope") == "shared"
            record = RequestRecord(
                method=request.method,
                route=route,
                path=request.path_qs.removeprefix(BASE),
                status=reply.status if lost is None else NO_ANSWER,
                ms=round((time.monotonic() - began) * 1000, 2),
                at=iso(datetime.now(UTC)),
                request=asked[0] if asked else None,
                response=reply.body if reply.html is None else reply.html,
                shared=shared,
            )
            self._limits.answered(record.status, shared=shared)
            self._record(record)
            if lost is not None:
                await cut(request, lost.planned)
            if reply.html is not None:
                return web.Response(
                    text=reply.html, status=reply.status, content_type="text/html", headers=reply.headers
                )
            return answer(reply.body, reply.status, reply.headers)

        return answering

    async def _reply(
        self, request: web.Request, route: str, handler: Handler, with_token: bool, asked: list[Any]
    ) -> Reply:
        """The answer, whatever happens. Raises NoAnswerError only."""
        headers: dict[str, str] = {}
        try:
            if banned := self._limits.banned():
                return Reply(status=429, headers={"Retry-After": str(math.ceil(banned))}, html=proxy_page(429))
            if with_token:
                self._authorize(request)
            ids = None if route == UNKNOWN_ROUTE else dict(request.match_info)
            verdict = self._limits.take(request.method, route, ids, counts_globally=with_token)
            headers = verdict.headers
            if verdict.refusal is not None:
                return Reply(verdict.refusal, 429, headers)
            call = await read_call(request)
            asked.append(call.body)
            checked = self._checked(request.method, route, call)
            reply = await self._faults.around(request.method, route, checked, lambda call: _handled(handler, call))
        except ApiError as error:
            reply = _refused(error)
        except NoAnswerError:
            raise
        except Exception:
            # A fault of the playground must look like one of Discord's, and be found in the log.
            log.exception("%s %s failed", request.method, request.path)
            self._log.violations.append(Violation("playground", f"{request.method} {request.path} failed"))
            reply = Reply({"message": "500: Internal Server Error", "code": 0}, 500)
        if reply.html is not None or "X-RateLimit-Global" in reply.headers:
            return reply  # neither Discord's proxy nor its limit over everything knows of the route's bucket
        return Reply(reply.body, reply.status, {**headers, **reply.headers})

    def _checked(self, method: str, route: str, call: Call) -> Call:
        """The call; it carries the refusal of Discord's document, for when our own rules find nothing."""
        refusal = None if self._contract is None else self._contract.refusal(method, route, call)
        return call if refusal is None else call.refused(refusal)

    def _authorize(self, request: web.Request) -> None:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bot" or not self._credentials.accept(given):
            raise unauthorized()

    def _record(self, record: RequestRecord) -> None:
        self._log.requests.append(record)
        if text := refused_by_rules(record):
            self._log.violations.append(Violation("bot", text))
        if self._contract is not None:
            self._log.violations.extend(self._contract.violations(record))
        self._state.tell_people("REQUEST", record.shown())

    def _not_found(self, call: Call) -> Reply:
        log.warning("There is no route /api/%s", call.ids["tail"])
        return Reply({"message": "404: Not Found", "code": 0}, 404)


def _handled(handler: Handler, call: Call) -> Reply:
    """What a fault may still replace: an error of Discord's is an answer like any other."""
    try:
        return handler(call)
    except ApiError as error:
        return _refused(error)


def _refused(error: ApiError) -> Reply:
    headers = {} if error.retry_after is None else refusal(error.retry_after, "user")[0]
    return Reply(error.body(), error.status, headers)
