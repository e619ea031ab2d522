"""Exit codes: what starting again can help with, and what somebody must change first."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from llmgine.errors import (
    AlreadyRunningError,
    ConfigurationError,
    DamagedStoreError,
    ExhaustedError,
    LeaseLostError,
    LLMgineError,
    NewerStoreError,
    StoreError,
    UnknownSessionError,
    cannot_use,
)
from programs.discord.connection import WornOutError
from programs.discord.start_errors import DisconnectedError, StartFailedError
from programs.exit_codes import MEANINGS, ExitCode, run
from tests.documents import check_table
from tests.programs.discord.process import environment
from tests.programs.test_command_line import programs

CODES = {
    AlreadyRunningError("x"): ExitCode.FAULT,
    ConfigurationError("x"): ExitCode.CONFIGURATION,
    DamagedStoreError("x"): ExitCode.CONFIGURATION,
    DisconnectedError("x"): ExitCode.FAULT,
    ExhaustedError("x"): ExitCode.FAULT,
    LeaseLostError(): ExitCode.FAULT,
    NewerStoreError("x"): ExitCode.CONFIGURATION,
    StartFailedError("x"): ExitCode.FAULT,
    StoreError("x"): ExitCode.FAULT,
    UnknownSessionError("x"): ExitCode.FAULT,
    WornOutError("x"): ExitCode.CONFIGURATION,
}
# Each with arguments that lead it to a setting that cannot be used; all read DATABASE_URL or a setting of their own.
PROGRAMS = {
    "programs.backup": [],
    "programs.discord.bot": [],
    "programs.discord.health": [],
    "programs.function_chat": ["--list-sessions"],
    "programs.logs": ["stats"],
    "programs.mcp": [],
    "programs.playground": ["--data", "."],
    "programs.store": ["copy", "mysql://a/b", "sqlite:///x.db"],
}
# They read no settings, and no one supervises them.
OTHERS = {"programs.bench", "programs.discord.slash.command_table"}


@pytest.mark.parametrize(("error", "code"), CODES.items(), ids=lambda one: type(one).__name__)
def test_an_error_has_its_code(error: LLMgineError, code: ExitCode, capsys: pytest.CaptureFixture[str]) -> None:
    """Starting again may help after what exits with 1, and cannot help after what exits with 78."""

    def program() -> int:
        raise error

    assert run(program) == code
    assert capsys.readouterr().err == f"error: {error}\n"


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, ExhaustedError), (errno.EMFILE, ExhaustedError), (errno.EACCES, ConfigurationError)],
)
def test_a_full_disk_passes_and_a_missing_right_does_not(number: int, kind: type[LLMgineError]) -> None:
    """A file that cannot be used is a wrong setting only if the machine could give it."""
    error = cannot_use("LOG_DIR: logs cannot be written", OSError(number, "said"))

    assert type(error) is kind
    assert str(error) == "LOG_DIR: logs cannot be written: said"


def test_every_program_is_known_here() -> None:
    """A new program says here how it ends when a setting cannot be used."""
    assert set(programs()) == {*PROGRAMS, *OTHERS}


@pytest.mark.parametrize(("program", "arguments"), PROGRAMS.items())
def test_a_setting_that_cannot_be_used_is_78(tmp_path: Path, program: str, arguments: list[str]) -> None:
    """Each program says so in a sentence and without a traceback."""
    settings = {} if program in {"programs.playground", "programs.store"} else {"LOG_LEVEL": "loud"}
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments],
        cwd=tmp_path,
        env=environment(tmp_path, **settings),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == ExitCode.CONFIGURATION, done.stderr
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_the_table_is_the_one_made_from_the_code() -> None:
    """Every code is in docs/running.md with its meaning."""
    rows = [f"| {code.value} | {meaning} |" for code, meaning in MEANINGS.items()]

    assert set(MEANINGS) == set(ExitCode)
    check_table("docs/running.md", "exit-codes", "\n".join(["| exit code | |", "|---:|---|", *rows]))
