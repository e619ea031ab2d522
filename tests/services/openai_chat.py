"""OpenAI's Chat Completions, with the models that have rules of their own, and Azure's form of it."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.chat_completions import Exchange
from tests.services.refusal import Kind, Refusal
from tests.services.script import Move
from tests.services.service import Service, names

Json = dict[str, Any]

_BODY_FIELDS = names(
    "model messages stream stream_options tools tool_choice parallel_tool_calls max_completion_tokens max_tokens "
    "reasoning_effort verbosity temperature top_p store user metadata response_format seed stop n logprobs "
    "top_logprobs prompt_cache_key safety_identifier service_tier modalities"
)
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")


def openai_error(message: str, *, param: str | None = None, code: str | None = None) -> Json:
    """An error's body in OpenAI's form."""
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


class OpenAIChat(Service):
    """A model that reasons by default: it takes tools only with `reasoning_effort: "none"`, and no `max_tokens`."""

    model = "gpt-5.6-luna"
    moderates = True
    body_fields = _BODY_FIELDS
    tools_with_none: ClassVar[bool] = True
    """Whether tools are taken when reasoning is switched off."""

    def check(self, body: Json) -> None:
        """Refuse what reasoning models refuse.

        Raises:
            Refusal: A rule is broken.
        """
        self.check_tools_form(body)
        if "max_tokens" in body:
            raise self.unsupported("max_tokens", "Use 'max_completion_tokens' instead.")
        if body.get("temperature", 1) != 1:
            message = (
                f"Unsupported value: 'temperature' does not support {body['temperature']} with this model. Only the "
                "default (1) value is supported."
            )
            raise self.not_taken("temperature", message, "unsupported_value")
        self.check_effort(body)

    def check_tools_form(self, body: Json) -> None:
        for index, tool in enumerate(body.get("tools") or ()):
            if tool.get("type") != "function" or not isinstance(tool.get("function"), Mapping):
                raise self.broke("tools", f"Missing required parameter: 'tools[{index}].function'.")
            if not isinstance(tool["function"].get("parameters", {}), Mapping):
                raise self.broke("tools", f"Invalid type for 'tools[{index}].function.parameters'.")

    def check_effort(self, body: Json) -> None:
        effort = body.get("reasoning_effort")
        if effort is not None and effort not in _EFFORTS:
            raise self.broke("effort", f"Invalid value: '{effort}'. Supported values are: 'none', 'low', 'medium'.")
        if effort == "none" and not self.tools_with_none:
            message = "Unsupported value: 'reasoning_effort' does not support 'none' with this model."
            raise self.not_taken("reasoning_effort", message, "unsupported_value")
        if body.get("tools") and effort != "none":
            way = "use /v1/responses or set reasoning_effort to 'none'" if self.tools_with_none else "use /v1/responses"
            message = (
                f"Function tools with reasoning_effort are not supported for {self.model} in /v1/chat/completions. To "
                f"use function tools, {way}."
            )
            raise Refusal(Kind.LEARN, "tools need none", 400, openai_error(message, param="reasoning_effort"))

    def unsupported(self, name: str, hint: str = "") -> Refusal:
        """The refusal of a parameter that this model does not have."""
        message = f"Unsupported parameter: '{name}' is not supported with this model. {hint}".rstrip()
        return self.not_taken(name, message, "unsupported_parameter")

    def not_taken(self, name: str, message: str, code: str) -> Refusal:
        """A refusal of the model, from which one learns."""
        return Refusal(Kind.LEARN, name, 400, openai_error(message, param=name, code=code))

    def unknown_field(self, where: str, _value: object) -> Refusal:
        """What is said of a field that the service does not know."""
        message = f"Unknown parameter: '{where}'."
        return Refusal(Kind.BROKEN, "unknown field", 400, openai_error(message, param=where, code="unknown_parameter"))

    def prompt_refusal(self) -> Refusal:
        """The words for a prompt that is flagged."""
        message = (
            "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with "
            "a different prompt."
        )
        return Refusal(Kind.PROMPT, "flagged", 400, openai_error(message, code="invalid_prompt"))


class OpenAIO1Mini(OpenAIChat):
    """A model with no system role, no tools and no images."""

    model = "o1-mini"
    takes_images = False

    def check(self, body: Json) -> None:
        """Refuse what this old model does not have.

        Raises:
            Refusal: A rule is broken.
        """
        for index, message in enumerate(body["messages"]):
            if message["role"] in {"system", "developer"}:
                where = f"messages[{index}].role"
                said = f"Unsupported value: '{where}' does not support '{message['role']}' with this model."
                raise Refusal(Kind.LEARN, "system role", 400, openai_error(said, param=where, code="unsupported_value"))
        for name in ("tools", "parallel_tool_calls"):
            if body.get(name) is not None:
                raise self.unsupported(name)
        if "max_tokens" in body:
            raise self.unsupported("max_tokens", "Use 'max_completion_tokens' instead.")
        if "reasoning_effort" in body:
            raise self.broke("effort", "Unrecognized request argument supplied: reasoning_effort")

    def no_images(self) -> Refusal:
        """The words for an image."""
        message = "Invalid content type. image_url is only supported by certain models."
        return Refusal(Kind.LEARN, "images", 400, openai_error(message, param="messages"))


class Azure(OpenAIChat):
    """Azure's form of the API: its filters tell what they found in chunks of their own, and refuse prompts."""

    path = "/openai/v1"
    model = "gpt-4.1-deployment"

    def check(self, body: Json) -> None:
        """Refuse tools in a wrong form; this model does not reason.

        Raises:
            Refusal: A rule is broken.
        """
        self.check_tools_form(body)
        if "reasoning_effort" in body:
            raise self.broke("effort", "Unrecognized request argument supplied: reasoning_effort")

    async def begin(self, exchange: Exchange) -> None:
        """Send what the filter found in the prompt, in a chunk with no choice in it."""
        filters = {"hate": {"filtered": False, "severity": "safe"}}
        found = [{"prompt_index": 0, "content_filter_results": filters}]
        chunk = {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": found}
        await exchange.data(json.dumps(chunk))
        await super().begin(exchange)

    async def finish(self, exchange: Exchange, move: Move) -> None:
        """Send the filter's word on the answer, in a choice with no delta in it, and the end."""
        await super().finish(exchange, move)
        offsets = {"check_offset": 0, "start_offset": 0, "end_offset": 10}
        choice = {"index": 0, "finish_reason": None, "content_filter_results": {}, "content_filter_offsets": offsets}
        await exchange.data(json.dumps({"id": "", "object": "", "created": 0, "model": "", "choices": [choice]}))

    def prompt_refusal(self) -> Refusal:
        """The words for a prompt that is filtered."""
        message = (
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please "
            "modify your prompt and retry."
        )
        found = {"hate": {"filtered": True, "severity": "high"}}
        inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": found}
        error = {"message": message, "type": None, "param": "prompt", "code": "content_filter", "status": 400}
        return Refusal(Kind.PROMPT, "filtered", 400, {"error": {**error, "innererror": inner}})
