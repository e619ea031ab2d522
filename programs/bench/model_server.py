"""A model service on loopback for benchmarks: one tool call, then an answer whose every piece says when it was sent.

`python -m programs.bench.model_server` prints its port and serves until it is ended. The request's `model` says what to
do: "chunks:COUNT:INTERVAL" answers a request that has no tool result with a call of the tool it is offered, if it is
offered one, and any other with COUNT pieces, INTERVAL seconds apart; "text:COUNT:INTERVAL" calls no tool.
"""

import asyncio
import json
import sys
import time

from aiohttp import web

_HEAD = {"id": "bench", "object": "chat.completion.chunk", "created": 0, "model": "bench"}
_USAGE = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}


def _line(**chunk: object) -> bytes:
    return f"data: {json.dumps({**_HEAD, **chunk})}\n\n".encode()


def _delta(delta: dict[str, object], finish: str | None = None) -> bytes:
    return _line(choices=[{"index": 0, "delta": delta, "finish_reason": finish}])


async def _answer(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    kind, count, interval = body["model"].split(":")
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    if kind == "chunks" and body.get("tools") and body["messages"][-1]["role"] != "tool":
        function = {"name": body["tools"][0]["function"]["name"], "arguments": "{}"}
        call = {"index": 0, "id": "call_1", "type": "function", "function": function}
        await response.write(_delta({"role": "assistant", "tool_calls": [call]}) + _delta({}, "tool_calls"))
    else:
        await _stream(response, int(count), float(interval))
    await response.write(_line(choices=[], usage=_USAGE) + b"data: [DONE]\n\n")
    return response


async def _stream(response: web.StreamResponse, count: int, interval: float) -> None:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    for number in range(count):
        await asyncio.sleep(begin + number * interval - loop.time())
        await response.write(_delta({"content": f" {time.monotonic_ns()}"}))
    await response.write(_delta({}, "stop"))


async def _serve() -> None:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", _answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until the parent is gone
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
