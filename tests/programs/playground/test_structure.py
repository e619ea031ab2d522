"""What the playground says in one place only."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

PLAYGROUND = Path(__file__).parents[3] / "programs" / "playground"
STATES = {"Admin", "BaseState", "Rights", "State"}  # the classes that have and change the state of the playground


def modules() -> Iterator[tuple[str, ast.Module]]:
    """The playground's modules, by name."""
    for path in sorted(PLAYGROUND.rglob("*.py")):
        yield path.stem, ast.parse(path.read_text())


def names_of_events(node: ast.AST) -> int:
    """How many names of gateway events a collection has."""
    inside: list[ast.expr | None] = []
    if isinstance(node, ast.Dict):
        inside = [*node.keys]
    elif isinstance(node, ast.Set | ast.List | ast.Tuple):
        inside = [*node.elts]
    known = re.compile(r"(CHANNEL|GUILD|INTERACTION|MESSAGE|THREAD)_[A-Z_]+")
    values = [one.value for one in inside if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return sum(known.fullmatch(value) is not None for value in values)


def test_gateway_events_are_listed_once() -> None:
    """There is one table of the gateway's events; the schemas of Discord's document are another matter."""
    lists = [
        f"{name}:{node.lineno}"
        for name, module in modules()
        for node in ast.walk(module)
        if name != "openapi" and isinstance(node, ast.expr) and names_of_events(node) >= 5
    ]

    assert [one.partition(":")[0] for one in lists] == ["gateway_events"], lists


def test_what_is_administered_is_in_one_class() -> None:
    """Of the classes that hold and change the playground's world, no two have methods of the same name."""
    methods = {
        node.name: {one.name for one in node.body if isinstance(one, ast.FunctionDef) and one.name[0] != "_"}
        for _, module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef) and node.name in STATES
    }

    assert methods.keys() == STATES
    shared = {f"{a} and {b}": methods[a] & methods[b] for a, b in itertools.combinations(methods, 2)}
    assert not any(shared.values()), shared
