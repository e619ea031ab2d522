"""Servers at an address that answer nothing, too much, or what nobody can read."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from aiohttp import web

from llmgine.mcp import connection
from llmgine.mcp.connection import ConnectionState
from llmgine.mcp.http import _BoundedEvents
from tests.llmgine.mcp.stage import Stage, tool
from tests.waiting import eventually, noted

ALL = "all"


class Unruly:
    """A server of the older generation, with a session.

    Attributes:
        silent: The methods, of HTTP or of MCP, that are never answered.
        requests: The methods that came.
        answer: What a call is answered with, instead of a result.
        ended: The test is over, so nothing need be silent.
    """

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.requests: list[str] = []
        self.answer: Callable[[web.Request], web.Response] | None = None
        self.ended = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        message = await request.json() if request.method == "POST" else {"method": request.method}
        method, identity = message["method"], message.get("id")
        request["id"] = identity
        self.requests.append(method)
        noted()
        if self.silent & {method, ALL}:
            await self.ended.wait()
        if request.method != "POST":
            return web.Response(status=405)
        if identity is None:
            return web.Response(status=202)
        if method == "tools/call" and self.answer is not None:
            return self.answer(request)
        about = {"jsonrpc": "2.0", "id": identity}
        if method not in _RESULTS:
            return web.json_response({**about, "error": {"code": -32601, "message": "Method not found"}})
        session = {"Mcp-Session-Id": "1"} if method == "initialize" else None
        return web.json_response({**about, "result": _RESULTS[method]}, headers=session)


_RESULTS: dict[str, Any] = {
    "initialize": {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "unruly", "version": "1"},
    },
    "tools/list": {"tools": [tool("t")]},
    "tools/call": {"content": [{"type": "text", "text": "fine"}]},
}


@pytest.fixture
async def server(stage: Stage) -> AsyncIterator[Unruly]:
    """The server, which runs and is on the stage as `u`."""
    unruly = Unruly()
    app = web.Application()
    app.router.add_route("*", "/mcp", unruly.handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stage.add("u", {"url": f"http://127.0.0.1:{runner.addresses[0][1]}/mcp", "timeout": 2})
    yield unruly
    unruly.ended.set()
    await runner.cleanup()


async def test_a_goodbye_without_an_answer_delays_no_end(stage: Stage, server: Unruly) -> None:
    """The program ends though a server never takes note of the end of its session."""
    server.silent = {"DELETE"}
    async with stage.running() as servers:
        stopping = asyncio.create_task(servers.stop())
        await eventually(stopping.done, seconds=10)

    assert "DELETE" in server.requests


async def test_a_server_is_used_again_after_it_answered_nothing(
    stage: Stage, server: Unruly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is left it is not taken for ready, and once it answers again calls get their results."""
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 3.0)
    async with stage.running():
        server.silent = {ALL}
        assert not (await stage.call("u__t")).ok
        await eventually(lambda: "DELETE" in server.requests)
        while_left = stage.status("u").state
        server.silent = {"DELETE"}

        async def works() -> bool:
            return (await stage.call("u__t")).ok

        await eventually(works)

    assert while_left is ConnectionState.CONNECTING


async def test_an_answer_that_is_compressed_is_refused(stage: Stage, server: Unruly) -> None:
    """The bound of an answer counts what is sent, so no compressed one is asked for or read."""
    asked_for: list[str] = []

    def compressed(request: web.Request) -> web.Response:
        asked_for.append(request.headers["Accept-Encoding"])
        text = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": _RESULTS["tools/call"]})
        headers = {"Content-Encoding": "gzip"}
        return web.Response(body=gzip.compress(text.encode()), content_type="application/json", headers=headers)

    server.answer = compressed
    async with stage.running():
        result = await stage.call("u__t")

    assert asked_for == ["identity"]
    assert not result.ok


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=502, text="bad gateway"),
        web.Response(text="{", content_type="application/json"),
        web.Response(text=" " * 17 * 2**20, content_type="application/json"),
    ],
    ids=["502", "broken", "large"],
)
async def test_an_answer_that_cannot_be_read_is_unknown(stage: Stage, server: Unruly, answer: web.Response) -> None:
    """The tool may have run, so the model is told not to repeat the call."""
    server.answer = lambda _: answer
    async with stage.running():
        result = await stage.call("u__t")

    assert "whether this took effect is unknown" in result.content


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
async def test_an_answer_of_too_many_objects_is_not_read(stage: Stage, server: Unruly, kind: str) -> None:
    """Also one that is short: to read its objects would hold up everything else for seconds."""

    def answer(request: web.Request) -> web.Response:
        result = {"content": [{"type": "text", "text": ""}] * 30_000}
        text = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result})
        return web.Response(text=text if kind.endswith("json") else f"data: {text}\r\n\r\n", content_type=kind)

    server.answer = answer
    async with stage.running():
        assert not (await stage.call("u__t")).ok


async def test_each_event_has_a_bound_of_its_own() -> None:
    """A stream goes on for ever, so its objects are counted event by event, wherever its pieces begin and end."""
    event = b"data: " + b"{" * 20_000 + b"}" * 20_000 + b"\r\n\r\n"

    class Pieces(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for begin in range(0, 5 * len(event), 7_001):
                yield (5 * event)[begin : begin + 7_001]
            yield event[:-2]
            yield event[-2:] + event

    read = [piece async for piece in _BoundedEvents(Pieces())]

    assert b"".join(read) == 7 * event
