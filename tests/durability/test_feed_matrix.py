"""The kill matrix of what comes in, as tests; `python -m tests.durability.feed_matrix` prints the table of all runs."""

from pathlib import Path

import pytest

from tests.durability.feed_matrix import FeedMatrix, Scenario, table


# Both kinds have nearly the same operations: each is killed at every second one, and the other at those between.
@pytest.mark.parametrize(("scenario", "first"), [(Scenario.LATE_SERVER, 0), (Scenario.SECOND_READY, 1)])
async def test_killed_while_it_catches_up(tmp_path: Path, scenario: Scenario, first: int) -> None:
    """Killed at any operation while it learns of edits, deletions and questions: each has one answer, in order."""
    cells = await FeedMatrix(tmp_path).cells(scenario, slice(first, None, 2))

    lines = list(table(cells))
    print("\n".join(lines))  # noqa: T201  the table is what a failure is read from
    assert len(cells) >= 18
    assert [line for line, cell in zip(lines, cells, strict=True) if cell.problems] == []
    alive = [cell.line for cell in cells if cell.kill_at is not None and not cell.died]
    assert len(alive) <= len(cells) // 10  # what is written together in one run may be written apart in another
