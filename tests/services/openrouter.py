"""OpenRouter: many services behind one, with comments, errors inside streams, and reasons below `metadata`."""

import json
from typing import Any

from aiohttp import web

from tests.chat_completions import Exchange
from tests.services.conversation import present_turn
from tests.services.refusal import Kind, Refusal
from tests.services.script import Move
from tests.services.service import Service

Json = dict[str, Any]


def routed(message: str, status: int, **metadata: object) -> Json:
    """An error's body in OpenRouter's form."""
    error: Json = {"message": message, "code": status}
    return {"error": {**error, "metadata": metadata} if metadata else error, "user_id": "user_1"}


class OpenRouter(Service):
    """A model that thinks: its `reasoning_details` must come back within the turn."""

    path = "/api/v1"
    model = "vendor/thinker"
    moderates = True

    def __init__(self, *, window: int | None = None, tokens_per_estimate: float = 1.0) -> None:
        super().__init__(window=window, tokens_per_estimate=tokens_per_estimate)
        self._details: set[tuple[str, str]] = set()

    def error(self, message: str, status: int) -> object:
        """An error's body: the reason is what the service behind it said."""
        raw = json.dumps({"error": {"message": message, "type": "invalid_request_error"}})
        return routed("Provider returned error", status, raw=raw, provider_name="Vendor")

    def check(self, body: Json) -> None:
        """Refuse calls without what was thought before them.

        Raises:
            Refusal: A rule is broken.
        """
        present = present_turn(body["messages"])
        for index, message in enumerate(body["messages"]):
            details = message.get("reasoning_details")
            if details and _facts(details) not in self._details:
                raise self.broke("details changed", "reasoning_details must be passed back as they were received")
            is_present = index >= len(body["messages"]) - len(present)
            if message.get("tool_calls") and not details and is_present:
                said = f"messages.{index}: reasoning_details are missing from the assistant message with tool calls"
                raise self.broke("details missing", said)

    async def begin(self, exchange: Exchange) -> None:
        """Keep the line alive with comments, then begin."""
        response = await exchange.stream()
        for _ in range(3):
            await response.write(b": OPENROUTER PROCESSING\n\n")
        await super().begin(exchange)

    async def think(self, exchange: Exchange, move: Move) -> None:
        """Send what it thinks in pieces, and the signature behind it."""
        thought, signature = self.thought(), f"EqQB{len(self.requests):04d}"
        self._details.add((thought, signature))
        whole: Json = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
        for piece in (thought[:10], thought[10:]):
            details = [{**whole, "text": piece}]
            await exchange.chunk({"content": "", "reasoning": piece, "reasoning_details": details})
        await exchange.chunk({"content": "", "reasoning_details": [{**whole, "signature": signature}]})

    def prompt_refusal(self) -> Refusal:
        """The words for a prompt that is flagged."""
        metadata: Json = {"reasons": ["harassment"], "flagged_input": "fail please", "provider_name": "Vendor"}
        said = 'vendor/thinker requires moderation. Your input was flagged for "harassment".'
        return Refusal(Kind.PROMPT, "moderation", 403, routed(said, 403, **metadata))

    def trip(self) -> Refusal:
        """The service behind it goes away inside the stream."""
        choice = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "error"}
        error = {"code": 502, "message": "Provider disconnected unexpectedly"}
        chunk = {"id": "gen-1", "object": "chat.completion.chunk", "model": self.model, "provider": "Vendor"}
        return Refusal(Kind.PASSING, "disconnected", 200, {**chunk, "error": error, "choices": [choice]})

    async def refuse(self, request: web.Request, refusal: Refusal) -> web.StreamResponse:
        """Send a refusal, behind a comment when it comes in the stream."""
        if refusal.status != 200:
            return await super().refuse(request, refusal)
        exchange = Exchange(request, {})
        response = await exchange.stream()
        await response.write(b": OPENROUTER PROCESSING\n\n")
        await exchange.data(json.dumps(refusal.body))
        return await exchange.end()

    def overflow(self, window: int, requested: int) -> Refusal:
        """The words for a request that is too long."""
        said = (
            f"This endpoint's maximum context length is {window} tokens. However, you requested about {requested} "
            "tokens (of text input). Please reduce the length of either one, or use the context-compression plugin."
        )
        return Refusal(Kind.OVERFLOW, "overflow", 400, routed(said, 400))

    def no_credit(self) -> Refusal:
        """The account has no money."""
        said = "Insufficient credits. This account never purchased credits."
        return Refusal(Kind.PASSING, "credits", 402, routed(said, 402))

    def free_models_per_day(self) -> Refusal:
        """The free requests of the day are used up, until a time in milliseconds."""
        said = "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day"
        headers = {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4102444800000"}
        return Refusal(
            Kind.PASSING, "free models", 429, routed(said, 429, headers=headers, provider_name=None), headers
        )


class OpenRouterPlain(OpenRouter):
    """A model for which no service offers tools or images."""

    model = "vendor/plain:free"
    takes_tools = False
    takes_images = False

    async def think(self, exchange: Exchange, move: Move) -> None:
        """Think of nothing."""

    def no_tools(self) -> Refusal:
        """The words for tools."""
        said = "No endpoints found that support tool use. To learn more about provider routing, see the documentation."
        return Refusal(Kind.LEARN, "tools", 404, routed(said, 404))

    def no_images(self) -> Refusal:
        """The words for an image."""
        return Refusal(Kind.LEARN, "images", 404, routed("No endpoints found that support image input", 404))


def _facts(details: list[Json]) -> tuple[str, str]:
    """The text and the signature in details, whether they came back in pieces or put together."""
    texts = "".join(one.get("text") or "" for one in details)
    return texts, "".join(one.get("signature") or "" for one in details)
