"""The Responses format, both ways, stateless: nothing is kept at the service, and reasoning goes back encrypted.

Source: https://platform.openai.com/docs/api-reference/responses
"""

import json
from collections.abc import Mapping

from pydantic import JsonValue

from llmgine.messages.chat_messages import ChatMessage, Usage
from llmgine.providers.base import Change, ChatRequest
from llmgine.providers.history_calls import in_order, valid_arguments, valid_name
from llmgine.providers.reply_builder import GrowingCall, ReplyBuilder, count, mapping, raw_string, size_of, string

PATH = "/responses"

_SHORTEST = 16  # tokens; a smaller bound on a reply is refused


def request_body(request: ChatRequest, *, model: str, service: str) -> dict[str, object]:
    """The body of a streaming request; what is not set is left out.

    Args:
        request: What to ask, with the changes already applied that do not depend on the API.
        model: The model's name at the service.
        service: Who is asked; opaque parts of others are left out.
    """
    system = "\n\n".join(one.content for one in request.messages if one.role == "system")
    body: dict[str, object] = {
        "model": model,
        "input": [
            item
            for message in request.messages
            if message.role != "system"
            for item in _items(message, model=model, service=service)
        ],
        "stream": True,
        "store": False,
    }
    if system:
        body["instructions"] = system
    if Change.NO_INCLUDE not in request.changes:
        body["include"] = ["reasoning.encrypted_content"]
    if request.tools:
        # By default the service would refuse schemas with optional parameters.
        body["tools"] = [{"type": "function", **tool.model_dump(), "strict": False} for tool in request.tools]
    if request.max_output_tokens is not None:
        body["max_output_tokens"] = max(_SHORTEST, request.max_output_tokens)
    if request.effort is not None:
        body["reasoning"] = {"effort": request.effort}
    if request.temperature is not None:
        body["temperature"] = request.temperature
    return body


def _items(message: ChatMessage, *, model: str, service: str) -> list[object]:
    """The items of one message; a reply's come in the order in which the service sent them."""
    if message.role == "tool":
        return [{"type": "function_call_output", "call_id": message.tool_call_id, "output": message.content}]
    if message.role == "user":
        parts: list[object] = [{"type": "input_text", "text": message.content}]
        parts += [{"type": "input_image", "image_url": image} for image in message.images]
        return [{"type": "message", "role": "user", "content": parts}]
    text: list[object] = []
    if message.content:
        text = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": message.content}]}]
    calls: list[object] = [
        {"type": "function_call", "call_id": call.id, "name": valid_name(call), "arguments": valid_arguments(call)}
        for call in message.tool_calls
    ]
    order = message.parts_of(service, model).get("output")
    return in_order(order, text, calls) if isinstance(order, list) else [*text, *calls]


class ResponsesReplyBuilder(ReplyBuilder):
    """A reply growing from the events of a stream, or from one whole response."""

    _order: "list[tuple[int, JsonValue]] | None" = None  # the places of what is whole: reasoning, "text" and "call"
    _kept = 0  # characters of reasoning that goes back
    _streamed = False  # whether text came in pieces

    def add(self, chunk: object) -> str:
        """Take one event; see `ReplyBuilder.add`."""
        if not isinstance(chunk, dict):
            return ""
        kind = chunk.get("type")
        if kind == "response.output_text.delta":
            self.begun = self._streamed = True
            return self._add_text(raw_string(chunk.get("delta")))
        if kind == "response.function_call_arguments.delta":
            self._grow(self._call(chunk.get("output_index")), "", raw_string(chunk.get("delta")))
        elif kind == "response.refusal.delta":
            self.begun = self._streamed = self._refused = True
            return self._add_text(raw_string(chunk.get("delta")))
        elif kind in ("response.output_item.added", "response.output_item.done"):
            return self._add_item(mapping(chunk.get("item")), chunk.get("output_index"), done=kind.endswith("done"))
        elif kind in ("response.completed", "response.incomplete"):
            return self._end(mapping(chunk.get("response")), complete=kind == "response.completed")
        elif isinstance(kind, str) and kind.startswith("response.reasoning"):
            self.begun = self._thought = True
            self._count(len(raw_string(chunk.get("delta"))))
        return ""

    def add_document(self, document: object) -> str:
        """Take a whole response; see `ReplyBuilder.add_document`."""
        response = mapping(document)
        new = self._end(response, complete=response.get("status") != "incomplete")
        self.done()
        return new

    def _call(self, index: object) -> GrowingCall:
        self.begun = True
        same = next((call for call in self._calls if call.index == index), None)
        if same is None:
            same = self._new_call(GrowingCall(index, ""))
        return same

    def _add_item(self, item: Mapping[str, object], index: object, *, done: bool) -> str:
        kind = item.get("type")
        if kind == "function_call":
            arguments = raw_string(item.get("arguments")) if done else ""
            self._grow(self._call(index), string(item.get("name")), arguments, whole=True)
        elif kind == "reasoning":
            self.begun = self._thought = True
        if done:
            self._note_order(item, index)
            if kind == "message" and not self._streamed:
                return self._add_message(item)
        return ""

    def _note_order(self, item: Mapping[str, object], index: object) -> None:
        """Note what an item is and where it is; of the item itself only reasoning is kept, for it goes back."""
        self._order = self._order or []
        place, kind = index if isinstance(index, int) else len(self._order), item.get("type")
        if kind == "reasoning":
            self._kept += size_of(item)
            if self._kept <= self._bound:
                self._order.append((place, json.loads(json.dumps(item))))
        elif kind in ("message", "function_call"):
            self._order.append((place, "text" if kind == "message" else "call"))

    def _add_message(self, item: Mapping[str, object]) -> str:
        new = ""
        content = item.get("content")
        for part in content if isinstance(content, list) else ():
            if part_text := raw_string(mapping(part).get("text")) or raw_string(mapping(part).get("refusal")):
                self.begun = True
                self._refused = self._refused or mapping(part).get("type") == "refusal"
                new += self._add_text(part_text)
        return new

    def _end(self, response: Mapping[str, object], *, complete: bool) -> str:
        """The last event has the whole response: what no earlier one told is taken from it."""
        new = ""
        output = response.get("output")
        if not self._order and isinstance(output, list):
            for index, item in enumerate(output):
                new += self._add_item(mapping(item), index, done=True)
        reason = mapping(response.get("incomplete_details")).get("reason")
        if not self.enough:
            self.finish = "stop" if complete else "filtered" if reason == "content_filter" else "length"
        if isinstance(usage := response.get("usage"), Mapping):
            self._usage = Usage(
                input_tokens=count(usage.get("input_tokens")),
                output_tokens=count(usage.get("output_tokens")),
                cached_tokens=count(mapping(usage.get("input_tokens_details")).get("cached_tokens")),
                reasoning_tokens=count(mapping(usage.get("output_tokens_details")).get("reasoning_tokens")),
            )
        return new

    def _parts(self) -> dict[str, JsonValue]:
        """The reasoning items as they came, with the places of text and calls among them."""
        order = [item for _, item in sorted(self._order or (), key=lambda entry: entry[0])]
        return {"output": order} if any(isinstance(entry, dict) for entry in order) else {}


def failure(event: object) -> object:
    """The error that an event of a stream tells of, or None: `error`, or a response that failed."""
    told = mapping(event)
    if told.get("type") == "error":
        return told.get("error") or {name: value for name, value in told.items() if name != "type"}
    response = mapping(told.get("response")) if told.get("type") == "response.failed" else told
    if response.get("status") == "failed" or told.get("type") == "response.failed":
        return response.get("error") or {"message": "The response failed."}
    return None
