"""A model service on loopback for tests: real HTTP, real server-sent events, scripted per request.

It speaks Chat Completions, and the Responses API and Anthropic's Messages API by the same script.

    async with ChatCompletionsServer() as server:      # OPENAI_BASE_URL is server.base_url
        server.reply("Hello there", usage=(12, 3))     # answers are used up in order: one per request
        server.reply(tool_calls=[("get_weather", '{"location": "Paris"}')])
        server.fail(429, {"error": {"message": "slow down"}}, {"Retry-After": "7"})
        ...                                            # then: server.requests, server.headers, server.aborted

With nothing scripted it answers "You said: <the last user message>". Faults: `fail`, `cut`, `html`, `json`,
`chunks`; `hold` stops in the middle until a test sets an event; `answer` takes any function; `until` waits for a
state of the service.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.waiting import noted, patience

Json = dict[str, Any]
Answer = Callable[["Exchange"], Awaitable[web.StreamResponse]]

# When something was said, as it is in the JSON of a request: in a line before a text, or beside one.
_TIME = re.compile(r'(?<=")\[Sent [^\]"]*\]\\n|(?<=[ {])\\"sent\\": \\"[^"]*\\", ')


class Exchange:
    """One request being answered; its methods write the events of a stream, starting it when needed."""

    def __init__(self, request: web.Request, body: Json) -> None:
        self.request = request
        self.body = body
        self._response: web.StreamResponse | None = None

    async def stream(self) -> web.StreamResponse:
        """The stream's response, with its headers sent."""
        if self._response is None:
            self._response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
            await self._response.prepare(self.request)
        return self._response

    async def data(self, data: str) -> None:
        """Send one event, as it is written here."""
        response = await self.stream()
        await response.write(f"data: {data}\n\n".encode())

    async def chunk(self, delta: Json, finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        await self.data(json.dumps(self._chunk([choice])))

    async def text(self, text: str) -> None:
        """Send `text` word by word."""
        for piece in re.findall(r"\S*\s*", text):
            if piece:
                await self.chunk({"content": piece})

    async def call(self, index: int, call_id: str, name: str, arguments: str) -> None:
        """Send a tool call as services do: name first, then its arguments in two pieces."""
        function = {"name": name, "arguments": ""}
        first = {"index": index, "id": call_id, "type": "function", "function": function}
        await self.chunk({"tool_calls": [first]})
        middle = len(arguments) // 2
        for piece in (arguments[:middle], arguments[middle:]):
            await self.chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})

    async def usage(self, tokens: tuple[int, int], cached: int | None = None) -> None:
        """Send the last chunk, as asked for by `stream_options`; without that, nothing."""
        if not (self.body.get("stream_options") or {}).get("include_usage"):
            return
        usage: Json = {
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": sum(tokens),
        }
        if cached is not None:
            usage["prompt_tokens_details"] = {"cached_tokens": cached}
        await self.data(json.dumps({**self._chunk([]), "usage": usage}))

    async def end(self) -> web.StreamResponse:
        await self.data("[DONE]")
        return await self.close()

    async def close(self) -> web.StreamResponse:
        """End the response cleanly, with no last event."""
        response = await self.stream()
        await response.write_eof()
        return response

    async def break_off(self) -> web.StreamResponse:
        """Drop the connection in the middle of the body."""
        response = await self.stream()
        if self.request.transport is not None:
            self.request.transport.abort()
        return response

    def _chunk(self, choices: list[Json]) -> Json:
        model = self.body.get("model")
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": model,
            "choices": choices,
        }


class ResponsesExchange(Exchange):
    """The same for a request of the Responses API."""

    def __init__(self, request: web.Request, body: Json) -> None:
        super().__init__(request, body)
        self._usage: Json | None = None
        self._finish = "stop"

    async def event(self, kind: str, **facts: object) -> None:
        """Send one event."""
        await self.data(json.dumps({"type": f"response.{kind}", **facts}))

    async def chunk(self, delta: Json, finish: str | None = None) -> None:
        self._finish = finish or self._finish
        if delta.get("content"):
            place = {"output_index": 0, "content_index": 0, "item_id": "msg_1"}
            await self.event("output_text.delta", delta=delta["content"], **place)

    async def call(self, index: int, call_id: str, name: str, arguments: str) -> None:
        place = {"output_index": index + 1, "item_id": f"fc_{index}"}
        item = {"type": "function_call", "id": f"fc_{index}", "call_id": call_id, "name": name, "arguments": ""}
        await self.event("output_item.added", item=item, output_index=index + 1)
        middle = len(arguments) // 2
        for piece in (arguments[:middle], arguments[middle:]):
            await self.event("function_call_arguments.delta", delta=piece, **place)
        await self.event("output_item.done", item={**item, "arguments": arguments}, output_index=index + 1)

    async def usage(self, tokens: tuple[int, int], cached: int | None = None) -> None:
        details = {"cached_tokens": cached or 0}
        self._usage = {"input_tokens": tokens[0], "output_tokens": tokens[1], "input_tokens_details": details}

    async def end(self) -> web.StreamResponse:
        cut = self._finish == "length"
        response = {
            "object": "response",
            "status": "incomplete" if cut else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "usage": self._usage,
        }
        await self.event("incomplete" if cut else "completed", response=response)
        return await self.close()


