"""The suite as CI runs it: `python -m tests.flaky [pytest's arguments]`.

A test that fails is run once more in a process of its own: beside others, on a busy machine, one of its deadlines may
pass. What passes then is named at the very end, as `FLAKY <test>, <seconds of the failed run> s, load <of a minute>`;
what fails again fails the run. The tests of durability have no second try, nor has a file that cannot be collected,
nor a run in which so many tests fail that it is no accident.
"""

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

_ONCE_ONLY = "tests/durability/"
_MOST = 10  # tests that fail by accident in one run


@dataclass
class Failure:
    """A test that failed: in how many seconds, and at which load of the machine."""

    seconds: float
    load: float


class Failures:
    """A plugin of pytest that notes what failed; with xdist it is told of all workers' tests.

    Attributes:
        tests: The tests that failed, in set-up, by themselves or in tear-down.
        collected: Whether every file could be collected.
    """

    def __init__(self) -> None:
        self.tests: dict[str, Failure] = {}
        self.collected = True
        self._seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test is over."""
        name = report.nodeid
        self._seconds[name] = self._seconds.get(name, 0.0) + report.duration
        if report.failed:
            self.tests.setdefault(name, Failure(0.0, os.getloadavg()[0]))
        if name in self.tests:
            self.tests[name].seconds = self._seconds[name]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file or folder is collected."""
        self.collected = self.collected and not report.failed

    @property
    def may_be_accidents(self) -> bool:
        """Whether a second run may say something else."""
        once_only = any(name.startswith(_ONCE_ONLY) for name in self.tests)
        return self.collected and not once_only and 0 < len(self.tests) <= _MOST


def _passes_alone(name: str) -> bool:
    _say(f"\nOnce more, by itself: {name}\n")
    process = subprocess.Popen([sys.executable, "-m", "pytest", "-n", "0", "-q", name])
    while process.returncode is None:
        with contextlib.suppress(KeyboardInterrupt):  # pytest gets it too, and ends by itself
            process.wait()
    if process.returncode == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    return process.returncode == pytest.ExitCode.OK


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Run the tests; gives pytest's exit code, or 0 when all that failed were accidents."""
    failures = Failures()
    code = pytest.main(arguments, plugins=[failures])
    if code != pytest.ExitCode.TESTS_FAILED or not failures.may_be_accidents:
        return int(code)
    try:
        flaky = [name for name in failures.tests if _passes_alone(name)]
    except KeyboardInterrupt:
        return int(pytest.ExitCode.INTERRUPTED)
    for name in flaky:
        _say(f"FLAKY {name}, {failures.tests[name].seconds:.1f} s, load {failures.tests[name].load:.1f}\n")
    return int(pytest.ExitCode.OK if len(flaky) == len(failures.tests) else code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
