"""The tool card: one embed for the calls of a round, drawn from the turn's committed steps.

A call is one line of it. One that waits for approval has a field with its arguments, and a file where they are too
long for that; in verbose channels all calls have a field.
"""

import json
from datetime import datetime

from pydantic import JsonValue

from llmgine.engine.tool_calls import MOST_CALLS
from llmgine.messages.chat_messages import ToolCall
from llmgine.messages.commands import Author
from llmgine.messages.steps import ReplyStep, WaitingStep
from llmgine.messages.text import clean_text, escape, shorten
from llmgine.messages.translatable import Language, Text, joined, tr, tr_many
from llmgine.messages.visible_text import visible_line
from llmgine.sessions.records import TurnSteps
from llmgine.turn_state import Call, CallState
from programs.discord.components.button_layout import needing_file, of_card
from programs.discord.delivery.argument_lines import argument_lines
from programs.discord.delivery.safe_text import inline_code, plain_words, small_print
from programs.discord.ids import Origin
from programs.discord.translation import language_of_turn
from programs.shown_arguments import FILE_NAME, as_file

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
_UNDONE = "⚠️"  # of a call that ran and says that it did not do what it was asked
_WORDS: dict[CallState, Text] = {
    CallState.QUEUED: tr("queued"),
    CallState.RUNNING: tr("running …"),
    CallState.WAITING: tr("waiting for approval"),
    CallState.DONE: tr("done"),
    CallState.FAILED: tr("failed"),
    CallState.DENIED: tr("denied"),
    CallState.EXPIRED: tr("expired, not run"),
    CallState.INTERRUPTED: tr("interrupted, outcome unknown"),
    CallState.SKIPPED: tr("not run"),
}
_NO_FILE = tr(
    "-# ⚠️ This can't be approved here: its arguments are too long to show, and I can't attach a file. "
    "Allow me to attach files, or deny it."
)
_SAID_BY_SIGN = frozenset({CallState.DONE, CallState.FAILED, CallState.RUNNING})  # no word for these in a line
_RED, _AMBER, _BLUE, _GREEN, _GREY = 0xD83C3E, 0xE0A030, 0x4A7BD0, 0x3BA55D, 0x80848E

# Discord's limits: 25 fields, 256 and 1,024 characters in a field's name and value, 6,000 in all embeds of a message.
_MAX_FIELDS = 25
_MAX_NAME = 70  # of the 256, to leave the room to what a call says
_MAX_VALUE = 1_024
_MAX_WAITING = 850  # of a call that waits: two of them have buttons, and fit into a text where no card is allowed
_MAX_TOTAL = 5_900
_MAX_LINE, _MAX_LINES = 600, 4_000  # characters of a call's line, and of all lines: the description holds 4,096
_LONG = 1.0  # seconds from which a line says how long a call took
_MAX_REASON = 150
_MAX_PROGRESS = 120
_SHORTEST_LINE = 30  # characters that say anything about the tools that were called
# Of what a call says no more is looked at than can be shown, several times over: a card is drawn often.
_MOST_FORMATTED = 4_000  # characters of arguments that are indented
_MOST_NESTED = 32  # objects and arrays of arguments that are indented: each may add a column to all the lines in it


