"""The suite's smoke part on every version of Python that is promised and here; the suite itself runs on its own."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

from tests.uv import run_uv

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PROMISED = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"


def interpreter(version: str) -> Path | None:
    """The Python of a version: on PATH, or among those that pyenv installed."""
    name = f"python{version}"
    on_path = shutil.which(name)
    of_pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}"), reverse=True)
    for found in [*([Path(on_path)] if on_path else []), *of_pyenv]:
        # pyenv puts a script on PATH for each version, which fails where the version is not switched on.
        if subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return found
    return None


def test_the_promise_begins_with_the_oldest() -> None:
    """The classifiers name all versions from `requires-python` on."""
    assert PROJECT["requires-python"] == f">={PROMISED[0]}"
    assert len(PROMISED) >= 3


def smoke_files() -> list[Path]:
    """The files with tests that are marked, so that no others are collected."""
    return [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if "pytest.mark.smoke" in path.read_text()]


@pytest.mark.parametrize("version", [version for version in PROMISED if version != OWN])
def test_the_smoke_part_passes(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With uv's own command, in an environment of its own, all tests that are marked `smoke` pass."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"python{version} is neither on PATH nor in ~/.pyenv/versions, so nothing was run on it")
    for name in [name for name in os.environ if name.startswith("PYTEST")]:  # they are about this run
        monkeypatch.delenv(name)
    with tempfile.TemporaryDirectory() as folder:  # its name is short, for what tests compare with whole lines
        run_uv("sync", "--python", python, "--group", "test", folder=ROOT, more={"UV_PROJECT_ENVIRONMENT": folder})
        command = [f"{folder}/bin/python", "-m", "pytest", "-q", "-n", "0", "-m", "smoke", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [*command, f"--basetemp={folder}/files", *smoke_files()],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-2_000:]
    assert re.search(r"^\d\d+ passed", done.stdout, re.MULTILINE)
    assert "skipped" not in done.stdout
