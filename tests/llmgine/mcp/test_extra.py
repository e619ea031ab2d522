"""The extra: nothing of it is loaded before a server is configured, and without it a sentence says how to get it."""

import subprocess
import sys
from pathlib import Path

import pytest

_START = """
import asyncio, sys
from pathlib import Path
from llmgine.bootstrap import ApplicationBootstrap, ApplicationConfig
from llmgine.settings import Settings
from llmgine.providers.scripted import ScriptedProvider

async def main():
    settings = Settings(_env_file=None, database_url="sqlite:///test.db", log_dir=Path("logs"), mcp_config={config})
    async with ApplicationBootstrap(ApplicationConfig(settings=settings), provider=ScriptedProvider([])):
        print(sorted(sys.modules.keys() & {{"mcp", "jsonschema", "referencing"}}))

{before}
asyncio.run(main())
"""


def _run(folder: Path, *, config: str, before: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _START.format(config=config, before=before)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_without_servers_nothing_is_loaded(tmp_path: Path) -> None:
    """An application without MCP_CONFIG starts without the package."""
    done = _run(tmp_path, config="None")

    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("missing", ["mcp", "jsonschema"])
def test_without_the_extra_the_command_is_named(tmp_path: Path, missing: str) -> None:
    """Who configures servers without the extra reads what to run."""
    (tmp_path / "mcp.json").write_text('{"mcpServers": {}}')
    done = _run(tmp_path, config='Path("mcp.json")', before=f"sys.modules[{missing!r}] = None")

    told = "ConfigurationError: MCP_CONFIG needs an extra; install it with `uv sync --extra mcp`"
    assert done.stderr.splitlines()[-1].endswith(told)
