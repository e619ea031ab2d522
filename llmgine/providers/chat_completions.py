"""The Chat Completions format, both ways: a request of ours as a body, and a stream's chunks as a reply of ours."""

import json
from collections.abc import Mapping

from pydantic import JsonValue

from llmgine.messages.chat_messages import ChatMessage, ToolCall, Usage
from llmgine.providers.base import Change, ChatRequest
from llmgine.providers.history_calls import is_json_object, valid_arguments, valid_name
from llmgine.providers.reply_builder import (
    Finish,
    GrowingCall,
    ReplyBuilder,
    count,
    joined_surrogates,
    mapping,
    raw_string,
    size_of,
    string,
)

PATH = "/chat/completions"

# Google's word for a call that another model made: https://ai.google.dev/gemini-api/docs/thought-signatures
_SKIP_SIGNATURE: dict[str, JsonValue] = {"google": {"thought_signature": "skip_thought_signature_validator"}}
_FINISHES: Mapping[str, Finish] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "filtered",
    "error": "error",
}


def request_body(request: ChatRequest, *, model: str, service: str) -> dict[str, object]:
    """The body of a streaming request; what is not set is left out.

    Args:
        request: What to ask, with the changes already applied that do not depend on the API.
        model: The model's name at the service.
        service: Who is asked; opaque parts of others are left out.
    """
    changes = request.changes
    body: dict[str, object] = {
        "model": model,
        "messages": _messages(request, model=model, service=service),
        "stream": True,
    }
    if Change.NO_STREAM_OPTIONS not in changes:
        body["stream_options"] = {"include_usage": True}
    if request.tools:
        body["tools"] = [{"type": "function", "function": tool.model_dump()} for tool in request.tools]
    if request.max_output_tokens is not None:
        newer = Change.MAX_COMPLETION_TOKENS in changes and Change.MAX_TOKENS not in changes
        body["max_completion_tokens" if newer else "max_tokens"] = request.max_output_tokens
    if request.effort is not None:
        body["reasoning_effort"] = request.effort
    if request.temperature is not None:
        body["temperature"] = request.temperature
    return body


def _messages(request: ChatRequest, *, model: str, service: str) -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    used_tools = False
    for message in request.messages:
        wire = _message(message)
        used_tools = used_tools or bool(message.tool_calls)
        if message.role == "assistant":
            parts = message.parts_of(service, model)
            _carry_back(wire, message, parts, request.changes, used_tools=used_tools)
        made.append(wire)
    return made


def _message(message: ChatMessage) -> dict[str, object]:
    wire: dict[str, object] = {"role": message.role, "content": message.content}
    if message.images:
        pictures = [{"type": "image_url", "image_url": {"url": image}} for image in message.images]
        wire["content"] = [{"type": "text", "text": message.content}, *pictures]
    if message.tool_calls:
        wire["content"] = message.content or None  # a few services refuse an empty text
        wire["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        wire["tool_call_id"] = message.tool_call_id
    return wire


def _call(call: ToolCall) -> dict[str, object]:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": valid_name(call), "arguments": valid_arguments(call)},
    }


def _carry_back(
    wire: dict[str, object],
    message: ChatMessage,
    data: Mapping[str, JsonValue],
    changes: frozenset[Change],
    *,
    used_tools: bool,
) -> None:
    """Put what the service sent beside a reply back to it."""
    # Reasoning counts as input, and is asked for only once tools were used.
    if used_tools and "reasoning_content" in data:
        wire["reasoning_content"] = data["reasoning_content"]
    elif used_tools and Change.EMPTY_REASONING in changes:
        wire["reasoning_content"] = ""
    for name in ("reasoning_details", "extra_content"):
        if name in data:
            wire[name] = data[name]
    if thinking := data.get("thinking"):
        text: list[JsonValue] = [{"type": "text", "text": message.content}] if message.content else []
        wire["content"] = [*(thinking if isinstance(thinking, list) else ()), *text]
    _sign(wire, data.get("calls"), skip=Change.SKIP_SIGNATURE in changes)


def _sign(wire: dict[str, object], signatures: JsonValue, *, skip: bool) -> None:
    calls = wire.get("tool_calls")
    kept = signatures if isinstance(signatures, dict) else {}
    for place, call in enumerate(calls if isinstance(calls, list) else ()):
        if str(place) in kept:
            call["extra_content"] = kept[str(place)]
        elif skip and place == 0:
            call["extra_content"] = _SKIP_SIGNATURE


