"""A model service on loopback for benchmarks: one tool call, then an answer whose every piece says when it was sent.

`python -m programs.bench.model_server` prints its port and serves until it is ended, by Chat Completions and by the
Responses API. The request's `model` says what to do: "chunks:COUNT:INTERVAL" answers a request that has no tool result
with a call of the tool it is offered, if it is offered one, and any other with COUNT pieces, INTERVAL seconds apart;
"text:COUNT:INTERVAL" calls no tool.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

_HEAD = {"id": "bench", "object": "chat.completion.chunk", "created": 0, "model": "bench"}
_USAGE = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
_RESPONSE = {
    "id": "resp_bench",
    "object": "response",
    "created_at": 0,
    "model": "bench",
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
_RESPONSE_USAGE = {
    "input_tokens": 20,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 10,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 30,
}

Json = dict[str, Any]


def _line(**chunk: object) -> bytes:
    return f"data: {json.dumps({**_HEAD, **chunk})}\n\n".encode()


def _delta(delta: dict[str, object], finish: str | None = None) -> bytes:
    return _line(choices=[{"index": 0, "delta": delta, "finish_reason": finish}])


async def _stream_of(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    return response


async def _answer(request: web.Request) -> web.StreamResponse:
    """Answer by Chat Completions."""
    body = await request.json()
    kind, count, interval = body["model"].split(":")
    response = await _stream_of(request)
    if kind == "chunks" and body.get("tools") and body["messages"][-1]["role"] != "tool":
        function = {"name": body["tools"][0]["function"]["name"], "arguments": "{}"}
        call = {"index": 0, "id": "call_1", "type": "function", "function": function}
        await response.write(_delta({"role": "assistant", "tool_calls": [call]}) + _delta({}, "tool_calls"))
    else:
        async for piece in _pieces(int(count), float(interval)):
            await response.write(_delta({"content": piece}))
        await response.write(_delta({}, "stop"))
    await response.write(_line(choices=[], usage=_USAGE) + b"data: [DONE]\n\n")
    return response


async def _pieces(count: int, interval: float) -> AsyncIterator[str]:
    """Pieces of text when they are due; each is the time at which it is sent."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    for number in range(count):
        await asyncio.sleep(begin + number * interval - loop.time())
        yield f"{time.monotonic_ns()} "  # a word that has not ended is held back: it may become a secret


class _Events:
    """The events of one answer by the Responses API."""

    def __init__(self, response: web.StreamResponse) -> None:
        self._response = response
        self._number = itertools.count()

    async def send(self, kind: str, **facts: object) -> None:
        event = {"type": kind, "sequence_number": next(self._number), **facts}
        await self._response.write(f"event: {kind}\ndata: {json.dumps(event)}\n\n".encode())

    async def call(self, name: str) -> Json:
        """Send a tool call; gives the whole item."""
        item: Json = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": name, "arguments": ""}
        place = {"item_id": "fc_1", "output_index": 0}
        await self.send("response.output_item.added", output_index=0, item={**item, "status": "in_progress"})
        await self.send("response.function_call_arguments.delta", **place, delta="{}")
        await self.send("response.function_call_arguments.done", **place, name=name, arguments="{}")
        done = {**item, "arguments": "{}", "status": "completed"}
        await self.send("response.output_item.done", output_index=0, item=done)
        return done

    async def message(self, pieces: AsyncIterator[str]) -> Json:
        """Send a message piece by piece; gives the whole item."""
        item: Json = {"id": "msg_1", "type": "message", "role": "assistant", "content": []}
        place: Json = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        part: Json = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        await self.send("response.output_item.added", output_index=0, item={**item, "status": "in_progress"})
        await self.send("response.content_part.added", **place, part=part)
        text = ""
        async for piece in pieces:
            text += piece
            await self.send("response.output_text.delta", **place, delta=piece, logprobs=[])
        whole = {**part, "text": text}
        await self.send("response.output_text.done", **place, text=text, logprobs=[])
        await self.send("response.content_part.done", **place, part=whole)
        done = {**item, "content": [whole], "status": "completed"}
        await self.send("response.output_item.done", output_index=0, item=done)
        return done


async def _respond(request: web.Request) -> web.StreamResponse:
    """Answer by the Responses API."""
    body = await request.json()
    kind, count, interval = body["model"].split(":")
    response = await _stream_of(request)
    events = _Events(response)
    begun = {**_RESPONSE, "status": "in_progress", "output": []}
    await events.send("response.created", response=begun)
    await events.send("response.in_progress", response=begun)
    if kind == "chunks" and body.get("tools") and body["input"][-1].get("type") != "function_call_output":
        item = await events.call(body["tools"][0]["name"])
    else:
        item = await events.message(_pieces(int(count), float(interval)))
    ended = {**_RESPONSE, "status": "completed", "output": [item], "usage": _RESPONSE_USAGE}
    await events.send("response.completed", response=ended)
    return response


async def _serve() -> None:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", _answer)
    app.router.add_post("/v1/responses", _respond)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until the parent is gone
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
