"""vLLM with the settings and templates that make it refuse."""

from itertools import pairwise
from typing import Any, ClassVar

from tests.services.conversation import alternation_problem
from tests.services.refusal import Kind, Refusal
from tests.services.service import Service

Json = dict[str, Any]


class Vllm(Service):
    """Started without tools and without a model that sees; what breaks is told inside the stream."""

    model = "org/model-7b-instruct"
    key = None
    takes_tools = False
    takes_images = False
    alternates: ClassVar[bool] = False
    """Whether its template wants user and assistant to take turns."""

    def error(self, message: str, status: int) -> object:
        """An error's body in the form of the service."""
        return {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": status}

    def check(self, body: Json) -> None:
        """Refuse what the template refuses.

        Raises:
            Refusal: A rule is broken.
        """
        roles = [message["role"] for message in body["messages"]]
        if "system" in roles[1:]:
            raise self.broke("system first", "System message must be at the beginning.")
        if self.alternates and alternation_problem(body["messages"]):
            said = (
                "After the optional system message, conversation roles must alternate user and assistant roles "
                "except for tool calls and results."
            )
            raise self.broke("alternation", said)
        if self.alternates and ("tool", "user") in pairwise(roles):
            raise self.broke("alternation", "Conversation roles must alternate user/assistant/user/assistant/...")

    def no_tools(self) -> Refusal:
        """The words for tools on a server that was not started for them."""
        said = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
        return self.learn("tools", said)

    def no_images(self) -> Refusal:
        """The words for an image."""
        return self.learn("images", f"{self.model} is not a multimodal model")

    def trip(self) -> Refusal:
        """It breaks inside the stream."""
        body = {"object": "error", "message": "EngineCore encountered an issue.", "type": "InternalServerError"}
        return Refusal(Kind.PASSING, "engine", 200, {**body, "param": None, "code": 500})

    def overflow(self, window: int, requested: int) -> Refusal:
        """The words for a request that is too long."""
        said = (
            f"This model's maximum context length is {window} tokens. However, you requested {requested} tokens in "
            "the messages. Please reduce the length of the messages."
        )
        return Refusal(Kind.OVERFLOW, "overflow", 400, self.error(said, 400))


class VllmAlternating(Vllm):
    """A template of the Mistral kind: tools, and strict turns."""

    model = "org/mistral-nemo-instruct"
    takes_tools = True
    alternates = True


class VllmWithoutSystem(Vllm):
    """A template of the Gemma kind: no system role, strict turns, no tools."""

    model = "org/gemma-2-9b-it"
    alternates = True

    def check(self, body: Json) -> None:
        """Refuse a system message, and what the template refuses.

        Raises:
            Refusal: A rule is broken.
        """
        if any(message["role"] == "system" for message in body["messages"]):
            raise self.learn("system role", "System role not supported")
        super().check(body)
