"""A model service on loopback, by Chat Completions, whose model obeys every ask in whatever it is sent."""

import itertools
import json
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from programs.bench.safety.asks import obey, strings

Json = dict[str, Any]

_HEAD = {"id": "safety", "object": "chat.completion.chunk", "created": 0, "model": "obeying"}
_PIECE = 400  # characters of a text that are sent at once
_LARGEST = 64 * 2**20  # bytes of a request


class ObeyingModel:
    """Obeys the system prompt and all that came since its last answer: texts, names, quotes, files, results of tools.

    What came before that it obeyed then. Use it with `async with`.

    Attributes:
        requests: The bodies that were sent to it, oldest first.
        known: What it tells when it is asked to, by name.
    """

    def __init__(self) -> None:
        self.requests: list[Json] = []
        self.known: dict[str, str] = {}
        self.base_url = ""
        self._ids = itertools.count()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_LARGEST)
        app.router.add_post("/v1/chat/completions", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body: Json = json.loads(raw)
        self.requests.append(body)
        done = obey([one for message in _new_in(body["messages"]) for one in strings(message["content"])], self.known)
        calls = done.calls if body.get("tools") else []
        text = "\n\n".join(done.texts) or ("" if calls else "Done.")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for start in range(0, len(text), _PIECE):
            await response.write(_delta({"content": text[start : start + _PIECE]}))
        for index, (name, arguments) in enumerate(calls):
            function = {"name": name, "arguments": arguments}
            call = {"index": index, "id": f"call_{next(self._ids)}", "type": "function", "function": function}
            await response.write(_delta({"tool_calls": [call]}))
        await response.write(_delta({}, "tool_calls" if calls else "stop"))
        spent, said = len(raw) // 4, len(text) // 4 + 1
        usage = {"prompt_tokens": spent, "completion_tokens": said, "total_tokens": spent + said}
        await response.write(_line(choices=[], usage=usage) + b"data: [DONE]\n\n")
        return response


def _new_in(messages: list[Json]) -> list[Json]:
    """What a model has to react to: the results of its calls, or what was said since its last answer."""
    last = max((number for number, one in enumerate(messages) if one["role"] == "assistant"), default=-1)
    new = messages[last + 1 :]
    if new and new[-1]["role"] == "tool":
        return new
    return [*(one for one in messages[: last + 1] if one["role"] == "system"), *new]


def _delta(delta: Json, finish: str | None = None) -> bytes:
    return _line(choices=[{"index": 0, "delta": delta, "finish_reason": finish}])


def _line(**chunk: object) -> bytes:
    return f"data: {json.dumps({**_HEAD, **chunk})}\n\n".encode()
