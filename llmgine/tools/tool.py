"""A tool: an ordinary function, what the model is told of it, and how a call of it is bounded."""

import asyncio
import inspect
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from llmgine.errors import ToolError
from llmgine.messages.chat_messages import ToolSchema
from llmgine.messages.text import clean_text
from llmgine.tools.arguments import Arguments, arguments_model, json_schema, read_arguments
from llmgine.tools.blocking import in_thread
from llmgine.tools.docstring import describe
from llmgine.tools.isolation import Isolation, check_importable, run_isolated

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

# Seconds a cancelled tool has for its clean-up before it is left to itself.
_GRACE = 1.0


@dataclass(frozen=True)
class Tool:
    """A function a model may call; make one with `Tool.from_function`.

    Attributes:
        schema: What the model is told.
        function: What runs: async, or sync and then in a thread of its own. A thread cannot be killed, so past
            its time limit a sync function may still be running; the result says so. Work that keeps a processor
            busy stalls everything else even there: give it `isolation`.
        arguments: The model its arguments are read with.
        idempotent: Running it twice does no harm, so it is run again when its outcome is in doubt.
        requires_approval: A person has to agree before it runs; whoever runs the round asks them.
        allows_always: Who is asked may agree to the asker's later calls in the session at once, as long as the model
            has read no text of other people, files or web pages there.
        isolation: The limits of the process of its own that it runs in and is killed with; None runs it here.
        reads_outside: What it gives has text of other people or web pages in it.
        timeout: Seconds a call may take.
        sequential: Not to be run beside other calls of the same round; whoever runs the round sees to it.
        searchable: Where there are many tools, it is left to `search_tools`.
    """

    schema: ToolSchema
    function: Callable[..., object]
    arguments: type[Arguments]
    idempotent: bool = False
    requires_approval: bool = False
    timeout: float = 30.0
    sequential: bool = False
    allows_always: bool = False
    reads_outside: bool = False
    isolation: Isolation | None = None
    searchable: bool = False

    @classmethod
    def from_function(
        cls,
        function: Callable[..., object],
        *,
        name: str | None = None,
        idempotent: bool = False,
        requires_approval: bool = False,
        timeout: float = 30.0,
        sequential: bool = False,
        allows_always: bool = False,
        reads_outside: bool = False,
        isolation: Isolation | None = None,
    ) -> "Tool":
        """Make a tool of a function with annotated arguments and a Google-style docstring.

        Raises:
            TypeError: Not a function, a signature that cannot be told to a model, or a function that a process of its
                own does not find; the text says what to change.
            ValueError: A bad name, docstring or time limit; the text says what to change.
        """
        if not inspect.isroutine(function) or inspect.isgeneratorfunction(function):
            raise TypeError(f"a tool is a function that returns its result, not {function!r}")
        if inspect.isasyncgenfunction(function):
            raise TypeError(f"a tool returns its result; {function.__name__!r} yields several")
        name = function.__name__ if name is None else name
        if not _NAME.fullmatch(name):
            raise ValueError(f"a tool's name is 1 to 64 of a-z, A-Z, 0-9, _ and -; {name!r} is not: give it name=")
        if not (timeout > 0 and math.isfinite(timeout)):
            raise ValueError(f"the timeout of tool {name!r} is to be a number of seconds above 0, not {timeout!r}")
        if isolation is not None:
            check_importable(function, name)
        description = describe(function, name)
        arguments = arguments_model(function, name, description.arguments)
        parameters = json_schema(arguments, name)
        return cls(
            schema=ToolSchema(name=name, description=description.text, parameters=parameters),
            function=function,
            arguments=arguments,
            idempotent=idempotent,
            requires_approval=requires_approval,
            timeout=timeout,
            sequential=sequential,
            allows_always=allows_always,
            reads_outside=reads_outside,
            isolation=isolation,
        )

    @property
    def has_effects(self) -> bool:
        """Whether it may change or send something, so that it does not run while such tools are paused.

        One that is idempotent and needs no approval counts as reading only.
        """
        return self.requires_approval or not self.idempotent

    @property
    def name(self) -> str:
        """What the model calls it by."""
        return self.schema.name

    async def call(self, arguments: str) -> object:
        """Run the function with the JSON text a model wrote, and give what it returns.

        Raises:
            InvalidArgumentsError: The text does not fit the schema; the function did not run.
            ToolError: It took too long, was cancelled from within, or tried to end the program.
            Exception: Whatever the function raises.
        """
        values = read_arguments(self.arguments, arguments)
        # A task of its own: the limit holds even for a function that swallows its cancellation, and
        # a cancellation from inside the tool is told apart from one of the turn.
        task = asyncio.create_task(self._run(values, arguments), name=f"tool {self.name}")
        task.add_done_callback(_retrieve)
        try:
            await asyncio.wait({task}, timeout=self.timeout)
        except asyncio.CancelledError:
            await _stop(task)
            raise
        if not task.done():
            await _stop(task)
            # A function that came to its end after all has a result, and the model should know it.
            if not task.done() or task.cancelled() or task.exception() is not None:
                raise ToolError(self._overdue(still_running=not task.done()))
        return _outcome(task)

    async def _run(self, values: dict[str, Any], arguments: str) -> object:
        if self.isolation is not None:
            return await run_isolated(self.function, clean_text(arguments).strip() or "{}", self.isolation)
        try:
            if inspect.iscoroutinefunction(self.function):
                return await self.function(**values)
            value = await in_thread(partial(self.function, **values), name=f"tool {self.name}")
            return await value if inspect.isawaitable(value) else value
        except SystemExit as exc:
            # It would end the event loop, and with it everybody's conversation. KeyboardInterrupt passes:
            # here, in the main thread, it is a person at the keyboard.
            raise ToolError("it tried to end the program") from exc

    def _overdue(self, *, still_running: bool) -> str:
        may_run = still_running or not (self.isolation or inspect.iscoroutinefunction(self.function))
        state = "It may still be running" if may_run else "It was stopped"
        return f"No result within {self.timeout:g} seconds. {state}; what it did so far is not undone."


async def _stop(task: asyncio.Task[object]) -> None:
    """Cancel the task and give it a moment for its clean-up."""
    task.cancel()
    await asyncio.wait({task}, timeout=_GRACE)


def _retrieve(task: asyncio.Task[object]) -> None:
    """Look at the outcome of a task perhaps nobody waits for, so that asyncio does not complain."""
    if not task.cancelled():
        task.exception()


def _outcome(task: asyncio.Task[object]) -> object:
    """The result of a finished task; what is no ordinary exception becomes one."""
    if task.cancelled():
        raise ToolError("it was cancelled from within")
    error = task.exception()
    if error is not None and not isinstance(error, Exception):
        raise ToolError(f"it ended by {type(error).__name__}, which is not a result") from error
    return task.result()