class MessagesExchange(Exchange):
    """The same for a request of Anthropic's Messages API."""

    def __init__(self, request: web.Request, body: Json) -> None:
        super().__init__(request, body)
        self._blocks = 0
        self._open: str | None = None  # the type of the block that is being sent
        self._reason = "end_turn"
        self._usage: Json = {"input_tokens": 10, "output_tokens": 5}

    async def event(self, kind: str, **facts: object) -> None:
        """Send one event."""
        response = await self.stream()
        await response.write(f"event: {kind}\ndata: {json.dumps({'type': kind, **facts})}\n\n".encode())

    async def begin(self, block: Json) -> int:
        """Begin a block, once the message has begun and the block before it has ended; its place."""
        if self._blocks == 0:
            about = {"id": "msg_1", "type": "message", "role": "assistant", "model": self.body.get("model")}
            usage = {"input_tokens": self._usage["input_tokens"], "output_tokens": 1}
            await self.event("message_start", message={**about, "content": [], "stop_reason": None, "usage": usage})
        await self.stop()
        await self.event("content_block_start", index=self._blocks, content_block=block)
        self._open = block["type"]
        self._blocks += 1
        return self._blocks - 1

    async def stop(self) -> None:
        """End the block that is being sent."""
        if self._open is not None:
            await self.event("content_block_stop", index=self._blocks - 1)
            self._open = None

    async def delta(self, index: int, kind: str, **facts: object) -> None:
        await self.event("content_block_delta", index=index, delta={"type": kind, **facts})

    async def chunk(self, delta: Json, finish: str | None = None) -> None:
        self._reason = {"tool_calls": "tool_use", "length": "max_tokens"}.get(finish or "", "end_turn")
        if delta.get("content"):
            if self._open != "text":
                await self.begin({"type": "text", "text": ""})
            await self.delta(self._blocks - 1, "text_delta", text=delta["content"])

    async def call(self, index: int, call_id: str, name: str, arguments: str) -> None:
        place = await self.begin({"type": "tool_use", "id": f"toolu_{call_id}", "name": name, "input": {}})
        middle = len(arguments) // 2
        for piece in ("", arguments[:middle], arguments[middle:]):
            await self.delta(place, "input_json_delta", partial_json=piece)

    async def usage(self, tokens: tuple[int, int], cached: int | None = None) -> None:
        self._usage = {"input_tokens": tokens[0] - (cached or 0), "output_tokens": tokens[1]}
        if cached is not None:
            self._usage["cache_read_input_tokens"] = cached

    async def end(self) -> web.StreamResponse:
        await self.stop()
        await self.event("message_delta", delta={"stop_reason": self._reason, "stop_sequence": None}, usage=self._usage)
        await self.event("message_stop")
        return await self.close()


