"""The playground as a program."""

import asyncio
import re
import signal
import socket
import sys
from pathlib import Path

import aiohttp

from tests.programs.playground.conftest import PATIENCE

ROOT = Path(__file__).parents[3]


async def run(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "programs.playground",
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_it_prints_what_a_bot_needs() -> None:
    """The settings it prints let a bot in."""
    program = await run("--port", "0")
    assert program.stdout is not None
    async with asyncio.timeout(PATIENCE):
        printed = ""
        while "DISCORD_GATEWAY_URL" not in printed:
            printed += (await program.stdout.readline()).decode()
    settings = dict(re.findall(r"^(DISCORD_\w+)=(\S+)$", printed, re.MULTILINE))

    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {settings['DISCORD_TOKEN']}"}) as session:
        async with session.get(settings["DISCORD_API_BASE"] + "/users/@me") as answer:
            assert (await answer.json())["username"] == "llmgine"
        async with session.ws_connect(settings["DISCORD_GATEWAY_URL"]) as gateway:
            assert (await gateway.receive_json())["op"] == 10
    program.send_signal(signal.SIGINT)
    async with asyncio.timeout(PATIENCE):
        assert await program.wait() == 0


async def test_a_taken_port_is_one_sentence() -> None:
    """When the port is taken it says so, without a traceback, and fails."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        program = await run("--port", str(port))
        async with asyncio.timeout(PATIENCE):
            _, said = await program.communicate()

    assert program.returncode == 1
    assert str(port) in said.decode()
    assert said.decode().count("\n") == 1
    assert "Traceback" not in said.decode()
