"""The recipes of docs/extending.md are followed to the letter, each in a copy of the tree."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import PAGES, Block, blocks, section
from tests.mutations.copies import Copy

PAGE = "docs/extending.md"
RECIPES = [
    heading
    for heading in re.findall(r"^## (.+)$", PAGES[PAGE], re.MULTILINE)
    if "\nFiles that change:" in section(PAGE, heading)
]


def change(folder: Path, block: Block) -> None:
    """Do with a file what a block says: create it, or replace lines that are in it exactly once."""
    assert block.path is not None, f"no file is named before:\n{block.text}"
    path = folder / block.path
    if block.creates:
        assert not path.exists(), f"{block.path} is there already"
        path.write_text(block.text, encoding="utf-8")
        return
    lines = block.text.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if not line.startswith("+"))
    after = "".join(line[1:] for line in lines if not line.startswith("-"))
    text = path.read_text(encoding="utf-8")
    assert f"\n{text}".count(f"\n{before}") == 1, f"{block.path} does not have these lines once:\n{before}"
    path.write_text(f"\n{text}".replace(f"\n{before}", f"\n{after}").removeprefix("\n"), encoding="utf-8")


def run(folder: Path, command: str) -> None:
    """Run a command of a recipe in the copy, with the tools that are installed for these tests."""
    settings, runner, arguments = command.partition("uv run --group test pytest ")
    assert runner, f"{command}: only pytest can be run here"
    environment = os.environ | dict(one.split("=", 1) for one in settings.split())
    environment |= {"PYTHONPATH": str(folder), "PYTEST_ADDOPTS": "-n 0 -p no:cacheprovider"}
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", *shlex.split(arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-5_000:]}{done.stderr[-5_000:]}"


def files(folder: Path) -> dict[str, bytes]:
    """What is in the sources and documents of a folder; not what tools leave there."""
    names = ("llmgine", "programs", "tests", "docs")
    found = [path for name in names for path in (folder / name).rglob("*") if path.is_file()]
    found += [folder / name for name in ("README.md", ".env.example", "pyproject.toml")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if "__pycache__" not in path.parts}


def test_there_are_recipes() -> None:
    """The test below has something to follow."""
    assert len(RECIPES) >= 6


@pytest.mark.parametrize("heading", RECIPES)
def test_a_recipe_works_and_names_every_file(heading: str, tmp_path: Path) -> None:
    """Its changes can be made, its commands succeed, and the files that differ then are those it lists."""
    recipe = section(PAGE, heading)
    copy = Copy(tmp_path).folder
    before = files(copy)

    for block in blocks(recipe):
        if block.language == "bash":
            for command in block.text.splitlines():
                run(copy, command)
        else:
            change(copy, block)

    after = files(copy)
    listed = re.search(r"^Files that change:(.*?)\.$", recipe, re.MULTILINE | re.DOTALL)
    assert listed is not None
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == set(re.findall(r"`([^`]+)`", listed[1]))
