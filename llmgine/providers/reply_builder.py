"""A reply growing from what a service streams, whatever its API: text, calls, the way it ends, and what it costs.

Whatever a service sends is data to judge: nothing in here raises for an odd shape, except `ReplyBuilder.whole()`.
"""

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Literal

from pydantic import JsonValue

from llmgine.errors import ContextOverflowError, EmptyReplyError, ReplyCutOffError
from llmgine.messages.chat_messages import OpaqueParts, ToolCall, Usage, new_call_id
from llmgine.messages.text import clean_text
from llmgine.messages.translatable import tr
from llmgine.providers.base import Change, ChatReply, ChatRequest
from llmgine.providers.bounding import LONGEST_NAME, MOST_CALLS_KEPT, bound_of, cut
from llmgine.providers.history_calls import is_json_object
from llmgine.providers.thinking import ThinkingFilter
from llmgine.providers.tool_call_repair import repaired

Finish = Literal["stop", "tool_calls", "length", "filtered", "error"]

_DEEPEST = 40  # levels of what a service wants back
_MOST_THINKING = 10  # times what is kept of an answer; models think longer than they write
_PIECE = 4_096  # characters of text that are looked at in one step
_ALMOST_NONE = 4  # generated tokens of a reply that had no room: its first and last token, at most
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # they count as printable and show nothing
_EMPTY, _ONLY_THOUGHT = tr("The model gave an empty answer."), tr("The model only thought and gave no answer.")


class GrowingCall:
    """One tool call put together from its fragments. `index` and `service_id` are the service's own."""

    def __init__(self, index: object, service_id: str) -> None:
        self.index = index
        self.service_id = service_id
        self.name = ""
        self.size = 0  # characters of the arguments so far
        self.extra: JsonValue = None
        self._arguments: list[str] = []

    @property
    def arguments(self) -> str:
        """The arguments so far."""
        if len(self._arguments) > 1:
            self._arguments = ["".join(self._arguments)]
        return self._arguments[0] if self._arguments else ""

    def grow(self, name: str, arguments: str) -> None:
        """Add a fragment."""
        # Some services repeat the whole name in every fragment, some send it in pieces.
        if name != self.name:
            self.name = (self.name + name)[:LONGEST_NAME]
        if arguments:
            self._arguments.append(arguments)
            self.size += len(arguments)

    def replace(self, name: str, arguments: str) -> None:
        """Take what the service says the whole call is."""
        self.name = name[:LONGEST_NAME] or self.name
        if arguments:
            self._arguments, self.size = [arguments], len(arguments)

    def as_cut(self) -> ToolCall:
        """The call whose arguments are too long, or did not come to their end before the reply was ended."""
        arguments = cut(joined_surrogates(self.arguments))
        return ToolCall(id=new_call_id(), name=clean_text(self.name), arguments=arguments)

    def whole(self, offered: Collection[str]) -> list[ToolCall]:
        """The call, or the calls that were sent as one, under ids of ours: a service's own may be empty or doubled."""
        made = repaired(clean_text(self.name), joined_surrogates(self.arguments), offered)
        return [ToolCall(id=new_call_id(), name=name, arguments=arguments) for name, arguments in made]