class ChatReplyBuilder(ReplyBuilder):
    """A reply growing from the chunks of a stream, or from the one document of a service that does not stream."""

    _reasoning: list[str] | None = None
    _details: "_Details | None" = None
    _extra: JsonValue = None
    _blocks: "_Blocks | None" = None
    _kept = 0  # characters of reasoning that goes back

    def add(self, chunk: object) -> str:
        """Take one chunk; see `ReplyBuilder.add`."""
        if not isinstance(chunk, dict):
            return ""
        if (sent := chunk.get("usage")) is not None and (usage := _usage(sent)):
            self._usage = usage
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return ""
        choice = choices[0]
        delta = choice.get("delta") or choice.get("message")
        new = self._add_delta(delta) if isinstance(delta, dict) else ""
        # Some services send "" here until the end.
        if (finish := choice.get("finish_reason")) and (reason := string(finish)) and not self.enough:
            self.finish = _FINISHES.get(reason, "stop")
        return new

    def add_document(self, document: object) -> str:
        """Take a whole reply; see `ReplyBuilder.add_document`."""
        new = self.add(document)
        self.done()
        return new

    def _add_delta(self, delta: Mapping[str, object]) -> str:
        new = ""
        content = delta.get("content")
        if type(content) is str and content:
            self.begun = True
            new = self._add_text(content)
            if len(delta) == 1:  # by far the most of all deltas
                return new
        elif isinstance(content, list):
            new = self._add_content_parts(content)
        self.begun = self.begun or any(value for name, value in delta.items() if name != "role")
        calls = delta.get("tool_calls")
        for fragment in calls if isinstance(calls, list) else ():
            if isinstance(fragment, Mapping):
                self._add_call(fragment)
        if isinstance(legacy := delta.get("function_call"), Mapping):
            self._add_call({"index": -1, "function": legacy})
        self._add_reasoning(delta)
        if refusal := string(delta.get("refusal")):
            self._refused = True
            new += self._add_text(refusal)
        return new

    def _add_content_parts(self, parts: list[object]) -> str:
        """Content as a list: text is the answer; anything else is thinking, which goes back as it came."""
        new = ""
        for part in parts:
            if not isinstance(part, Mapping):
                continue
            if part.get("type") == "text":
                new += self._add_text(raw_string(part.get("text")))
            elif part.get("type") == "thinking":
                self._thought = True
                if self._keep_thinking(part):
                    self._blocks = self._blocks or _Blocks()
                    self._blocks.add(part)
        return new

    def _add_reasoning(self, delta: Mapping[str, object]) -> None:
        if isinstance(content := delta.get("reasoning_content"), str):
            self._reasoning = self._reasoning or []
            self._reasoning.append(content[: max(0, self._bound - self._kept)])
            self._keep_thinking(content)
            self._thought = self._thought or bool(content)
        if delta.get("reasoning"):
            self._thought = True
        if isinstance(details := delta.get("reasoning_details"), list) and details:
            self._thought = True
            if self._keep_thinking(details):
                self._details = self._details or _Details()
                self._details.add(details)
        if isinstance(extra := delta.get("extra_content"), dict):
            self._extra = extra

    def _keep_thinking(self, thinking: object) -> bool:
        """Count thinking that came, and say whether it is still kept."""
        size = size_of(thinking)
        self._count(size)
        self._kept += size
        return self._kept <= self._bound

    def _parts(self) -> dict[str, JsonValue]:
        parts: dict[str, JsonValue] = {}
        if self._reasoning is not None:
            parts["reasoning_content"] = joined_surrogates("".join(self._reasoning))
        whole = self._kept <= self._bound  # entries and blocks may be signed: of use as a whole only
        if self._details is not None and whole:
            parts["reasoning_details"] = self._details.whole()
        if self._extra is not None:
            parts["extra_content"] = self._extra
        if self._blocks is not None and whole:
            parts["thinking"] = self._blocks.whole()
        signed: dict[str, JsonValue] = {
            str(place): call.extra for place, call in enumerate(self._calls) if call.extra is not None
        }
        if signed:
            parts["calls"] = signed
        return parts

    def _add_call(self, fragment: Mapping[str, object]) -> None:
        function = mapping(fragment.get("function"))
        index, call_id = fragment.get("index"), string(fragment.get("id"))
        name, arguments = string(function.get("name")), function.get("arguments")
        if isinstance(arguments, Mapping):
            arguments = json.dumps(arguments)
        call = self._continued(index, call_id, name, raw_string(arguments))
        if call is None:
            call = self._new_call(GrowingCall(index, call_id))
        self._grow(call, name, raw_string(arguments))
        if isinstance(extra := fragment.get("extra_content"), dict):
            call.extra = extra

    def _continued(self, index: object, call_id: str, name: str, arguments: str) -> GrowingCall | None:
        """The call a fragment continues, or None when it begins a new one.

        The index decides where there is one, except that some services number every call 0 and tell them apart by
        id, or send each whole. Without an index a fragment belongs to the last call, unless its id or name says
        otherwise or that call is already complete.
        """
        if isinstance(index, int):
            same = [call for call in self._calls if call.index == index]
            if not same or (call_id and same[-1].service_id and call_id != same[-1].service_id):
                return None
            return None if _begins_another(same[-1], name, arguments) else same[-1]
        last = self._calls[-1] if self._calls else None
        if last is None or (call_id and call_id != last.service_id):
            return None
        if name and last.name and (name != last.name or is_json_object(last.arguments)):
            return None
        return last


