"""Copies of the sources, in which safeguards are taken out."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.mutations.mutation import Mutation

ROOT = Path(__file__).parents[2]
_COPIED = (
    *("llmgine", "programs", "tests", "docs", "pyproject.toml", "README.md", ".env.example", ".ci"),
    *(
        "LICENSE",
        "hatch_build.py",
        "run_function_chat.sh",
    ),  # what the wheel is built from, and where commands are named
)


class Copy:
    """One copy. What Python compiles is kept between runs, but never for a file that is another one by then.

    Args:
        folder: An empty folder of its own.
        names: What is copied of the repository.
    """

    def __init__(self, folder: Path, names: Iterable[str] = _COPIED) -> None:
        self.folder = folder
        self._mutations = 0
        for name in names:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, folder / name)

    def mutate(self, mutation: Mutation) -> None:
        """Take out a safeguard.

        Raises:
            ValueError: Its text is not in its file exactly once.
        """
        path = self.folder / mutation.path
        text = path.read_text(encoding="utf-8")
        if text.count(mutation.before) != 1:
            times = text.count(mutation.before)
            raise ValueError(f"{mutation.name}: {mutation.path} has its text {times} times, not once")
        path.write_text(text.replace(mutation.before, mutation.after), encoding="utf-8")
        # Compiled files are told apart by size and second, so each mutation is given a second of its own.
        self._mutations += 1
        os.utime(path, (self._mutations, self._mutations))

    def restore(self, mutation: Mutation) -> None:
        """Put the safeguard back."""
        shutil.copy2(ROOT / mutation.path, self.folder / mutation.path)
