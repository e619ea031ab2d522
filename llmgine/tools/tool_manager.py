"""The tools of one application by name: told to the model, and run so that every call ends in a result."""

import logging
from collections.abc import Callable, Collection, Iterable
from typing import Unpack

from llmgine.errors import ToolError, UnknownToolError
from llmgine.messages.chat_messages import ToolCall, ToolResult, ToolSchema
from llmgine.messages.text import clean_text, shorten
from llmgine.messages.translatable import Text
from llmgine.observability.redaction import Redactor
from llmgine.tools.declared import ToolOptions, as_tool
from llmgine.tools.files import as_output, result_files
from llmgine.tools.result_text import NotDone, cap, to_text
from llmgine.tools.searching import SEARCHING
from llmgine.tools.sources import result_sources
from llmgine.tools.tool import Tool

logger = logging.getLogger(__name__)


def is_named(name: str, names: Collection[str]) -> bool:
    """Whether a tool is among these names, where `server__*` stands for all tools of a server."""
    server, mark, _ = name.partition("__")
    return name in names or bool(mark and f"{server}{mark}*" in names)


class ToolManager:
    """Holds tools and runs calls of them. Calls may run side by side.

    Args:
        tools: What is offered from the start.
        redact: Takes secrets out of results, before anybody sees them.
        allowed: The names of the tools that may be used; empty for all. Others are registered in vain.
    """

    def __init__(
        self,
        tools: Iterable[Tool] = (),
        *,
        redact: Callable[[str], str] | None = None,
        allowed: Collection[str] = (),
    ) -> None:
        self._tools: dict[str, Tool] = {}
        self._allowed = frozenset(allowed)
        self._redact = redact or Redactor()
        for tool in tools:
            self.register(tool)

    def register(self, tool: Tool | Callable[..., object], **options: Unpack[ToolOptions]) -> Tool:
        """Offer a tool, or a function with options, beside those it was marked with; gives the tool.

        Raises:
            TypeError: A signature that cannot be told to a model, or options for a finished tool.
            ValueError: The name is taken, or a bad name, docstring or time limit.
        """
        if not isinstance(tool, Tool):
            tool = as_tool(tool, **options)
        elif options:
            raise TypeError(f"{tool.name!r} is a finished tool: give its options where it is made")
        if tool.name in self._tools:
            raise ValueError(f"there is already a tool called {tool.name!r}: remove one, or give it name=")
        if not self._allowed or is_named(tool.name, self._allowed):
            self._tools[tool.name] = tool
        return tool

    def unregister(self, name: str) -> None:
        """Offer a tool no more; a call of it that runs comes to its end."""
        self._tools.pop(name, None)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all tools, in the order of registration."""
        return tuple(self._tools)

    def schemas(self, names: Collection[str] | None = None) -> tuple[ToolSchema, ...]:
        """What the model is told, of all tools or of those with these names.

        In the order of registration, so that a prompt's prefix stays the same.
        """
        return tuple(tool.schema for tool in self._tools.values() if names is None or is_named(tool.name, names))

    def get(self, name: str, names: Collection[str] | None = None) -> Tool:
        """The tool of this name, if it is one of `names`, where these are given.

        Raises:
            UnknownToolError: There is none; the text lists those there are.
        """
        if name in self._tools and (names is None or is_named(name, names)):
            return self._tools[name]
        if name in SEARCHING and names is not None and name in names:
            return SEARCHING[name]
        raise self._no_tool(name, names)

    def _no_tool(self, name: str, names: Collection[str] | None) -> UnknownToolError:
        there = [schema.name for schema in self.schemas(names)]
        offered = f"The tools are: {', '.join(there)}." if there else "No tools are offered."
        return UnknownToolError(f"There is no tool {shorten(name, 64)!r}. {offered}")

    def without_secrets(self, text: str) -> str:
        """What a tool says while it runs, without secrets."""
        return self._redact(clean_text(text))

    async def run(self, call: ToolCall, tool: Tool | None = None) -> ToolResult:
        """Run one call to its result: at most 16 kB of clean text without secrets, with `ok` False when it failed.

        Whatever goes wrong in the tool becomes a result. Only cancellation is raised, and a person's Ctrl-C.

        Args:
            call: The call.
            tool: What runs, be it no longer registered: what was decided on is what runs. By default it is looked up.
        """
        if tool is None and call.name not in self._tools:
            return self.unknown(call)
        tool = tool or self._tools[call.name]
        result = await self._result_of(call, tool)
        return result.model_copy(update={"outside": tool.reads_outside})

    def unknown(self, call: ToolCall, names: Collection[str] | None = None) -> ToolResult:
        """The result of a call of a tool that is not there, or none of `names`, where these are given."""
        return self._failed(call, self._no_tool(call.name, names))

    async def _result_of(self, call: ToolCall, tool: Tool) -> ToolResult:
        try:
            output = as_output(await tool.call(call.arguments))
            result = self._result(call, to_text(output.text), ok=True)
            files = await result_files(output.files, self._redact)
            more = {"files": files, "sources": result_sources(output.sources, self._redact)}
            return result.model_copy(update={"done": not isinstance(output.text, NotDone), **more})
        except ToolError as exc:
            return self._failed(call, exc)
        except Exception as exc:  # a tool is foreign code, also where its result is turned into text
            logger.warning("tool %s raised", call.name, exc_info=exc)
            return self._result(call, f"Error in {shorten(call.name, 64)}: {_describe(exc)}", ok=False)

    def _failed(self, call: ToolCall, error: ToolError) -> ToolResult:
        result = self._result(call, f"Error in {shorten(call.name, 64)}: {error}", ok=False)
        return result.model_copy(update={"shown": error.shown}) if isinstance(error.shown, Text) else result

    def _result(self, call: ToolCall, text: str, *, ok: bool) -> ToolResult:
        # Secrets go first: a cut through the middle of one would leave half of it.
        content = cap(self._redact(clean_text(text)))
        return ToolResult(call_id=call.id, name=call.name, content=content, ok=ok)


def _describe(exc: Exception) -> str:
    """The kind and text of an exception, also of one that cannot say what it is."""
    try:
        text = str(exc)
    except Exception:  # its __str__ is foreign code too
        text = ""
    return f"{type(exc).__name__}: {text}" if text else type(exc).__name__
