"""The table of faults is true: each test it names is there."""

import ast
from pathlib import Path

import pytest

from tests.durability.faults import FAULTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "test", [test for faults in FAULTS.values() for test in faults.values()], ids=lambda test: test.rpartition("::")[2]
)
def test_every_fault_has_its_test(test: str) -> None:
    """A test that was renamed or removed is missed here."""
    path, *names = test.split("::")
    body = ast.parse((ROOT / path).read_text()).body
    for name in names:
        found = [node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
        (node,) = [node for node in found if node.name == name]
        body = node.body
