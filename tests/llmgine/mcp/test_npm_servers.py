"""Reference servers from npm, where npm is there and they can be installed."""

import asyncio
import json
import shutil
import socket
import subprocess
from asyncio.subprocess import DEVNULL, create_subprocess_exec
from pathlib import Path

import pytest

from tests.llmgine.mcp.stage import Stage
from tests.processes import ending
from tests.waiting import eventually

_SERVERS = ("everything", "filesystem", "memory")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with their programs."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not there")
    folder = tmp_path_factory.mktemp("npm")
    names = [f"@modelcontextprotocol/server-{name}" for name in _SERVERS]
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), *names]
    if subprocess.run(command, capture_output=True, check=False, timeout=120).returncode != 0:
        pytest.skip("npm cannot install the servers here")
    return folder / "node_modules" / ".bin"


async def test_everything(stage: Stage, programs: Path) -> None:
    """Texts, images, structured results and errors of the server that shows all that there is."""
    stage.add("e", {"command": str(programs / "mcp-server-everything")})
    async with stage.running():
        image = await stage.call("e__get-tiny-image")
        structured = await stage.call("e__get-structured-content", location="New York")
        wrong = await stage.call("e__echo")
        environment = await stage.call("e__get-env")

    assert [(file.media_type, file.size) for file in image.files] == [("image/png", 4033)]
    assert json.loads(structured.content)["conditions"] == "Cloudy"
    assert "'message' is a required property" in wrong.content
    assert json.loads(environment.content).keys() <= {"PATH", "HOME"}


async def test_everything_over_http(stage: Stage, programs: Path) -> None:
    """The older generation over Streamable HTTP, with ten calls at once."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    server = await create_subprocess_exec(
        str(programs / "mcp-server-everything"),
        "streamableHttp",
        env={"PORT": str(port), "PATH": str(Path(shutil.which("node") or "").parent)},
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    stage.add("e", {"url": f"http://127.0.0.1:{port}/mcp"})
    async with ending(server), stage.running(accept=False):
        await eventually(lambda: bool(stage.status("e").tools))
        await stage.accept()
        results = await asyncio.gather(*(stage.call("e__echo", message=str(number)) for number in range(10)))
        generation = stage.status("e").generation

    assert [result.content for result in results] == [f"Echo: {number}" for number in range(10)]
    assert generation == "2025-11-25"


async def test_files_and_memory(stage: Stage, programs: Path, tmp_path: Path) -> None:
    """A file is written by one server, and what another was told is found again."""
    stage.add("f", {"command": str(programs / "mcp-server-filesystem"), "args": [str(tmp_path)]})
    memory = {"MEMORY_FILE_PATH": str(tmp_path / "memory.jsonl")}
    stage.add("m", {"command": str(programs / "mcp-server-memory"), "env": memory})
    async with stage.running():
        await stage.call("f__write_file", path=str(tmp_path / "a.txt"), content="written by a server")
        entity = {"name": "Ada", "entityType": "person", "observations": ["likes chess"]}
        await stage.call("m__create_entities", entities=[entity])
        found = await stage.call("m__search_nodes", query="chess")

    assert (tmp_path / "a.txt").read_text() == "written by a server"
    assert "Ada" in found.content
