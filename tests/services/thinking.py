"""DeepSeek and Kimi in thinking mode: what they thought must come back."""

from typing import Any, ClassVar

from tests.chat_completions import Exchange
from tests.services.refusal import Kind, Refusal
from tests.services.script import Move
from tests.services.service import Service

Json = dict[str, Any]


class DeepSeek(Service):
    """Once tools were called, each later assistant message needs its `reasoning_content`, if only an empty one."""

    model = "deepseek-v4-flash"
    takes_images = False
    moderates = True
    comments: ClassVar[int] = 2

    def __init__(self, *, window: int | None = None, tokens_per_estimate: float = 1.0) -> None:
        super().__init__(window=window, tokens_per_estimate=tokens_per_estimate)
        self._thoughts_sent: set[str] = {""}

    def check(self, body: Json) -> None:
        """Refuse assistant messages without what was thought for them.

        Raises:
            Refusal: A rule is broken.
        """
        in_tool_turn = False
        for message in body["messages"]:
            in_tool_turn = in_tool_turn or bool(message.get("tool_calls"))
            if message["role"] == "assistant":
                self.check_thought(message, needed=in_tool_turn)

    def check_thought(self, message: Json, *, needed: bool) -> None:
        """Refuse what was thought when it is missing, or not what was sent."""
        thought = message.get("reasoning_content")
        if needed and not isinstance(thought, str):
            said = "The `reasoning_content` in the thinking mode must be passed back to the API."
            raise self.missing("thought missing", said, of=message)
        if isinstance(thought, str) and not any(sent.startswith(thought) for sent in self._thoughts_sent):
            raise self.broke("thought changed", "The `reasoning_content` is not one of this model.")

    async def begin(self, exchange: Exchange) -> None:
        """Keep the line alive with comments, then begin."""
        response = await exchange.stream()
        for _ in range(self.comments):
            await response.write(b": keep-alive\n\n")
        await exchange.chunk({"role": "assistant", "content": None, "reasoning_content": ""})

    async def think(self, exchange: Exchange, move: Move) -> None:
        """Send what it thinks, in two pieces."""
        thought = self.thought()
        self._thoughts_sent.add(thought)
        for piece in (thought[:9], thought[9:]):
            await exchange.chunk({"content": None, "reasoning_content": piece})

    def no_images(self) -> Refusal:
        """The words for an image."""
        said = (
            "Failed to deserialize the JSON body into the target type: messages[1]: unknown variant `image_url`, "
            "expected `text` at line 1 column 2051"
        )
        return self.learn("images", said, 422)

    def prompt_refusal(self) -> Refusal:
        """The words for a content that is refused."""
        return Refusal(Kind.PROMPT, "risk", 400, self.error("Content Exists Risk", 400))


class Kimi(DeepSeek):
    """Each message with calls needs its `reasoning_content`."""

    model = "kimi-k2.6"
    comments = 0

    def check(self, body: Json) -> None:
        """Refuse calls without what was thought before them.

        Raises:
            Refusal: A rule is broken.
        """
        for index, message in enumerate(body["messages"]):
            if message.get("tool_calls") and not isinstance(message.get("reasoning_content"), str):
                said = (
                    "thinking is enabled but reasoning_content is missing in assistant tool call message at index "
                    f"{index}"
                )
                raise self.missing("thought missing", said, of=message)
            if message["role"] == "assistant":
                self.check_thought(message, needed=False)
            if message["role"] == "assistant" and not message.get("content") and not message.get("tool_calls"):
                raise self.broke(
                    "empty", f"Invalid request: the message at position {index} with role 'assistant' must not be empty"
                )

    def no_images(self) -> Refusal:
        """The words for an image."""
        return self.learn("images", "Invalid request: unknown variant `image_url`, expected `text`")

    def prompt_refusal(self) -> Refusal:
        """The words for a content that is refused."""
        error = {"message": "The request was rejected because it was considered high risk", "type": "content_filter"}
        return Refusal(Kind.PROMPT, "risk", 400, {"error": error})

    def overflow(self, window: int, requested: int) -> Refusal:
        """The words for a request that is too long."""
        said = f"Invalid request: Your request exceeded model token limit: {window} (requested: {requested})"
        return Refusal(Kind.OVERFLOW, "overflow", 400, self.error(said, 400))
