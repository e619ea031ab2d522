"""What to change about a request that a service refused, by what it said. No table of hosts: a refusal tells enough.

To add one: a line in `REPAIRS`, and in `applied` or in the API's own module what the change does.
"""

import json
import re
from dataclasses import dataclass
from typing import Literal

from llmgine.messages.chat_messages import ChatMessage
from llmgine.providers.base import Change, ChatRequest

# Statuses with which services refuse what they do not know; 0 is an error inside a stream, which has none.
STATUSES = frozenset({0, 400, 404, 405, 413, 415, 422, 500, 501})
_NO_SUCH_PATH = frozenset({404, 405, 501})
_MOST_READ = 4_000  # characters of a refusal
_NOT_SUPPORTED = (
    r"(?:unsupported|(?:not|n't|cannot|unable)\b.{0,20}(?:support|permit|allow|accept|enabl|available|recogni)"
    r"|unrecogni[sz]ed|unknown|unexpected|extra[ _](?:forbidden|inputs|fields)|no endpoints found"
    r"|only supported|invalid (?:argument|parameter|field|content type)|cannot be used with|is deprecated"
    r"|only [\d.]+ is (?:allowed|supported)|must be (?:set to )?1\b)"
)
# Words that say it outright: "unexpected" and "unknown" may be about anything that went wrong.
_REFUSED = (
    r"(?:unsupported|(?:\bnot|n't|cannot|unable)\b.{0,20}(?:support|permit|allow|accept|enabl|available|implement)"
    r"|unrecogni[sz]ed|extra[ _](?:forbidden|inputs|fields)|\bdisabled\b|no endpoints found)"
)
_TOOLS = (
    r"\b(?:tools?|tool[ _]choice|tool[ _-]?(?:calls?|calling|use)|functions?[ _-](?:calls?|calling)|function tools?)\b"
)
_SYSTEM = r"(?:system|developer)\b.{0,12}(?:role|message|instruction|prompt)"
_IMAGES = r"(?:image|\bvision|multi-?modal|mmproj)"

Lasts = Literal["a day", "once"]


@dataclass(frozen=True)
class Repair:
    """A line of the table: what the service said, what we change, and when that expires.

    Attributes:
        said: Found in the words of a refusal, in whatever case.
        change: What is tried.
        lasts: "a day" where the words speak of the model or the service, "once" where they may speak of one request.
    """

    said: str
    change: Change
    lasts: Lasts = "a day"


def _refuses(parameter: str) -> str:
    """Words that name a parameter and say, before or behind it, that it is not supported."""
    return rf"\A(?=.*\b{parameter}\b)(?=.*{_NOT_SUPPORTED})"


