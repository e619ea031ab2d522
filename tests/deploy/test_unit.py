"""The unit of systemd: systemd accepts it, it is confined, and what it names is there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from programs.exit_codes import ExitCode
from programs.settings import ProgramSettings
from tests.deploy.files import UNIT, image, unit
from tests.deploy.test_container import OF_PYTHON, words
from tests.documents import PAGES

DIRECTIVES = unit()
MOST_EXPOSED = 15  # tenths; systemd calls up to 20 "OK" and an ordinary service has more than 90


def analyzed(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze; .ci/run installs it."""
    if shutil.which("systemd-analyze") is None:
        assert os.environ.get("CI") != "true"
        pytest.skip("systemd-analyze is not installed: it comes with systemd")
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def test_systemd_accepts_it(tmp_path: Path) -> None:
    """`systemd-analyze verify` has no word to say, once its Python is one that is there."""
    copy = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    assert text.count("=/opt/llmgine/.venv/bin/python ") == 1
    copy.write_text(text.replace("/opt/llmgine/.venv/bin/python", sys.executable), encoding="utf-8")

    done = analyzed("verify", str(copy))

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_it_is_confined() -> None:
    """By systemd's own measure it can reach little beside the network and its own folder."""
    done = analyzed("security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}", str(UNIT))

    assert done.returncode == 0, done.stdout + done.stderr


def test_it_starts_what_the_image_starts() -> None:
    """The same command in the same way: read-only code, and everything that is written in one folder."""
    [command] = DIRECTIVES["ExecStart"]
    [state], [folder], [account] = (DIRECTIVES[name] for name in ("StateDirectory", "WorkingDirectory", "User"))
    given = dict(pair.split("=", 1) for line in DIRECTIVES["Environment"] for pair in line.split())

    assert command.split()[1:] == words("CMD")[1:]
    assert folder == f"/var/lib/{state}" == image().one["WORKDIR"]
    assert account not in {"root", "0"}
    assert set(given) == OF_PYTHON
    assert command.startswith(f"{given['PYTHONPATH']}/.venv/bin/")


def test_only_what_a_restart_can_help_with_is_restarted() -> None:
    """After a wrong setting it stays down, after all other faults it comes back, however long they last."""
    assert DIRECTIVES["Restart"] == ["on-failure"]
    assert DIRECTIVES["RestartPreventExitStatus"] == [str(ExitCode.CONFIGURATION.value)]
    assert DIRECTIVES["StartLimitIntervalSec"] == ["0"]


def test_running_answers_get_their_time() -> None:
    """Systemd waits longer than the bot does before it kills it."""
    [seconds] = DIRECTIVES["TimeoutStopSec"]

    assert int(seconds) >= ProgramSettings(_env_file=None).shutdown_grace + 20


def test_the_commands_that_install_it_fit() -> None:
    """docs/running.md makes the user, the folders and the files that the unit names."""
    page = PAGES["docs/running.md"]
    [account], [settings] = DIRECTIVES["User"], DIRECTIVES["EnvironmentFile"]

    assert f"nologin {account}" in page
    for path in (settings, "/opt/llmgine", "deploy/llmgine.service /etc/systemd/system/"):
        assert path in page
