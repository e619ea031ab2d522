"""Runs of tests in copies, each a fork of this process, which has imported the libraries: that is most of a start."""

import gc
import importlib
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests.mutations.copies import ROOT, Copy
from tests.mutations.mutation import Mutation

_LIBRARIES = (
    "aiohttp.web",
    "aiosqlite",
    "discord.ext.commands",
    "docstring_parser",
    "hypothesis.stateful",
    "jsonschema_rs",
    "markdown_it",
    "openai.types.chat",
    "openai.types.responses",
    "prompt_toolkit",
    "pydantic_settings",
    "rich.console",
    "tenacity",
)
_OURS = {"llmgine", "programs", "tests"}
_OPTIONS = (
    *("-q", "-x", "-rfE", "--tb=native", "-o", "addopts=", "--strict-markers", "--timeout=60"),
    *("-p", "no:cacheprovider", "-p", "pytest_asyncio.plugin", "-p", "pytest_timeout"),
)
_LONGEST = 400.0  # seconds of a run
# Seconds without progress after which a test of a mutation gives up waiting, see `tests/waiting.py`: it mostly waits in
# vain. A bot at rest makes some every two seconds, when it looks for what it was not told.
_PROGRESS = "1.8"
_LOOK = 1.0  # seconds between two looks whether a run takes too long


class Verdict(Enum):
    """How a run of tests ended; the value is the exit code of its process, and none that means anything else."""

    PASSED = 90  # All tests ran and passed.
    FAILED = 91  # A test failed by itself: it began, and did not come to its end.
    DID_NOT_RUN = 92  # Neither: it is not there, cannot be imported, set up or torn down, or took too long.


class _Listener:
    """A plugin of pytest that finds the verdict."""

    def __init__(self) -> None:
        self._failed = self._passed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test is over. What fails before or after a test is no promise that it looks at."""
        self._passed |= report.passed and report.when == "call"
        self._failed |= report.failed and report.when == "call"

    def verdict(self, code: int) -> Verdict:
        """The verdict, once pytest has ended with this exit code."""
        if self._failed:
            return Verdict.FAILED
        return Verdict.PASSED if self._passed and code == pytest.ExitCode.OK else Verdict.DID_NOT_RUN


@dataclass
class Run:
    """Tests that are run in a copy.

    Attributes:
        tests: Their node ids.
        mutation: The safeguard that is taken out meanwhile, if one is.
        verdict: How it ended, once it has.
        seconds: How long it took.
        output: What pytest wrote.
    """

    tests: Sequence[str]
    mutation: Mutation | None = None
    verdict: Verdict | None = None
    seconds: float = 0.0
    output: str = field(default="", repr=False)


@dataclass
class _Process:
    """A run that is under way."""

    run: Run
    copy: Copy
    process: ForkProcess
    begin: float

    @classmethod
    def begun(cls, run: Run, copy: Copy) -> "_Process":
        if run.mutation is not None:
            copy.mutate(run.mutation)
        process = multiprocessing.get_context("fork").Process(target=_test, args=(copy.folder, run))
        process.start()
        return cls(run, copy, process, time.monotonic())

    def has_ended(self) -> bool:
        """Whether it is over, or takes so long that it is ended here."""
        self.run.seconds = time.monotonic() - self.begin
        if self.process.is_alive():
            if self.run.seconds < _LONGEST:
                return False
            self.process.kill()
        self.process.join()
        known = {verdict.value: verdict for verdict in Verdict}
        self.run.verdict = known.get(self.process.exitcode or 0, Verdict.DID_NOT_RUN)
        self.run.output = _output(self.copy.folder).read_text(encoding="utf-8", errors="replace")
        if self.run.mutation is not None:
            self.copy.restore(self.run.mutation)
        return True


def prepare() -> None:
    """Import the libraries once, for all runs that come after."""
    for library in _LIBRARIES:
        importlib.import_module(library)
    gc.freeze()  # so that the forks copy none of it when they tidy up


def ended(runs: Sequence[Run], copies: Sequence[Copy]) -> Iterator[Run]:
    """Make these runs, one at a time in each copy, and yield each when it has ended."""
    waiting, free = list(reversed(runs)), list(copies)
    under_way: list[_Process] = []
    while waiting or under_way:
        while waiting and free:
            under_way.append(_Process.begun(waiting.pop(), free.pop()))
        wait([one.process.sentinel for one in under_way], timeout=_LOOK)
        for one in list(under_way):
            if one.has_ended():
                under_way.remove(one)
                free.append(one.copy)
                yield one.run


def _output(folder: Path) -> Path:
    return folder / "output.txt"


def _test(folder: Path, run: Run) -> None:
    """The forked process: become one that was started in the copy, and run the tests."""
    with _output(folder).open("wb") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    os.chdir(folder)
    sys.path[:] = [str(folder), *(path for path in sys.path if path not in {"", str(ROOT)})]
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ |= {"PYTHONPATH": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    if run.mutation is not None:
        os.environ["TESTS_PATIENCE"] = _PROGRESS
    for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
        del sys.modules[name]
    # Properties are tried on the same examples each time, and a failure is not made small: nobody reads it.
    settings.register_profile("mutations", derandomize=True, database=None, phases=(Phase.explicit, Phase.generate))
    settings.load_profile("mutations")
    listener = _Listener()
    try:
        code = int(pytest.main([*_OPTIONS, *run.tests], plugins=[listener]))
    except Exception:  # its very end fails of what a failed test left open; how the test ended is known by then
        traceback.print_exc()
        code = int(pytest.ExitCode.INTERNAL_ERROR)
    sys.stdout.flush()
    sys.exit(listener.verdict(code).value)
