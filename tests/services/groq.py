"""Groq: fast, with small limits a minute, and models that sometimes fail to write a call."""

import json
from typing import Any

from tests.services.refusal import Kind, Refusal
from tests.services.service import Service, names

Json = dict[str, Any]

_FIELDS = names(
    "model messages stream stream_options tools tool_choice parallel_tool_calls max_tokens max_completion_tokens "
    "temperature top_p stop n seed user response_format reasoning_effort reasoning_format service_tier"
)


def limit_body(limit: int, requested: int) -> Json:
    """What is said to one request that is larger than a minute allows."""
    said = (
        "Request too large for model `llama-3.3-70b-versatile` in organization `org_1` service tier `on_demand` on "
        f"tokens per minute (TPM): Limit {limit}, Requested {requested}, please reduce your message size and try "
        "again."
    )
    return {"error": {"message": said, "type": "tokens", "code": "rate_limit_exceeded"}}


class Groq(Service):
    """No names in messages, no images, no field it does not know; a call it fails to write is written next time."""

    path = "/openai/v1"
    model = "llama-3.3-70b-versatile"
    takes_images = False
    body_fields = _FIELDS
    message_fields = Service.message_fields - {"name"} | {"reasoning"}

    def unknown_field(self, where: str, _value: object) -> Refusal:
        """What is said of a field that the service does not know."""
        return self.broke("unknown field", f"property '{where}' is unsupported")

    def no_images(self) -> Refusal:
        """The words for an image: its text models want plain text, and say no more."""
        return self.learn("images", "messages[1].content must be a string")

    def trip(self) -> Refusal:
        """The model fails to write its call."""
        return Refusal(Kind.PASSING, "tool_use_failed", 400, _failed_call())

    def overflow(self, window: int, requested: int) -> Refusal:
        """The words for a request that is too long."""
        said = "Please reduce the length of the messages or completion."
        body: Json = {"message": said, "type": "invalid_request_error", "param": "messages"}
        return Refusal(Kind.OVERFLOW, "overflow", 400, {"error": {**body, "code": "context_length_exceeded"}})


class GroqInStream(Groq):
    """The same where the failure comes inside the stream, and where a minute allows fewer tokens than the window."""

    def trip(self) -> Refusal:
        """The model fails to write its call, and says so behind a status of 200."""
        body = _failed_call()
        return Refusal(Kind.PASSING, "tool_use_failed", 200, {"error": {**body["error"], "status_code": 400}})

    def overflow(self, window: int, requested: int) -> Refusal:
        """The words for a request that is longer than a minute allows."""
        return Refusal(Kind.OVERFLOW, "overflow", 413, limit_body(window, requested))


def _failed_call() -> Json:
    said = "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details."
    error: Json = {"message": said, "type": "invalid_request_error", "code": "tool_use_failed"}
    return {"error": {**error, "failed_generation": f"<function=roll{json.dumps({'sides': 6})}</function>"}}
