"""The table of what is here and what is not, held against the routes, Discord's document and the README."""

from collections import Counter
from pathlib import Path

import pytest

from programs.playground.api_table import BEGIN, END, FAMILIES, family_of, shape, table
from programs.playground.openapi import Document
from programs.playground.server import Playground

README = Path(__file__).parents[3] / "README.md"


def test_the_table_counts_the_routes() -> None:
    """Every route stands in one family, and no family has more than Discord."""
    routes = Playground().routes()
    here = Counter(family_of(path).name for _, path in routes)

    assert sum(here.values()) == len(routes) >= 50
    for family in FAMILIES:
        assert here[family.name] <= family.total
        assert f"| {family.name} | {here[family.name]} | {family.total} |" in table(routes)


@pytest.mark.usefixtures("needs_the_document")
def test_the_families_are_discords(document: Document) -> None:
    """Their totals are those of the document, and what is said to be missing exists and is."""
    routes = {(method, shape(path)) for method, path in Playground().routes()}
    operations = document.operation_ids()
    totals = Counter(family_of(path).name for _, path in operations)
    missing = {
        name: family_of(path).name for (method, path), name in operations.items() if (method, path) not in routes
    }

    assert {family.name: family.total for family in FAMILIES} == totals
    assert {name: missing.get(name) for family in FAMILIES for name in family.missing} == {
        name: family.name for family in FAMILIES for name in family.missing
    }
    assert routes <= set(operations)


def test_the_readme_tells_the_table() -> None:
    """The block in the README is what `python -m programs.playground --table` prints."""
    text = README.read_text()
    block = text.partition(BEGIN)[2].partition(END)[0]

    assert block.strip() == table(Playground().routes()).strip()
