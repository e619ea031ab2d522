"""A model that answers by script: for tests, demonstrations, and developing without a network."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable

from llmgine.errors import ProviderRefusedError
from llmgine.providers.base import ChatReply, ChatRequest, ListedModel
from llmgine.providers.bounding import within_bound

OnText = Callable[[str], None]
ReplyFunction = Callable[[ChatRequest, OnText], Awaitable[ChatReply]]
ScriptedReply = str | ChatReply | Exception | ReplyFunction


class ScriptedProvider:
    """A first-class provider whose replies you write.

        provider = ScriptedProvider(["Hello!", ChatReply(tool_calls=(ToolCall(name="roll"),), model="scripted")])
        provider = ScriptedProvider(answer)     # async def answer(request, on_text) -> ChatReply

    Args:
        script: The replies in order, one per request, or one function for all of them. A reply is a text, a whole
            `ChatReply`, an exception to raise, or a function, which streams by calling `on_text` itself. The
            script may be endless (a generator); it is read one reply at a time.
        model: The name it goes by.
        delay: Seconds between two streamed words.

    Attributes:
        requests: What it was asked, in order.
    """

    def __init__(
        self, script: Iterable[ScriptedReply] | ReplyFunction, *, model: str = "scripted", delay: float = 0.0
    ) -> None:
        self.requests: list[ChatRequest] = []
        self._function = script if callable(script) else None
        replies = [script] if isinstance(script, str) else script  # a text alone is a script of one reply
        self._script = iter(()) if callable(replies) else iter(replies)
        self._model = model
        self._delay = delay

    @property
    def model(self) -> str:
        """The name it goes by."""
        return self._model

    @property
    def service(self) -> str:
        """No service: the script itself."""
        return "scripted"

    async def choose_model(self) -> str:
        """The name it goes by."""
        return self._model

    async def reply(
        self,
        request: ChatRequest,
        on_text: OnText,
        on_reset: Callable[[], None] | None = None,  # noqa: ARG002  # nothing is taken back here
    ) -> ChatReply:
        """Give the next reply of the script.

        Raises:
            ProviderRefusedError: Every reply was given already.
            Exception: The script says so.
        """
        self.requests.append(request)
        reply = self._function or self._next()
        if isinstance(reply, Exception):
            raise reply
        model = request.model or self._model
        return await within_bound(request, on_text, lambda tell: self._made(reply, request, tell), model=model)

    async def _made(self, reply: str | ChatReply | ReplyFunction, request: ChatRequest, on_text: OnText) -> ChatReply:
        if callable(reply):
            return await reply(request, on_text)
        if isinstance(reply, str):
            reply = ChatReply(text=reply, model=request.model or self._model)
        await stream_words(reply.text, on_text, delay=self._delay)
        return reply

    async def models(self) -> tuple[ListedModel, ...]:
        """Its own name."""
        return (ListedModel(self._model),)

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def _next(self) -> ScriptedReply:
        try:
            return next(self._script)
        except StopIteration:
            asked = len(self.requests)
            raise ProviderRefusedError(
                f"The script is used up: request {asked} came, and it holds {asked - 1}. Add a reply to it."
            ) from None


async def stream_words(text: str, on_text: OnText, *, delay: float = 0.0) -> None:
    """Hand out `text` word by word, as a model would, `delay` seconds apart; other tasks run in between."""
    for word in re.findall(r"\s*\S+\s*", text) or [text] * bool(text):
        on_text(word)
        await asyncio.sleep(delay)