class ReplyBuilder(ABC):
    """What every API's builder shares.

    Args:
        request: What was asked.
        model: Who was asked.
        service: Where; the parts that go back are tagged with both.
        trusted: Whether an earlier reply of the model began with its answer.

    Attributes:
        finish: How the reply ended, once the service has said so.
        begun: Whether any part of the reply has come: text, thinking or a call.
        enough: Whether as much has come as is kept, and more: the stream is to be ended.
        taken_back: Set when the text that was told before turns out to be thinking; for the caller to reset.
    """

    def __init__(self, request: ChatRequest, *, model: str, service: str, trusted: bool = False) -> None:
        self.model = model
        self.finish: Finish | None = None
        self.begun = self.taken_back = self.enough = False
        self._service = service
        self._offered = frozenset(tool.name for tool in request.tools)
        self._limited = request.max_output_tokens is not None
        self._bound = bound_of(request)
        # Characters: of the answer told, of arguments, and of all text and thinking that came.
        self._told_size = self._called_size = self._came = 0
        self._opened = Change.OPENED_THINKING in request.changes
        self._thinking = ThinkingFilter(opened=self._opened, trusted=trusted)
        self._told: list[str] = []
        self._half = ""  # the first half of a character whose second half is still to come
        self._thought = False
        self._calls: list[GrowingCall] = []
        self._refused = False
        self._usage: Usage | None = None

    @property
    def text(self) -> str:
        """The answer text that was told so far."""
        return "".join(self._told)

    @property
    def only_thinking(self) -> bool:
        """Whether what has come is neither answer text nor a call."""
        return not self._told and not self._calls

    @property
    def finished(self) -> bool:
        """Whether the service has said that the reply is at its end; only the token count may follow."""
        return self.finish is not None

    @property
    def closed_unopened(self) -> bool:
        """Whether the reply began in the middle of the model's thinking."""
        return self._thinking.closed_unopened

    @property
    def answers_first(self) -> bool:
        """Whether a reply without a limit had text, and did not begin with thinking that nobody opened."""
        return bool(self._told) and not self._limited and not self._thinking.closed_unopened

    @abstractmethod
    def add(self, chunk: object) -> str:
        """Take one chunk of a stream and return the answer text that is new with it."""

    @abstractmethod
    def add_document(self, document: object) -> str:
        """Take a whole, unstreamed reply; it is at its end even when it does not say so."""

    def done(self) -> None:
        """The service said that the stream is at its end; that is an end also where it gave no reason."""
        if self.begun and self.finish is None:
            self.finish = "stop"

    def rest(self) -> str:
        """The answer text that was held back because it might have been thinking, once the stream has ended.

        Where the reply was cut before its end, the thinking may have been, too: it stays back.
        """
        cut = self.finish in (None, "error") or (self.finish == "length" and (self._opened or self._limited))
        if cut and self._thinking.suspected:
            self._thought = True
            return ""
        before = self._thinking.closed_unopened
        return self._tell(self._thinking.rest(), before)

    def whole(self) -> ChatReply:
        """The reply, once the stream has ended and its rest was taken.

        Raises:
            ReplyCutOffError: The stream ended before the reply did.
            EmptyReplyError: There is nothing to show in the reply.
            ContextOverflowError: The service had no room for a reply, and did not say so.
        """
        reply = self._whole()
        if not reply.bounded:
            return reply
        # Nobody told how many tokens that was, and they are paid for.
        kept = len(reply.text) + sum(len(call.arguments) for call in reply.tool_calls)
        return reply.model_copy(update={"dropped": max(0, self._came + self._called_size - kept)})

    def _whole(self) -> ChatReply:
        text = self._thinking.answer[: self._bound]
        if self.finish in {None, "error"}:
            if not self.begun:
                raise EmptyReplyError(_EMPTY)
            words = tr("The model's answer broke off before its end.")
            raise ReplyCutOffError(words, partial=text, only_thinking=self.only_thinking)
        if self.finish == "length" and self._had_no_room(text):
            raise ContextOverflowError(tr("The conversation leaves the model no room for an answer."))
        reply = ChatReply(text=text, bounded=self.enough, usage=self._usage, model=self.model, parts=self._opaque())
        if self.finish == "filtered" or self._refused:
            return reply.model_copy(update={"finish": "filtered"})
        if self.finish == "length":
            # The last call may lack half of its arguments and still be valid JSON: none of them is safe to run.
            return reply.model_copy(update={"finish": "length"})
        if self._calls:
            calls = tuple(one for call in self._calls for one in self._whole_calls(call))
            return reply.model_copy(update={"finish": "tool_calls", "tool_calls": calls})
        if not is_visible(text):
            thought = self._thought or self._thinking.thought
            cost = self._usage.input_tokens + self._usage.output_tokens if self._usage else None
            raise EmptyReplyError(_ONLY_THOUGHT if thought else _EMPTY, thought=thought, tokens=cost)
        return reply

    def _whole_calls(self, call: GrowingCall) -> list[ToolCall]:
        """What becomes of a call: where the reply was ended, one that is not surely whole must not run."""
        if call.size > self._bound or (self.enough and not is_json_object(call.arguments)):
            return [call.as_cut()]
        return call.whole(self._offered)

    def _had_no_room(self, text: str) -> bool:
        """Some services cut a conversation to their window in silence; nothing is left for the reply then."""
        if self._limited or self.enough or self._calls or self._thought or self._thinking.thought or is_visible(text):
            return False
        return self._usage is None or self._usage.output_tokens <= _ALMOST_NONE

    def _opaque(self) -> OpaqueParts | None:
        data = clean_json(self._parts())
        if not isinstance(data, dict) or not data:
            return None
        return OpaqueParts(service=self._service, model=self.model, data=data).bounded()

    def _parts(self) -> dict[str, JsonValue]:
        """What goes back to the service with this reply."""
        return {}

    def _stop(self, finish: Finish) -> None:
        """End the reply here: it is as long as it may be."""
        if not self.enough:
            self.enough, self.finish = True, finish

    def _count(self, characters: int) -> None:
        """Note that so much text or thinking came; what never comes to its end is ended."""
        self._came += characters
        if self._came > _MOST_THINKING * self._bound:
            self._stop("length")

    def _new_call(self, call: GrowingCall) -> GrowingCall:
        """Take note of a call that begins."""
        if len(self._calls) < MOST_CALLS_KEPT:
            self._calls.append(call)
        else:
            self._stop("tool_calls")
        return call

    def _grow(self, call: GrowingCall, name: str, arguments: str, *, whole: bool = False) -> None:
        """Add a fragment to a call, or take what the service says all of it is."""
        before = call.size
        kept = arguments[: self._bound + 1 - (0 if whole else before)]  # one too many says that it is too long
        if whole:
            call.replace(name, kept)
        else:
            call.grow(name, kept)
        self._called_size += call.size - before
        if self._called_size > self._bound:
            self._stop("tool_calls")

    def _add_text(self, text: str) -> str:
        """Take answer text, perhaps with thinking in it; return what of it is new for people."""
        if len(text) <= _PIECE:
            return self._add_piece(text)
        new = ""
        for at in range(0, len(text), _PIECE):
            was_thinking = self._thinking.closed_unopened
            piece = self._add_piece(text[at : at + _PIECE])
            new = new + piece if was_thinking is self._thinking.closed_unopened else piece
            if self.enough:
                break
        return new

    def _add_piece(self, text: str) -> str:
        if not text or self.enough:
            return ""
        self._count(len(text))
        before = self._thinking.closed_unopened
        if text.isascii() and not self._half and "\0" not in text:  # by far the most of all texts
            return self._tell(self._thinking.add(text), before)
        if self._half or "\ud800" <= text[-1:] <= "\udbff":
            text = self._half + text
            self._half = ""
            if "\ud800" <= text[-1:] <= "\udbff":
                text, self._half = text[:-1], text[-1]
        return self._tell(self._thinking.add(string(text)), before)

    def _tell(self, new: str, before: bool) -> str:
        """Note the text that is new; all that was told before is taken back where it turns out to be thinking.

        `before` is whether that was known already.
        """
        if self._told and self._thinking.closed_unopened is not before:
            self._told.clear()
            self._told_size, self.taken_back = 0, True
        room = self._bound - self._told_size
        if len(new) > room:
            new = new[:room]
            self._stop("length")
        if new:
            self._told.append(new)
            self._told_size += len(new)
        return new


