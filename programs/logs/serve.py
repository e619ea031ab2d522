"""`serve`: the recent turns as a page on 127.0.0.1."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from llmgine.errors import ConfigurationError
from llmgine.platforms import ENDING_SIGNALS, handle_signals
from programs.logs.live import LiveLog
from programs.logs.spans import build, walk
from programs.logs.turn_records import Summary, summarize
from programs.logs.waits import waits
from programs.web.guard import guard
from programs.web.listening import listening
from programs.web.page_files import HEADERS, add_page

HOST = "127.0.0.1"
_PAGE = Path(__file__).parent / "page"
_MOST_TURNS = 200  # on the page
_LONGEST_TEXT = 4_000  # characters of a text on the page
_LONGEST_PROMPT = 200
_MOST_SPANS = 2_000
_HEARTBEAT = 15.0  # seconds; only writing to a browser shows that it is gone


class LogPage:
    """The page of one log; `async with LogPage(path).served()` serves it.

    Args:
        path: The log.
        port: Where to listen on 127.0.0.1; 0 takes a free one.
    """

    def __init__(self, path: Path, *, port: int = 0) -> None:
        self.port = port
        self.log = LiveLog(path)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.port}/"

    @contextlib.asynccontextmanager
    async def served(self) -> AsyncIterator["LogPage"]:
        """Serve the page and follow the log inside this block.

        Raises:
            OSError: The port is taken.
        """
        following = asyncio.create_task(self.log.follow())
        async with contextlib.AsyncExitStack() as stack:
            try:
                self.port = await stack.enter_async_context(listening(self._app(), HOST, self.port))
                yield self
            finally:  # before the server stops, which waits for the pages that follow the log
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
                self.log.close()

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[_with_headers, guard(lambda: self.port)])
        add_page(app, _PAGE)
        app.router.add_get("/api/turns", self._turns)
        app.router.add_get("/api/turns/{turn}", self._turn)
        app.router.add_get("/api/changes", self._changes)
        return app

    async def _turns(self, _: web.Request) -> web.Response:
        turns = [_summary(turn) for turn in self.log.turns.newest(_MOST_TURNS)]
        return _json({"log": str(self.log.path), "turns": turns})

    async def _turn(self, request: web.Request) -> web.Response:
        turn_id = request.match_info["turn"]
        records = self.log.turns.records(turn_id)
        if not records:
            raise web.HTTPNotFound(text="This turn is not among the recent ones. See it with `trace` in a terminal.")
        roots = build(records)
        begin = min(root.start for root in roots)
        spans = [
            {
                "depth": depth,
                "kind": span.kind,
                "name": span.name[:_LONGEST_TEXT],
                "state": span.state,
                "detail": span.detail[:_LONGEST_TEXT],
                "start": (span.start - begin).total_seconds(),
                "seconds": span.seconds,
            }
            for (depth, span), _ in zip(walk(roots), range(_MOST_SPANS), strict=False)
        ]
        waited = [
            {"start": (start - begin).total_seconds(), "seconds": (end - start).total_seconds()}
            for start, end in waits(roots)
        ]
        return _json({**_summary(summarize(turn_id, records)), "spans": spans, "waits": waited})

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the revision, now and whenever it changes."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **HEADERS})
        await response.prepare(request)
        seen = -1
        with contextlib.suppress(ConnectionError):  # the browser left
            while not self.log.closed:
                await self.log.change(seen, _HEARTBEAT)
                seen = self.log.revision
                await response.write(b"data: %d\n\n" % seen)
        return response


@web.middleware
async def _with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer, refusals too, is sent with the page's strict policy."""
    try:
        response = await handler(request)
    except web.HTTPException as refusal:
        refusal.headers.update(HEADERS)
        raise
    if not response.prepared:
        response.headers.update(HEADERS)
    return response


def _summary(turn: Summary) -> dict[str, Any]:
    data = asdict(turn)
    data["prompt"] = turn.prompt[:_LONGEST_PROMPT]
    data["notice"] = turn.notice[:_LONGEST_PROMPT]
    return data


def _json(data: object) -> web.Response:
    return web.json_response(text=json.dumps(data, default=datetime.isoformat))


async def serve(path: Path, port: int) -> None:
    """Serve the page until Ctrl-C or SIGTERM.

    Raises:
        ConfigurationError: The port is taken.
    """
    stop = asyncio.Event()
    handle_signals(stop.set, *ENDING_SIGNALS)
    try:
        async with LogPage(path, port=port).served() as page:
            sys.stdout.write(f"The log page is at {page.url}\n\nPress Ctrl-C to stop.\n")
            sys.stdout.flush()
            await stop.wait()
    except OSError as error:
        raise ConfigurationError(
            f"Cannot listen on {HOST}:{port} ({error.strerror}): choose another port with --port"
        ) from error
