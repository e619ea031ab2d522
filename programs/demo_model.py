"""The offline demo model: it knows a few phrases, answers them with real tool calls, and says what it is.

It stands in for a model where no key and no address is set, so that the programs can be tried without an account.
To teach it a phrase: a function from the prompt to `ToolCall`s, and its line in `_FORMS`. Tools that nobody taught it
are called by their names: `call roll_dice sides=20`.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from llmgine.messages.chat_messages import ChatMessage, ToolCall, ToolSchema, Usage
from llmgine.messages.text import shorten
from llmgine.providers.base import ChatReply, ChatRequest, ListedModel
from llmgine.providers.bounding import within_bound
from llmgine.providers.scripted import stream_words
from programs.demo_texts import HELP, LONG_ANSWER

MODEL = "demo"

_LONGEST_QUOTE = 300
_LONGEST_READ = 10_000
_MOST_CALLS = 10
_OPERATORS = str.maketrans({"\u00d7": "*", "÷": "/"})
_LABELS = {"get_weather": "Weather", "calculate": "Result", "send_email": "E-mail"}

# Where one request ends: at the end of a sentence, or where the next request begins.
_NEXT = r"(?:can|could|calculate|compute|evaluate|what|how|send|mail|e-?mail|tell|show)"
_END = (
    r"(?=[?!;\n]|(?<!\bst)\.(?=\s|$)|,?\s+(?:for me|please|today|tomorrow|tonight|(?:right )?now)\b"
    rf"|,?\s+(?:and|then|also)\s+(?:then\s+|also\s+)?(?:please\s+)?{_NEXT}\b|\s*$)"
)
_QUOTED = r"(?:'(.*?)'(?=[\s.,;!?]|$)|\"(.*?)\"|“(.*?)”)"
_EMAIL = re.compile(r"\bsend\s+(?:an?\s+)?e-?mail\s+to\s+(?P<to>[^\s,;]+@[^\s,;]*[^\s,;.!?])", re.IGNORECASE)
_SUBJECT = re.compile(rf"\bsubject:?\s+{_QUOTED}", re.IGNORECASE | re.DOTALL)
_BODY = re.compile(rf"\b(?:body|text|message|saying):?\s+{_QUOTED}", re.IGNORECASE | re.DOTALL)
_WEATHER = re.compile(
    rf"\b(?:weather|forecast|temperature)\b[^?!;\n]*?\b(?:in|for|at)\s+(?P<places>\w.*?){_END}", re.IGNORECASE
)
_CALCULATE = re.compile(rf"\b(?:calculate|compute|evaluate)\s+(?P<sum>.*?){_END}", re.IGNORECASE)
_WHAT_IS = re.compile(
    rf"\b(?:what\s+is|what['\u2019]s|how\s+much\s+is)\s+(?P<sum>[-+(.\d][-+*/%^\u00d7÷().,=\d\s]*?){_END}",
    re.IGNORECASE,
)
_FIRST = re.compile(
    r"\bwhat\s+(?:did|have)\s+\w+\s+(?:say|said|ask|asked|write|written)\s+(?:\w+\s+){0,2}first\b"
    r"|\bmy\s+(?:very\s+)?first\s+(?:message|question|words?)\b",
    re.IGNORECASE,
)
_VALUE = r"(?:\"(?:[^\"\\]|\\.)*\"|'[^'\n]*'|\[[^\]\n]*\]|\{[^}\n]*\}|[^\s,]+)"
_NAMED = re.compile(rf"\bcall\s+`?(?P<name>[\w-]{{1,64}})`?(?P<arguments>(?:,?\s+\w+={_VALUE})*)", re.IGNORECASE)
_ARGUMENT = re.compile(rf"(?P<name>\w+)=(?P<value>{_VALUE})")
_LONG = re.compile(r"\blong\s+(?:answer|story|text|reply)\b", re.IGNORECASE)


class DemoModel:
    """A provider that works without a network.

    Args:
        delay: Seconds between two streamed words.
    """

    def __init__(self, *, delay: float = 0.02) -> None:
        self._delay = delay

    @property
    def model(self) -> str:
        """Its name, which says what it is."""
        return MODEL

    @property
    def service(self) -> str:
        """No service: the program itself."""
        return MODEL

    async def choose_model(self) -> str:
        """Its name."""
        return MODEL

    async def reply(
        self,
        request: ChatRequest,
        on_text: Callable[[str], None],
        on_reset: Callable[[], None] | None = None,  # noqa: ARG002  # nothing is taken back here
    ) -> ChatReply:
        """Answer the last turn of the request: by tool calls first, then with their results in words."""
        reply = await within_bound(request, on_text, lambda tell: self._streamed(_answer(request), tell), model=MODEL)
        said = reply.text + "".join(call.name + call.arguments for call in reply.tool_calls)
        usage = Usage(input_tokens=_tokens(request.model_dump_json()), output_tokens=_tokens(said))
        return reply.model_copy(update={"usage": usage})

    async def _streamed(self, reply: ChatReply, on_text: Callable[[str], None]) -> ChatReply:
        await stream_words(reply.text, on_text, delay=self._delay)
        return reply

    async def models(self) -> tuple[ListedModel, ...]:
        """Itself alone."""
        return (ListedModel(MODEL),)

    async def aclose(self) -> None:
        """Nothing to close."""


def _answer(request: ChatRequest) -> ChatReply:
    said, results = _last_turn(request.messages)
    if results:
        return _text("\n".join(_phrase(name, content) for name, content in results))
    calls = tuple(_named(said, request.tools)) or tuple(call for form in _FORMS for call in form(said))
    calls = calls[:_MOST_CALLS]
    offered = {tool.name for tool in request.tools}
    missing = sorted({call.name for call in calls} - offered)
    if calls:
        text = f"I can't use {' and '.join(missing)} here." if missing else ""
        calls = tuple(call for call in calls if call.name in offered)
        return ChatReply(text=text, tool_calls=calls, finish="tool_calls" if calls else "stop", model=MODEL)
    if _FIRST.search(said):
        return _text(_recall(request.messages))
    return _text(LONG_ANSWER if _LONG.search(said) else HELP)


def _text(text: str) -> ChatReply:
    return ChatReply(text=text, model=MODEL)


def _last_turn(messages: tuple[ChatMessage, ...]) -> tuple[str, list[tuple[str, str]]]:
    """The last prompt, perhaps of several messages, and the results since then as pairs of tool name and text."""
    names: dict[str | None, str] = {}
    said: list[str] = []
    results: list[tuple[str, str]] = []
    answered = True
    for message in messages:
        if message.role == "user":
            if answered:
                said, results, answered = [], [], False
            said.append(_said(message)[1])
        elif message.role == "assistant":
            answered = True
            names.update({call.id: call.name for call in message.tool_calls})
        elif message.role == "tool":
            results.append((names.get(message.tool_call_id, "tool"), message.content))
    return "\n".join(said)[:_LONGEST_READ], results


def _said(message: ChatMessage) -> tuple[str, str]:
    """The author ("" when unknown) and the text, from the JSON object that names the author in shared channels."""
    content = message.content.strip()
    name, text = "", content
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict) and isinstance(data.get("text"), str):
        text = data["text"]
        author = data.get("from")
        name = str(author.get("name", "")) if isinstance(author, dict) else ""
    return name, re.sub(r"^\[Sent [^\]\n]*\]\n|<@[!&]?\d+>", "", text).strip()


def _recall(messages: tuple[ChatMessage, ...]) -> str:
    name, text = _said(next(message for message in messages if message.role == "user"))
    quote = shorten(text, _LONGEST_QUOTE)
    return f"The first thing {f'{name} said' if name else 'you said'} that I can see is: “{quote}”"


def _phrase(name: str, content: str) -> str:
    """A result in words that claim no more than it does, because it may be an error or a refusal."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict):
        content = ", ".join(f"{key.replace('_', ' ')}: {value}" for key, value in data.items())
    return f"**{_LABELS.get(name, name)}:** {content}"