class ChatCompletionsServer:
    """The service. `base_url` is there once entered.

    Attributes:
        requests: The parsed body of every request, in order of arrival, without the times of what people said.
        times: These, by request.
        headers: The headers of every request, in the same order, names in lower case.
        aborted: How many requests their client ended before the answer did.
        active: How many requests are being answered now.
        models: The names it lists; None for a service that has no such list.
    """

    def __init__(self) -> None:
        self.base_url = ""
        self.models: list[str] | None = None
        self.requests: list[Json] = []
        self.times: list[list[str]] = []
        self.headers: list[dict[str, str]] = []
        self.aborted = 0
        self.active = 0
        self._answers: deque[Answer] = deque()
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/chat/completions", self._handle)
        app.router.add_post("/v1/responses", self._handle)
        app.router.add_post("/v1/messages", self._handle)
        app.router.add_get("/v1/models", self._list_models)
        # Cancelled handlers are how a test sees that a client gave up.
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def answer(self, answer: Answer) -> None:
        """Answer the next request that has no answer yet by this function."""
        self._answers.append(answer)

    def reply(
        self,
        text: str = "",
        *,
        tool_calls: Sequence[tuple[str, str]] = (),
        usage: tuple[int, int] | None = (10, 5),
        cached: int | None = None,
        finish: str | None = None,
    ) -> None:
        """Answer with a whole, healthy reply.

        Args:
            text: Streamed word by word.
            tool_calls: Pairs of name and arguments (JSON text).
            usage: Input and output tokens, or None for a service that does not report them.
            cached: The part of the input tokens that came from a cache.
            finish: The `finish_reason`; by default the right one.
        """

        async def answer(exchange: Exchange) -> web.StreamResponse:
            await exchange.chunk({"role": "assistant", "content": ""})
            await exchange.text(text)
            for index, (name, arguments) in enumerate(tool_calls):
                await exchange.call(index, f"call_{index}", name, arguments)
            await exchange.chunk({}, finish or ("tool_calls" if tool_calls else "stop"))
            if usage is not None:
                await exchange.usage(usage, cached)
            return await exchange.end()

        self.answer(answer)

    def fail(self, status: int, body: object = None, headers: Mapping[str, str] | None = None) -> None:
        """Answer with an HTTP error; `body` is sent as JSON, or as it is when it is text."""
        is_text = isinstance(body, str)
        text = str(body) if is_text else json.dumps(body or {"error": {"message": "made to fail"}})
        kind = "text/plain" if is_text else "application/json"

        async def answer(_: Exchange) -> web.StreamResponse:
            return web.Response(status=status, text=text, content_type=kind, headers=headers)

        self.answer(answer)

    def cut(self, after: str = "", *, reset: bool = False, when: asyncio.Event | None = None) -> None:
        """Stop after this text: by a clean end without `finish_reason`, or by dropping the connection.

        With `when`, the cut waits for the event: what was sent has surely arrived.
        """

        async def answer(exchange: Exchange) -> web.StreamResponse:
            await exchange.text(after)
            if when is not None:
                await when.wait()
            return await (exchange.break_off() if reset else exchange.close())

        self.answer(answer)

    def html(self, text: str = "<!doctype html><title>Log in</title><p>Log in to the Wi-Fi") -> None:
        """Answer 200 with a web page, as a portal or a wrong base address does."""

        async def answer(_: Exchange) -> web.StreamResponse:
            return web.Response(text=text, content_type="text/html")

        self.answer(answer)

    def json(self, body: object) -> None:
        """Answer 200 with one JSON document instead of a stream."""

        async def answer(_: Exchange) -> web.StreamResponse:
            return web.json_response(body)

        self.answer(answer)

    def chunks(self, chunks: Iterable[object], *, done: bool = True) -> None:
        """Answer with these events: text as it is, anything else as JSON; then, if `done`, the last event."""
        events = [chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in chunks]

        async def answer(exchange: Exchange) -> web.StreamResponse:
            for event in events:
                await exchange.data(event)
            return await (exchange.end() if done else exchange.close())

        self.answer(answer)

    def hold(self, event: asyncio.Event, *, before: str = "", after: str = "Done.", silent: bool = False) -> None:
        """Send `before`, wait for the event, then finish with `after`. `silent` sends nothing until then."""

        async def answer(exchange: Exchange) -> web.StreamResponse:
            if not silent:
                await exchange.chunk({"role": "assistant", "content": ""})
                await exchange.text(before)
            await event.wait()
            await exchange.text(after)
            await exchange.chunk({}, "stop")
            return await exchange.end()

        self.answer(answer)

    async def until(self, state: Callable[[], bool]) -> None:
        """Wait until `state()` holds; it is looked at whenever a request arrives or ends."""
        async with patience("requests to the model"), self._changed:
            await self._changed.wait_for(state)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        self.times.append(_TIME.findall(text))
        body: Json = json.loads(_TIME.sub("", text))
        self.requests.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        answer = self._answers.popleft() if self._answers else _echo
        exchange = _EXCHANGES.get(request.path.rpartition("/")[2], Exchange)
        await self._count(active=1)
        try:
            return await answer(exchange(request, body))
        except (asyncio.CancelledError, ConnectionError):
            self.aborted += 1
            raise
        finally:
            await self._count(active=-1)

    async def _list_models(self, _: web.Request) -> web.Response:
        if self.models is None:
            raise web.HTTPNotFound
        return web.json_response({"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})

    async def _count(self, *, active: int) -> None:
        self.active += active
        noted()
        async with self._changed:
            self._changed.notify_all()


_EXCHANGES: Mapping[str, type[Exchange]] = {"responses": ResponsesExchange, "messages": MessagesExchange}


async def _echo(exchange: Exchange) -> web.StreamResponse:
    asked = exchange.body.get("messages") or exchange.body["input"]
    said = [message["content"] for message in asked if message.get("role") == "user"]
    await exchange.text(f"You said: {said[-1] if said else 'nothing'}")
    await exchange.chunk({}, "stop")
    await exchange.usage((10, 5))
    return await exchange.end()
