"""The tool card: one embed for the calls of a round, a field each, drawn from the turn's committed steps."""

import json
from typing import Literal

from pydantic import JsonValue

from llmgine.messages.chat import ToolCall
from llmgine.messages.text import clean_text, collapse_spaces, shorten
from llmgine.sessions.records import ReplyStep, TurnSteps

State = Literal["queued", "running", "waiting", "done", "failed", "interrupted", "skipped"]

_ICONS: dict[State, str] = {
    "queued": "▫️",
    "running": "⏳",
    "waiting": "✋",
    "done": "✅",
    "failed": "❌",
    "interrupted": "⚠️",
    "skipped": "➖",
}
_WORDS: dict[State, str] = {
    "queued": "queued",
    "running": "running …",
    "waiting": "waiting for approval",
    "done": "done",
    "failed": "failed",
    "interrupted": "interrupted, outcome unknown",
    "skipped": "not run",
}
_RED, _AMBER, _BLUE, _GREEN = 0xD83C3E, 0xE0A030, 0x4A7BD0, 0x3BA55D

# Discord's limits: 25 fields, 256 and 1,024 characters in a field's name and value, 6,000 in all embeds of a message.
_MAX_FIELDS = 25
_MAX_NAME = 70  # of the 256, to leave the room to what a call says
_MAX_VALUE = 1_024
_MAX_TOTAL = 5_900
_DECIDED_AT_ONCE = 2  # calls that carry buttons; the next ones get theirs when these are decided


def card(steps: TurnSteps, reply: ReplyStep) -> dict[str, JsonValue]:
    """The body of the card of a round: the embed, and buttons where a call waits for approval."""
    states = [state_of(call, steps) for call in reply.tool_calls]
    waiting = [part for part, state in enumerate(states) if state == "waiting"]
    shown = list(zip(reply.tool_calls, states, strict=True))[_shown(len(states), waiting)]
    room = min(_MAX_VALUE, _MAX_TOTAL // len(shown) - _MAX_NAME)
    fields: list[JsonValue] = [_field(call, state, steps, room) for call, state in shown]
    embed: dict[str, JsonValue] = {"color": _colour(states), "fields": fields}
    if len(states) > len(shown):
        embed["footer"] = {"text": f"and {len(states) - len(shown)} more calls"}
    body: dict[str, JsonValue] = {"embed": embed}
    if waiting:
        several = len(waiting) > 1
        decided = waiting[:_DECIDED_AT_ONCE]
        body["buttons"] = [button for part in decided for button in _buttons(steps, reply, part, numbered=several)]
    return body


def _shown(calls: int, waiting: list[int]) -> slice:
    """The calls that have a field: the first ones, but never without those that somebody is to decide on."""
    start = max(0, min(waiting[0], calls - _MAX_FIELDS)) if waiting and waiting[0] + 1 >= _MAX_FIELDS else 0
    return slice(start, start + _MAX_FIELDS)


def state_of(call: ToolCall, steps: TurnSteps) -> State:
    """What has become of a call, as far as it is committed."""
    result = steps.results.get(call.id)
    if result is not None:
        return "done" if result.result.ok else "failed"
    if steps.outcome is not None:
        return "interrupted" if call.id in steps.started else "skipped"
    if call.id in steps.waiting and call.id not in steps.decisions:
        return "waiting"
    return "running" if call.id in steps.started else "queued"


def _colour(states: list[State]) -> int:
    if any(state in {"failed", "interrupted"} for state in states):
        return _RED
    if "waiting" in states:
        return _AMBER
    return _BLUE if any(state in {"queued", "running"} for state in states) else _GREEN


def _field(call: ToolCall, state: State, steps: TurnSteps, room: int) -> dict[str, JsonValue]:
    """The field of a call; its value has at most `room` characters, of which the state has its place first."""
    result = steps.results.get(call.id)
    words = _WORDS[state]
    if state == "waiting":
        words += f" · closes <t:{int(steps.waiting[call.id].deadline.timestamp())}:R>"
    if result is not None and result.seconds:
        words += f" · {result.seconds:.1f} s"
    room -= len(words) + 1
    lines = [_exact_arguments(call, room)] if state == "waiting" else [_code(_arguments(call), min(150, room // 3))]
    if result is not None:
        longest = 300 if result.result.ok else 600
        lines.append(_code(result.result.content, min(longest, room - len(lines[0]) - 2)))
    value = "\n".join(line for line in [*lines, words] if line)
    return {
        "name": shorten(f"{_ICONS[state]} {collapse_spaces(call.name)}", _MAX_NAME),
        "value": value,
        "inline": False,
    }


def _buttons(steps: TurnSteps, reply: ReplyStep, part: int, *, numbered: bool) -> list[JsonValue]:
    what = f" {reply.tool_calls[part].name} {part + 1}" if numbered else ""
    place = f"{steps.turn.id}:{reply.round}.{part}"
    return [
        {"custom_id": f"lg:approve:{place}", "label": shorten(f"Approve{what}", 80), "style": "success"},
        {"custom_id": f"lg:deny:{place}", "label": shorten(f"Deny{what}", 80), "style": "danger"},
    ]


def _arguments(call: ToolCall) -> str:
    """The arguments on one line, for reading."""
    values = call.parsed()
    if not isinstance(values, dict):
        return call.arguments
    return ", ".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in values.items()
    )


def _exact_arguments(call: ToolCall, room: int) -> str:
    """The arguments as they are, for deciding on them, in at most `room` characters."""
    values = call.parsed()
    text = call.arguments if values is None else clean_text(json.dumps(values, indent=1, ensure_ascii=False))
    room -= len("```json\n\n… and 100,000,000 characters more\n```")
    left_out = f"\n… and {len(text) - room:,} characters more" if len(text) > room else ""
    return f"```json\n{_unfenced(text[:room])}{left_out}\n```"


def _code(text: str, room: int) -> str:
    """Foreign text as inline code, where it can neither format, link nor mention."""
    line = collapse_spaces(clean_text(text))
    return f"`{shorten(line, room - 2).replace('`', 'ˋ')}`" if line else ""


def _unfenced(text: str) -> str:
    return text.replace("```", "ˋˋˋ")
