"""The other end of `isolation`: one call of one function, in a process of its own."""

import asyncio
import inspect
import json
import os
import sys
import threading
from typing import Any

from llmgine.errors import ToolError
from llmgine.messages.text import clean_text
from llmgine.platforms import limit_this_process
from llmgine.tools.arguments import arguments_model, read_arguments
from llmgine.tools.context import ToolContext, tool_context
from llmgine.tools.docstring import describe
from llmgine.tools.files import ToolOutput, as_output
from llmgine.tools.folder_package import folder_package
from llmgine.tools.isolation import function_at
from llmgine.tools.result_text import MAX_RESULT_BYTES, NotDone, cap, to_text
from llmgine.tools.sources import MOST_SOURCES


def main() -> None:
    """Read a request, run it, and write the answer: a line with its sizes, its text, and its files."""
    request = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read(request["data"]) if "data" in request else None
    request["images"] = [sys.stdin.buffer.read(size).decode() for size in request.get("images", ())]
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a tool prints is no answer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    memory, cpu = request["limits"]
    limit_this_process(memory=memory, cpu=cpu)
    if request["folder"] is not None:
        sys.dont_write_bytecode = True
        folder_package(request["folder"])
    kind, text, output = _outcome(request, data)
    if data is None or kind == "error":
        text = cap(clean_text(text), 4 * MAX_RESULT_BYTES)  # cut to its size only once secrets are out of it
    data = text.encode()
    told = {
        "kind": kind,
        "text": len(data),
        "files": [[file.name, file.media_type, len(file.data)] for file in output.files],
        "sources": [[one.title, one.url] for one in output.sources[:MOST_SOURCES]],
    }
    answers.write(json.dumps(told).encode() + b"\n")
    answers.write(data)
    for file in output.files:
        answers.write(file.data)
    answers.flush()
    os._exit(0)  # threads that a tool has left behind hold nothing up


def _end_with_parent() -> None:
    """End when the pipe to the parent closes: it has died, and nobody waits for an answer."""
    os.read(0, 1)
    os._exit(1)


def _outcome(request: dict[str, Any], data: bytes | None) -> tuple[str, str, ToolOutput]:
    """What became of the call, the text of it, and what it gives beside that."""
    nothing = ToolOutput()
    try:
        if data is not None:
            return "done", str(function_at(request["module"], request["path"])(data, **request["options"])), nothing
        output = as_output(_call(request))
        return "not done" if isinstance(output.text, NotDone) else "done", to_text(output.text), output
    except MemoryError:
        return "memory", "", nothing
    except ToolError as error:
        return "error", str(error), nothing
    except BaseException as error:  # foreign code, and SystemExit is no way to end a call
        return "error", f"{type(error).__name__}: {error}", nothing


def _call(request: dict[str, Any]) -> object:
    async def read_images() -> list[str]:
        return list(request["images"])

    function = function_at(request["module"], request["path"])
    if request["context"]:
        session_id, turn_id, author_id, author_name = request["context"]
        tool_context.set(ToolContext(session_id, turn_id, author_id, author_name, read_images))
    name = function.__name__
    values = read_arguments(arguments_model(function, name, describe(function, name).arguments), request["arguments"])
    result = function(**values)
    return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result


async def _awaited(result: Any) -> object:
    return await result


if __name__ == "__main__":
    main()
