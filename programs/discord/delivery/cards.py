"""The tool card: one embed for the calls of a round, a field each, drawn from the turn's committed steps."""

import json
from datetime import datetime

from pydantic import JsonValue

from llmgine.engine.tool_calls import MOST_CALLS
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import Author
from llmgine.messages.steps import ReplyStep, WaitingStep
from llmgine.messages.text import clean_text, collapse_spaces, escape, shorten
from llmgine.sessions.records import TurnSteps
from llmgine.turn_state import Call, CallState
from programs.discord.components.button_layout import of_card
from programs.discord.ids import Origin

_ICONS: dict[CallState, str] = {
    CallState.QUEUED: "▫️",
    CallState.RUNNING: "⏳",
    CallState.WAITING: "✋",
    CallState.DONE: "✅",
    CallState.FAILED: "❌",
    CallState.DENIED: "🚫",
    CallState.EXPIRED: "⌛",
    CallState.INTERRUPTED: "⚠️",
    CallState.SKIPPED: "➖",
}
_WORDS: dict[CallState, str] = {
    CallState.QUEUED: "queued",
    CallState.RUNNING: "running …",
    CallState.WAITING: "waiting for approval",
    CallState.DONE: "done",
    CallState.FAILED: "failed",
    CallState.DENIED: "denied",
    CallState.EXPIRED: "expired, not run",
    CallState.INTERRUPTED: "interrupted, outcome unknown",
    CallState.SKIPPED: "not run",
}
_RED, _AMBER, _BLUE, _GREEN, _GREY = 0xD83C3E, 0xE0A030, 0x4A7BD0, 0x3BA55D, 0x80848E

# Discord's limits: 25 fields, 256 and 1,024 characters in a field's name and value, 6,000 in all embeds of a message.
_MAX_FIELDS = 25
_MAX_NAME = 70  # of the 256, to leave the room to what a call says
_MAX_VALUE = 1_024
_MAX_TOTAL = 5_900
_SHORTEST_LINE = 30  # characters that say anything about the tools that were called
# Of what a call says no more is looked at than can be shown, several times over: a card is drawn often.
_MOST_READ = 4_000  # characters of foreign text
_MOST_FORMATTED = 4_000  # characters of arguments that are indented
_MOST_NESTED = 32  # objects and arrays of arguments that are indented: each may add a column to all the lines in it