# What only services with Anthropic's Messages API say.
MESSAGES_REPAIRS = (
    Repair(r"\bcache_control\b", Change.NO_CACHE),
    Repair(
        rf"\bthinking\b[ .:'\"]{{1,4}}(?:type\b)?.{{0,30}}{_NOT_SUPPORTED}|\boutput_config\b.{{0,60}}{_NOT_SUPPORTED}"
        r"|(?:not|n't) support the \W?effort\b",
        Change.NO_EFFORT,
    ),
    Repair(r"\bwhen \W?thinking\W? is enabled\b", Change.NO_EFFORT, "once"),
    Repair(r"\bthinking\b.{0,80}\bcannot be modified\b", Change.NO_PARTS, "once"),
)
REPAIRS = (
    Repair(r"\bstream_options\b", Change.NO_STREAM_OPTIONS),
    Repair(_refuses("max_tokens") + r"|use \W?max_completion_tokens", Change.MAX_COMPLETION_TOKENS),
    Repair(_refuses("max_completion_tokens"), Change.MAX_TOKENS),
    Repair(_refuses("max_(?:completion_|output_)?tokens"), Change.NO_LIMIT),
    Repair(_refuses("temperature"), Change.NO_TEMPERATURE),
    Repair(r"\A(?=.*\bencrypted[ _.]content\b)(?=.*not supported)|" + _refuses("include"), Change.NO_INCLUDE),
    Repair(r"v1/responses|responses (?:api|endpoint)|/responses\b", Change.RESPONSES),
    Repair(r"chat[ /]completions", Change.CHAT),
    Repair(rf"\A(?=.*\breasoning)(?=.*\b(?:tool|function))(?=.*{_REFUSED})", Change.NO_REASONING),
    Repair(r"\breasoning_effort\b.{0,60}\bto \W?none\b", Change.NO_REASONING),
    # One value that the model does not have says nothing of the others.
    Repair(
        r"\A(?=.*effort\b)(?=.*(?:supported values|must be one of|expected one of|one of:))", Change.NO_EFFORT, "once"
    ),
    Repair(
        r"\breasoning[._ ]?effort\b|(?:not|n't) support (?:thinking|reasoning)\b|\breasoning is mandatory\b",
        Change.NO_EFFORT,
    ),
    Repair(
        _refuses("(?:reasoning_content|reasoning_details|extra_content)") + r"|remove\b.{0,30}\breasoning_content",
        Change.NO_PARTS,
    ),
    Repair(r"\breasoning_content\b", Change.EMPTY_REASONING),
    Repair(r"(?:missing|without|require|lacks).{0,40}thought_?signature", Change.SKIP_SIGNATURE),
    Repair(
        r"thought_?signature|\bsignature\b|\breasoning\W{1,3}(?:item|was provided)|\bitem\b.{0,80}not found"
        r"|encrypted[ _]content",
        Change.NO_PARTS,
        "once",
    ),
    Repair(
        r"\A\s*\Z|not found|no route|cannot post|method not allowed|(?:invalid|unknown) (?:url|path|endpoint)",
        Change.CHAT,
    ),
    # Images, by what says that the model sees none; then whatever else is wrong with them.
    Repair(
        rf"{_IMAGES}(?: input| url|_url| content| understanding|s)*\W{{0,3}} (?:is|are) not "
        r"(?:supported|enabled|allowed)"
        rf"|(?:not|n't) (?:support|accept|see|have)\w*(?: \w+){{0,3}} {_IMAGES}"
        rf"|no endpoints found that support {_IMAGES}|unknown variant\W+{_IMAGES}|not an? {_IMAGES}"
        rf"|data required for {_IMAGES}|{_IMAGES}_url is only supported|mmproj|at most 0 {_IMAGES}"
        rf"|expected\W+text\b.{{0,40}}{_IMAGES}|{_IMAGES}_url.{{0,60}}{_NOT_SUPPORTED}|\btext[ -]only\b"
        r"|\bvisual (?:content|input)s? (?:is|are) not (?:supported|permitted|allowed)"
        r"|only text content is supported|invalid type: sequence, expected a string",
        Change.NO_IMAGES,
    ),
    # A message with images is the only one whose content is no string.
    Repair(r"\bcontent\b.{0,30}\bmust be a string\b", Change.NO_IMAGES),
    Repair(_IMAGES, Change.NO_IMAGES, "once"),
    # A refused schema says nothing of other tools.
    Repair(
        r"invalid_function_parameters|schema for (?:function|tool)|\btools(?:\[|\.)\d+|function_declarations",
        Change.NO_TOOLS,
        "once",
    ),
    Repair(rf"{_SYSTEM}.{{0,60}}{_NOT_SUPPORTED}|{_NOT_SUPPORTED}.{{0,60}}{_SYSTEM}", Change.SYSTEM_IN_USER),
    Repair(
        r"\brole\W{1,4}system\W{1,4}is not\b|(?:invalid value|unknown variant)\W{1,4}(?:system|developer)\b"
        r"|\brole\b.{0,80}(?:not|n't) support.{0,20}\bsystem\b|\binvalid role\b.{0,20}\bsystem\b"
        r"|\brole\b.{0,30}\bshould be\b.{0,20}\buser\b|roles must alternate|only user(?:,| and) (?:model|assistant)",
        Change.SYSTEM_IN_USER,
    ),
    Repair(
        r"\A(?!.*\b(?:roles?|tool[ _-]?call[ _-]?ids?|tool[ _]results?|pars(?:e|ing))\b)"
        rf"(?:.*{_TOOLS}.{{0,80}}{_REFUSED}|.*{_REFUSED}.{{0,80}}{_TOOLS}|.*\bsupport tool use\b"
        rf"|.*{_TOOLS}.{{0,40}}\brequires?\b.{{0,10}}--)",
        Change.NO_TOOLS,
    ),
    # As the name of a parameter, "tools" is told from the word by its quotes.
    Repair(r"(?:unknown|unexpected|unrecogni[sz]ed|extra).{0,60}[`'\"](?:tools|tool_choice)[`'\"]", Change.NO_TOOLS),
)
_COMPILED = tuple((re.compile(one.said, re.IGNORECASE | re.DOTALL), one) for one in (*MESSAGES_REPAIRS, *REPAIRS))


