"""Anthropic's own API: Messages, beside the compatible endpoint."""

import json
from typing import Any, ClassVar

from aiohttp import web

from tests.chat_completions import MessagesExchange
from tests.services.anthropic import Anthropic
from tests.services.messages_input import InputProblem, check_messages, messages_since, said_in
from tests.services.refusal import Kind, Refusal
from tests.services.script import Move, next_move
from tests.services.service import names

Json = dict[str, Any]

_BODY_FIELDS = names(
    "model messages max_tokens system tools tool_choice stream thinking output_config metadata stop_sequences "
    "service_tier cache_control"
)
_TOOL_FIELDS = frozenset({"name", "description", "input_schema", "cache_control", "type", "strict"})
_VERSIONS = {"2023-06-01", "2026-10-21"}
_MOST_MARKS = 4


class AnthropicMessages(Anthropic):
    """A model of today: it thinks by itself, adaptively, and takes levels of effort.

    Attributes:
        thoughts: The blocks of thinking that it sent, by their signatures or data.
    """

    max_tokens: ClassVar[int] = 64_000
    thinking_types: ClassVar[frozenset[str]] = frozenset({"adaptive"})
    efforts: ClassVar[frozenset[str]] = frozenset({"low", "medium", "high", "xhigh", "max"})
    tells: ClassVar[bool] = True
    """Whether it says what its models can do."""

    def __init__(self, *, window: int | None = None, tokens_per_estimate: float = 1.0) -> None:
        super().__init__(window=window, tokens_per_estimate=tokens_per_estimate)
        self.thoughts: dict[str, Json] = {}

    def routes(self, router: web.UrlDispatcher) -> None:
        """Add both APIs, and what is said of the model."""
        super().routes(router)
        router.add_post(f"{self.path}/messages", self._answer)
        router.add_get(f"{self.path}/models/{{name}}", self._describe)

    def error(self, message: str, status: int) -> object:
        """An error's body in the form of the API that was asked."""
        if not self._is_native(self.requests[-1]):
            return super().error(message, status)
        kinds = {401: "authentication_error", 404: "not_found_error", 413: "request_too_large"}
        error = {"type": kinds.get(status, "invalid_request_error"), "message": message}
        return {"type": "error", "error": error, "request_id": "req_1"}

    def check_key(self, request: web.Request) -> None:
        """Refuse a wrong key, and a version that there is not."""
        super().check_key(request)
        if request.path.endswith("/messages") and request.headers.get("anthropic-version") not in _VERSIONS:
            raise self.broke("version", "anthropic-version: header is required")

    def _is_native(self, body: Json) -> bool:
        return self.paths[self.requests.index(body)].endswith("/messages")

    def check_form(self, body: Json) -> None:
        """Refuse a request in a wrong form."""
        if not self._is_native(body):
            super().check_form(body)
            return
        for name in body:
            if name not in _BODY_FIELDS:
                raise self.broke("unknown field", f"{name}: Extra inputs are not permitted")
        if "max_tokens" not in body:
            raise self.broke("max_tokens", "max_tokens: Field required")
        if body.get("model") != self.model:
            raise self.broke("model", f"model: {body.get('model')}", 404)
        if not 1 <= body["max_tokens"] <= self.max_tokens:
            said = f"max_tokens: {body['max_tokens']} > {self.max_tokens}, which is the maximum allowed number of"
            raise self.broke("max_tokens", f"{said} output tokens for {self.model}")
        self._check_parts(body)

    def _check_parts(self, body: Json) -> None:
        for place, tool in enumerate(body.get("tools") or ()):
            for name in tool:
                if name not in _TOOL_FIELDS:
                    raise self.broke("unknown field", f"tools.{place}.custom.{name}: Extra inputs are not permitted")
            if tool.get("input_schema", {}).get("type") != "object":
                raise self.broke("tools", f"tools.{place}.custom.input_schema.type: Field required")
        if any(not block["text"].strip() for block in body.get("system") or ()):
            raise self.broke("empty text", "system: text content blocks must be non-empty")
        marks = json.dumps(body).count('"cache_control"')
        if marks > _MOST_MARKS:
            raise self.broke("marks", f"A maximum of 4 blocks with cache_control may be provided. Found {marks}.")

    def check(self, body: Json) -> None:
        """Refuse what the API refuses.

        Raises:
            Refusal: A rule is broken.
        """
        if not self._is_native(body):
            super().check(body)
            return
        self._check_thinking(body)
        try:
            check_messages(body["messages"], self.thoughts, thinks=bool(self.thoughts) and self.is_thinking(body))
        except InputProblem as problem:
            raise self.broke(problem.rule, problem.said) from None

    def _check_thinking(self, body: Json) -> None:
        thinking = body.get("thinking") or {}
        kind = thinking.get("type")
        if kind is not None and kind not in self.thinking_types:
            said = f'"thinking.type.{kind}" is not supported for this model. Use "thinking.type.adaptive" and'
            raise self.broke("thinking", f'{said} "output_config.effort" to control thinking behavior.')
        if kind == "enabled" and not 1_024 <= thinking.get("budget_tokens", 0) < body["max_tokens"]:
            raise self.broke("budget", "`max_tokens` must be greater than `thinking.budget_tokens`, at least 1024")
        effort = (body.get("output_config") or {}).get("effort")
        if effort is not None and effort not in self.efforts:
            raise self.broke("effort", "This model does not support the effort parameter.")

    def is_thinking(self, body: Json) -> bool:
        """Whether the model thinks before it answers this."""
        return "adaptive" in self.thinking_types or (body.get("thinking") or {}).get("type") == "enabled"

    def overflow(self, window: int, requested: int) -> Refusal:
        """The words for a request that is too long."""
        said = f"prompt is too long: {requested} tokens > {window} maximum"
        return Refusal(Kind.OVERFLOW, "overflow", 400, self.error(said, 400))

    def said(self, body: Json) -> list[str]:
        """The texts of people in a request, the latest last."""
        return said_in(body["messages"]) if self._is_native(body) else super().said(body)

    def move(self, body: Json) -> Move:
        """What the model does next."""
        if not self._is_native(body):
            return super().move(body)
        offered = [tool["name"] for tool in body.get("tools") or ()]
        rounds = sum(message["role"] == "assistant" for message in messages_since(body["messages"]))
        return next_move(self.model, self.said(body)[-1], rounds, offered)

    async def reply(self, request: web.Request, body: Json) -> web.StreamResponse:
        """Stream the model's reply."""
        if not self._is_native(body):
            return await super().reply(request, body)
        exchange, move = MessagesExchange(request, body), self.move(body)
        if self.is_thinking(body):
            await self._think(exchange)
        await exchange.event("ping")
        if move.held:
            await exchange.text(move.held)
            await self.hold()
        await exchange.text(move.text)
        await self.call(exchange, move)
        await exchange.chunk({}, "tool_calls" if move.calls else "stop")
        await exchange.usage((self.count(body), 12))
        return await exchange.end()

    async def _think(self, exchange: MessagesExchange) -> None:
        """Send a block of thinking with its signature, and every other time one that only the service can read."""
        number = len(self.requests)
        signature = f"EqQBCgIYAh{number:04d}=="
        place = await exchange.begin({"type": "thinking", "thinking": "", "signature": ""})
        whole = self.thought()
        for piece in (whole[:9], whole[9:]):
            await exchange.delta(place, "thinking_delta", thinking=piece)
        await exchange.delta(place, "signature_delta", signature=signature)
        self.thoughts[signature] = {"type": "thinking", "thinking": whole, "signature": signature}
        if number % 2:
            hidden = {"type": "redacted_thinking", "data": f"EmwKAhgB{number:04d}=="}
            await exchange.begin(hidden)
            self.thoughts[hidden["data"]] = hidden

    async def _describe(self, request: web.Request) -> web.Response:
        if not self.tells or request.match_info["name"] != self.model:
            return web.json_response({"type": "error", "error": {"type": "not_found_error"}}, status=404)
        kinds = {name: {"supported": name in self.thinking_types} for name in ("adaptive", "enabled", "disabled")}
        levels = {name: {"supported": name in self.efforts} for name in ("low", "medium", "high", "xhigh", "max")}
        about: Json = {"type": "model", "id": self.model, "display_name": "Claude", "max_tokens": self.max_tokens}
        about["capabilities"] = {
            "thinking": {"supported": True, "types": kinds},
            "effort": {"supported": bool(self.efforts), **levels},
        }
        return web.json_response(about)


class AnthropicOlder(AnthropicMessages):
    """A model that thinks only when it is asked to, within a budget of tokens, and knows no levels."""

    model = "claude-haiku-4-5"
    thinking_types = frozenset({"enabled", "disabled"})
    efforts = frozenset()


class AnthropicClone(AnthropicMessages):
    """A service that does not say what its models can do, and knows neither marks, thinking nor effort."""

    model = "claude-clone"
    max_tokens = 8_192
    thinking_types = frozenset()
    efforts = frozenset()
    tells = False

    def check_form(self, body: Json) -> None:
        """Refuse what it does not know, in words from which a client learns."""
        if self._is_native(body):
            for name in ("thinking", "output_config"):
                if name in body:
                    raise self.learn(name, f"{name}: Extra inputs are not permitted")
            if '"cache_control"' in json.dumps(body):
                raise self.learn("marks", "system.0.cache_control: Extra inputs are not permitted")
        super().check_form(body)
