"""Every call ends in a result, whatever the tool does."""

import asyncio
import dataclasses
import enum
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Literal

import pytest
from pydantic import BaseModel

from llmgine.errors import UnknownToolError
from llmgine.messages.chat_messages import ToolCall, ToolResult
from llmgine.tools.context import ToolContext, current_tool_context, tool_context
from llmgine.tools.result_text import MAX_RESULT_BYTES
from llmgine.tools.tool import Tool
from llmgine.tools.tool_manager import ToolManager
from tests.waiting import patience


class Point(BaseModel):
    x: int
    y: int = 0


@dataclasses.dataclass
class Pair:
    left: str
    right: Point


class Colour(enum.StrEnum):
    RED = "red"


async def run(function: Callable[..., object], arguments: str = "{}", *, timeout: float = 10.0) -> ToolResult:  # noqa: ASYNC109  the tool's own limit
    manager = ToolManager()
    tool = manager.register(function, timeout=timeout)
    async with patience("the tool's result"):
        return await manager.run(ToolCall(id="call1", name=tool.name, arguments=arguments))


async def move(to: Point, how: Literal["walk", "run"] = "walk") -> str:
    """Move somewhere."""
    return f"{type(to).__name__} {to.x},{to.y} {how}"


async def test_a_call_gives_its_result() -> None:
    """The result names its call and tool; nested models reach the function as models, defaults are filled in."""
    result = await run(move, '{"to": {"x": 1}}')

    assert result == ToolResult(call_id="call1", name="move", content="Point 1,0 walk", ok=True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("", "to: Field required"),
        ("{", "Invalid JSON"),
        ("[]", "should be an object"),
        ('{"to": {"x": "far"}}', "to.x: Input should be a valid integer"),
        ('{"to": {"x": 1}, "how": "fly"}', "how: Input should be 'walk' or 'run'"),
        ('{"to": {"x": 1}, "speed": 3}', "speed: Extra inputs are not permitted"),
        ('{"to": {"x": 1}, "argument1": "run"}', "argument1: Extra inputs are not permitted"),
        ('{"to": {"x": NaN}}', "to.x: Input should be a finite number"),
        ("\ud800{}\0", "to: Field required"),
        ("[" * 100_000, "Invalid JSON"),
    ],
)
async def test_malformed_arguments_are_explained(arguments: str, told: str) -> None:
    """The model reads which field is wrong and how; the function does not run."""
    result = await run(move, arguments)

    assert not result.ok
    assert told in result.content


@pytest.mark.parametrize(
    "arguments",
    [
        json.dumps({"to": "x" * 10_000_000}),
        json.dumps({"k" * 10_000_000: 1}),
        json.dumps({f"k{number}": 1 for number in range(10_000)}),
    ],
    ids=["value", "key", "keys"],
)
async def test_an_explanation_never_echoes_huge_arguments(arguments: str) -> None:
    """Ten megabytes of nonsense get a short answer."""
    result = await run(move, arguments)

    assert not result.ok
    assert len(result.content) < 2_000


async def test_an_unknown_tool_is_answered_with_those_there_are() -> None:
    """The model can choose again."""
    manager = ToolManager([Tool.from_function(move), Tool.from_function(move, name="go")])

    result = await manager.run(ToolCall(name="fly" * 1_000))

    assert not result.ok
    assert "The tools are: move, go." in result.content
    assert len(result.content) < 300
    with pytest.raises(UnknownToolError):
        manager.get("fly")
    assert "No tools are offered" in (await ToolManager().run(ToolCall(name="fly"))).content


def test_a_name_is_given_once() -> None:
    """A second tool of the same name is refused with the name; so are options for a finished tool."""
    manager = ToolManager()
    move_tool = manager.register(move, idempotent=True, sequential=True, requires_approval=True)

    with pytest.raises(ValueError, match="already a tool called 'move'"):
        manager.register(move)
    with pytest.raises(TypeError, match="'move' is a finished tool"):
        manager.register(move_tool, timeout=3)
    assert manager.get("move") is move_tool
    assert (move_tool.idempotent, move_tool.sequential, move_tool.requires_approval) == (True, True, True)
    assert manager.names == ("move",)
    assert manager.schemas() == (move_tool.schema,)


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


