"""Without the test tools, pytest is one sentence that names the command that installs them."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SENTENCE = "The test tools are not installed. Run: uv run --group test pytest\n"
# What pytest itself is made of: the plugins of the tests are not among it.
PYTEST = ("pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments")


def run(*arguments: str, packages: Path) -> subprocess.CompletedProcess[str]:
    """Run a Python that has these packages only."""
    command = [sys.executable, "-S", "-B", *arguments]
    environment = {"PYTHONPATH": str(packages)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_of_an_installation_without_pytest(tmp_path: Path) -> None:
    """`uv run pytest` finds a command of ours, which does not look for a pytest elsewhere."""
    done = run("tests/pytest_command", packages=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (1, "", SENTENCE)


@pytest.mark.parametrize("command", [("-m", "pytest"), ("tests/pytest_command",)], ids=["pytest", "ours"])
def test_a_pytest_without_the_plugins(tmp_path: Path, command: tuple[str, ...]) -> None:
    """One from elsewhere ends with the sentence, not with an error of its own."""
    for name in PYTEST:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        path = Path(spec.origin)
        path = path.parent if path.name == "__init__.py" else path
        (tmp_path / path.name).symlink_to(path)

    done = run(*command, packages=tmp_path)

    assert done.returncode == 1
    assert done.stderr.endswith(SENTENCE)
    assert "Traceback" not in done.stdout + done.stderr