def repairs(status: int, said: str) -> list[Repair]:
    """The repairs that a refusal suggests, the most particular first; whether one changes anything is not looked at."""
    if status not in STATUSES or "tool_use_failed" in said:
        return []
    words = said[:_MOST_READ]
    found = [repair for pattern, repair in _COMPILED if pattern.search(words)]
    if status not in _NO_SUCH_PATH and "chat" not in words.lower():
        found = [one for one in found if one.change is not Change.CHAT]  # a service that only stumbles says nothing
    return found


def applied(request: ChatRequest) -> ChatRequest:
    """The request with those of its changes made that do not depend on the API."""
    changes, update = request.changes, dict[str, object]()
    messages = request.messages
    if Change.NO_IMAGES in changes:
        messages = tuple(one.without_images() if one.images else one for one in messages)
    if Change.NO_TOOLS in changes:
        messages, update["tools"] = tuple(_without_calls(messages)), ()
    if Change.SYSTEM_IN_USER in changes:
        messages = _system_in_user(messages)
    if Change.NO_PARTS in changes:
        messages = tuple(one.model_copy(update={"parts": None}) if one.parts else one for one in messages)
    if Change.NO_REASONING in changes and request.tools:
        update["effort"] = "none"
    if Change.NO_EFFORT in changes:
        update["effort"] = None
    if Change.NO_TEMPERATURE in changes:
        update["temperature"] = None
    if Change.NO_LIMIT in changes:
        update["max_output_tokens"] = None
    if messages is not request.messages:
        update["messages"] = messages
    return request.model_copy(update=update) if update else request


def _without_calls(messages: tuple[ChatMessage, ...]) -> list[ChatMessage]:
    """The conversation with tool calls and results told in words, within the assistant's own messages."""
    told: list[ChatMessage] = []
    names: dict[str | None, str] = {}
    for message in messages:
        if message.role not in ("assistant", "tool"):
            told.append(message)
            continue
        text = message.content
        if message.role == "tool":
            text = f"[{names.get(message.tool_call_id, 'A tool')} gave: {json.dumps(text, ensure_ascii=False)}]"
        for call in message.tool_calls:
            names[call.id] = call.name
            text += f"\n[I called {call.name} with {call.arguments}]"
        last = told[-1] if told else None
        if last is not None and last.role == "assistant":
            told[-1] = last.model_copy(update={"content": f"{last.content}\n{text}".strip(), "parts": None})
        else:
            told.append(ChatMessage(role="assistant", content=text.strip()))
    return told


def _system_in_user(messages: tuple[ChatMessage, ...]) -> tuple[ChatMessage, ...]:
    """The conversation with the system text at the beginning of the first user message."""
    system = "\n\n".join(one.content for one in messages if one.role == "system")
    rest = [one for one in messages if one.role != "system"]
    if not system:
        return messages
    for place, message in enumerate(rest):
        if message.role == "user":
            rest[place] = message.model_copy(update={"content": f"{system}\n\n{message.content}"})
            return tuple(rest)
    return (ChatMessage(role="user", content=system), *rest)
