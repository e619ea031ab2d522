"""Commands: one handler, run in the caller's task; what it raises is returned and announced."""

import asyncio

import pytest

from llmgine.bus import MessageBus
from llmgine.errors import BusStoppedError, CommandFailedError, DuplicateHandlerError, MissingHandlerError
from llmgine.messages.commands import Command, CommandResult
from llmgine.messages.events import CommandErrorEvent, CommandEvent, CommandResultEvent
from tests.llmgine.bus.messages import Add


async def add(command: Add) -> int:
    return command.left + command.right


def keep(bus: MessageBus) -> list[CommandEvent]:
    heard: list[CommandEvent] = []
    bus.register_event_handler(CommandEvent, heard.append)
    return heard


async def test_a_command_is_answered_and_announced(bus: MessageBus) -> None:
    """The handler's value comes back as a result, and one event tells of it."""
    bus.register_command_handler(Add, add)
    heard = keep(bus)
    command = Add(left=3, session_id="s")

    result = await bus.execute(command)

    assert result.success
    assert result.unwrap() == 5
    assert [(type(e), e.command_id, e.command_type, e.session_id) for e in heard] == [
        (CommandResultEvent, command.id, "Add", "s")
    ]


async def test_a_handler_may_answer_with_a_result_of_its_own(bus: MessageBus) -> None:
    """A failed `CommandResult` stays one, and `unwrap` raises its error in words."""

    async def refuse(_: Add) -> CommandResult:
        return CommandResult(success=False, error="not today")

    bus.register_command_handler(Add, refuse)
    heard = keep(bus)

    result = await bus.execute(Add())

    with pytest.raises(CommandFailedError, match="not today"):
        result.unwrap()
    assert [type(event) for event in heard] == [CommandErrorEvent]


async def test_what_a_handler_raises_is_returned(bus: MessageBus) -> None:
    """`execute` does not raise; the result has the words and, for `unwrap`, the very exception."""
    error = ValueError("too large")

    async def fail(_: Add) -> None:
        raise error

    bus.register_command_handler(Add, fail)
    heard = keep(bus)

    result = await bus.execute(Add())

    assert (result.success, result.error) == (False, "too large")
    with pytest.raises(ValueError, match="too large") as caught:
        result.unwrap()
    assert caught.value is error
    assert [type(event) for event in heard] == [CommandErrorEvent]


async def test_an_error_without_words_is_still_named(bus: MessageBus) -> None:
    """An exception with an empty text is told by its kind."""

    async def fail(_: Add) -> None:
        raise KeyError

    bus.register_command_handler(Add, fail)

    assert "KeyError" in ((await bus.execute(Add())).error or "")


async def test_nobody_to_answer_is_an_error_that_names_the_type(bus: MessageBus) -> None:
    """A command without a handler raises; also one whose base class has a handler."""

    class Derived(Add):
        pass

    bus.register_command_handler(Add, add)

    with pytest.raises(MissingHandlerError, match="Derived"):
        await bus.execute(Derived())


async def test_a_second_handler_is_an_error_that_names_the_type(bus: MessageBus) -> None:
    """A command has one handler, and the first one stays."""
    bus.register_command_handler(Add, add)

    async def other(_: Add) -> int:
        return -1

    with pytest.raises(DuplicateHandlerError, match=r"Add.*test_commands\.add"):
        bus.register_command_handler(Add, other)
    assert (await bus.execute(Add())).unwrap() == 3


async def test_the_handler_runs_in_the_callers_task(bus: MessageBus) -> None:
    """So cancelling the caller cancels the work it asked for."""

    async def task(_: Command) -> object:
        return asyncio.current_task()

    bus.register_command_handler(Add, task)

    assert (await bus.execute(Add())).unwrap() is asyncio.current_task()


async def test_cancelling_an_execute_gives_exactly_one_terminal_event(bus: MessageBus) -> None:
    """The caller sees its cancellation, the others see one error event."""
    running = asyncio.Event()

    async def hang(_: Add) -> None:
        running.set()
        await asyncio.Event().wait()

    bus.register_command_handler(Add, hang)
    heard = keep(bus)
    caller = asyncio.create_task(bus.execute(Add()))
    await running.wait()

    caller.cancel()

    with pytest.raises(asyncio.CancelledError):
        await caller
    assert [(type(event), getattr(event, "error", "")) for event in heard] == [(CommandErrorEvent, "cancelled")]


async def test_a_stopped_bus_takes_no_command(bus: MessageBus) -> None:
    """After `stop` a command raises and its handler does not run."""
    bus.register_command_handler(Add, add)
    await bus.stop()

    with pytest.raises(BusStoppedError, match="Add"):
        await bus.execute(Add())
