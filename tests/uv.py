"""uv, which makes environments for tests that need another one than their own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# uv is beside the interpreter where it was installed as the README says, else on PATH.
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def run_uv(*arguments: str | Path, folder: Path, more: Mapping[str, str] | None = None) -> str:
    """Run uv to its end, with what was downloaded before; only if that is not enough, with the network.

    Args:
        arguments: The command line behind `uv`.
        folder: Where it runs.
        more: Variables for it beside those of this process.

    Returns:
        What it wrote to standard output.

    Raises:
        AssertionError: uv is not installed, or failed both times; the text has what it wrote.
    """
    uv = shutil.which("uv", path=PATH)
    assert uv is not None, "uv is not installed: run `python -m pip install uv`"
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    for way in ({"UV_OFFLINE": "1"}, {}):
        done = subprocess.run(
            [uv, *map(str, arguments)],
            cwd=folder,
            env=inherited | way | dict(more or {}),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout
    raise AssertionError(f"uv {' '.join(map(str, arguments))}\n{done.stderr}")
