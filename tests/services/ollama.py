"""Ollama, with models that can and cannot call tools."""

from typing import Any

from aiohttp import web

from tests.chat_completions import Exchange
from tests.services.refusal import Kind, Refusal
from tests.services.script import Move
from tests.services.service import Service

Json = dict[str, Any]


class Ollama(Service):
    """Thinks in `reasoning`, sends calls whole and all with index 0, and cuts silently what is too long."""

    model = "qwen3:8b"
    key = None
    thinks = True

    def error(self, message: str, status: int) -> object:
        """An error's body in the form of the service."""
        kind = "api_error" if status >= 500 else "invalid_request_error"
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}

    async def think(self, exchange: Exchange, move: Move) -> None:
        """Send what it thinks in a field of its own name."""
        if self.thinks:
            await exchange.chunk({"role": "assistant", "content": "", "reasoning": self.thought()})

    async def call(self, exchange: Exchange, move: Move) -> None:
        """Send each call whole, all with index 0."""
        for index, (name, arguments) in enumerate(move.calls):
            call = {"index": 0, "id": self.call_id(index), "type": "function"}
            function = {"name": name, "arguments": arguments}
            await exchange.chunk({"role": "assistant", "content": "", "tool_calls": [{**call, "function": function}]})

    def overflow(self, window: int, requested: int) -> Refusal:
        """No refusal in words: a reply that ends at once, by its length, with nothing in it."""
        return Refusal(Kind.OVERFLOW, "overflow", 200, {"window": window, "requested": requested})

    async def refuse(self, request: web.Request, refusal: Refusal) -> web.StreamResponse:
        """Send a refusal; what is too long is a reply without any text."""
        if refusal.kind is not Kind.OVERFLOW:
            return await super().refuse(request, refusal)
        exchange = Exchange(request, self.requests[-1])
        await exchange.chunk({"role": "assistant", "content": ""}, "length")
        await exchange.usage((self.window or 0, 1))
        return await exchange.end()

    def trip(self) -> Refusal:
        """Its runner ends for a moment."""
        body = self.error("llama runner process has terminated: exit status 2", 500)
        return Refusal(Kind.PASSING, "runner", 500, body)


class OllamaWithoutFinish(Ollama):
    """A version whose streams end without saying why."""

    async def finish(self, exchange: Exchange, move: Move) -> None:
        """Say nothing: `[DONE]` is all that comes."""


class OllamaWithoutTools(Ollama):
    """A small model that calls no tools and sees no images."""

    model = "gemma2:2b"
    takes_tools = False
    takes_images = False
    thinks = False

    def no_tools(self) -> Refusal:
        """The words for tools."""
        return self.learn("tools", f"registry.ollama.ai/library/{self.model} does not support tools")

    def no_images(self) -> Refusal:
        """The words for an image."""
        said = (
            "Failed to create new sequence: failed to process inputs: this model is missing data required for image "
            "input"
        )
        return self.learn("images", said, 500)
