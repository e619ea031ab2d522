"""The documents tell the truth: settings, commands and code blocks of the README and .env.example."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from llmgine.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENV_EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")

PYTHON_BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
BASH_LINES = [
    line.strip()
    for block in re.findall(r"^ *```bash\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
INLINE = re.findall(r"`((?:uv run |\.venv/bin/|\./|\.ci/)[^`\n]+)`", README)
MODULES = sorted(
    {module for text in [*BASH_LINES, *INLINE] for module in re.findall(r"-m ((?:programs|tests)\.[\w.]+)", text)}
)


def settings_table() -> str:
    """The README's table of settings, made from the class."""
    rows = ["| setting | default | |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None or name == "system_prompt" else f"`{field.default}`"
        rows.append(f"| `{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


def test_the_settings_table_is_the_one_made_from_the_code() -> None:
    """Every setting stands in the README with its default; `UPDATE_README=1 pytest` writes the table."""
    pattern = re.compile(r"(<!-- settings -->\n).*?(<!-- /settings -->)", re.DOTALL)
    renewed = pattern.sub(lambda match: f"{match[1]}{settings_table()}\n{match[2]}", README)
    if os.environ.get("UPDATE_README"):
        (ROOT / "README.md").write_text(renewed, encoding="utf-8")

    assert renewed == README or os.environ.get("UPDATE_README")


def test_env_example_has_every_setting_with_its_default() -> None:
    """.env.example and Settings name the same settings, with the same defaults."""
    written = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", ENV_EXAMPLE, re.MULTILINE))
    defaults = {
        name.upper(): "" if field.default is None else str(field.default)
        for name, field in Settings.model_fields.items()
    }

    assert {name: value.strip('"') for name, value in written.items()} == defaults


@pytest.mark.parametrize("block", PYTHON_BLOCKS, ids=lambda block: block.splitlines()[-1][:20])
def test_python_blocks_run(block: str, tmp_path: Path) -> None:
    """What a reader copies from the README runs as it stands."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_there_are_python_blocks() -> None:
    """The test above has something to run."""
    assert len(PYTHON_BLOCKS) >= 2


@pytest.mark.parametrize("module", MODULES)
def test_modules_that_are_to_be_run_exist(module: str) -> None:
    """Each `-m module` of the README is a module or a package with a __main__."""
    path = ROOT / module.replace(".", "/")

    assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


@pytest.mark.parametrize("line", [line for line in [*BASH_LINES, *INLINE] if line.startswith(("./", ".ci/"))])
def test_scripts_that_are_to_be_run_exist(line: str) -> None:
    """Each script the README names is there and may be executed."""
    assert os.access(ROOT / shlex.split(line)[0], os.X_OK)


def test_files_the_readme_names_exist() -> None:
    """Paths in the recipes lead somewhere."""
    named = re.findall(r"`((?:llmgine|programs|tests|docs)/[\w./]+)`", README) + re.findall(r"\]\(([\w./]+)\)", README)
    missing = [name for name in named if not (ROOT / name).exists()]

    assert named
    assert not missing


def test_the_tests_that_the_readme_names_exist() -> None:
    """What is promised for a fault is shown by a test of that name."""
    named = set(re.findall(r"`(test_\w+)`", README))
    defined = {
        name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }

    assert named
    assert not named - defined


def test_the_lock_file_satisfies_the_project() -> None:
    """requirements.lock pins every dependency inside its range, with hashes and without addresses."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = {name: Version(version) for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.MULTILINE)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [Requirement(text) for text in project["dependencies"]]

    assert not [str(r) for r in wanted if pinned.get(r.name.replace(".", "-"), Version("0")) not in r.specifier]
    assert "://" not in lock
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert all("--hash=sha256:" in entry for entry in entries)


def test_no_file_names_a_package_index() -> None:
    """Where packages come from is for each machine to say."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    index = re.compile(rb"py" + rb"pi\.org|python" + rb"hosted|registry\.npm" + rb"js|deb\.debian\." + rb"org")

    assert not [name for name in listed if index.search((ROOT / name).read_bytes())]
