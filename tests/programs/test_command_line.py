"""Every program that a person starts tells its version, and names itself in `usage:` as it was started."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from programs.command_line import program_parser
from tests.test_documented_commands import ELSEWHERE
from tests.uv import PATH, run_uv

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def programs() -> list[str]:
    """What is run by `python -m`, apart from what only another program starts."""
    found = set()
    for path in (ROOT / "programs").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.If) and "__name__ == '__main__'" in ast.unparse(node.test) for node in tree.body):
            found.add(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__"))
    return sorted(found - {name for name, where in ELSEWHERE.items() if where.startswith("by `programs.")})


def run(*command: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": PATH, "HOME": str(folder), "PYTHONPATH": str(ROOT), "COLUMNS": "200", **more}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_there_are_programs() -> None:
    """The tests below have something to start."""
    assert len(programs()) >= 7


@pytest.mark.smoke
@pytest.mark.parametrize("program", programs())
def test_a_program_tells_its_version(program: str, tmp_path: Path) -> None:
    """`--version` is the number in pyproject.toml, and nothing else is done or written."""
    done = run(sys.executable, "-m", program, "--version", folder=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"llmgine {VERSION}\n", "")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("program", programs())
def test_a_program_says_how_it_is_used(program: str, tmp_path: Path) -> None:
    """`--help` begins with the command, `python -m …` where a bare interpreter was started."""
    done = run(sys.executable, "-m", program, "--help", folder=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: python -m {program} [")
    assert "  --version " in done.stdout


def test_uv_is_part_of_the_command(tmp_path: Path) -> None:
    """Started by uv, the command to type is `uv run python -m …`, also of a subcommand."""
    environment = {"PYTHONPATH": str(ROOT), "UV_PYTHON": sys.executable, "COLUMNS": "200"}

    command = ("run", "--no-project", "python", "-m", "programs.logs", "stats", "--help")
    said = run_uv(*command, folder=tmp_path, more=environment)

    assert re.match(r"usage: (\S+/)?uv run python -m programs\.logs stats \[", said)


def test_a_uv_that_is_not_on_path_is_named_with_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pip installed uv into `.venv`, as in the README, the command begins with that path."""
    venv = tmp_path / "project" / ".venv"
    venv.mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(venv))
    monkeypatch.setenv("UV", str(venv / "bin" / "uv"))

    monkeypatch.chdir(venv.parent)
    assert program_parser("programs.logs", None).prog == ".venv/bin/uv run python -m programs.logs"

    monkeypatch.chdir(venv)
    monkeypatch.setenv("UV", str(tmp_path / "bin" / "uv"))
    assert program_parser("programs.logs", None).prog == "uv run python -m programs.logs"


def test_a_mistake_names_the_same_command(tmp_path: Path) -> None:
    """A wrong option is exit code 2 and names the command; the beginning of an option is not an option."""
    done = run(sys.executable, "-m", "programs.discord.bot", "--vers", folder=tmp_path)

    assert done.returncode == 2
    assert "\npython -m programs.discord.bot: error: unrecognized arguments: --vers\n" in done.stderr


def test_without_an_installation_the_version_is_that_of_the_folder(tmp_path: Path) -> None:
    """Where only the dependencies are installed, as in a container, `--version` is the number in pyproject.toml."""
    show = "from programs.command_line import program_parser as p; p('programs.logs', '').parse_args(['--version'])"

    done = run(sys.executable, "-S", "-c", show, folder=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"llmgine {VERSION}\n", "")
