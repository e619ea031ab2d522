"""The page's WebSocket: what happens, as one person sees it."""

import asyncio
import json
from contextlib import suppress

from aiohttp import web

from programs.playground.errors import ApiError
from programs.playground.gateway_events import event_of
from programs.playground.snowflakes import read_id
from programs.playground.state import Dispatch, State
from programs.playground.viewers import Viewer
from programs.playground.wire import answer
from programs.web.page_files import HEADERS

MAX_WAITING = 5000  # a page that reads nothing is cut off here, and loads everything again


class PageEvents:
    """Sends the open pages what they show."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._open: set[web.WebSocketResponse] = set()

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve the WebSocket of one page until it is closed."""
        try:
            viewer = self._state.person(read_id(request.query.get("as")) or 0)
        except ApiError as error:
            return answer({"error": error.body()}, error.status, HEADERS)
        socket = web.WebSocketResponse(max_msg_size=1024, heartbeat=30, timeout=1)
        await socket.prepare(request)
        waiting: asyncio.Queue[str | None] = asyncio.Queue(MAX_WAITING)

        view = Viewer(self._state, viewer)

        def handle(dispatch: Dispatch) -> None:
            for name, data in view.follow(dispatch):
                if event_of(name).shown and not waiting.full():
                    last = waiting.qsize() == MAX_WAITING - 1
                    waiting.put_nowait(None if last else json.dumps({"t": name, "d": data}))

        remove = self._state.subscribe(handle)
        self._open.add(socket)
        writer = asyncio.create_task(_write(socket, waiting))
        try:
            async for _ in socket:
                pass  # the page has nothing to say here; reading notices when it leaves
        finally:
            remove()
            self._open.discard(socket)
            writer.cancel()
        return socket

    async def close(self) -> None:
        """Close all of them."""
        for socket in list(self._open):
            await socket.close(code=1001)


async def _write(socket: web.WebSocketResponse, waiting: asyncio.Queue[str | None]) -> None:
    with suppress(ConnectionError):  # the page left between two events
        while (frame := await waiting.get()) is not None:
            await socket.send_str(frame)
        await socket.close(code=1013)