def card(steps: TurnSteps, reply: ReplyStep) -> dict[str, JsonValue]:
    """The body of the card of a round: the embed, and its buttons."""
    calls = [steps.state.calls[call.id] for call in reply.tool_calls]
    states = [call.state for call in calls]
    waiting = [part for part, state in enumerate(states) if state is CallState.WAITING]
    expired = [part for part, state in enumerate(states) if state is CallState.EXPIRED]
    shown = calls[_shown(len(calls), waiting)]
    language = _language(steps)
    in_fields = [call for call in shown if call.state is CallState.WAITING or verbosity(steps) == "verbose"]
    in_fields.sort(key=lambda call: call.state is not CallState.WAITING)  # what is decided on comes first
    room = min(_MAX_WAITING if waiting else _MAX_VALUE, _MAX_TOTAL // len(shown) - _MAX_NAME)
    fields: list[JsonValue] = []
    cut: list[ToolCall] = []
    for call in in_fields:
        field, whole = _field(call, steps, room)
        fields.append(field)
        cut += [] if whole else [call.call]
    embed: dict[str, JsonValue] = {"color": _colour(states), "fields": fields}
    room = min(_MAX_LINE, _MAX_LINES // len(shown))
    lines = [_line(call, steps, room) for call in shown if call not in in_fields]
    if lines:
        embed["description"] = "\n".join(lines)
    if len(states) > len(shown):
        more = tr_many("and {count} more call", "and {count} more calls", len(states) - len(shown))
        beyond = len(states) - MOST_CALLS
        if beyond > 0:
            more = tr("{more}; {beyond} beyond the first {most} do not run", more=more, beyond=beyond, most=MOST_CALLS)
        embed["footer"] = {"text": language.say(more)}
    buttons = of_card(steps, reply, waiting, expired)
    body: dict[str, JsonValue] = {"embed": embed, "buttons": buttons}
    if cut:  # in one message with the buttons, so that nobody decides without it
        body["buttons"] = [needing_file(one) for one in buttons]
        body["file"] = {"name": FILE_NAME, "text": "\n\n".join(map(as_file, cut))}
        body["without_file"] = language.say(_NO_FILE)
    return body


def has_card(steps: TurnSteps, reply: ReplyStep) -> bool:
    """Whether a round's calls are shown on a card: in quiet channels only those that somebody was asked about."""
    quiet = verbosity(steps) == "quiet"
    return any(call.id in steps.state.asked for call in reply.tool_calls) if quiet else bool(reply.tool_calls)


def used(steps: TurnSteps, room: int) -> str:
    """In a quiet channel, the line that says which tools were called; empty where there is none."""
    names = dict.fromkeys(
        visible_line(call.name, _MAX_NAME) for reply in steps.state.replies for call in reply.tool_calls
    )
    if verbosity(steps) != "quiet" or not names or room < _SHORTEST_LINE:
        return ""
    line = _language(steps).say(tr("-# used {tools}", tools=", ".join(names)))
    return shorten(small_print(line), room)


def verbosity(steps: TurnSteps) -> str:
    """How much is shown of calls where the turn came from: it is kept with the turn, so it never changes for it."""
    return Origin.of(steps.turn).cards


def _language(steps: TurnSteps) -> Language:
    """The language of the card, which is kept with the turn too."""
    return language_of_turn(steps.turn)


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


def _line(call: Call, steps: TurnSteps, room: int) -> str:
    """A call in one line of at most `room` characters: what was called, what came of it, who decided."""
    language = _language(steps)
    words = language.say(joined(" · ", *_words(call, steps.state.prompt.author, brief=True)))
    head = f"{_icon(call)} **{plain_words(call.call.name, _MAX_NAME)}**"
    room -= len(head) + len(words) + len("  →  · ")
    arguments = _code(_brief_arguments(call.call), min(150, room // 2)) if room > _SHORTEST_LINE else ""
    result = _shown_result(call, language, min(300 if call.result and call.result.ok else 600, room - len(arguments)))
    line = " ".join(part for part in (head, arguments, f"→ {result}" if result else "") if part)
    return f"{line} · {words}" if words else line


def _icon(call: Call) -> str:
    return _UNDONE if _is_undone(call) else _ICONS[call.state]


def _is_undone(call: Call) -> bool:
    """Whether the tool ran, and says that it did not do what it was asked."""
    return call.state is CallState.DONE and call.result is not None and not call.result.done


def _shown_result(call: Call, language: Language, room: int) -> str:
    """What people see of a call's result: nothing where the words for its state say it all."""
    result = call.result
    if result is None or room < 10 or call.state in (CallState.DENIED, CallState.EXPIRED):
        return ""
    if result.shown is None:
        return _code(result.content, room)
    return plain_words(language.say(result.shown), room)


def _field(call: Call, steps: TurnSteps, room: int) -> tuple[dict[str, JsonValue], bool]:
    """The field of a call, and whether people see all that they decide on.

    Its value has at most `room` characters, of which the state has its place first.
    """
    language = _language(steps)
    words = language.say(joined(" · ", *_words(call, steps.state.prompt.author)))
    room -= len(words) + 1
    whole = True
    if call.state is CallState.WAITING:
        arguments, whole = argument_lines(call.call, room, language)
        lines = [arguments]
    else:
        lines = [_exact_arguments(call.call, room // 2, language)]
        lines.append(_shown_result(call, language, room - len(lines[0]) - 2))
    field: dict[str, JsonValue] = {
        "name": f"{_icon(call)} {plain_words(call.call.name, _MAX_NAME - 3)}",
        "value": "\n".join(line for line in [*lines, words] if line),
        "inline": False,
    }
    return field, whole


def _words(call: Call, asker: Author | None, *, brief: bool = False) -> list[Text]:
    """What has become of a call, in small words: its state, how long it took, who decides or decided.

    Where they are to be `brief`, they do not repeat what the sign before the call says.
    """
    state = tr("not done") if _is_undone(call) else _WORDS[call.state]
    words = [] if brief and call.state in _SAID_BY_SIGN else [state]
    if call.state is CallState.WAITING and call.waiting is not None:
        words = [tr("waiting for approval by {people}", people=approvers(asker))]
        words.append(tr("expires {when}", when=_relative(call.waiting.deadline)))
    if call.state is CallState.RUNNING and call.started_at is not None:
        words.append(tr("started {when}", when=_relative(call.started_at)))
    if call.state is CallState.RUNNING and call.progress:
        words.append(joined("", plain_words(call.progress, _MAX_PROGRESS)))
    if call.seconds and (call.seconds >= _LONG or not brief):
        words.append(tr("{seconds:.1f} s", seconds=call.seconds))
    return [*words[1:], _decided(call)] if call.state is CallState.DENIED else [*words, *_approved(call)]


def _approved(call: Call) -> list[Text]:
    decision = call.decision
    if decision is None or decision.decided_by is None:
        return []
    who = person(decision.decided_by)
    return [tr("always approved here by {who}", who=who) if decision.always else tr("approved by {who}", who=who)]


def _decided(call: Call) -> Text:
    """Who denied a call, and why."""
    decision = call.decision
    if decision is None or decision.decided_by is None:
        return _WORDS[CallState.DENIED]
    who = person(decision.decided_by)
    if decision.reason is None:
        return tr("denied by {who}", who=who)
    return tr("denied by {who}: {reason}", who=who, reason=_code(decision.reason, _MAX_REASON))


def waiting_words(call: ToolCall, waiting: WaitingStep, asker: Author | None) -> Text:
    """A call that waits, in one sentence."""
    return tr(
        "Waiting for {people} to approve {call}; this expires {when}.",
        people=approvers(asker),
        call=_code(call.name, _MAX_NAME),
        when=_relative(waiting.deadline),
    )


def approvers(asker: Author | None) -> Text:
    """Who may decide on a call."""
    if asker is None or not asker.is_person:
        return tr("a moderator")
    return tr("{who} or a moderator", who=person(asker))


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
        f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in values.items()
    )


def _brief_arguments(call: ToolCall) -> str:
    """The arguments on one line, without the name where there is only one."""
    values = call.parsed()
    if isinstance(values, dict) and len(values) == 1:
        (value,) = values.values()
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _arguments(call)


def _exact_arguments(call: ToolCall, room: int, language: Language) -> str:
    """The arguments as they are, in at most `room` characters."""
    room -= len("```json\n\n\n```") + len(language.say(_more(100_000_000)))
    shown, left_out = _printable(_normalized(call.arguments), room)
    more = f"\n{language.say(_more(left_out))}" if left_out else ""
    return f"```json\n{_unfenced(shown)}{more}\n```"


def _more(characters: int) -> Text:
    return tr("… and {characters} more characters", characters=characters)


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
    return inline_code(text, room)


def _unfenced(text: str) -> str:
    return text.replace("```", "ˋˋˋ")