async def cancel_itself() -> None:
    inner = asyncio.get_running_loop().create_future()
    inner.cancel()
    await inner


@pytest.mark.parametrize("threaded", [False, True], ids=["async", "sync"])
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("no such city"), "ValueError: no such city"),
        (TimeoutError("its own"), "TimeoutError: its own"),
        (KeyError(), "KeyError"),
        (UnspeakableError(), "UnspeakableError"),
        (RecursionError("deep"), "RecursionError: deep"),
        (StopIteration(1), "StopIteration"),
        (SystemExit(3), "end the program"),
        (GeneratorExit(), "GeneratorExit"),
        (BaseExceptionGroup("several", [GeneratorExit()]), "BaseExceptionGroup"),
    ],
    ids=repr,
)
async def test_a_raising_tool_is_an_error_result(error: BaseException, told: str, *, threaded: bool) -> None:
    """Every kind of error becomes a text for the model; not even SystemExit ends anything else."""

    async def fail() -> None:
        """Fail."""
        raise error

    def fail_in_thread() -> None:
        """Fail."""
        raise error

    result = await run(fail_in_thread if threaded else fail)

    assert not result.ok
    assert told in result.content or "SystemExit" in result.content


async def test_a_tool_that_cancels_itself_does_not_cancel_its_caller() -> None:
    """A cancellation from inside is an error of the tool."""

    async def give_up() -> None:
        """Give up."""
        await cancel_itself()

    result = await run(give_up)

    assert not result.ok
    assert "cancelled from within" in result.content


async def test_a_hanging_tool_is_cancelled_at_its_limit() -> None:
    """The model hears of the limit, and the tool had its chance to clean up."""
    cleaned = asyncio.Event()

    async def hang() -> None:
        """Hang."""
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    result = await run(hang, timeout=0.05)

    assert not result.ok
    assert "No result within 0.05 seconds. It was stopped" in result.content
    assert cleaned.is_set()


async def test_a_tool_that_ends_while_it_is_being_stopped_still_has_its_result() -> None:
    """What was done in the last moment is told, not denied."""

    async def late() -> str:
        """Be late."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "booked"
        return "never"

    assert (await run(late, timeout=0.05)).content == "booked"


async def test_a_tool_that_swallows_its_cancellation_is_left_behind() -> None:
    """The limit holds even for a tool that does not let itself be stopped."""
    release = asyncio.Event()
    ended = asyncio.Event()

    async def stubborn() -> None:
        """Be stubborn."""
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        ended.set()

    result = await run(stubborn, timeout=0.05)

    assert not result.ok
    assert "may still be running" in result.content
    release.set()
    async with patience("the tool to end"):
        await ended.wait()


async def test_a_hanging_sync_tool_is_given_up_and_says_so() -> None:
    """A thread cannot be killed, so the model is told that it may still run."""
    release = threading.Event()

    def block() -> None:
        """Block."""
        release.wait(20)

    result = await run(block, timeout=0.05)

    release.set()
    assert not result.ok
    assert "may still be running" in result.content


async def test_many_hanging_sync_tools_do_not_stop_another() -> None:
    """Each has a thread of its own: there is no pool to fill."""
    release = threading.Event()
    started = threading.Semaphore(0)
    manager = ToolManager()

    def block() -> None:
        """Block."""
        started.release()
        release.wait(20)

    def quick() -> str:
        """Be quick."""
        return "here"

    manager.register(block)
    manager.register(quick)
    async with patience("all tools to end"):
        blocked = [asyncio.create_task(manager.run(ToolCall(name="block"))) for _ in range(50)]
        await asyncio.to_thread(lambda: [started.acquire(timeout=60) for _ in blocked])

        assert (await manager.run(ToolCall(name="quick"))).content == "here"

        release.set()
        assert all(result.ok for result in await asyncio.gather(*blocked))


def test_a_hanging_sync_tool_does_not_keep_the_process_from_ending() -> None:
    """The thread is left behind when the program ends."""
    program = """
