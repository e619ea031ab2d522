"""Who a tool works for: set by whoever runs the call, never taken from arguments a model wrote."""

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from llmgine.messages.chat_messages import ToolSchema


async def _no_images() -> Sequence[str]:
    return ()


async def _nobody_told(_: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class ToolContext:
    """The turn a call belongs to, and the person whose prompt caused it.

    Attributes:
        session_id: The conversation.
        turn_id: The turn.
        author_id: Who asked, as the front end knows them; "" where nobody is known.
        author_name: Their name, which is only shown.
        images: Reads the images that came with the prompt, then those of the message it replies to, as data URLs;
            await it in an async tool. It may raise a StoreError.
        searched: The tools that `search_tools` finds.
        progress: Tells people how far an async tool is, in a few words; they see at most one text a second.
    """

    session_id: str
    turn_id: str
    author_id: str
    author_name: str
    images: Callable[[], Awaitable[Sequence[str]]] = _no_images
    progress: Callable[[str], Awaitable[None]] = _nobody_told
    searched: Sequence[ToolSchema] = ()


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
