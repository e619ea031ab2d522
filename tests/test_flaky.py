"""The second try of tests that fail: each case is a small suite of its own, run as CI runs this one."""

import re
import subprocess
import sys
from pathlib import Path
from unittest.mock import ANY

import pytest

SECOND_TIME = """
from pathlib import Path
import pytest

def first_time():
    mark = Path(__file__).with_suffix(".mark")
    there = mark.exists()
    mark.touch()
    return not there
"""
FLAKY = "def test_one():\n    assert not first_time()\n"
FLAKY_SET_UP = "@pytest.fixture\ndef thing():\n    assert not first_time()\n\ndef test_one(thing):\n    assert True\n"
FLAKY_XPASS = "@pytest.mark.xfail\ndef test_one():\n    assert first_time()\n"
FAILS = "def test_one():\n    assert 1 == 2\n"
XPASS = "@pytest.mark.xfail(reason='not corrected')\ndef test_one():\n    assert True\n"
PASSES = "def test_one():\n    assert True\n"
BROKEN = "import nothing_of_that_name\n"
INTERRUPTED = "def test_one():\n    raise KeyboardInterrupt\n"
CRASHES = "def test_one():\n    import os\n    os._exit(1) if first_time() else None\n"


def run(folder: Path, workers: str, files: dict[str, str], *arguments: str) -> tuple[int, list[str]]:
    """Run a suite of these files; gives the exit code and what was printed, line by line."""
    (folder / "pytest.ini").write_text(f"[pytest]\naddopts = -n {workers} --dist loadfile\nxfail_strict = true\n")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SECOND_TIME + text)
    script = Path(__file__).with_name("flaky.py")
    command = [sys.executable, str(script), "-p", "no:cacheprovider", *(arguments or ["tests"])]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout.splitlines()


def flaky(lines: list[str]) -> list[str]:
    """The tests that are named as flaky, which must be the last lines."""
    found = [line for line in lines if line.startswith("FLAKY")]
    assert found == lines[len(lines) - len(found) :]
    assert all(re.fullmatch(r"FLAKY \S+, \d+\.\d s, load \d+\.\d", line) for line in found)
    return [line.split()[1].rstrip(",") for line in found]


def test_what_passes_alone_is_named(tmp_path: Path) -> None:
    """A test that fails beside others and passes alone is named in one of the last lines, and the run passes."""
    texts = {"call": FLAKY, "set_up": FLAKY_SET_UP, "xpass": FLAKY_XPASS, "crash": CRASHES, "other": PASSES}
    code, lines = run(tmp_path, "2", {f"tests/test_{name}.py": text for name, text in texts.items()})

    assert code == 0
    assert sorted(flaky(lines)) == [f"tests/test_{name}.py::test_one" for name in ("call", "crash", "set_up", "xpass")]


def test_what_fails_again_fails_the_run(tmp_path: Path) -> None:
    """A test that fails alone too fails the run, and what was only flaky beside it is still named."""
    texts = {"tests/test_a.py": FAILS, "tests/test_b.py": FLAKY}
    assert run(tmp_path, "0", {"tests/test_c.py": XPASS}) == (1, ANY)
    code, lines = run(tmp_path, "2", texts, *texts)

    assert (code, flaky(lines)) == (1, ["tests/test_b.py::test_one"])


def test_durability_has_no_second_try(tmp_path: Path) -> None:
    """A failure in tests/durability fails the run at once, though it would pass alone."""
    code, lines = run(tmp_path, "2", {"tests/durability/test_a.py": FLAKY, "tests/test_b.py": FLAKY})

    assert (code, flaky(lines)) == (1, [])
    assert not any("Once more" in line for line in lines)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_file_that_cannot_be_collected_fails_the_run(tmp_path: Path, workers: str) -> None:
    """What could not be collected was not run, so nothing else excuses it."""
    code, lines = run(tmp_path, workers, {"tests/test_a.py": BROKEN, "tests/test_b.py": FLAKY})

    assert code not in (0, 5)
    assert flaky(lines) == []


def test_other_ends_are_pytests_own(tmp_path: Path) -> None:
    """All passed, no test there, wrong arguments and an interrupt have pytest's exit codes."""
    passing = {"tests/test_a.py": PASSES}
    assert run(tmp_path, "2", passing)[0] == 0
    assert run(tmp_path, "0", passing, "tests", "-k", "nothing")[0] == 5
    assert run(tmp_path, "0", passing, "--no-such-option")[0] == 4
    assert run(tmp_path, "0", {"tests/test_a.py": INTERRUPTED})[0] == 2


def test_many_failures_are_no_accident(tmp_path: Path) -> None:
    """When a great many tests fail none is run again."""
    code, lines = run(tmp_path, "0", {f"tests/test_{number}.py": FLAKY for number in range(11)})

    assert (code, flaky(lines)) == (1, [])
