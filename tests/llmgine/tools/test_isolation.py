"""A tool in a process of its own: the same results, and killed with all that it started whatever it does."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmgine.messages.chat_messages import ToolCall, ToolResult
from llmgine.observability.redaction import Redactor
from llmgine.tools.context import ToolContext, tool_context
from llmgine.tools.isolation import Isolation
from llmgine.tools.tool import Tool
from llmgine.tools.tool_manager import ToolManager
from tests.llmgine.tools import isolated_tools as tools
from tests.waiting import patience

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither limits nor process groups")


async def run(function: Callable[..., object], *, timeout: float = 30.0, cpu: int = 20, **arguments: Any) -> ToolResult:  # noqa: ASYNC109  the tool's own limit
    limits = Isolation(memory=600_000_000, cpu=cpu)
    manager = ToolManager([Tool.from_function(function, isolation=limits, timeout=timeout)])
    async with patience("the tool's result"):
        return await manager.run(ToolCall(name=function.__name__, arguments=json.dumps(arguments)))


async def until(what: str, there: Callable[[], bool]) -> None:
    """Wait for a state of the system, which tells nobody when it comes."""
    async with patience(what):
        while not there():  # noqa: ASYNC110  nothing sets an event
            await asyncio.sleep(0.01)


async def gone(pid: int) -> None:
    """Wait until a process has ended."""
    await until(f"process {pid} to end", lambda: not _runs(pid))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z")


def _written(note: Path) -> list[str]:
    return note.read_text(encoding="utf-8").split() if note.exists() else []


async def pids(note: Path, count: int) -> list[int]:
    """The ids that a tool wrote, once they are there."""
    await until("the tool to begin", lambda: len(_written(note)) >= count)
    return [int(one) for one in _written(note)]


async def test_it_gives_what_it_gives_elsewhere() -> None:
    """Values become text as usual, defaults are used, and what it prints is not in the result."""
    assert (await run(tools.add, a=2)).content == '{"sum": 3}'


@pytest.mark.parametrize("before", range(7_900, 8_000, 10))
async def test_no_half_secret_is_left_by_the_cut(before: int) -> None:
    """A long result is cut only once secrets are out of it, wherever one is in it."""
    secret = "kettle-horse-battery-staple"
    manager = ToolManager([Tool.from_function(tools.padded, isolation=Isolation())], redact=Redactor([secret]))
    arguments = json.dumps({"before": before, "text": secret})

    result = await manager.run(ToolCall(name="padded", arguments=arguments))

    assert result.ok
    assert "kettle" not in result.content
    assert "staple" not in result.content


async def test_an_async_function_knows_whom_it_works_for() -> None:
    """The context of the call is there; it runs on a loop of its own."""
    token = tool_context.set(ToolContext("s", "t", "1", "Ada"))
    try:
        assert (await run(tools.add_later, a=2)).content == "3 for Ada"
    finally:
        tool_context.reset(token)


async def test_it_knows_no_secret_of_this_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is another process, and has nothing of our environment but what Python needs."""
    monkeypatch.setenv("DISCORD_TOKEN", "a token")
    monkeypatch.setenv("ANYTHING", "else")

    known = json.loads((await run(tools.whereabouts)).content)

    assert known["pid"] != str(os.getpid())
    assert {"DISCORD_TOKEN", "ANYTHING"} & known.keys() == set()


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (tools.refuse, "not like this"),
        (tools.fail, "KeyError: 'lost'"),
        (tools.leave, "SystemExit: 3"),
        (tools.die, "its process died (exit code"),
        (tools.flood_the_pipe, "it gave too much and was stopped"),
        pytest.param(tools.eat, "more than 600 MB of memory", marks=POSIX),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
async def test_whatever_it_does_is_an_error_for_the_model(function: Callable[..., object], told: str) -> None:
    """An error, an exit, a crash, a flood, too much memory: a result like any other, and nothing happens to us."""
    result = await run(function)

    assert not result.ok
    assert told in result.content


@POSIX
async def test_cpu_time_is_bounded() -> None:
    """A loop that never ends is stopped before the tool's time is up."""
    assert "more than 1 seconds of CPU time" in (await run(tools.spin, cpu=1)).content


async def test_wrong_arguments_start_no_process() -> None:
    """They are checked here."""
    assert "The arguments do not fit" in (await run(tools.add, a="x")).content


async def test_not_done_and_long_results_are_as_elsewhere() -> None:
    """What says that it did nothing stays so, and what is long is cut."""
    assert not (await run(tools.not_today)).done
    assert len((await run(tools.flood)).content) <= 16_000


async def test_past_its_time_it_is_killed(tmp_path: Path) -> None:
    """It and what it started end, and the model hears that it was stopped, not that it may still run."""
    result = await run(tools.hang_with_child, timeout=3.0, note=str(tmp_path / "note"))

    assert "It was stopped" in result.content
    for pid in await pids(tmp_path / "note", 2):
        await gone(pid)


async def test_it_is_killed_when_the_turn_is_stopped(tmp_path: Path) -> None:
    """Whoever cancels the call ends the process and what it started."""
    call = asyncio.create_task(run(tools.hang_with_child, note=str(tmp_path / "note")))
    started = await pids(tmp_path / "note", 2)

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    for pid in started:
        await gone(pid)


@POSIX
async def test_nothing_that_it_started_goes_on(tmp_path: Path) -> None:
    """Also where it has returned."""
    assert (await run(tools.leave_child, note=str(tmp_path / "note"))).content == "left"
    for pid in await pids(tmp_path / "note", 1):
        await gone(pid)


@POSIX
async def test_it_ends_with_this_program(tmp_path: Path) -> None:
    """Killed outright, this program leaves none of its tools running."""
    code = (
        "import asyncio, sys; from tests.llmgine.tools import test_isolation, isolated_tools as tools; "
        "asyncio.run(test_isolation.run(tools.hang_with_child, note=sys.argv[1]))"
    )
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(tmp_path / "note"))
    tool, child = await pids(tmp_path / "note", 2)

    program.kill()
    await program.wait()

    await gone(tool)
    os.kill(child, signal.SIGKILL)  # what the tool started, only we could have killed


def _decorated(function: Callable[..., object]) -> Callable[..., object]:
    def replaced() -> object:
        return function()

    return replaced


@pytest.mark.parametrize("function", [lambda: "", _decorated(tools.leave), ToolManager([]).schemas])
def test_what_no_other_process_finds_is_refused(function: Callable[..., object]) -> None:
    """When the tool is made, with what to do."""
    with pytest.raises(TypeError, match="at the top level of a module"):
        Tool.from_function(function, name="x", isolation=Isolation())
