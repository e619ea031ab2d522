"""The documents' table of services is the one made from the stand-ins."""

from tests.documents import check_table
from tests.services.catalogue import REAL, SERVICES, STAND_IN, markdown_table


def test_the_table_of_services_is_the_one_made_from_the_stand_ins() -> None:
    """Every stand-in has its row in docs/models.md."""
    check_table("docs/models.md", "services", markdown_table())


def test_each_row_is_told_from_the_others_and_says_all() -> None:
    """No two rows have one name or one stand-in, and none leaves a column empty."""
    assert len({entry.name for entry in SERVICES}) == len({entry.make for entry in SERVICES}) == len(SERVICES)
    assert all(entry.works and entry.how and entry.checked in {STAND_IN, REAL} for entry in SERVICES)
