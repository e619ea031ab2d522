"""The safeguards that `mutations.py` takes out are where it looks for them."""

from pathlib import Path

import pytest

from tests.durability.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_safeguard_is_found_once(mutation: Mutation) -> None:
    """Its text stands once in its file, and the tests that are to notice exist."""
    assert (ROOT / mutation.path).read_text(encoding="utf-8").count(mutation.before) == 1
    assert all((ROOT / test.partition("::")[0]).is_file() for test in mutation.tests)
