"""OpenAI's Responses API, beside Chat Completions that refuses tools."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from tests.chat_completions import Exchange
from tests.services.openai_chat import OpenAIChat, openai_error
from tests.services.refusal import Kind, Refusal
from tests.services.responses_input import InputProblem, check_input, rounds_in, said_in
from tests.services.script import Move, next_move
from tests.services.service import names

Json = dict[str, Any]

_BODY_FIELDS = names(
    "model input instructions stream stream_options store include tools tool_choice parallel_tool_calls reasoning text "
    "max_output_tokens metadata truncation prompt_cache_key safety_identifier service_tier user top_p "
    "temperature"
)
_TOOL_FIELDS = frozenset({"type", "name", "description", "parameters", "strict"})
_ENCRYPTED = "reasoning.encrypted_content"


class OpenAIResponses(OpenAIChat):
    """A model that takes tools only by Responses, of an organization that keeps nothing (`store` must be false)."""

    model = "gpt-6-astra"
    tools_with_none = False

    def __init__(self, *, window: int | None = None, tokens_per_estimate: float = 1.0) -> None:
        super().__init__(window=window, tokens_per_estimate=tokens_per_estimate)
        self.encrypted: dict[str, str] = {}
        """The encrypted content of each reasoning item it wrote, by id."""

    def routes(self, router: web.UrlDispatcher) -> None:
        """Add both APIs."""
        super().routes(router)
        router.add_post(f"{self.path}/responses", self._answer)

    def check_form(self, body: Json) -> None:
        """Refuse a request in a wrong form."""
        if "input" not in body:
            super().check_form(body)
            return
        if body.get("model") != self.model:
            raise self.broke("model", f"The model `{body.get('model')}` does not exist.", 404)
        for name, value in body.items():
            if name not in _BODY_FIELDS:
                raise self.unknown_field(name, value)
        self._check_tools(body.get("tools") or ())

    def _check_tools(self, tools: Sequence[Json]) -> None:
        for index, tool in enumerate(tools):
            if not tool.get("name"):
                raise self.broke("tools", f"Missing required parameter: 'tools[{index}].name'.")
            for name in tool:
                if name not in _TOOL_FIELDS:
                    raise self.unknown_field(f"tools[{index}].{name}", tool[name])

    def check(self, body: Json) -> None:
        """Refuse what the API refuses.

        Raises:
            Refusal: A rule is broken.
        """
        if "input" not in body:
            super().check(body)
            return
        if body.get("store") is not False:
            raise self.broke("store", "Store must be set to false")
        if body.get("temperature", 1) != 1:
            raise self.unsupported("temperature")
        try:
            check_input(body["input"], self.encrypted)
        except InputProblem as problem:
            raise self._refusal(problem) from None

    def _refusal(self, problem: InputProblem) -> Refusal:
        body = openai_error(problem.said, param=problem.param, code=problem.code)
        return Refusal(Kind.BROKEN, problem.rule, problem.status, body)

    def overflow(self, window: int, requested: int) -> Refusal:
        """The words for a request that is too long: Responses tells it inside the stream."""
        if "input" not in self.requests[-1]:
            return super().overflow(window, requested)
        message = "Your input exceeds the context window of this model. Please adjust your input and try again."
        error = {"code": "context_length_exceeded", "message": message}
        failed = {"id": "resp_0", "object": "response", "status": "failed", "error": error, "output": []}
        return Refusal(Kind.OVERFLOW, "overflow", 200, {"type": "response.failed", "response": failed})

    def said(self, body: Json) -> list[str]:
        """The texts of people in a request, the latest last."""
        return said_in(body["input"]) if "input" in body else super().said(body)

    def move(self, body: Json) -> Move:
        """What the model does next."""
        if "input" not in body:
            return super().move(body)
        offered = [tool["name"] for tool in body.get("tools") or ()]
        return next_move(self.model, self.said(body)[-1], rounds_in(body["input"]), offered)

    async def reply(self, request: web.Request, body: Json) -> web.StreamResponse:
        """Stream the model's reply."""
        if "input" not in body:
            return await super().reply(request, body)
        return await _Stream(self, request, body).send(self.move(body))


