"""The bound on a reply: how much of its text, its thinking and its tool calls is kept before it is ended."""

import sys
from collections.abc import Awaitable, Callable

from llmgine.messages.chat_messages import ToolCall
from llmgine.providers.base import ChatReply, ChatRequest

NO_BOUND = sys.maxsize
MOST_CALLS_KEPT = 1_000  # of one reply; one that calls more is ended
LONGEST_NAME = 1_000  # characters of a tool's name that are kept

_CUT_MARK = "… [cut: too long]"
_LEFT_OF_CUT = 1_000  # characters of arguments that are kept when they are too long to be used


class _BoundReachedError(Exception):
    """A reply is as long as it may be. Never leaves this module."""


def bound_of(request: ChatRequest) -> int:
    """How many characters of the reply are kept."""
    return NO_BOUND if request.max_characters is None else request.max_characters


def cut(arguments: str) -> str:
    """The beginning of arguments that are too long or were not sent to their end. It is never valid JSON."""
    return arguments[:_LEFT_OF_CUT] + _CUT_MARK


def is_cut(arguments: str) -> bool:
    """Whether these are arguments of which the provider kept only the beginning."""
    return arguments.endswith(_CUT_MARK)


async def within_bound(
    request: ChatRequest,
    on_text: Callable[[str], None],
    make: Callable[[Callable[[str], None]], Awaitable[ChatReply]],
    *,
    model: str,
) -> ChatReply:
    """The reply that `make` gives, ended at the bound: for providers that make up their replies in this process.

    Args:
        request: What was asked; it has the bound.
        on_text: Who is told the text.
        make: Makes the reply, and tells its text to the function that it is given.
        model: Whose reply it is, where it is ended.
    """
    bound, told = bound_of(request), list[str]()
    room = bound

    def tell(piece: str) -> None:
        nonlocal room
        kept = piece[:room]
        room -= len(kept)
        told.append(kept)
        if kept or not piece:
            on_text(kept)
        if len(kept) < len(piece):
            raise _BoundReachedError

    try:
        reply = await make(tell)
    except _BoundReachedError:
        return ChatReply(text="".join(told), finish="length", bounded=True, model=model)
    return _bounded(reply, bound)


def _bounded(reply: ChatReply, bound: int) -> ChatReply:
    """The reply without what is beyond the bound: some text was never told, or arguments are too long."""
    if len(reply.text) > bound:
        update: dict[str, object] = {"text": reply.text[:bound], "finish": "length", "tool_calls": (), "bounded": True}
        return reply.model_copy(update=update)
    calls, room = list[ToolCall](), bound
    for call in reply.tool_calls[:MOST_CALLS_KEPT]:
        room -= len(call.arguments)
        if room < 0:
            calls.append(call.model_copy(update={"arguments": cut(call.arguments)}))
            break
        calls.append(call)
    if len(calls) == len(reply.tool_calls) and room >= 0:
        return reply
    return reply.model_copy(update={"tool_calls": tuple(calls), "bounded": True})
