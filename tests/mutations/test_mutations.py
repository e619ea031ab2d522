"""The mutation check can be made: each safeguard is where it is looked for, and a run's verdict is the right one."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutations.catalogue import MUTATIONS
from tests.mutations.copies import ROOT, Copy
from tests.mutations.mutation import Mutation

_names = pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)


@_names
def test_each_safeguard_is_found_once(mutation: Mutation) -> None:
    """Its text is in its file once, and another one takes its place."""
    assert (ROOT / mutation.path).read_text(encoding="utf-8").count(mutation.before) == 1
    assert mutation.before != mutation.after


@_names
def test_the_tests_that_are_to_notice_exist(mutation: Mutation) -> None:
    """Each is in its file, in its class; whether it has such a parameter the check itself finds."""
    assert mutation.tests
    for test in mutation.tests:
        path, *names = test.partition("[")[0].split("::")
        found: list[ast.AST] = [ast.parse((ROOT / path).read_text(encoding="utf-8"))]
        for name in names:
            found = [one for one in ast.iter_child_nodes(found[0]) if getattr(one, "name", "") == name]
            assert len(found) == 1


def test_names_are_given_once() -> None:
    """So that a line of the check says which one it is about."""
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)


# What a test may come to, and whether it notices then.
ENDS = {
    "def test_it(): pass": "PASSED",
    "def test_it(): assert False": "FAILED",
    "def test_it(nowhere): pass": "DID_NOT_RUN",
    "import nowhere\ndef test_it(): pass": "DID_NOT_RUN",
    "def test_other(): pass": "DID_NOT_RUN",
    "import pytest\n@pytest.fixture\ndef it():\n  yield\n  assert False\ndef test_it(it): pass": "DID_NOT_RUN",
    "import pytest\ndef test_it(): pytest.skip()": "DID_NOT_RUN",
    "import os\ndef test_it(): os._exit(1)": "DID_NOT_RUN",
}
# A process of its own, as runs are forks, for which the threads of a process that runs tests are none.
RUNS = """
import sys
from pathlib import Path
from tests.mutations.copies import Copy
from tests.mutations.runs import Run, ended
runs = [Run([f"test_{number}.py::test_it"]) for number in range(int(sys.argv[2]))]
for run in ended(runs, [Copy(Path(sys.argv[1]), names=())]):
    print(run.verdict.name)
"""


def test_only_a_test_that_fails_notices(tmp_path: Path) -> None:
    """A test that cannot be run is no sign that a safeguard is looked at."""
    for number, body in enumerate(ENDS):
        (tmp_path / f"test_{number}.py").write_text(body)

    command = [sys.executable, "-c", RUNS, str(tmp_path), str(len(ENDS))]
    ran = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=True)

    assert dict(zip(ENDS, ran.stdout.decode().split(), strict=True)) == ENDS


def test_a_mutation_is_there_for_its_run_alone(tmp_path: Path) -> None:
    """A file that was put back is the one that it was; no two mutations have one time, by which Python tells them."""
    copy, original, copied = Copy(tmp_path, names=("README.md",)), ROOT / "README.md", tmp_path / "README.md"
    title = original.read_text(encoding="utf-8").splitlines()[0] + "\n"
    times = []
    for words in ("# Snow\n", "# Rain\n"):
        mutation = Mutation("the title", "README.md", title, words, ())

        copy.mutate(mutation)
        times.append(copied.stat().st_mtime)
        assert copied.read_text(encoding="utf-8").startswith(words)

        copy.restore(mutation)
        assert copied.read_bytes() == original.read_bytes()
        times.append(copied.stat().st_mtime)
    assert times[1] == times[3] == original.stat().st_mtime
    assert len(set(times)) == 3


def test_a_safeguard_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Its mutation would change nothing, and so would be said not to be noticed."""
    copy = Copy(tmp_path, names=("README.md",))

    with pytest.raises(ValueError, match="0 times, not once"):
        copy.mutate(Mutation("snow", "README.md", "\u2603", "", ()))