class _Stream:
    """One reply by Responses, event after event."""

    def __init__(self, service: OpenAIResponses, request: web.Request, body: Json) -> None:
        self._service = service
        self._exchange = Exchange(request, body)
        self._body = body
        self._number = len(service.requests)
        self._events = 0
        self._output: list[Json] = []

    async def send(self, move: Move) -> web.StreamResponse:
        """Stream what the model does."""
        await self._event("response.created", response=self._response("in_progress"))
        await self._event("response.in_progress", response=self._response("in_progress"))
        await self._reasoning()
        if move.text or move.held:
            await self._message(move)
        for index, (name, arguments) in enumerate(move.calls):
            await self._call(index, name, arguments)
        count = self._service.count(self._body)
        usage = {
            "input_tokens": count,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 12,
            "output_tokens_details": {"reasoning_tokens": 5},
            "total_tokens": count + 12,
        }
        await self._event("response.completed", response={**self._response("completed"), "usage": usage})
        return await self._exchange.close()

    async def _reasoning(self) -> None:
        """The reasoning item; what is encrypted in it comes only when it is asked for."""
        item: Json = {"id": f"rs_{self._number}", "type": "reasoning", "summary": []}
        encrypted = f"gAAAAA{self._number:03d}=="
        self._service.encrypted[item["id"]] = encrypted
        if _ENCRYPTED in (self._body.get("include") or ()):
            item["encrypted_content"] = encrypted
        await self._begin(item)
        await self._done(item)

    async def _message(self, move: Move) -> None:
        item_id = f"msg_{self._number}"
        place = {"item_id": item_id, "output_index": len(self._output), "content_index": 0}
        whole = move.held + move.text
        part = {"type": "output_text", "text": "", "annotations": []}
        item = {"id": item_id, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        await self._begin(item)
        await self._event("response.content_part.added", **place, part=part)
        for piece in move.held.split():
            await self._event("response.output_text.delta", **place, delta=f"{piece} ")
        if move.held:
            await self._service.hold()
        for piece in (move.text[:3], move.text[3:]):
            await self._event("response.output_text.delta", **place, delta=piece)
        await self._event("response.output_text.done", **place, text=whole)
        await self._event("response.content_part.done", **place, part={**part, "text": whole})
        await self._done({**item, "status": "completed", "content": [{**part, "text": whole}]})

    async def _call(self, index: int, name: str, arguments: str) -> None:
        item_id = f"fc_{self._number}_{index}"
        item = {"id": item_id, "type": "function_call", "status": "in_progress", "name": name, "arguments": ""}
        item["call_id"] = f"call_{self._number}_{index}"
        place = {"item_id": item_id, "output_index": len(self._output)}
        await self._begin(item)
        for piece in (arguments[:4], arguments[4:]):
            await self._event("response.function_call_arguments.delta", **place, delta=piece)
        await self._event("response.function_call_arguments.done", **place, arguments=arguments)
        await self._done({**item, "status": "completed", "arguments": arguments})

    async def _begin(self, item: Json) -> None:
        await self._event("response.output_item.added", output_index=len(self._output), item=item)

    async def _done(self, item: Json) -> None:
        await self._event("response.output_item.done", output_index=len(self._output), item=item)
        self._output.append(item)

    async def _event(self, kind: str, **facts: object) -> None:
        response = await self._exchange.stream()
        data = json.dumps({"type": kind, "sequence_number": self._events, **facts})
        self._events += 1
        await response.write(f"event: {kind}\ndata: {data}\n\n".encode())

    def _response(self, status: str) -> Mapping[str, object]:
        return {
            "id": f"resp_{self._number}",
            "object": "response",
            "created_at": 1,
            "model": self._body["model"],
            "status": status,
            "output": list(self._output),
            "error": None,
            "incomplete_details": None,
        }


class OpenAIByResponses(OpenAIResponses):
    """A model of today, asked by Responses from the start."""

    model = "gpt-5.6-sol"
    tools_with_none = True
