"""MCP servers at an address, over real sockets."""

import asyncio
import socket
import sys
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from llmgine.mcp.connection import ConnectionState
from tests.llmgine.mcp.stage import Stage
from tests.processes import ending
from tests.waiting import eventually

Start = Callable[..., Coroutine[None, None, Process]]
_PROGRAM = Path(__file__).with_name("web_server.py")


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
async def start(port: int) -> AsyncIterator[Start]:
    """Starts the server, and ends it after the test."""
    async with AsyncExitStack() as stack:

        async def started(*options: str) -> Process:
            arguments = (sys.executable, str(_PROGRAM), str(port), *options)
            process = await create_subprocess_exec(*arguments, stdout=DEVNULL, stderr=DEVNULL)
            await stack.enter_async_context(ending(process))
            await eventually(lambda: _answers(port))
            return process

        yield started


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.fixture
def web(stage: Stage, port: int) -> Stage:
    """A stage with the server, which is not started yet."""
    stage.add("w", {"type": "http", "url": f"http://127.0.0.1:{port}/mcp", "timeout": 5})
    return stage


@pytest.mark.parametrize("options", [(), ("json",)])
async def test_a_server_is_asked_over_http(web: Stage, start: Start, options: tuple[str, ...]) -> None:
    """Calls at once each get their own result, as events or as JSON."""
    await start(*options)
    async with web.running():
        results = await asyncio.gather(*(web.call("w__echo", n=number) for number in range(10)))

    assert [result.content for result in results] == [str(number) for number in range(10)]


async def test_a_call_in_flight_when_the_server_dies_is_unknown(web: Stage, start: Start) -> None:
    """Its outcome is unknown; a server that is there again is used again."""
    process = await start()
    async with web.running():
        result = await web.call("w__die")
        await process.wait()
        await eventually(lambda: web.status("w").state is not ConnectionState.READY)
        await start()

        async def works() -> bool:
            return (await web.call("w__echo", n=1)).ok

        await eventually(works)

    assert "whether this took effect is unknown" in result.content


async def test_a_call_that_takes_too_long_is_unknown(web: Stage, start: Start, port: int) -> None:
    """It ends with its time limit, and the next call gets a result."""
    await start()
    web.add("w", {"url": f"http://127.0.0.1:{port}/mcp", "timeout": 0.5})
    async with web.running():
        result = await web.call("w__hang")

        assert (await web.call("w__echo", n=2)).ok
    assert "no result came within 0.5 seconds" in result.content


@pytest.mark.parametrize("options", [(), ("json",)])
async def test_an_answer_of_50_megabytes_is_left_out(web: Stage, start: Start, options: tuple[str, ...]) -> None:
    """It is an error, and later calls get their results."""
    await start(*options)
    async with web.running():
        assert not (await web.call("w__large")).ok

        async def works() -> bool:
            return (await web.call("w__echo", n=3)).ok

        await eventually(works)


async def test_a_server_that_is_not_there_is_asked_again(web: Stage, start: Start) -> None:
    """Once it is there, its tools are known."""
    async with web.running(accept=False):
        assert web.status("w").state is ConnectionState.PAUSING
        await start()
        await web.ready("w")

        assert [*web.status("w").tools] == ["die", "echo", "hang", "large"]
