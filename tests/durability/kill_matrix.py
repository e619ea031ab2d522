"""The kill matrix: `uv run --group test python -m tests.durability.kill_matrix`.

`--engine postgres` runs it on PostgreSQL.

One message, which makes two parallel tool calls, one that may be repeated and one that may not, and an answer of three
parts. The bot is killed with SIGKILL at the first operation, in the next run at the second, and so on until it ends
unharmed; each time it is started again, and every promise is looked at. Then the same where Discord has forgotten
the nonces; for five named kills, with a second kill at each operation of the recovery; and for an answer that is given
anew, because its question was changed.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.durability.databases import Databases, databases_of, engine_asked_for, sqlite
from tests.durability.promises import broken, broken_in_place
from tests.durability.world import World
from tests.waiting import NoProgressError

FIRST_KILLS = (
    "message received",
    "pay, done",
    "POST text1.0, answered",
    "commit runs.finish",
    "POST text1.2, answered",
)
_AT_ONCE = 4  # worlds side by side


@dataclass
class Cell:
    """One run: what it was killed at, what did not hold after it, and why it was given up, if it was."""

    kills: tuple[str, ...]
    nonces: bool
    problems: list[str]
    seconds: float
    recovery: list[str] = field(default_factory=list, repr=False)
    given_up: str = ""

    @property
    def line(self) -> str:
        """The cell as a line of the table."""
        what = "; ".join(self.kills) or "not killed"
        verdict = "BROKEN: " + " | ".join(self.problems) if self.problems else self.given_up or "ok"
        return f"{'nonces' if self.nonces else 'none':6} {self.seconds:5.2f} s  {what:60} {verdict}"


class Matrix:
    """Runs cells in folders and databases of their own, some at a time.

    Args:
        folder: Where the cells' folders are.
        databases: Where they keep their sessions.
        share: Which of the operations they are killed at.
    """

    def __init__(self, folder: Path, databases: Databases = sqlite, share: slice = slice(None)) -> None:
        self._folder = folder
        self._databases = databases
        self._share = share
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def operations(self) -> list[str]:
        """The operations of an unharmed run, in order; raises AssertionError when it is no such run by itself."""
        cell = await self.cell()
        if cell.problems or cell.given_up:
            raise AssertionError(cell.line)
        return cell.recovery

    async def cell(self, *kills: str, nonces: bool = True) -> Cell:
        """Kill at these operations, one process after the other, then let one finish."""
        async with self._slots:
            begin = time.monotonic()
            cell = await self._run(kills, nonces=nonces)
            cell.seconds = time.monotonic() - begin
        return cell

    async def _run(self, kills: tuple[str, ...], *, nonces: bool) -> Cell:
        cell = Cell(kills, nonces, [], 0.0)
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        async with World.open(folder, self._databases, nonce_seconds=300.0 if nonces else 0.0) as world:
            cell.problems = await self._runs(world, cell, kills, say=True)
            if not cell.problems and not cell.given_up:
                cell.problems = broken(world, kills=len(kills))
        return cell

    @staticmethod
    async def _runs(world: World, cell: Cell, kills: tuple[str, ...], *, say: bool = False) -> list[str]:
        """Run until all kills are done and the rest has ended unharmed; what went otherwise."""
        try:
            for number, kill_at in enumerate([*kills, None]):
                died, cell.recovery = await world.run(say=say and number == 0, kill_at=kill_at)
                if died != (kill_at is not None):
                    return [f"it ended at {cell.recovery[-1:]}" if died else f"{kill_at!r} did not come"]
        except NoProgressError as error:
            cell.given_up = "; ".join([str(error), *error.__notes__])
        return []

    async def edited(self, *kills: str) -> Cell:
        """Answer unharmed; then the question is changed, and the next process is killed while it answers anew."""
        async with self._slots:
            begin, cell = time.monotonic(), Cell(("edited", *kills), True, [], 0.0)
            async with World.open(Path(tempfile.mkdtemp(dir=self._folder)), self._databases) as world:
                await world.run(say=True)
                first = world.shown()[0]
                world.edit()
                cell.problems = await self._runs(world, cell, kills)
                if not cell.problems and not cell.given_up:
                    cell.problems = broken_in_place(world, first, kills=len(kills))
            cell.seconds = time.monotonic() - begin
        return cell

    async def edited_and_killed(self) -> list[Cell]:
        """A kill at each operation of an answer that is given anew."""
        unharmed = await self.edited()
        return [unharmed, *await asyncio.gather(*(self.edited(name) for name in unharmed.recovery[self._share]))]

    async def one_kill(self, *, nonces: bool) -> list[Cell]:
        """The whole matrix: a kill at each operation."""
        operations = (await self.operations())[self._share]
        return list(await asyncio.gather(*(self.cell(name, nonces=nonces) for name in operations)))

    async def two_kills(self, first: str) -> list[Cell]:
        """A kill at each operation of the recovery from a first kill."""
        recovery = (await self.cell(first)).recovery
        return list(await asyncio.gather(*(self.cell(first, second) for second in recovery[self._share])))


def table(cells: list[Cell]) -> Iterator[str]:
    """The cells as lines, numbered."""
    return (f"{number:4}  {cell.line}" for number, cell in enumerate(cells, 1))


async def _all(engine: str) -> list[Cell]:
    with tempfile.TemporaryDirectory() as folder, databases_of(engine) as databases:
        matrix = Matrix(Path(folder), databases)
        cells: list[Cell] = []
        for nonces in (True, False):
            cells += await matrix.one_kill(nonces=nonces)
        for first in FIRST_KILLS:
            cells += await matrix.two_kills(first)
        return cells + await matrix.edited_and_killed()


def main() -> int:
    """Run everything, and print the table."""
    engine = engine_asked_for(__doc__)
    begin = time.monotonic()
    cells = asyncio.run(_all(engine))
    sys.stdout.write(f"The kill matrix on {engine}, {datetime.now(UTC):%Y-%m-%d}\n")
    for line in table(cells):
        sys.stdout.write(f"{line}\n")
    wrong, given_up = sum(bool(cell.problems) for cell in cells), sum(bool(cell.given_up) for cell in cells)
    seconds = time.monotonic() - begin
    sys.stdout.write(f"{len(cells)} runs in {seconds:.0f} s, {wrong} with a broken promise, {given_up} given up\n")
    return int(wrong + given_up > 0)


if __name__ == "__main__":
    sys.exit(main())
