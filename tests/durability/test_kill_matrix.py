"""The kill matrix as tests; `python -m tests.durability.kill_matrix` prints the table of all runs."""

from pathlib import Path

import pytest

from tests.durability.kill_matrix import FIRST_KILLS, Cell, Matrix, table


@pytest.fixture
def matrix(tmp_path: Path) -> Matrix:
    return Matrix(tmp_path)


def _none_broken(cells: list[Cell], *, at_least: int) -> None:
    lines = list(table(cells))
    print("\n".join(lines))  # noqa: T201  the table is what a failure is read from
    assert len(cells) >= at_least
    assert [line for line, cell in zip(lines, cells, strict=True) if cell.problems] == []
    assert [cell.given_up for cell in cells if cell.given_up] == []


async def test_killed_at_any_operation(matrix: Matrix) -> None:
    """Killed at any commit or request of a turn and started again: one outcome, every part once, no effect twice."""
    _none_broken(await matrix.one_kill(nonces=True), at_least=30)


async def test_killed_at_any_operation_and_the_nonces_forgotten(matrix: Matrix) -> None:
    """The same when the restart comes so late that Discord has forgotten the nonces: the channel is read back."""
    _none_broken(await matrix.one_kill(nonces=False), at_least=30)


@pytest.mark.parametrize("first", FIRST_KILLS)
async def test_killed_again_in_the_recovery(matrix: Matrix, first: str) -> None:
    """Killed a second time, at any operation of the recovery: every promise still holds."""
    _none_broken(await matrix.two_kills(first), at_least=5)


async def test_killed_while_it_answers_anew(matrix: Matrix) -> None:
    """Killed at any operation after an edit: the new answer stands alone, in the first message of the old one."""
    _none_broken(await matrix.edited_and_killed(), at_least=15)
