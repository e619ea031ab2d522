"""The mutation check: `uv run python -m tests.durability.mutations`.

Each thing that keeps a message from being lost or doubled is taken out in turn, in a copy of the sources; the tests
named with it must then fail. Without this check a test that can never fail would not be noticed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_COPIED = ("llmgine", "programs", "tests", "pyproject.toml", "README.md", ".env.example")
_PATIENCE = 300.0  # seconds for the tests of one mutation


@dataclass(frozen=True)
class Mutation:
    """One protection taken out, as a replacement in a file, and the tests that must notice."""

    name: str
    path: str
    before: str
    after: str
    tests: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "the nonce",
        "programs/discord/delivery/poster.py",
        "channel.send(nonce=nonce, ",
        "channel.send(",
        ("tests/programs/discord/test_discord_faults.py", "tests/programs/discord/test_restart.py"),
    ),
    Mutation(
        "the admission key",
        "llmgine/sessions/operations/turns.py",
        "            (prompt.source, prompt.source_id, turn_id),\n        )\n        if not new:",
        "            (prompt.source, f'{prompt.source_id} {turn_id}', turn_id),\n        )\n        if not new:",
        ("tests/llmgine/sessions/test_turns.py", "tests/durability/test_catch_up.py"),
    ),
    Mutation(
        "the claim number",
        "llmgine/sessions/operations/runs.py",
        "WHERE id = $1 AND claim = $2 AND (",
        "WHERE id = $1 AND $2 = $2 AND (",
        ("tests/llmgine/sessions/test_late_writes.py",),
    ),
    Mutation(
        "one running turn a session",
        "llmgine/sessions/schema.py",
        "CREATE UNIQUE INDEX one_running",
        "CREATE INDEX one_running",
        ("tests/llmgine/sessions/test_turns.py",),
    ),
    Mutation(
        "dropping the settings that are known",
        "llmgine/sessions/store.py",
        "self._settings_changes += operation.name in _CHANGE_SETTINGS",
        "pass",
        ("tests/programs/discord/test_settings_cache.py",),
    ),
    Mutation(
        "commit before send",
        "llmgine/engine/turn.py",
        "await self._store_outcome(outcome, self._render(steps))",
        "await self._store_outcome(outcome, ())",
        ("tests/durability/test_kill_matrix.py::test_killed_at_any_operation",),
    ),
    Mutation(
        "the tool's started record",
        "llmgine/engine/calls.py",
        "await round_.scope.append(StartedStep(round=round_.number, call_id=call.id, at=datetime.now(UTC)))",
        "pass",
        ("tests/durability/test_kill_matrix.py::test_killed_at_any_operation",),
    ),
    Mutation(
        "reading the channel back",
        "programs/discord/delivery/views.py",
        "await self._read_back.orphans(turn, died=died) if doubtful else Orphans()",
        "Orphans()",
        ("tests/durability/test_kill_matrix.py::test_killed_at_any_operation_and_the_nonces_forgotten",),
    ),
)


def copied(folder: Path) -> None:
    """Copy the sources into the folder."""
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)


def survives(mutation: Mutation, folder: Path) -> bool:
    """Whether its tests stay green without the protection, which must not be."""
    path = folder / mutation.path
    text = path.read_text()
    if text.count(mutation.before) != 1:
        raise ValueError(f"{mutation.name}: {mutation.path} no longer holds the line; write the mutation anew")
    path.write_text(text.replace(mutation.before, mutation.after))
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n0", "-p", "no:cacheprovider", *mutation.tests]
        environment = os.environ | {"PYTHONPATH": str(folder)}
        ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=_PATIENCE, check=False)
    finally:
        path.write_text(text)
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"{mutation.name}: the tests did not run\n{ran.stdout.decode()[-2000:]}")
    return ran.returncode == 0


def main() -> int:
    """Try every mutation, and say which ones no test noticed."""
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        copied(Path(folder))
        for mutation in MUTATIONS:
            alive = survives(mutation, Path(folder))
            survivors += alive
            sys.stdout.write(f"{'NOT NOTICED' if alive else 'noticed':12} without {mutation.name}\n")
            sys.stdout.flush()
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main())
