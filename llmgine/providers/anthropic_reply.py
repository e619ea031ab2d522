"""A reply of the Messages API, growing from the events of its stream."""

import json
from collections.abc import Mapping

from pydantic import JsonValue

from llmgine.providers.anthropic_messages import usage_of
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

_FINISHES: Mapping[str, Finish] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",  # the service's own tools take too long; none are offered to it
    "refusal": "filtered",
}
_COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


class MessagesReplyBuilder(ReplyBuilder):
    """A reply growing from the events of a stream, or from one whole message.

    Thinking is kept as it came, with its signature, and its place among text and calls.
    """

    _blocks: "dict[int, JsonValue] | None" = None  # by their places: thinking, "text" or "call"
    _pieces: "dict[int, list[str]] | None" = None  # the texts of thinking, by the same places
    _told_usage: "dict[str, int] | None" = None
    _kept = 0  # characters of thinking that goes back

    def add(self, chunk: object) -> str:
        """Take one event; see `ReplyBuilder.add`."""
        if not isinstance(chunk, dict):
            return ""
        kind = chunk.get("type")
        if kind == "content_block_delta":
            return self._grow_block(chunk.get("index"), mapping(chunk.get("delta")))
        if kind == "content_block_start":
            return self._begin_block(chunk.get("index"), mapping(chunk.get("content_block")))
        if kind == "message_start":
            self._take_usage(mapping(chunk.get("message")).get("usage"))
        elif kind == "message_delta":
            self._take_usage(chunk.get("usage"))
            self._end(mapping(chunk.get("delta")).get("stop_reason"))
        elif kind == "message_stop":
            self.done()
        return ""

    def add_document(self, document: object) -> str:
        """Take a whole message; see `ReplyBuilder.add_document`."""
        message = mapping(document)
        content = message.get("content")
        new = ""
        for index, block in enumerate(content if isinstance(content, list) else ()):
            new += self._begin_block(index, mapping(block))
        self._take_usage(message.get("usage"))
        self._end(message.get("stop_reason"))
        self.done()
        return new

    def _begin_block(self, index: object, block: Mapping[str, object]) -> str:
        """Take the beginning of a block, or the whole of it."""
        self.begun = True
        kind, place = block.get("type"), index if isinstance(index, int) else -1
        self._blocks = self._blocks or {}
        if kind == "text":
            self._blocks[place] = "text"
            return self._add_text(raw_string(block.get("text")))
        if kind == "tool_use":
            self._blocks[place] = "call"
            call = self._new_call(GrowingCall(place, string(block.get("id"))))
            whole = json.dumps(given) if (given := block.get("input")) else ""
            self._grow(call, string(block.get("name")), whole)
        elif kind in ("thinking", "redacted_thinking"):
            self._thought = True
            self._kept += size_of(block)
            self._count(size_of(block))
            self._blocks[place] = json.loads(json.dumps(block))
        return ""

    def _grow_block(self, index: object, delta: Mapping[str, object]) -> str:
        self.begun = True
        kind = delta.get("type")
        if kind == "text_delta":
            return self._add_text(raw_string(delta.get("text")))
        if kind == "input_json_delta":
            call = next((one for one in reversed(self._calls) if one.index == index), None)
            if call is not None:
                self._grow(call, "", raw_string(delta.get("partial_json")))
        elif kind == "thinking_delta":
            self._add_thinking(index, raw_string(delta.get("thinking")))
        elif kind == "signature_delta":
            self._add_signature(index, raw_string(delta.get("signature")))
        return ""

    def _add_thinking(self, index: object, text: str) -> None:
        self._thought = True
        self._count(len(text))
        self._kept += len(text)
        if self._kept <= self._bound and isinstance(index, int):
            self._pieces = self._pieces or {}
            self._pieces.setdefault(index, []).append(text)

    def _add_signature(self, index: object, text: str) -> None:
        block = (self._blocks or {}).get(index) if isinstance(index, int) else None
        self._kept += len(text)
        if isinstance(block, dict):
            block["signature"] = string(block.get("signature")) + text

    def _take_usage(self, usage: object) -> None:
        """Take counts, which grow from event to event; what an event does not name stays as it was."""
        told = self._told_usage = self._told_usage or {}
        sent = mapping(usage)
        told.update({name: count(sent[name]) for name in _COUNTS if sent.get(name) is not None})
        if (thinking := mapping(sent.get("output_tokens_details")).get("thinking_tokens")) is not None:
            told["thinking_tokens"] = count(thinking)
        if told:
            self._usage = usage_of(told)

    def _end(self, reason: object) -> None:
        if isinstance(reason, str) and reason and not self.enough:
            self.finish = _FINISHES.get(reason, "stop")

    def _parts(self) -> dict[str, JsonValue]:
        """The thinking as it came, with the places of text and calls; what is not whole is of no use."""
        if self._kept > self._bound:
            return {}
        order = [self._whole_block(place) for place in sorted(self._blocks or {})]
        kept: list[JsonValue] = [block for block in order if block is not None]
        return {"content": kept} if any(isinstance(block, dict) for block in kept) else {}

    def _whole_block(self, place: int) -> JsonValue:
        block = (self._blocks or {})[place]
        if not isinstance(block, dict) or block.get("type") == "redacted_thinking":
            return block
        if not block.get("signature"):
            return None
        pieces = (self._pieces or {}).get(place, [])
        whole: dict[str, JsonValue] = dict(block)
        whole["thinking"] = joined_surrogates(string(block.get("thinking")) + "".join(pieces))
        return whole
