"""The message bus.

    command   a request, imperative     one handler      its failure is returned, and announced as an event
    event     a fact, past tense        many handlers    they fail independently

A command's handler runs in its caller's task. A `def` event handler runs inside `publish` and must not block; an
`async def` one runs in lanes of its own (see lanes.py).
"""

import asyncio
import contextvars
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, cast

from llmgine.bus.failures import failure, name_of
from llmgine.bus.lanes import AsyncHandler, InlineHandler, Lanes, handling
from llmgine.errors import BusError, BusStoppedError, DuplicateHandlerError, MissingHandlerError
from llmgine.messages.commands import Command, CommandResult
from llmgine.messages.events import CommandErrorEvent, CommandResultEvent, Event
from llmgine.messages.message import CURRENT, Message
from llmgine.observability.console import ConsoleSink
from llmgine.observability.jsonl import JsonlSink
from llmgine.observability.redaction import Redactor

C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)
CommandHandler = Callable[[C], Awaitable[object]]
EventHandler = Callable[[E], object]

_log = logging.getLogger(__name__)


class Sink(Protocol):
    """Takes every message that is logged; must neither block nor raise."""

    def write(self, message: Message) -> None:
        """Take one message."""


class MessageBus:
    """Carries commands to their handler and events to all of theirs.

    Args:
        log_dir: Folder of the log of all traffic; None writes none.
        log_filename: Its name in that folder.
        enable_console_metrics: Print metrics as they come.
        enable_console_traces: Print spans as they end.
        secrets: Exact values that must not appear in the log.
        handler_timeout: Seconds an `async def` event handler may take, unless its registration says otherwise.
    """

    def __init__(
        self,
        *,
        log_dir: str | Path | None = None,
        log_filename: str = "events.jsonl",
        enable_console_metrics: bool = False,
        enable_console_traces: bool = False,
        secrets: Iterable[str | None] = (),
        handler_timeout: float | None = 30.0,
    ) -> None:
        self._handler_timeout = handler_timeout
        self._command_handlers: dict[type[Command], CommandHandler[Any]] = {}
        self._event_handlers: dict[type[Event], list[InlineHandler | AsyncHandler]] = {}
        self._routes: dict[type[Event], tuple[list[InlineHandler], list[AsyncHandler]]] = {}
        self._lanes = Lanes(self._deliver)
        self._before_start: list[Event] = []
        self._started = self._stopped = False
        self._jsonl = JsonlSink(Path(log_dir) / log_filename, Redactor(secrets)) if log_dir else None
        self._sinks: list[Sink] = [self._jsonl] if self._jsonl else []
        if enable_console_metrics or enable_console_traces:
            self._sinks.append(ConsoleSink(metrics=enable_console_metrics, traces=enable_console_traces))

    async def start(self) -> None:
        """Open the log and deliver what was published before; starting twice is harmless.

        Raises:
            BusStoppedError: The bus has stopped, which is for good.
            OSError: The log cannot be opened.
        """
        if self._stopped:
            raise BusStoppedError("A stopped bus cannot be started again; create a new one")
        if self._started:
            return
        if self._jsonl:
            self._jsonl.open()
        self._started = True
        self._lanes.start(contextvars.copy_context())
        waiting, self._before_start = self._before_start, []
        for event in waiting:
            self._deliver(event)

    async def stop(self, timeout: float = 30.0) -> int:  # noqa: ASYNC109  a deadline for draining, not for the caller
        """Handle what is queued, then accept no more messages.

        Handlers may publish and execute until the queues are empty. After `timeout` seconds, what still runs is
        cancelled, and the program's log says what was left.

        Returns:
            The number of events that were not handled.

        Raises:
            BusError: Called by an event handler, which would wait for itself.
        """
        if self._lanes.inside:
            raise BusError("stop() in an event handler would wait for that handler; call it from outside")
        if self._stopped or not self._started:
            self._stopped = True
            return len(self._before_start)
        try:
            async with asyncio.timeout(timeout):
                await self._lanes.wait_until_idle(None)
        except TimeoutError:
            for name, count in self._lanes.left().items():
                _log.error("The bus stopped with %d events not handled by %s", count, name)
        left = self._lanes.queued
        self._stopped = True
        try:
            await self._lanes.abandon()
        finally:
            if self._jsonl:
                self._jsonl.close()
        return left

    @property
    def queued(self) -> int:
        """How many events wait for an `async def` handler, or are being handled by one."""
        return self._lanes.queued

    def flush_log(self) -> None:
        """Write to the log what waits to be written as a group."""
        if self._jsonl:
            self._jsonl.flush()

    async def wait_until_idle(self, session_id: str | None = None) -> None:
        """Wait until every event of the session, or of all (None), has been handled.

        Raises:
            BusError: Called from inside a handler, which would wait for itself.
        """
        if handling.get():
            raise BusError("wait_until_idle() inside a handler would wait for that handler; call it from outside")
        await self._lanes.wait_until_idle(session_id)

    def register_command_handler(self, command_type: type[C], handler: CommandHandler[C]) -> None:
        """Register the handler of commands of exactly this type.

        Raises:
            DuplicateHandlerError: The type has a handler.
        """
        if command_type in self._command_handlers:
            raise DuplicateHandlerError(
                f"{command_type.__name__} is already handled by {name_of(self._command_handlers[command_type])}; "
                "a command has one handler"
            )
        self._command_handlers[command_type] = handler

    def register_event_handler(
        self,
        event_type: type[E],
        handler: EventHandler[E],
        *,
        timeout: float | Literal["bus"] | None = "bus",
    ) -> Callable[[], None]:
        """Register a handler of events of this type and of all types derived from it.

        Who gets an event is settled when it is published, or at `start` if that comes later: a handler registered
        after that does not get it, and one unsubscribed after that still does.

        Args:
            event_type: The class of events.
            handler: A `def` runs inside `publish`; an `async def` in its lanes.
            timeout: Seconds an `async def` may take per event; None for no limit; "bus" for the bus's own. Past it
                the handler is cancelled; if it does not end within two more seconds, it is left alone, and the next
                event comes.

        Returns:
            A function that unsubscribes the handler; calling it twice is harmless.
        """
        entry: InlineHandler | AsyncHandler = InlineHandler(cast("Callable[[Event], object]", handler))
        if _is_async(handler):
            limit = self._handler_timeout if timeout == "bus" else timeout
            entry = AsyncHandler(cast("Callable[[Event], Awaitable[object]]", handler), limit)
        self._event_handlers.setdefault(event_type, []).append(entry)
        self._routes.clear()

        def remove() -> None:
            entries = self._event_handlers[event_type]
            entries[:] = [other for other in entries if other is not entry]
            self._routes.clear()

        return remove

    async def execute(self, command: Command) -> CommandResult:
        """Run the command's handler here and now.

        Returns:
            The handler's result; what it raised comes back as a failed one.

        Raises:
            MissingHandlerError: Nobody handles this type.
            BusStoppedError: The bus has stopped.
        """
        kind = type(command)
        if self._stopped:
            raise BusStoppedError(f"{kind.__name__} came after the bus had stopped")
        handler = self._command_handlers.get(kind)
        if handler is None:
            raise MissingHandlerError(f"No handler for {kind.__name__}; see MessageBus.register_command_handler")
        self._write(command)
        handled, span = handling.set(True), CURRENT.set(command)
        try:
            result = await self._answer(command, handler)
            self._announce(command, result)
        finally:
            CURRENT.reset(span)
            handling.reset(handled)
        return result

    async def _answer(self, command: Command, handler: CommandHandler[Any]) -> CommandResult:
        try:
            answer = await handler(command)
        except Exception as error:  # the caller gets it, whatever it is
            return CommandResult(success=False, error=str(error) or repr(error), exception=error)
        except BaseException as error:  # the caller's end, or the program's; observers get the failure, too
            what = "cancelled" if isinstance(error, asyncio.CancelledError) else repr(error)
            self._announce(command, CommandResult(success=False, error=what))
            raise
        return answer if isinstance(answer, CommandResult) else CommandResult(success=True, result=answer)

    def _announce(self, command: Command, result: CommandResult) -> None:
        about: dict[str, Any] = {
            "session_id": command.session_id,
            "command_id": command.id,
            "command_type": type(command).__name__,
        }
        if result.success:
            self._deliver(CommandResultEvent(result=result, **about))
        else:
            self._deliver(CommandErrorEvent(error=result.error or "failed", **about))

    async def publish(self, event: Event) -> None:
        """Publish an event to all its handlers; returns when `def` handlers have run and the rest is queued.

        Raises:
            BusStoppedError: The bus has stopped.
        """
        if self._stopped:
            raise BusStoppedError(f"{type(event).__name__} came after the bus had stopped")
        self._deliver(event)

    def _deliver(self, event: Event) -> None:
        if not self._started:
            self._before_start.append(event)
            return
        if event.logged:
            self._write(event)
        route = self._routes.get(type(event)) or self._find_route(type(event))
        for handler in route[0]:
            self._call(handler.call, event)
        if route[1]:
            self._lanes.put(route[1], event)

    def _call(self, handler: Callable[[Event], object], event: Event) -> None:
        try:
            answer = handler(event)
        except (Exception, asyncio.CancelledError) as error:  # a `def` cannot be cancelled: both are its failure
            failure(self._deliver, handler, event, repr(error), error)
            return
        if answer is not None and inspect.iscoroutine(answer):
            answer.close()
            failure(self._deliver, handler, event, "returned a coroutine; declare it with async def")

    def _find_route(self, event_type: type[Event]) -> tuple[list[InlineHandler], list[AsyncHandler]]:
        """The handlers of this type and of its bases, those of the type itself first."""
        entries = [e for base in event_type.__mro__ for e in self._event_handlers.get(base, ())]
        route = (
            [e for e in entries if isinstance(e, InlineHandler)],
            [e for e in entries if isinstance(e, AsyncHandler)],
        )
        self._routes[event_type] = route
        return route

    def _write(self, message: Message) -> None:
        for sink in self._sinks:
            sink.write(message)


def _is_async(handler: Callable[..., object]) -> bool:
    """Whether calling it gives a coroutine; sees through `functools.partial`, methods and objects with `__call__`."""
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__)
