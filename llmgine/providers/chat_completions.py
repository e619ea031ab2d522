"""The Chat Completions format, both ways: a request of ours as a body, and a stream's chunks as a reply of ours.

Whatever a service sends is data to judge: nothing in here raises for an odd shape, except `ReplyBuilder.whole()`.
"""

import json
import re
from collections.abc import Mapping

from llmgine.errors import ProviderReplyError, ReplyCutOffError
from llmgine.messages.chat import ChatMessage, ToolCall, Usage, new_call_id
from llmgine.providers.base import ChatReply, ChatRequest
from llmgine.providers.thinking import ThinkingFilter

_LONGEST_NAME = 100  # characters of a model's name that people can choose
_UNSEEN = "[The images that came with this cannot be shown to you. Say so if they matter.]"
_LONGEST_MALFORMED = 500  # characters of malformed arguments that the model is reminded of


def request_body(request: ChatRequest, model: str, *, limit_field: str) -> dict[str, object]:
    """The body of a streaming request; what is not set is left out.

    Args:
        request: What to ask.
        model: The model's name at the service.
        limit_field: What the service calls the bound on a reply's tokens.
    """
    body: dict[str, object] = {
        "model": model,
        "messages": [_message(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.tools:
        body["tools"] = [{"type": "function", "function": tool.model_dump()} for tool in request.tools]
    if request.max_output_tokens is not None:
        body[limit_field] = request.max_output_tokens
    return body


def without_images(request: ChatRequest) -> ChatRequest:
    """The same request for a service that takes no images; the model is told that there are some."""
    return request.model_copy(update={"messages": tuple(_without_images(one) for one in request.messages)})


def _without_images(message: ChatMessage) -> ChatMessage:
    if not message.images:
        return message
    return message.model_copy(update={"images": (), "content": f"{message.content}\n{_UNSEEN}"})


def _message(message: ChatMessage) -> dict[str, object]:
    wire: dict[str, object] = {"role": message.role, "content": message.content}
    if message.images:
        pictures = [{"type": "image_url", "image_url": {"url": image}} for image in message.images]
        wire["content"] = [{"type": "text", "text": message.content}, *pictures]
    if message.tool_calls:
        wire["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        wire["tool_call_id"] = message.tool_call_id
    return wire


def _call(call: ToolCall) -> dict[str, object]:
    """A call as it goes back to the service.

    Many services refuse a history with a malformed call in it, also one their own model wrote, and would then
    refuse every later turn of the session. So what is malformed is put into a form that is not.
    """
    arguments = call.arguments
    if not _is_json_object(arguments):
        arguments = json.dumps({"malformed_arguments": arguments[:_LONGEST_MALFORMED]})
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", call.name)[:64] or "unnamed"
    return {"id": call.id, "type": "function", "function": {"name": name, "arguments": arguments}}


def model_names(listed: object) -> tuple[str, ...]:
    """The names in a service's list of models, sorted; none where it is no such list."""
    data = listed.get("data") if isinstance(listed, Mapping) else None
    entries = data if isinstance(data, list) else ()
    names = {_string(entry.get("id")) for entry in entries if isinstance(entry, Mapping)}
    return tuple(sorted(name for name in names if name and len(name) <= _LONGEST_NAME))


class ReplyBuilder:
    """A reply growing from the chunks of a stream, or from the one document of a service that does not stream."""

    def __init__(self, model: str) -> None:
        self.model = model
        self._text: list[str] = []
        self._thinking = ThinkingFilter()
        self._calls: list[_GrowingCall] = []
        self._finish: str | None = None
        self._refused = False
        self._usage: Usage | None = None
        self.unseen = False
        """Whether the model was not shown the images of the request."""
        self.begun = False
        """Whether any part of the reply has come: text, thinking or a call, not just the role."""

    @property
    def text(self) -> str:
        """The answer text so far."""
        return "".join(self._text)

    @property
    def finished(self) -> bool:
        """Whether the service has said that the reply is at its end; only the token count may follow."""
        return self._finish is not None

    def add(self, chunk: object) -> str:
        """Take one chunk and return the answer text that is new with it."""
        if not isinstance(chunk, Mapping):
            return ""
        self._usage = _usage(chunk.get("usage")) or self._usage
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
            return ""
        choice = choices[0]
        delta = choice.get("delta") or choice.get("message")
        new = self._add_delta(delta) if isinstance(delta, Mapping) else ""
        # Some services send "" here until the end.
        self._finish = _string(choice.get("finish_reason")) or self._finish
        return new

    def add_document(self, document: object) -> str:
        """Take a whole, unstreamed reply; it is at its end even when it does not say so."""
        new = self.add(document)
        if self.begun and self._finish is None:
            self._finish = "stop"
        return new

    def whole(self) -> ChatReply:
        """The reply, once the stream has ended.

        Raises:
            ReplyCutOffError: The stream ended before the reply did.
            ProviderReplyError: There is nothing in the reply.
        """
        empty = ProviderReplyError("The model gave an empty answer.")
        self._text.append(self._thinking.rest())
        if self._finish in {None, "error"}:
            if not self.begun:
                raise empty
            raise ReplyCutOffError("The model's answer broke off before its end.", partial=self.text)
        reply = ChatReply(text=self.text, usage=self._usage, model=self.model, unseen=self.unseen)
        if self._finish == "content_filter" or self._refused:
            return reply.model_copy(update={"finish": "filtered"})
        if self._finish == "length":
            # The last call may lack half of its arguments and still be valid JSON: none of them is safe to run.
            return reply.model_copy(update={"finish": "length"})
        if self._calls:
            calls = tuple(call.whole() for call in self._calls)
            return reply.model_copy(update={"finish": "tool_calls", "tool_calls": calls})
        if not reply.text.strip():
            raise empty
        return reply

    def _add_delta(self, delta: Mapping[str, object]) -> str:
        self.begun = self.begun or any(value for name, value in delta.items() if name != "role")
        calls = delta.get("tool_calls")
        for fragment in calls if isinstance(calls, list) else ():
            if isinstance(fragment, Mapping):
                self._add_call(fragment)
        refusal = _string(delta.get("refusal"))
        self._refused = self._refused or bool(refusal)
        new = self._thinking.add(_content(delta.get("content"))) + refusal
        if new:
            self._text.append(new)
        return new

    def _add_call(self, fragment: Mapping[str, object]) -> None:
        function = fragment.get("function")
        function = function if isinstance(function, Mapping) else {}
        index, call_id = fragment.get("index"), _string(fragment.get("id"))
        name, arguments = _string(function.get("name")), function.get("arguments")
        if isinstance(arguments, Mapping):
            arguments = json.dumps(arguments)
        call = self._continued(index, call_id, name)
        if call is None:
            call = _GrowingCall(index, call_id)
            self._calls.append(call)
        call.grow(name, _string(arguments))

    def _continued(self, index: object, call_id: str, name: str) -> "_GrowingCall | None":
        """The call a fragment continues, or None when it begins a new one.

        The index decides where there is one, except that some services number every call 0 and tell them apart by
        id. Without an index a fragment belongs to the last call, unless its id or name says otherwise or that call
        is already complete.
        """
        if isinstance(index, int):
            same = [call for call in self._calls if call.index == index]
            if not same or (call_id and same[-1].service_id and call_id != same[-1].service_id):
                return None
            return same[-1]
        last = self._calls[-1] if self._calls else None
        if last is None or (call_id and call_id != last.service_id):
            return None
        if name and last.name and (name != last.name or _is_json_object(last.arguments)):
            return None
        return last


class _GrowingCall:
    """One tool call put together from its fragments."""

    def __init__(self, index: object, service_id: str) -> None:
        self.index = index
        self.service_id = service_id
        self.name = ""
        self._arguments: list[str] = []

    @property
    def arguments(self) -> str:
        return "".join(self._arguments)

    def grow(self, name: str, arguments: str) -> None:
        # Some services repeat the whole name in every fragment, some send it in pieces.
        if name != self.name:
            self.name += name
        self._arguments.append(arguments)

    def whole(self) -> ToolCall:
        """The call under an id of ours: a service's own may be empty, doubled or refused by another service."""
        return ToolCall(id=new_call_id(), name=self.name, arguments=self.arguments if self.arguments.strip() else "{}")


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, Mapping):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else 0
    return Usage(
        input_tokens=_count(usage.get("prompt_tokens")),
        output_tokens=_count(usage.get("completion_tokens")),
        cached_tokens=_count(cached),
    )


def _content(content: object) -> str:
    """Answer text, also when it comes as a list of parts; parts that are not text (thinking) are left out."""
    if not isinstance(content, list):
        return _string(content)
    parts = (part for part in content if isinstance(part, Mapping) and part.get("type") == "text")
    return "".join(_string(part.get("text")) for part in parts)


def _string(value: object) -> str:
    """A string that every store can hold, whatever was sent: no NUL, no lone surrogates."""
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _count(value: object) -> int:
    return max(0, int(value)) if isinstance(value, int | float) and value == value else 0  # noqa: PLR0124  NaN


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text, parse_constant=_refuse), dict)
    except (ValueError, RecursionError):  # RecursionError: brackets nested by the thousand
        return False


def _refuse(constant: str) -> None:
    """Python reads NaN and Infinity; JSON, and so the service, has no such thing."""
    raise ValueError(constant)
