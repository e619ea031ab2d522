"""LM Studio, which tells what is too long by an event without a status."""

import json
from typing import Any

from aiohttp import web

from tests.chat_completions import Exchange
from tests.services.refusal import Kind, Refusal
from tests.services.service import Service

Json = dict[str, Any]


class LmStudio(Service):
    """A local server; its errors are plain texts, inside the stream when the model itself fails."""

    model = "local-model"
    key = None
    takes_images = False

    def error(self, message: str, status: int) -> object:
        """An error's body in the form of the service."""
        return {"error": message}

    def no_images(self) -> Refusal:
        """The words for an image."""
        return self.learn("images", "Model does not support images. Please use a model that does.")

    def overflow(self, window: int, requested: int) -> Refusal:
        """The words for a request that is too long."""
        said = (
            f"Trying to keep the first {requested} tokens when context the overflows. However, the model is loaded "
            f"with context length of only {window} tokens, which is not enough. Try to load the model with a larger "
            "context length, or provide a shorter input"
        )
        return Refusal(Kind.OVERFLOW, "overflow", 200, {"error": {"message": said}, "message": said})

    def trip(self) -> Refusal:
        """The model goes away inside the stream."""
        said = "The model has crashed without additional information."
        return Refusal(Kind.PASSING, "crashed", 200, {"error": {"message": said}, "message": said})

    async def refuse(self, request: web.Request, refusal: Refusal) -> web.StreamResponse:
        """Send a refusal; inside a stream it is an event named "error"."""
        if refusal.status != 200:
            return await super().refuse(request, refusal)
        exchange = Exchange(request, {})
        response = await exchange.stream()
        await response.write(f"event: error\ndata: {json.dumps(refusal.body)}\n\n".encode())
        return await exchange.close()
