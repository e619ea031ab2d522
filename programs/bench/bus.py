"""What the bus costs, beside a plain dict of handlers that builds the same messages, and beside other libraries."""

import asyncio
import contextlib
import json
import tempfile
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from llmgine.bus import MessageBus
from llmgine.messages.commands import Command, CommandResult
from llmgine.messages.events import CommandResultEvent, Event
from programs.bench.measure import Row, Work, alone, time_side_by_side
from programs.bench.others import BURST, time_others

_ONE_BY_ONE = 100
_ROUNDS = 40
_PEER_ROUNDS = 5
_QUEUED = 100_000


class BenchEvent(Event):
    """An event of the usual size."""

    number: int


class BenchCommand(Command):
    """A command of the usual size."""

    number: int


def make(number: int) -> BenchEvent:
    """An event for everybody who is measured."""
    return BenchEvent(number=number)


def heard(_event: object) -> None:
    """A `def` handler that does nothing."""


async def heard_later(_event: object) -> None:
    """An `async def` handler that does nothing."""


async def answered(command: BenchCommand) -> int:
    """A command handler that does next to nothing."""
    return command.number


@contextlib.asynccontextmanager
async def started(log_dir: Path | None = None) -> AsyncIterator[MessageBus]:
    """A bus with a secret to look for, as a program has one."""
    bus = MessageBus(log_dir=log_dir, secrets=["a-configured-key-of-some-length"])
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


async def def_row(handlers: int) -> Row:
    """`def` handlers: each event is handled before the next is published."""
    table: dict[type, list[Callable[[object], None]]] = {BenchEvent: [heard] * handlers}
    async with started() as bus:
        for _ in range(handlers):
            bus.register_event_handler(BenchEvent, heard)

        async def ours() -> None:
            for number in range(BURST):
                await bus.publish(BenchEvent(number=number))

        async def floor() -> None:
            for number in range(BURST):
                event = BenchEvent(number=number)
                for handler in table[type(event)]:
                    handler(event)

        works = {"ours": Work(ours, BURST), "floor": Work(floor, BURST)}
        return Row(
            f"{handlers} def, awaited",
            "publish returns when all have run; the floor looks the handlers up in a dict and calls them",
            await time_side_by_side(works, rounds=_ROUNDS),
            target=1.5,
        )


async def async_row(handlers: int, *, burst: bool, target: float) -> Row:
    """`async def` handlers: each event is waited for, or all are published first."""
    table = {BenchEvent: [heard_later] * handlers}
    count = BURST if burst else _ONE_BY_ONE
    async with started() as bus:
        for _ in range(handlers):
            bus.register_event_handler(BenchEvent, heard_later)

        async def ours() -> None:
            for number in range(count):
                await bus.publish(BenchEvent(number=number))
                if not burst:
                    await bus.wait_until_idle()
            await bus.wait_until_idle()

        async def floor() -> None:
            for number in range(count):
                event = BenchEvent(number=number)
                for handler in table[type(event)]:
                    await handler(event)

        works = {"ours": Work(ours, count), "floor": Work(floor, count)}
        how = "published together, then waited for once" if burst else "published and waited for, one by one"
        return Row(
            f"{handlers} async def, {f'burst of {BURST}' if burst else 'one by one'}",
            f"{how}; the floor looks the handlers up in a dict and awaits them",
            await time_side_by_side(works, rounds=_ROUNDS),
            target=target,
        )


async def command_row() -> Row:
    """A command there and its result back."""
    async with started() as bus:
        bus.register_command_handler(BenchCommand, answered)

        async def ours() -> None:
            for number in range(BURST):
                (await bus.execute(BenchCommand(number=number))).unwrap()

        async def floor() -> None:
            table = {BenchCommand: answered}
            for number in range(BURST):
                command = BenchCommand(number=number)
                result = CommandResult(success=True, result=await table[type(command)](command))
                CommandResultEvent(result=result, command_id=command.id, command_type="BenchCommand")
                result.unwrap()

        return Row(
            "command",
            "execute and its result; the floor builds the same three messages and awaits the handler",
            await time_side_by_side({"ours": Work(ours, BURST), "floor": Work(floor, BURST)}, rounds=_ROUNDS),
            target=1.5,
        )


async def log_row() -> Row:
    """Every event in the log, secrets looked for."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = stack.enter_context((folder / "floor.jsonl").open("w", encoding="utf-8"))
        bus = await stack.enter_async_context(started(folder))

        async def ours() -> None:
            for number in range(BURST):
                await bus.publish(BenchEvent(number=number))
            bus.flush_log()

        async def floor() -> None:
            for number in range(BURST):
                file.write(json.dumps(BenchEvent(number=number).model_dump(mode="json")) + "\n")
                file.flush()

        times = await time_side_by_side({"ours": Work(ours, BURST), "floor": Work(floor, BURST)}, rounds=_ROUNDS)
    return Row(
        "log on, no handler",
        "redacted and written in groups; the floor is json.dumps(model_dump(mode='json')) and a flush per event",
        times,
        target=1.5,
    )


async def queued_megabytes() -> float:
    """The memory of 100,000 events that wait in a lane, in MB."""
    async with started() as bus:
        release = asyncio.Event()

        async def hold(_event: Event) -> None:
            await release.wait()

        bus.register_event_handler(BenchEvent, hold, timeout=None)
        tracemalloc.start()
        for number in range(_QUEUED):
            await bus.publish(BenchEvent(number=number))
        used, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        release.set()
    return used / 1e6


async def rows() -> list[Row]:
    """The whole table; the other libraries are measured in processes of their own."""
    measured = [
        await def_row(1),
        await def_row(10),
        await async_row(1, burst=True, target=2.2),
        await async_row(10, burst=True, target=2.2),
        await async_row(1, burst=False, target=8),
        await async_row(10, burst=False, target=22),
        await command_row(),
        await log_row(),
    ]
    shapes: list[tuple[Callable[[object], object], int, bool]] = [(heard, 1, False), (heard, 10, False)]
    shapes += [(heard_later, handlers, burst) for burst in (True, False) for handlers in (1, 10)]
    for row, (handler, handlers, burst) in zip(measured, shapes, strict=False):
        row.times.update(await alone(time_others, handlers, handler, make, burst=burst, rounds=_PEER_ROUNDS))
    return measured