def _email(said: str) -> Iterator[ToolCall]:
    if address := _EMAIL.search(said):
        subject, body = _quoted(_SUBJECT, said), _quoted(_BODY, said)
        if subject or body:
            yield _call("send_email", to=address["to"], subject=subject, body=body)


def _weather(said: str) -> Iterator[ToolCall]:
    for match in _WEATHER.finditer(_without_email(said)):
        for place in re.split(r",?\s+and\s+(?:in\s+)?", match["places"]):
            yield _call("get_weather", location=place.strip(" ,"))


def _calculation(said: str) -> Iterator[ToolCall]:
    said = _without_email(said)
    sums = [match["sum"] for match in _CALCULATE.finditer(said)]
    # "What is 7?" is no calculation, nor is "what is -": there must be an operator between two numbers.
    asked = (match["sum"] for match in _WHAT_IS.finditer(said))
    sums += [each for each in asked if re.search(r"[\d)]\s*[-+*/%^\u00d7÷]+\s*[-+(.\d]", each)]
    for each in sums:
        if re.search(r"\d", each):
            written = re.sub(r"(?<=\d),(?=\d{3}\b)", "", each.strip(" ,="))
            yield _call("calculate", expression=written.translate(_OPERATORS))


def _named(said: str, tools: Sequence[ToolSchema]) -> Iterator[ToolCall]:
    """Calls of tools by their names. What neither is a tool nor looks like one is not meant: "call me tomorrow"."""
    offered = {tool.name: tool for tool in tools}
    for match in _NAMED.finditer(_without_email(said)):
        tool = offered.get(match["name"])
        if tool is None and not match["arguments"] and "_" not in match["name"]:
            continue
        properties: Any = tool.parameters.get("properties", {}) if tool else {}
        values = {
            one["name"]: _value(one["value"], properties.get(one["name"], {}))
            for one in _ARGUMENT.finditer(match["arguments"])
        }
        yield ToolCall(name=match["name"], arguments=json.dumps(values, ensure_ascii=False))


def _value(written: str, schema: dict[str, Any]) -> object:
    """The value of an argument as its schema wants it: quotes are for texts with spaces, all else may be JSON."""
    is_quoted = written[0] in "\"'" and written[-1] == written[0] and len(written) > 1
    text = written[1:-1] if is_quoted else written.rstrip(".!?;`")
    if is_quoted or schema.get("type") == "string":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


_FORMS: tuple[Callable[[str], Iterator[ToolCall]], ...] = (_weather, _calculation, _email)


def _call(name: str, **arguments: str) -> ToolCall:
    return ToolCall(name=name, arguments=json.dumps(arguments, ensure_ascii=False))


def _quoted(pattern: re.Pattern[str], said: str) -> str:
    match = pattern.search(said)
    return next((group for group in match.groups() if group is not None), "") if match else ""


def _without_email(said: str) -> str:
    """The prompt without the e-mail's own text: a question in an e-mail is not for us.

    Runs of spaces become one, because looking for an end in them takes time that grows with their square.
    """
    for pattern in (_SUBJECT, _BODY) if _EMAIL.search(said) else ():
        said = pattern.sub("", said)
    return re.sub(r"[^\S\n]+", " ", said)


def _tokens(text: str) -> int:
    """A rough count: four bytes to a token."""
    return (len(text.encode()) + 3) // 4