def _begins_another(call: GrowingCall, name: str, arguments: str) -> bool:
    """Whether a fragment under the index of a whole call is a whole call of its own."""
    if not (name and call.name and arguments.lstrip().startswith("{")):
        return False
    so_far = call.arguments.strip()
    return so_far.endswith("}") and so_far.strip("{} \n") != "" and is_json_object(so_far)


class _Details:
    """`reasoning_details`, put together from their fragments: those of one index and type are one entry."""

    def __init__(self) -> None:
        self._entries: dict[tuple[object, object], dict[str, JsonValue]] = {}
        self._texts: dict[tuple[object, object, str], list[str]] = {}  # the texts of entries that come in pieces

    def add(self, details: list[object]) -> None:
        for place, one in enumerate(details):
            if not isinstance(one, Mapping):
                continue
            key = (_plain(one.get("index", place)), _plain(one.get("type")))
            entry = self._entries.setdefault(key, {})
            for name, value in one.items():
                if name in ("text", "summary", "data") and isinstance(value, str):
                    pieces = self._texts.setdefault((*key, name), [])
                    if not isinstance(entry.get(name), str):
                        pieces.clear()
                    pieces.append(value)
                    entry[name] = ""
                elif value is not None or name not in entry:
                    entry[name] = value

    def whole(self) -> list[JsonValue]:
        for (index, kind, name), pieces in self._texts.items():
            entry = self._entries[index, kind]
            if isinstance(entry[name], str):
                entry[name] = "".join(pieces)
        return [dict(entry) for entry in self._entries.values()]


class _Blocks:
    """Blocks of thinking, put together from their fragments; a fragment of a block is joined to the one before."""

    def __init__(self) -> None:
        self._blocks: list[tuple[dict[str, JsonValue], list[JsonValue] | None]] = []

    def add(self, fragment: Mapping[str, JsonValue]) -> None:
        new = fragment.get("thinking")
        if isinstance(new, list) and self._blocks and (thinking := self._blocks[-1][1]) is not None:
            self._blocks[-1][0].update(fragment)
            thinking.extend(new)
        else:
            self._blocks.append((dict(fragment), list(new) if isinstance(new, list) else None))

    def whole(self) -> list[JsonValue]:
        return [block if thinking is None else {**block, "thinking": thinking} for block, thinking in self._blocks]


def _plain(value: object) -> object:
    """A value that can be a key."""
    return value if isinstance(value, str | int) else None


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, Mapping):
        return None
    return Usage(
        input_tokens=count(usage.get("prompt_tokens")),
        output_tokens=count(usage.get("completion_tokens")),
        cached_tokens=count(mapping(usage.get("prompt_tokens_details")).get("cached_tokens")),
        reasoning_tokens=count(mapping(usage.get("completion_tokens_details")).get("reasoning_tokens")),
    )
