"""Say in its own file that a function is a tool, and how it is run.

    @tool(idempotent=True, timeout=5)
    def roll_dice(sides: int = 6) -> str:
        \"\"\"Roll one die.\"\"\"

The function itself stays as it is: it can be called and tested as any other.
"""

from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any, TypedDict, TypeVar, Unpack, overload

from llmgine.tools.isolation import Isolation
from llmgine.tools.tool import Tool

F = TypeVar("F", bound=Callable[..., object])

_OPTIONS = "__llmgine_tool__"


class ToolOptions(TypedDict, total=False):
    """What may be said of a function when it is registered; the meanings are those of `Tool`."""

    name: str | None
    idempotent: bool
    requires_approval: bool
    timeout: float
    sequential: bool
    allows_always: bool
    reads_outside: bool
    isolation: Isolation | None


@overload
def tool(function: F, /) -> F: ...
@overload
def tool(**options: Unpack[ToolOptions]) -> Callable[[F], F]: ...
def tool(function: F | None = None, /, **options: Unpack[ToolOptions]) -> F | Callable[[F], F]:
    """Mark a function as a tool; the options are those of `Tool`.

    Returns:
        The function, or with options the decorator that gives it.
    """

    def mark(marked: F) -> F:
        setattr(marked, _OPTIONS, options)
        return marked

    return mark if function is None else mark(function)


def as_tool(made: object, **more: Unpack[ToolOptions]) -> Tool:
    """A tool, or what a function is as a tool, with the options it was marked with, and more.

    Raises:
        TypeError: It is neither, or a signature that cannot be told to a model.
        ValueError: A bad name, docstring or time limit.
    """
    if isinstance(made, Tool):
        return made
    if not callable(made):
        raise TypeError(f"a tool is a function, not {made!r}")
    options: Any = getattr(made, _OPTIONS, {})
    return Tool.from_function(made, **{**options, **more})


def is_marked(made: object) -> bool:
    """Whether something is a function that was marked as a tool."""
    return isinstance(made, FunctionType) and hasattr(made, _OPTIONS)


def marked_in(module: ModuleType) -> Iterator[FunctionType]:
    """The functions of a module that are marked as tools, in their order; not those that it imports."""
    for found in vars(module).values():
        if isinstance(found, FunctionType) and is_marked(found) and found.__module__ == module.__name__:
            yield found
