"""The playground as a program."""

import asyncio
import importlib.util
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from programs.playground.__main__ import main
from tests.processes import ending
from tests.waiting import computing, patience

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def run(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program, which ends with the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "programs.playground",
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with ending(process):
        yield process


async def test_it_prints_what_a_bot_needs() -> None:
    """The settings it prints let a bot in."""
    async with run("--port", "0") as program:
        assert program.stdout is not None
        async with patience("the program", computing(program.pid)):
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
        async with patience("the program", computing(program.pid)):
            assert await program.wait() == 0


async def test_a_taken_port_is_one_sentence() -> None:
    """When the port is taken it says so, without a traceback, and fails."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with run("--port", str(port)) as program, patience("the program", computing(program.pid)):
            _, said = await program.communicate()

    assert program.returncode == 78
    assert str(port) in said.decode()
    assert said.decode().count("\n") == 1
    assert "Traceback" not in said.decode()


@pytest.mark.parametrize("option", ["--openapi", "--data"])
@pytest.mark.parametrize("kind", ["missing", "folder", "other"])
def test_a_wrong_file_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str, kind: str
) -> None:
    """What cannot be read, or is something else, is told with its name and with what to do."""
    if option == "--openapi" and importlib.util.find_spec("jsonschema_rs") is None:
        pytest.skip("jsonschema-rs is not installed: it comes with the dev group")
    path = tmp_path / "given"
    if kind == "folder":
        path.mkdir()
    elif kind == "other" or option == "--data":  # a data file that is not there is made
        path.write_text("{}")
    monkeypatch.setattr(sys, "argv", ["playground", "--port", "0", option, str(path)])

    assert main() == 78

    said = capsys.readouterr().err
    assert str(path) in said
    assert "choose a" in said
    assert said.count("\n") == 1


async def test_it_runs_with_everything_asked_for(tmp_path: Path) -> None:
    """People, a data file and the control surface come by options, and what was said is there the next time."""
    data = tmp_path / "playground.json"
    for expected, end in (([], signal.SIGTERM), (["remember me"], signal.SIGINT)):
        async with run("--port", "0", "--person", "Linus", "--data", str(data), "--faults") as program:
            assert program.stdout is not None
            async with patience("the program", computing(program.pid)):
                line = (await program.stdout.readline()).decode()
            url = re.findall(r"http://\S+", line)[0].rstrip("/") + "/playground"
            async with aiohttp.ClientSession() as session:
                async with session.get(url + "/faults") as answer:
                    assert (await answer.json())["faults"] == []
                async with session.get(url + "/state") as answer:
                    state = await answer.json()
                assert [person["global_name"] for person in state["people"]] == ["Ada", "Grace", "Linus"]
                messages = f"{url}/channels/{state['channels'][0]['id']}/messages"
                async with session.get(f"{messages}?as={state['me']['id']}") as answer:
                    assert [one["content"] for one in await answer.json()] == expected
                async with session.post(messages, json={"as": state["me"]["id"], "content": "remember me"}) as answer:
                    assert answer.status == 200
            program.send_signal(end)
            async with patience("the program", computing(program.pid)):
                assert await program.wait() == 0


async def test_the_table_is_printed() -> None:
    """`--table` prints Markdown and ends."""
    async with run("--table") as program:
        async with patience("the program", computing(program.pid)):
            printed, _ = await program.communicate()

        assert program.returncode == 0
        assert printed.decode().startswith("| REST | here | in Discord |")