def is_visible(text: str) -> bool:
    """Whether there is anything in a text that a person would see."""
    return any(
        one.isprintable() and not one.isspace() and one not in _INVISIBLE and unicodedata.category(one) != "Mn"
        for one in text
    )


def clean_json(value: object, *, depth: int = _DEEPEST) -> JsonValue:
    """A JSON value as every store holds it: whole characters only, and nothing nested too deep, which is left out."""
    if isinstance(value, str):
        return joined_surrogates(value)
    if isinstance(value, Mapping | list) and depth == 0:
        return None
    if isinstance(value, Mapping):
        return {joined_surrogates(str(name)): clean_json(one, depth=depth - 1) for name, one in value.items()}
    if isinstance(value, list):
        return [clean_json(one, depth=depth - 1) for one in value]
    return value if isinstance(value, int | float | bool) and value == value else None  # noqa: PLR0124  NaN


def size_of(value: object, *, depth: int = _DEEPEST) -> int:
    """About how many characters a JSON value has."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping | list) and depth:
        parts = value.values() if isinstance(value, Mapping) else value
        return len(value) + sum(size_of(one, depth=depth - 1) for one in parts)
    return 1


def joined_surrogates(text: str) -> str:
    """A text whose characters may have been sent in halves; a half without its other one becomes a question mark."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "")


def string(value: object) -> str:
    """A string that every store can hold, whatever was sent: no NUL, no lone surrogates."""
    return joined_surrogates(value) if isinstance(value, str) else ""


def raw_string(value: object) -> str:
    """A string as it was sent, perhaps with half a character at its end; "" for anything else."""
    return value if isinstance(value, str) else ""


def mapping(value: object) -> Mapping[str, object]:
    """An object as it was sent; {} for anything else."""
    return value if isinstance(value, Mapping) else {}


def count(value: object) -> int:
    """A count as it was sent; 0 for anything else."""
    return max(0, int(value)) if isinstance(value, int | float) and abs(value) < 1e15 else 0
