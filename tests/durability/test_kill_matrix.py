"""The kill matrix as tests; `python -m tests.durability.kill_matrix` prints the table of all runs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.durability.databases import Databases
from tests.durability.kill_matrix import FIRST_KILLS, Cell, Matrix, table

# On PostgreSQL each restart waits for a lease to pass, so here it is killed at some of the operations only.
_EVERY = {"sqlite": 1, "postgres": 12}


@pytest.fixture
def every(engine: str) -> int:
    """How many operations come to each at which it is killed."""
    return _EVERY[engine]


@pytest.fixture
def matrix(tmp_path: Path, databases: Databases, every: int) -> Callable[[int], Matrix]:
    """Makes a matrix; on PostgreSQL each test counts the operations from another one on."""
    return lambda number: Matrix(tmp_path, databases, slice(number % every, None, every))


def _none_broken(cells: list[Cell], *, at_least: int) -> None:
    lines = list(table(cells))
    print("\n".join(lines))  # noqa: T201  the table is what a failure is read from
    assert len(cells) >= at_least
    assert [line for line, cell in zip(lines, cells, strict=True) if cell.problems] == []
    assert [cell.given_up for cell in cells if cell.given_up] == []


async def test_killed_at_any_operation(matrix: Callable[[int], Matrix], every: int) -> None:
    """Killed at any commit or request of a turn and started again: one outcome, every part once, no effect twice."""
    _none_broken(await matrix(0).one_kill(nonces=True), at_least=30 // every)


async def test_killed_at_any_operation_and_the_nonces_forgotten(matrix: Callable[[int], Matrix], every: int) -> None:
    """The same when the restart comes so late that Discord has forgotten the nonces: the channel is read back."""
    _none_broken(await matrix(2).one_kill(nonces=False), at_least=30 // every)


@pytest.mark.parametrize("first", FIRST_KILLS)
async def test_killed_again_in_the_recovery(matrix: Callable[[int], Matrix], every: int, first: str) -> None:
    """Killed a second time, at any operation of the recovery: every promise still holds."""
    _none_broken(await matrix(FIRST_KILLS.index(first)).two_kills(first), at_least=10 // every)


async def test_killed_while_it_answers_anew(matrix: Callable[[int], Matrix], every: int) -> None:
    """Killed at any operation after an edit: the new answer stands alone, in the first message of the old one."""
    _none_broken(await matrix(1).edited_and_killed(), at_least=15 // every)
