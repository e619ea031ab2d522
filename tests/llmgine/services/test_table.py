"""The documents' table of services is the one made from the stand-ins."""

import os
import re
from pathlib import Path

from tests.services.catalogue import REAL, SERVICES, STAND_IN, markdown_table

PAGE = Path(__file__).parents[3] / "docs" / "models.md"


def test_the_table_of_services_is_the_one_made_from_the_stand_ins() -> None:
    """Every stand-in has its row in docs/models.md; `UPDATE_README=1 pytest` writes them."""
    text = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(r"(<!-- services -->\n).*?(<!-- /services -->)", re.DOTALL)
    renewed = pattern.sub(lambda match: f"{match[1]}{markdown_table()}\n{match[2]}", text)
    if os.environ.get("UPDATE_README"):
        PAGE.write_text(renewed, encoding="utf-8")

    assert renewed == text or os.environ.get("UPDATE_README")
    assert len(pattern.findall(text)) == 1


def test_each_row_is_told_from_the_others_and_says_all() -> None:
    """No two rows have one name or one stand-in, and none leaves a column empty."""
    assert len({entry.name for entry in SERVICES}) == len({entry.make for entry in SERVICES}) == len(SERVICES)
    assert all(entry.works and entry.how and entry.checked in {STAND_IN, REAL} for entry in SERVICES)
