"""A service on loopback that speaks the Responses API beside Chat Completions, scripted per request."""

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any, Self

from aiohttp import web

from tests.chat_completions import ChatCompletionsServer, Exchange, Json

USAGE: Json = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 12},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 39,
}


class ResponsesService(ChatCompletionsServer):
    """The service; `paths` has the path of every request, in order of arrival."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[str] = []

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/{api:responses|chat/completions}", self._record)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def _record(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.match_info["api"])
        return await self._handle(request)

    def respond(self, *items: Json, status: str = "completed", **facts: object) -> None:
        """Answer with a stream of these output items; `facts` are in the response of its last event."""
        self.events(stream_of(items, status=status, **facts))

    def events(self, events: Sequence[object]) -> None:
        """Answer with these events and nothing behind them, as the Responses API does: it has no `[DONE]`."""
        self.chunks(events, done=False)

    def hold_events(self, events: Sequence[object], event: asyncio.Event) -> None:
        """Send these events, and then wait for the event of the test."""

        async def answer(exchange: Exchange) -> web.StreamResponse:
            for one in events:
                await exchange.data(json.dumps(one))
            await event.wait()
            return await exchange.close()

        self.answer(answer)


def message(text: str) -> Json:
    """An output item: text for people."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}


def refusal(text: str) -> Json:
    """An output item: the model refuses."""
    return {**message(""), "content": [{"type": "refusal", "refusal": text}]}


def function_call(name: str, arguments: str, call_id: str = "call_1") -> Json:
    """An output item: a call of a tool."""
    about = {"name": name, "arguments": arguments, "call_id": call_id}
    return {"id": f"fc_{call_id}", "type": "function_call", "status": "completed", **about}


def reasoning(encrypted: str, **more: object) -> Json:
    """An output item: reasoning, which only the service can read."""
    return {"id": f"rs_{encrypted}", "type": "reasoning", "summary": [], "encrypted_content": encrypted, **more}


def stream_of(items: Sequence[Json], *, status: str = "completed", **facts: object) -> list[Json]:
    """The events of a response with these output items."""
    begun: Json = {"id": "resp_1", "object": "response", "status": "in_progress", "output": [], "model": "gpt-test"}
    ended: Json = {**begun, "status": status, "output": list(items), "usage": USAGE, **facts}
    last: Json = {"type": f"response.{status}", "response": ended}
    events: list[Json] = [{"type": "response.created", "response": begun}]
    events.append({"type": "response.in_progress", "response": begun})
    for index, item in enumerate(items):
        events += [{**event, "output_index": index} for event in _events_of(item)]
    return [{**event, "sequence_number": number} for number, event in enumerate([*events, last])]


def _events_of(item: Json) -> list[Json]:
    kind = item["type"]
    empty: Json = {**item, "status": "in_progress"}
    if kind == "function_call":
        empty["arguments"] = ""
        inner = _growing("response.function_call_arguments", item["id"], item["arguments"], whole="arguments")
    elif kind == "message":
        empty["content"] = []
        inner = _part_events(item)
    else:
        inner = []
    added = {"type": "response.output_item.added", "item": empty}
    return [added, *inner, {"type": "response.output_item.done", "item": item}]


def _part_events(item: Json) -> list[Json]:
    part: Json = item["content"][0]
    name = "refusal" if part["type"] == "refusal" else "text"
    kind = "response.refusal" if name == "refusal" else "response.output_text"
    place = {"item_id": item["id"], "content_index": 0}
    return [
        {"type": "response.content_part.added", **place, "part": {**part, name: ""}},
        *({**event, **place} for event in _growing(kind, item["id"], part[name], whole=name)),
        {"type": "response.content_part.done", **place, "part": part},
    ]


def _growing(kind: str, item_id: str, text: str, *, whole: str) -> list[Json]:
    pieces: list[dict[str, Any]] = [
        {"type": f"{kind}.delta", "item_id": item_id, "delta": piece} for piece in re.findall(r"\S*\s*", text) if piece
    ]
    return [*pieces, {"type": f"{kind}.done", "item_id": item_id, whole: text}]
