"""What can be imported from `llmgine` itself."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import llmgine
from tests.documents import PAGES, blocks

TREE = ast.parse(Path(llmgine.__file__).read_text(encoding="utf-8"))
# What type checkers read: the module that each name is imported from.
TYPED = {
    alias.name: str(statement.module)
    for node in TREE.body
    if isinstance(node, ast.If)
    for statement in node.body
    if isinstance(statement, ast.ImportFrom)
    for alias in statement.names
    if alias.asname == alias.name  # without it, a name is not for others
}


def test_type_checkers_and_programs_see_the_same_names() -> None:
    """Each name is imported for type checkers too, and is the very object of its module, also the second time."""
    assert len(llmgine.__all__) >= 40
    assert set(TYPED) == set(llmgine.__all__)
    for name, module in TYPED.items():
        there = getattr(import_module(module), name)
        assert getattr(llmgine, name) is there
        assert getattr(llmgine, name) is there


def test_editors_are_told_all_names() -> None:
    """`dir()` lists the names before they are loaded, and `import *` brings them."""
    show = "import llmgine; print(*dir(llmgine)); from llmgine import *; print(ask, Tool)"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)

    assert set(llmgine.__all__) <= set(done.stdout.splitlines()[0].split())


def test_a_name_that_is_not_there_is_an_ordinary_error() -> None:
    """A typo is an AttributeError or an ImportError that names it, and a probe by `hasattr` is False."""
    assert not hasattr(llmgine, "__path_of_nothing__")
    with pytest.raises(AttributeError, match="module 'llmgine' has no attribute 'MesageBus'"):
        _ = llmgine.MesageBus  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match="cannot import name 'MesageBus' from 'llmgine'"):
        exec("from llmgine import MesageBus")  # noqa: S102  a mistake that mypy would find


def test_pages_import_public_names_from_the_package() -> None:
    """What a page shows to users of the library is the short form; files of the library itself import from parts."""
    shown = [
        (statement.module, alias.name)
        for text in PAGES.values()
        for block in blocks(text)
        if block.language == "python" and not (block.path or "").startswith("llmgine/")
        for statement in ast.walk(ast.parse(block.text))
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("llmgine")
        for alias in statement.names
    ]

    assert ("llmgine", "ask") in shown
    assert [(module, name) for module, name in shown if module != "llmgine" and name in TYPED] == []
