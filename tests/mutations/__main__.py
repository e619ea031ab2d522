"""Take out each safeguard, or those whose names have all of the words given, and say which ones no test noticed."""

import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.mutations.catalogue import MUTATIONS
from tests.mutations.copies import Copy
from tests.mutations.mutation import Mutation
from tests.mutations.runs import Run, Verdict, ended, prepare

_AT_ONCE = 2
_TRIES = 3  # of the tests while nothing is taken out
_TAIL = 4_000  # characters of pytest's output
_WORDS = {Verdict.FAILED: "noticed", Verdict.PASSED: "NOT NOTICED", Verdict.DID_NOT_RUN: "NOT TESTED"}


def main(words: Sequence[str]) -> int:
    """Try mutations; returns 0 when all were noticed, 1 when one was not, 2 when that cannot be said."""
    begin = time.monotonic()
    chosen = [one for one in MUTATIONS if all(word in one.name for word in words)]
    prepare()
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(_AT_ONCE)]
        copies = [Copy(folder) for folder in folders]
        if not _pass_unchanged(chosen, copies):
            return 2
        verdicts: list[Verdict | None] = []
        for run in ended([Run(one.tests, one) for one in chosen], copies):
            verdicts.append(run.verdict)
            _tell(run, in_full=bool(words))
    noticed, tried = verdicts.count(Verdict.FAILED), len(verdicts)
    _say(f"{noticed} of {tried} mutations noticed, in {time.monotonic() - begin:.0f} s")
    if Verdict.DID_NOT_RUN in verdicts or not tried:
        return 2
    return int(noticed < tried)


def _pass_unchanged(chosen: Sequence[Mutation], copies: Sequence[Copy]) -> bool:
    """Whether the tests of all mutations pass while nothing is taken out.

    A machine that stands still for a moment fails a test by accident, so what failed is tried again in smaller parts.
    """
    tests = sorted({test for mutation in chosen for test in mutation.tests})
    parts = _quarters(tests)
    for _ in range(_TRIES):
        failed: list[str] = []
        for run in ended([Run(part) for part in parts], copies):
            words = "pass" if run.verdict is Verdict.PASSED else f"do not pass\n{run.output[-_TAIL:]}"
            _say(f"{run.seconds:5.1f} s  with nothing taken out, {len(run.tests)} tests {words}")
            if run.verdict is not Verdict.PASSED:
                failed += run.tests
        if not failed:
            return True
        parts = _quarters(failed)
    return False


def _quarters(tests: Sequence[str]) -> list[Sequence[str]]:
    size = -(-len(tests) // 4)
    return [tests[begin : begin + size] for begin in range(0, len(tests), size)]


def _tell(run: Run, *, in_full: bool) -> None:
    if run.mutation is None or run.verdict is None:
        return
    _say(f"{_WORDS[run.verdict]:11} {run.seconds:5.1f} s  without {run.mutation.name}")
    if in_full or run.verdict is Verdict.DID_NOT_RUN:
        _say(run.output[-_TAIL:])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