def card(steps: TurnSteps, reply: ReplyStep) -> dict[str, JsonValue]:
    """The body of the card of a round: the embed, and its buttons."""
    calls = [steps.state.calls[call.id] for call in reply.tool_calls]
    states = [call.state for call in calls]
    waiting = [part for part, state in enumerate(states) if state is CallState.WAITING]
    expired = [part for part, state in enumerate(states) if state is CallState.EXPIRED]
    shown = calls[_shown(len(calls), waiting)]
    room = min(_MAX_VALUE, _MAX_TOTAL // len(shown) - _MAX_NAME)
    fields: list[JsonValue] = [_field(call, steps, room) for call in shown]
    embed: dict[str, JsonValue] = {"color": _colour(states), "fields": fields}
    if len(states) > len(shown):
        more = f"and {len(states) - len(shown):,} more calls"
        beyond = len(states) - MOST_CALLS
        embed["footer"] = {
            "text": f"{more}; {beyond:,} beyond the first {MOST_CALLS} do not run" if beyond > 0 else more
        }
    return {"embed": embed, "buttons": of_card(steps, reply, waiting, expired)}


def has_card(steps: TurnSteps, reply: ReplyStep) -> bool:
    """Whether a round's calls are shown on a card: in quiet channels only those that somebody was asked about."""
    quiet = verbosity(steps) == "quiet"
    return any(call.id in steps.state.asked for call in reply.tool_calls) if quiet else bool(reply.tool_calls)


def used(steps: TurnSteps, room: int) -> str:
    """In a quiet channel, the line that says which tools were called; empty where there is none."""
    names = dict.fromkeys(collapse_spaces(call.name) for reply in steps.state.replies for call in reply.tool_calls)
    if verbosity(steps) != "quiet" or not names or room < _SHORTEST_LINE:
        return ""
    return shorten(f"-# used {', '.join(names)}".replace("`", "ˋ"), room)


def verbosity(steps: TurnSteps) -> str:
    """How much is shown of calls where the turn came from: it is kept with the turn, so it never changes for it."""
    return Origin.of(steps.turn).cards


def _shown(calls: int, waiting: list[int]) -> slice:
    """The calls that have a field: the first ones, but never without those that somebody is to decide on."""
    start = max(0, min(waiting[0], calls - _MAX_FIELDS)) if waiting and waiting[0] + 1 >= _MAX_FIELDS else 0
    return slice(start, start + _MAX_FIELDS)


def _colour(states: list[CallState]) -> int:
    found = set(states)
    if found & {CallState.FAILED, CallState.INTERRUPTED}:
        return _RED
    if CallState.WAITING in found:
        return _AMBER
    if found & {CallState.DENIED, CallState.EXPIRED}:
        return _GREY
    return _BLUE if found & {CallState.QUEUED, CallState.RUNNING} else _GREEN


def _field(call: Call, steps: TurnSteps, room: int) -> dict[str, JsonValue]:
    """The field of a call; its value has at most `room` characters, of which the state has its place first."""
    words = _words(call, steps.state.prompt.author)
    room -= len(words) + 1
    full = verbosity(steps) == "verbose"
    if call.state is CallState.WAITING:
        lines = [_exact_arguments(call.call, room)]
    else:
        lines = [_exact_arguments(call.call, room // 2) if full else _code(_arguments(call.call), min(150, room // 3))]
    if call.result is not None:
        room -= len(lines[0]) + 2
        longest = room if full else 300 if call.result.ok else 600
        lines.append(_code(call.result.content, min(longest, room)))
    value = "\n".join(line for line in [*lines, words] if line)
    return {
        "name": shorten(f"{_ICONS[call.state]} {collapse_spaces(call.call.name)}", _MAX_NAME),
        "value": value,
        "inline": False,
    }


def _words(call: Call, asker: Author | None) -> str:
    """What has become of a call, in small words: its state, how long it took, who decides or decided."""
    words = [_WORDS[call.state]]
    if call.state is CallState.WAITING and call.waiting is not None:
        words[0] += f" by {person(asker)} or a moderator" if asker else " by a moderator"
        words.append(f"closes {_relative(call.waiting.deadline)}")
    if call.state is CallState.RUNNING and call.started_at is not None:
        words.append(f"began {_relative(call.started_at)}")
    if call.seconds:
        words.append(f"{call.seconds:.1f} s")
    if call.decision is not None and call.decision.decided_by is not None:
        always = ", always in this session" if call.decision.always else ""
        verb = "approved" if call.decision.approved else "denied"
        words.append(f"{verb} by {person(call.decision.decided_by)}{always}")
    return " · ".join(words[1:] if call.state is CallState.DENIED else words)


def waiting_words(call: ToolCall, waiting: WaitingStep, asker: Author | None) -> str:
    """A call that waits, in one sentence."""
    who = f"{person(asker)} or a moderator" if asker else "a moderator"
    until = _relative(waiting.deadline)
    return f"Waiting for {who} to approve {_code(call.name, _MAX_NAME)}; this closes {until}."


def person(author: Author) -> str:
    """Somebody as they are named in a message that pings nobody: by id, and by name who has no id of Discord's."""
    return f"<@{author.id}>" if author.id.isdecimal() else _code(author.name, 60)


def _relative(moment: datetime) -> str:
    """A moment as Discord counts to it, or from it."""
    return f"<t:{int(moment.timestamp())}:R>"


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
    room -= len("```json\n\n… and 100,000,000 characters more\n```")
    shown, left_out = _printable(_normalized(call.arguments), room)
    more = f"\n… and {left_out:,} characters more" if left_out else ""
    return f"```json\n{_unfenced(shown)}{more}\n```"


def _normalized(arguments: str) -> str:
    """Arguments as JSON is written usually, so that no blanks hide a part of them; as they are where they are no JSON.

    Their parts are on lines of their own, unless they are so long or so nested that this would take long.
    """
    nested = arguments.count("{") + arguments.count("[")
    indent = 1 if len(arguments) <= _MOST_FORMATTED and nested <= _MOST_NESTED else None
    try:
        return clean_text(json.dumps(json.loads(arguments), indent=indent, ensure_ascii=False))
    except (ValueError, RecursionError):  # RecursionError: brackets nested by the thousand
        return arguments


def _printable(text: str, room: int) -> tuple[str, int]:
    """As much of a text as fits, and how many of its characters do not; what does not print is escaped.

    Otherwise it could make the rest read as something else.
    """
    shown = ""
    for number, character in enumerate(text):
        printable = escape(character, keep="\n")
        if len(shown) + len(printable) > room:
            return shown, len(text) - number
        shown += printable
    return shown, 0


def _code(text: str, room: int) -> str:
    """Foreign text as inline code, where it can neither format, link nor mention."""
    line = collapse_spaces(clean_text(text[:_MOST_READ]))
    if line and len(text) > _MOST_READ:
        line += "…"
    return f"`{shorten(line, room - 2).replace('`', 'ˋ')}`" if line else ""


def _unfenced(text: str) -> str:
    return text.replace("```", "ˋˋˋ")