import asyncio, threading
from llmgine.messages.chat_messages import ToolCall
from llmgine.tools.tool_manager import ToolManager

def block() -> None:
    'Block.'
    threading.Event().wait()

manager = ToolManager()
manager.register(block, timeout=0.05)
print(asyncio.run(manager.run(ToolCall(name="block"))).ok)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True)

    assert ended.stdout == "False\n"


async def test_cancelling_the_turn_cancels_the_tool_and_is_passed_on() -> None:
    """Stop means stop: the tool cleans up first, then the cancellation goes on."""
    manager = ToolManager()
    started = asyncio.Event()
    cleaned: list[str] = []

    @manager.register
    async def hang() -> None:
        """Hang."""
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("hang")

    async with patience("the tool to be cancelled"):
        turn = asyncio.create_task(manager.run(ToolCall(name="hang")))
        await started.wait()
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn

    assert cleaned == ["hang"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        (None, "done"),
        (42, "42"),
        (True, "true"),
        (Point(x=1, y=2), '{"x": 1, "y": 2}'),
        (Pair("é", Point(x=3)), '{"left": "é", "right": {"x": 3, "y": 0}}'),
        ([{"a": (1, 2)}], '[{"a": [1, 2]}]'),
        (Colour.RED, "red"),
        (b"\xffok", "\ufffdok"),
        ("nul\0 and \ud800 lone", "nul and  lone"),
        ({"in\0side": "\udfff"}, '{"in\\u0000side": ""}'),
        (range, "\"<class 'range'>\""),
    ],
    ids=repr,
)
async def test_any_result_becomes_clean_text(value: object, text: str) -> None:
    """Models, dataclasses and containers become JSON; nothing a database or UTF-8 refuses is left."""

    async def give() -> object:
        """Give."""
        return value

    result = await run(give)

    assert result.ok
    assert result.content == text


async def test_a_result_without_text_is_an_error_result() -> None:
    """A list that holds itself has no JSON; the model is told so."""

    async def loop() -> object:
        """Loop."""
        endless: list[object] = []
        endless.append(endless)
        return endless

    result = await run(loop)

    assert not result.ok
    assert "Circular reference" in result.content


@pytest.mark.parametrize("unit", ["x", "é", "\U0001f600", "\ud83d"], ids=ascii)
async def test_a_huge_result_keeps_head_and_tail(unit: str) -> None:
    """Ten megabytes become 16 kB with a note of how much was left out, cut between characters."""

    async def flood() -> str:
        """Flood."""
        return "HEAD" + unit * 10_000_000 + "TAIL"

    result = await run(flood)

    assert result.ok
    assert len(result.content.encode()) <= MAX_RESULT_BYTES
    assert result.content.startswith("HEAD")
    assert result.content.endswith("TAIL")
    assert "bytes are left out here" in result.content or unit == "\ud83d"
    assert "\ufffd" not in result.content


async def test_a_huge_error_is_cut_too() -> None:
    """An exception's text has the same limit."""

    async def fail() -> None:
        """Fail."""
        raise ValueError("x" * 10_000_000)

    assert len((await run(fail)).content) <= MAX_RESULT_BYTES


@pytest.mark.parametrize("threaded", [False, True], ids=["async", "sync"])
async def test_a_tool_knows_for_whom_it_works(*, threaded: bool) -> None:
    """The requester comes from the context of the call, never from arguments, also in a thread."""
    ann = ToolContext(session_id="s", turn_id="t", author_id="1", author_name="Ann")

    async def who() -> str:
        """Tell who asks."""
        return current_tool_context().author_name

    def who_in_thread() -> str:
        """Tell who asks."""
        return current_tool_context().author_name

    token = tool_context.set(ann)
    try:
        result = await run(who_in_thread if threaded else who)
    finally:
        tool_context.reset(token)

    assert result.content == "Ann"
    with pytest.raises(LookupError, match="outside of a turn"):
        current_tool_context()
