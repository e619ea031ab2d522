"""The kill matrix of what comes in: `uv run --group test python -m tests.durability.feed_matrix`.

`--engine postgres` runs it on PostgreSQL.

While the bot is away, one of two answered questions is edited, the other is deleted, and two more are asked. The next
process learns of it in a hard way (see `Scenario`), and is killed at its first operation, in the next run at the
second, and so on; the process after it meets the same. Each question has one answer in the end, in order: the edited
one as it was edited, and none to the one that was deleted.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from programs.discord.ids import SOURCE
from programs.playground.entities import ADA_ID, BOT_ID, GENERAL_ID, Message
from tests.durability.databases import Databases, databases_of, engine_asked_for, sqlite
from tests.durability.world import World, hello_to
from tests.waiting import NoProgressError

HISTORY = "/channels/{channel_id}/messages"
ANSWERS = [hello_to(name) for name in ("uno", "three", "four")]
_AT_ONCE = 4  # worlds side by side
_SERVERS_WAIT = 0.02  # seconds for which a process waits for a server that comes late


class Scenario(Enum):
    """How a process learns of what it missed."""

    LATE_SERVER = "a late server"  # The server comes when the bot has been ready for a while.
    SECOND_READY = "a second READY"  # READY comes again while what was missed is read.


@dataclass
class Cell:
    """One run: what it was killed at, its operations, and what is wrong after it."""

    scenario: Scenario
    kill_at: str | None
    died: bool = False
    operations: list[str] = field(default_factory=list, repr=False)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def line(self) -> str:
        """The cell as a line of the table."""
        verdict = "BROKEN: " + " | ".join(self.problems) if self.problems else "ok" if self.died else "ok, not killed"
        return f"{self.scenario.value:14} {self.seconds:5.2f} s  {self.kill_at or '-':60} {verdict}"


class FeedMatrix:
    """Runs cells in folders and databases of their own, some at a time."""

    def __init__(self, folder: Path, databases: Databases = sqlite) -> None:
        self._folder = folder
        self._databases = databases
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def cells(self, scenario: Scenario, operations: slice = slice(None)) -> list[Cell]:
        """A run without a kill, and one with a kill at each of its operations, or at some of them."""
        unharmed = await self.cell(scenario)
        killed = (self.cell(scenario, name) for name in unharmed.operations[operations])
        return [unharmed, *await asyncio.gather(*killed)]

    async def cell(self, scenario: Scenario, kill_at: str | None = None) -> Cell:
        """Have what was missed caught up with, by a process that is killed and another one, or by one alone."""
        async with self._slots:
            begin, cell = time.monotonic(), Cell(scenario, kill_at)
            folder = Path(tempfile.mkdtemp(dir=self._folder))
            async with World.open(folder, self._databases) as world:
                try:
                    await _run(world, cell)
                except NoProgressError as error:
                    cell.problems = ["; ".join([str(error), *error.__notes__, str(_shown(world))])]
                else:
                    cell.problems = list(_broken(world, kills=int(cell.died)))
            cell.seconds = time.monotonic() - begin
        return cell


async def _run(world: World, cell: Cell) -> None:
    """Two questions are answered, the world changes, and one process after the other catches up."""
    asked: list[Message] = []

    async def two_questions() -> None:
        await world.until_in()
        for name in ("one", "two"):
            asked.append(_ask(world, name))
            await world.until("an answer", lambda name=name: _shown(world)[-1:] == [hello_to(name)])  # type: ignore[misc]

    await world.live(two_questions, lambda: _is_quiet(world), armed=False)
    first, second = asked
    world.playground.people.edit(GENERAL_ID, first.id, ADA_ID, f"<@{BOT_ID}> just say hello to uno")
    world.playground.people.delete(GENERAL_ID, second.id, ADA_ID)
    for name in ("three", "four"):
        _ask(world, name)
    cell.died, cell.operations = await _catch_up(world, cell.scenario, cell.kill_at)
    if cell.died:
        await _catch_up(world, cell.scenario, None)


async def _catch_up(world: World, scenario: Scenario, kill_at: str | None) -> tuple[bool, list[str]]:
    def done() -> bool:
        return _shown(world) == ANSWERS and _is_quiet(world)

    if scenario is Scenario.SECOND_READY:
        return await world.live(lambda: _ready_again(world), done, kill_at=kill_at)
    world.playground.gateway.outage()
    return await world.live(lambda: _come_late(world), done, kill_at=kill_at, servers_wait=_SERVERS_WAIT)


async def _come_late(world: World) -> None:
    await world.until_in()
    world.playground.gateway.restore()


async def _ready_again(world: World) -> None:
    gateway = world.playground.gateway
    read = world.playground.faults.plan("delay", "GET", HISTORY)
    try:
        await world.until("a read", lambda: read.hits > 0)
        identified = gateway.start_limit()["remaining"]
        gateway.invalidate()
        await world.until("another session", lambda: gateway.start_limit()["remaining"] < identified)
    finally:
        world.playground.faults.clear()


def _ask(world: World, name: str) -> Message:
    return world.playground.people.send(GENERAL_ID, ADA_ID, f"<@{BOT_ID}> just say hello to {name}")


def _shown(world: World) -> list[str]:
    return [message.content.split("\n")[0] for message in world.shown()]


def _is_quiet(world: World) -> bool:
    """Whether no turn is open, and everything was delivered."""
    return world.rows(
        "SELECT (SELECT COUNT(*) FROM open_turn) = 0 AND (SELECT COUNT(*) FROM delivery WHERE sent = 0) = 0"
    ) == [(1,)]


def _broken(world: World, *, kills: int) -> Iterator[str]:
    """The promises that are not kept, in words."""
    if _shown(world) != ANSWERS:
        yield f"shown are {_shown(world)}"
    if world.rows("SELECT * FROM step WHERE body LIKE '%hello to two%'"):
        yield "the deleted question is still known"
    admitted = world.rows(f"SELECT source_id FROM inbox WHERE source = '{SOURCE}'")  # noqa: S608  a name of ours
    if len(admitted) != len(set(admitted)):
        yield f"admitted are {admitted}"
    for text, count in Counter(str(request["messages"][-1]["content"]) for request in world.model.requests).items():
        if count > 1 + kills:
            yield f"the model was asked {text!r} {count} times"
    yield from (f"Discord would refuse: {violation.text}" for violation in world.playground.violations)


def table(cells: list[Cell]) -> Iterator[str]:
    """The cells as lines, numbered."""
    return (f"{number:4}  {cell.line}" for number, cell in enumerate(cells, 1))


async def _all(engine: str) -> list[Cell]:
    with tempfile.TemporaryDirectory() as folder, databases_of(engine) as databases:
        matrix = FeedMatrix(Path(folder), databases)
        return [cell for scenario in Scenario for cell in await matrix.cells(scenario)]


def main() -> int:
    """Run everything, and print the table."""
    engine = engine_asked_for(__doc__)
    begin = time.monotonic()
    cells = asyncio.run(_all(engine))
    sys.stdout.write(f"The kill matrix of what comes in on {engine}, {datetime.now(UTC):%Y-%m-%d}\n")
    for line in table(cells):
        sys.stdout.write(f"{line}\n")
    wrong = sum(bool(cell.problems) for cell in cells)
    sys.stdout.write(f"{len(cells)} runs in {time.monotonic() - begin:.0f} s, {wrong} with a broken promise\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
