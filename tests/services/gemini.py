"""Gemini's OpenAI-compatible endpoint."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.chat_completions import Exchange
from tests.services.conversation import present_turn
from tests.services.refusal import Kind, Refusal
from tests.services.script import Move
from tests.services.service import Service, names

Json = dict[str, Any]

_NO_SIGNATURE = (
    "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, "
    "and missing thought_signature may lead to degraded model performance. Additional data, function call "
    "`default_api:{}` , position {}."
)
_FIELDS = names(
    "model messages stream stream_options tools tool_choice parallel_tool_calls max_tokens max_completion_tokens "
    "temperature top_p stop n reasoning_effort response_format extra_body user"
)


class Gemini(Service):
    """Calls come without an index and carry a signature that must come back within the turn."""

    path = "/v1beta/openai"
    model = "gemini-3.5-flash"
    moderates = True
    body_fields = _FIELDS
    message_fields = Service.message_fields | {"extra_content"}
    call_fields = Service.call_fields | {"extra_content"}
    words: ClassVar[Mapping[str, str]] = {
        "unanswered call": "Please ensure that the number of function response parts is equal to the number of "
        "function call parts of the function call turn. ({})",
        "orphan result": "Please ensure that function response turn comes immediately after a function call turn. ({})",
    }

    def __init__(self, *, window: int | None = None, tokens_per_estimate: float = 1.0) -> None:
        super().__init__(window=window, tokens_per_estimate=tokens_per_estimate)
        self._signatures: set[str] = set()

    def error(self, message: str, status: int) -> object:
        """An error's body in the form of the service: a list of one."""
        name = {401: "UNAUTHENTICATED", 404: "NOT_FOUND"}.get(status, "INVALID_ARGUMENT")
        return [{"error": {"code": status, "message": message, "status": name}}]

    def unknown_field(self, where: str, _value: object) -> Refusal:
        """What is said of a field that the service does not know."""
        path, _, name = where.rpartition(".")
        said = f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field."
        return self.broke("unknown field", said)

    def check(self, body: Json) -> None:
        """Refuse calls without their signature.

        Raises:
            Refusal: A rule is broken.
        """
        present = present_turn(body["messages"])
        position = len(body["messages"]) - len(present)
        for index, message in enumerate(body["messages"]):
            calls = message.get("tool_calls") or ()
            for number, call in enumerate(calls):
                signature = ((call.get("extra_content") or {}).get("google") or {}).get("thought_signature")
                if signature is not None and signature not in self._signatures:
                    raise self.broke("signature", "Corrupted thought signature.")
                if signature is None and number == 0 and index >= position:
                    said = _NO_SIGNATURE.format(call["function"]["name"], index + 1)
                    raise self.missing("signature", said, of=message)

    async def call(self, exchange: Exchange, move: Move) -> None:
        """Send calls whole, one a chunk, without an index; the first of a round has the signature."""
        for index, (name, arguments) in enumerate(move.calls):
            call: Json = {"id": self.call_id(index), "type": "function"}
            call["function"] = {"name": name, "arguments": arguments}
            if index == 0:
                signature = f"CtsBAcu98P{len(self.requests):04d}=="
                self._signatures.add(signature)
                call["extra_content"] = {"google": {"thought_signature": signature}}
            await exchange.chunk({"role": "assistant", "tool_calls": [call]})

    async def finish(self, exchange: Exchange, move: Move) -> None:
        """Say "stop", also beside calls."""
        await exchange.chunk({}, "stop")

    def prompt_refusal(self) -> Refusal:
        """The words for a prompt that is blocked."""
        body = self.error("The prompt was blocked: PROHIBITED_CONTENT.", 400)
        return Refusal(Kind.PROMPT, "blocked", 400, body)

    def trip(self) -> Refusal:
        """The quota of this minute is used up for a moment."""
        error: Json = {"code": 429, "status": "RESOURCE_EXHAUSTED"}
        error["message"] = "You exceeded your current quota, please check your plan. Please retry in 0.04s."
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.04s"}]
        return Refusal(Kind.PASSING, "quota", 429, [{"error": error}])

    def overflow(self, window: int, requested: int) -> Refusal:
        """The words for a request that is too long."""
        said = f"The input token count ({requested}) exceeds the maximum number of tokens allowed ({window})."
        return Refusal(Kind.OVERFLOW, "overflow", 400, self.error(said, 400))


class GeminiInPieces(Gemini):
    """The same with the arguments of a call split over chunks, the later ones with neither id nor index."""

    async def call(self, exchange: Exchange, move: Move) -> None:
        """Send the first half of a call with its signature, and the rest behind it."""
        for index, (name, arguments) in enumerate(move.calls):
            signature = f"CtsBBcu98P{len(self.requests):04d}{index}=="
            self._signatures.add(signature)
            first: Json = {"id": self.call_id(index), "type": "function"}
            first["function"] = {"name": name, "arguments": arguments[:5]}
            first["extra_content"] = {"google": {"thought_signature": signature}}
            await exchange.chunk({"tool_calls": [first]})
            await exchange.data(_rest(arguments[5:]))


def _rest(arguments: str) -> str:
    delta = {"tool_calls": [{"function": {"arguments": arguments}}]}
    return json.dumps({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]})
