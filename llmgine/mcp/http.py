"""A server that is asked over Streamable HTTP, with answers of a bounded length."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from mcp.client.streamable_http import streamable_http_client

from llmgine.mcp.config import ServerConfig
from llmgine.mcp.stdio import LARGEST_MESSAGE, MOST_OBJECTS, TOO_LARGE

_CONNECT, _WRITE = 10.0, 30.0  # seconds; how long an answer may take is for who waits for it
_GOODBYE = 2.0  # seconds for the end of a session to be taken note of
_END_OF_EVENT = re.compile(rb"\r\n\r\n|\n\n|\r\r")


class _BoundedStream(httpx2.AsyncByteStream):
    """The body of an answer, which ends with an error when it is too large."""

    def __init__(self, body: httpx2.AsyncByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left, objects = LARGEST_MESSAGE, MOST_OBJECTS
        async for piece in self._body:
            left -= len(piece)
            objects -= piece.count(b"{")
            if min(left, objects) < 0:
                raise httpx2.StreamError(TOO_LARGE)
            yield piece

    async def aclose(self) -> None:
        await self._body.aclose()


class _BoundedEvents(_BoundedStream):
    """A stream of events, which ends with an error when one has too many objects; `mcp` bounds its length."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        begun, objects = b"", 0  # the end of an event may lie in two pieces
        async for piece in self._body:
            for number, part in enumerate(_END_OF_EVENT.split(begun + piece)):
                objects = part.count(b"{") + (0 if number else objects)
                if objects > MOST_OBJECTS:
                    raise httpx2.SSEError(TOO_LARGE)
                begun = part[len(part.rstrip(b"\r\n")) :]
            yield piece


class _BoundedTransport(httpx2.AsyncHTTPTransport):
    """Bounds whole answers, and the events of a stream, which has no end."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept-Encoding"] = "identity"  # what is compressed may be a thousand times as long
        if request.method == "DELETE":  # nobody waits for what ends a session, so that is bounded here
            async with asyncio.timeout(_GOODBYE):
                response = await super().handle_async_request(request)
                await response.aclose()
            return httpx2.Response(response.status_code)
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise httpx2.StreamError("the server's answer is compressed, which was not asked for")
        is_stream = response.headers.get("content-type", "").startswith("text/event-stream")
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = (_BoundedEvents if is_stream else _BoundedStream)(response.stream)
        return response


@contextlib.asynccontextmanager
async def address(config: ServerConfig) -> AsyncIterator[Any]:
    """Be ready to ask the server at an address; nothing is sent before the first request.

    Gives the two streams of a transport, whose types `mcp` keeps to itself.
    """
    timeout = httpx2.Timeout(None, connect=_CONNECT, write=_WRITE)
    options: dict[str, Any] = {"headers": dict(config.headers), "timeout": timeout, "trust_env": False}
    async with (
        httpx2.AsyncClient(transport=_BoundedTransport(), **options) as client,
        streamable_http_client(config.url or "", http_client=client, max_sse_event_size=LARGEST_MESSAGE) as streams,
    ):
        yield streams
