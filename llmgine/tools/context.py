"""Who a tool works for: set by whoever runs the call, never taken from arguments a model wrote."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToolContext:
    """The turn a call belongs to, and the person whose prompt caused it."""

    session_id: str
    turn_id: str
    author_id: str
    author_name: str


tool_context: ContextVar[ToolContext] = ContextVar("tool_context")


def current_tool_context() -> ToolContext:
    """The context of the call being run, in async and in sync tools alike.

    Raises:
        LookupError: Nobody runs a call here: the function was called directly.
    """
    try:
        return tool_context.get()
    except LookupError:
        raise LookupError("there is no tool context: the tool was called outside of a turn") from None
