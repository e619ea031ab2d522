"""Many tools behind two: `search_tools` finds them, and `call_tool` calls one by its name.

A call of `call_tool` becomes one of the tool it names as soon as the model has written it, so that everything after
that, from its card and its approval to its limits, is that tool's own.
"""

import json
import re
from collections.abc import Collection
from typing import Any

from llmgine.errors import ToolError
from llmgine.messages.chat_messages import ToolCall, ToolSchema
from llmgine.tools.arguments import has_doubles
from llmgine.tools.context import current_tool_context
from llmgine.tools.tool import Tool

MANY = 20  # tools; more of them are searched
_MOST_FOUND = 8
_MOST_TEXT = 12_000  # characters of what is found together; one that is longer stands alone
_WORD = re.compile(r"[^\W_]+")


async def search_tools(query: str) -> str:
    """Find tools that are not listed here, by words of what they do. Call what you find with call_tool.

    Args:
        query: A few words, such as "create issue"; empty lists all names.
    """
    tools = current_tool_context().searched
    wanted = _words(query)
    if not wanted:
        return json.dumps([tool.name for tool in tools])
    rated = sorted(((_rating(tool, wanted), number) for number, tool in enumerate(tools)), key=lambda one: -one[0])
    found: list[str] = []
    for rating, number in rated[:_MOST_FOUND]:
        text = tools[number].model_dump_json()
        if rating and (not found or sum(map(len, found)) + len(text) <= _MOST_TEXT):
            found.append(text)
    return f"[{', '.join(found)}]" if found else "No tool has these words. Try others, or none to list all names."


async def call_tool(name: str, arguments: dict[str, Any] | str) -> str:  # noqa: ARG001  the model reads them
    """Call a tool that search_tools found.

    Args:
        name: The tool's name.
        arguments: Its arguments, as its parameters say.
    """
    raise ToolError(f"There is no tool {name[:64]!r} to be called so. Find tools with search_tools.")


SEARCHING = {
    tool.name: tool
    for tool in (Tool.from_function(search_tools, idempotent=True), Tool.from_function(call_tool, idempotent=True))
}


def named_call(call: ToolCall, tools: Collection[str] | None) -> ToolCall:
    """The call of the tool that a call of `call_tool` names; the call itself where it names none of `tools`."""
    if call.name != call_tool.__name__ or tools is None or call.name not in tools or has_doubles(call.arguments):
        return call
    parsed = call.parsed()
    name = parsed.get("name") if isinstance(parsed, dict) else None
    if not isinstance(parsed, dict) or name not in tools or name in SEARCHING:
        return call
    arguments = parsed.get("arguments", {})
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall(id=call.id, name=name, arguments=text)


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}


def _rating(tool: ToolSchema, wanted: set[str]) -> int:
    """How well a tool fits: a word of its name says more than one of its description."""
    name, description = _words(tool.name), _words(tool.description)
    return sum(3 * (word in name) + (word in description) for word in wanted)
