"""The Messages format of Anthropic, both ways: a request of ours as a body, and a stream's events as a reply of ours.

Source: https://platform.claude.com/docs/en/api/messages
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from llmgine.messages.chat_messages import ChatMessage, ToolCall, Usage
from llmgine.providers.base import Change, ChatRequest
from llmgine.providers.history_calls import in_order, valid_arguments, valid_name

PATH = "/v1/messages"

Block = dict[str, Any]

_MOST_TOKENS = 32_000  # of a reply, thinking and all, where the model may write more
_UNKNOWN_MOST = 8_192  # the same for a model of which nothing is known; every model takes so many
_SHORTEST_THINKING, _SHORTEST_ANSWER = 1_024, 1_024  # tokens; a smaller budget is refused
_BUDGETS = {"minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 24_576}  # tokens of thinking
_LEVELS = ("low", "medium", "high", "xhigh")
_DATA_URL = re.compile(r"data:(image/[a-z.+-]+);base64,")
_CACHED = {"type": "ephemeral"}
_NO_TEXT = "[no text]"  # the service refuses a text of blanks


@dataclass(frozen=True)
class Abilities:
    """What the service says of one of its models.

    Attributes:
        most_tokens: How long a reply may be; None where that is not known.
        efforts: The levels of `output_config.effort` that it takes; None where that is not known.
        thinking: The types of `thinking` that it takes; None where that is not known.
    """

    most_tokens: int | None = None
    efforts: frozenset[str] | None = None
    thinking: frozenset[str] | None = None


def request_body(request: ChatRequest, *, model: str, service: str, abilities: Abilities) -> dict[str, object]:
    """The body of a streaming request; what is not set is left out, and so is the temperature, which the API refuses.

    Args:
        request: What to ask, with the changes already applied that do not depend on the API.
        model: The model's name at the service.
        service: Who is asked; opaque parts of others are left out.
        abilities: What is known of the model.
    """
    system = "\n\n".join(one.content for one in request.messages if one.role == "system")
    messages = _messages(request.messages, model=model, service=service)
    tools: list[Block] = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.parameters} for tool in request.tools
    ]
    most = min(abilities.most_tokens or _UNKNOWN_MOST, request.max_output_tokens or _MOST_TOKENS)
    body: dict[str, object] = {"model": model, "max_tokens": most, "messages": messages, "stream": True}
    blocks: list[Block] = [{"type": "text", "text": system}] if system.strip() else []
    if blocks:
        body["system"] = blocks
    if tools:
        body["tools"] = tools
    if Change.NO_CACHE not in request.changes:
        _mark_stable(blocks or tools, messages, more_follows=bool(tools))
    if request.effort is not None:
        body.update(_thinking(request.effort, abilities, most, messages))
    return body


def _thinking(effort: str, abilities: Abilities, most: int, messages: Sequence[Block]) -> Iterator[tuple[str, object]]:
    """How much the model is asked to think: by a level where it knows levels, else by a budget of tokens."""
    kinds, efforts = abilities.thinking, abilities.efforts
    level = "low" if effort in {"none", "minimal"} else effort
    if efforts and level not in efforts:  # the greatest that is less, or the least there is
        known = [one for one in _LEVELS if one in efforts]
        level = next((one for one in reversed(_LEVELS[: _LEVELS.index(level)]) if one in efforts), (known or [""])[0])
    if effort == "none" and (kinds is None or "disabled" in kinds):
        yield "thinking", {"type": "disabled"}
        return
    if kinds and "adaptive" in kinds and effort != "none":
        yield "thinking", {"type": "adaptive"}
    elif kinds and "enabled" in kinds:
        budget = min(_BUDGETS.get(effort, 0), most - _SHORTEST_ANSWER)
        # This form of thinking is refused in the middle of calls that were made without it.
        if budget >= _SHORTEST_THINKING and _calls_have_thinking(messages):
            yield "thinking", {"type": "enabled", "budget_tokens": budget}
    if level and (efforts is None or level in efforts):
        yield "output_config", {"effort": level}


def _calls_have_thinking(messages: Sequence[Block]) -> bool:
    """Whether the replies behind the last question that call tools begin with their thinking."""
    for message in reversed(messages):
        kinds = [block["type"] for block in message["content"]]
        if message["role"] == "user" and "tool_result" not in kinds:
            return True
        if "tool_use" in kinds and kinds[0] not in {"thinking", "redacted_thinking"}:
            return False
    return True


def _messages(messages: Sequence[ChatMessage], *, model: str, service: str) -> list[Block]:
    """The conversation; user and assistant alternate, and the results of a round are in one message, first."""
    made: list[Block] = []
    for message in messages:
        if message.role == "system":
            continue
        is_reply = message.role == "assistant"
        role = "assistant" if is_reply else "user"
        blocks = _of_reply(message, message.parts_of(service, model)) if is_reply else _of_user(message)
        if blocks and made and made[-1]["role"] == role:
            made[-1]["content"] += blocks
        elif blocks:
            made.append({"role": role, "content": blocks})
    return made


def _of_user(message: ChatMessage) -> list[Block]:
    if message.role == "tool":
        result: Block = {"type": "tool_result", "tool_use_id": message.tool_call_id}
        return [result | ({"content": message.content} if message.content.strip() else {})]
    blocks = [_image(url) for url in message.images]
    if message.content.strip() or not blocks:
        blocks.append({"type": "text", "text": message.content if message.content.strip() else _NO_TEXT})
    return blocks


def _image(url: str) -> Block:
    found = _DATA_URL.match(url)
    if found is None:
        return {"type": "image", "source": {"type": "url", "url": url}}
    return {"type": "image", "source": {"type": "base64", "media_type": found[1], "data": url[found.end() :]}}


def _of_reply(message: ChatMessage, data: Mapping[str, JsonValue]) -> list[Block]:
    """The blocks of a reply, in the order in which they came."""
    text: list[object] = [{"type": "text", "text": message.content}] if message.content.strip() else []
    calls: list[object] = [_call(call) for call in message.tool_calls]
    order = data.get("content")
    blocks = in_order(order, text, calls) if isinstance(order, list) and (text or calls) else [*text, *calls]
    return [dict(block) for block in blocks if isinstance(block, dict)]


def _call(call: ToolCall) -> Block:
    return {"type": "tool_use", "id": call.id, "name": valid_name(call), "input": json.loads(valid_arguments(call))}


def _mark_stable(start: list[Block], messages: list[Block], *, more_follows: bool) -> None:
    """Mark the ends of what later requests repeat, so that the service reads it from its cache.

    That is what comes before all messages; the conversation before the question; and, where the model may call tools,
    the whole request, which the next round repeats.

    Args:
        start: The system text's blocks, or else the tools; tools come first, so the mark covers both.
        messages: The conversation.
        more_follows: Whether the model may call tools.
    """
    if start:
        start[-1]["cache_control"] = _CACHED
    asked = [place for place, one in enumerate(messages) if one["content"][0]["type"] != "tool_result"]
    questions = [place for place in asked if messages[place]["role"] == "user"]
    if questions and questions[-1] > 0:
        _mark(messages[questions[-1] - 1])
    if more_follows and messages:
        _mark(messages[-1])


def _mark(message: Block) -> None:
    """Mark the last block of a message that may be marked: thinking may not."""
    for place in range(len(message["content"]) - 1, -1, -1):
        block = message["content"][place]
        if block["type"] not in {"thinking", "redacted_thinking"}:
            message["content"][place] = {**block, "cache_control": _CACHED}
            return


def usage_of(told: Mapping[str, int]) -> Usage:
    """The tokens of a reply, from the counts in its events; the service counts what was cached apart."""
    read, written = told.get("cache_read_input_tokens", 0), told.get("cache_creation_input_tokens", 0)
    return Usage(
        input_tokens=told.get("input_tokens", 0) + read + written,
        output_tokens=told.get("output_tokens", 0),
        cached_tokens=read,
        cache_written_tokens=written,
        reasoning_tokens=told.get("thinking_tokens", 0),
    )
