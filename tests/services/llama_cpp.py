"""llama.cpp's own server."""

from typing import Any

from tests.chat_completions import Exchange
from tests.services.refusal import Kind, Refusal
from tests.services.script import Move
from tests.services.service import Service

Json = dict[str, Any]


class LlamaCpp(Service):
    """It loads its model for a while, thinks in `reasoning_content`, and has no eyes."""

    model = "model.gguf"
    key = None
    takes_images = False

    def error(self, message: str, status: int) -> object:
        """An error's body in the form of the service."""
        kind = "server_error" if status >= 500 else "invalid_request_error"
        return {"error": {"code": status, "message": message, "type": kind}}

    async def think(self, exchange: Exchange, move: Move) -> None:
        """Send what it thinks in a field of its own."""
        await exchange.chunk({"reasoning_content": self.thought()})

    def no_images(self) -> Refusal:
        """The words for an image."""
        said = "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
        return self.learn("images", said, 500)

    def trip(self) -> Refusal:
        """It is still loading."""
        error = {"code": 503, "message": "Loading model", "type": "unavailable_error"}
        return Refusal(Kind.PASSING, "loading", 503, {"error": error})

    def overflow(self, window: int, requested: int) -> Refusal:
        """The words for a request that is too long."""
        said = f"request ({requested} tokens) exceeds the available context size ({window} tokens), try increasing it"
        error: Json = {"code": 400, "message": said, "type": "exceed_context_size_error"}
        body = {"error": {**error, "n_prompt_tokens": requested, "n_ctx": window}}
        return Refusal(Kind.OVERFLOW, "overflow", 400, body)


class LlamaCppThinkInPrompt(LlamaCpp):
    """A template that opens `<think>` in the prompt, so that only its end comes, within the text."""

    async def think(self, exchange: Exchange, move: Move) -> None:
        """Send what it thinks as text, and the mark behind it."""
        await exchange.text(self.thought())
        await exchange.text("\n</think>\n\n")
