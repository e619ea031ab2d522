"""The table of what is here and what is not, held against the routes, Discord's document and ours."""

from collections import Counter

import pytest

from programs.playground.api_table import FAMILIES, family_of, shape, table
from programs.playground.openapi import Document
from programs.playground.server import Playground
from tests.documents import check_table


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


def test_the_documents_have_the_table() -> None:
    """The block in docs/playground.md is what `python -m programs.playground --table` prints."""
    check_table("docs/playground.md", "playground", table(Playground().routes()))
