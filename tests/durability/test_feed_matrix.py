"""The kill matrix of what comes in, as tests; `python -m tests.durability.feed_matrix` prints the table of all runs."""

from pathlib import Path

import pytest

from tests.durability.databases import Databases
from tests.durability.feed_matrix import FeedMatrix, Scenario, table

# At how many of the operations it is killed here; on PostgreSQL each restart waits for a lease to pass.
_EVERY = {"sqlite": 2, "postgres": 24}


# Both kinds have nearly the same operations: each is killed at its own share of them.
@pytest.mark.parametrize(("scenario", "number"), [(Scenario.LATE_SERVER, 0), (Scenario.SECOND_READY, 1)])
async def test_killed_while_it_catches_up(
    tmp_path: Path, engine: str, databases: Databases, scenario: Scenario, number: int
) -> None:
    """Killed at any operation while it learns of edits, deletions and questions: each has one answer, in order."""
    every = _EVERY[engine]
    cells = await FeedMatrix(tmp_path, databases).cells(scenario, slice(number * every // 2, None, every))

    lines = list(table(cells))
    print("\n".join(lines))  # noqa: T201  the table is what a failure is read from
    assert len(cells) >= 36 // every
    assert [line for line, cell in zip(lines, cells, strict=True) if cell.problems] == []
    alive = [cell.line for cell in cells if cell.kill_at is not None and not cell.died]
    assert len(alive) <= max(len(cells) // 10, 1)  # what is written together in one run may be apart in another
