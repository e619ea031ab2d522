"""A tool of your own, as docs/extending.md walks through it: the file, the command, and what is seen."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import ROOT, blocks, section

WALK = section("docs/extending.md", "A tool of your own")
MAKE, FILE, RUN = blocks(WALK)


def follow(folder: Path, *, command: str = RUN.text) -> subprocess.CompletedProcess[str]:
    """Do what a command says, with `folder` as the home."""
    folder.chmod(0o755)
    script = shlex.join([sys.executable, "-m", "programs.function_chat"])  # what the script runs, without its `uv run`
    return subprocess.run(
        ["/bin/sh", "-c", command.replace("./run_function_chat.sh", script)],
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "TOOLS"))},
            "HOME": str(folder),
            "DATABASE_URL": f"sqlite:///{folder}/data/llmgine.db",
            "LOG_DIR": str(folder / "logs"),
            "OUTBOX_DIR": str(folder / "outbox"),
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home in which the first two steps were done."""
    assert FILE.creates
    assert follow(tmp_path, command=MAKE.text).returncode == 0
    file = tmp_path / "my-tools" / str(FILE.path)
    file.write_text(FILE.text, encoding="utf-8")
    file.chmod(0o664)  # as many systems make it
    return tmp_path


def test_the_tool_is_called(home: Path) -> None:
    """Without any key, the answer has what the tool gave, as the page shows it."""
    [shown] = re.findall(r"`(\*\*roll_dice:\*\* \[.*\])`", WALK)

    done = follow(home)

    assert done.returncode == 0, done.stderr
    pattern = re.sub(r"\d+", r"\\d+", re.escape(shown))
    assert re.fullmatch(pattern, done.stdout.strip()), done.stdout


def test_what_does_not_fit_is_refused(home: Path) -> None:
    """A die has at least two sides, and the model is told so."""
    done = follow(home, command=RUN.text.replace("sides=20", "sides=1"))

    assert "sides: Input should be greater than or equal to 2" in done.stdout


def test_a_broken_file_is_a_warning_at_the_start(home: Path) -> None:
    """It names the file and the line, and the other tools are there."""
    (home / "my-tools" / "dice.py").write_text("import nowhere_at_all\n", encoding="utf-8")

    done = follow(home, command=RUN.text.replace("roll_dice sides=20 count=3", "calculate expression=24*7"))

    assert "A tool was not loaded: my-tools/dice.py, line 1: ModuleNotFoundError" in done.stderr
    assert "168" in done.stdout
