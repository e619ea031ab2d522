"""Every statement that the store's operations make: those that are written down, and those that a store made."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import GeneratorType
from typing import TypeVar

from llmgine.sessions import operations
from llmgine.sessions.database import BoundOperation, Database, Group, Operation, Row, Statement, Steps

T = TypeVar("T")
_FOLDER = Path(operations.__file__).parent
GROUPS: tuple[type[Group], ...] = tuple(getattr(operations, name) for name in operations.__all__)


@dataclass(frozen=True)
class Place:
    """Where a statement is written: the file and the line it ends in."""

    file: str
    line: int


@dataclass
class Made:
    """A statement that was made, and how much work that was, as far as the database's `work` counts it."""

    operation: str
    place: Place
    sql: str
    values: tuple[object, ...]
    work: int = 0


@dataclass
class Recording:
    """A database that notes every statement that it runs."""

    database: Database
    made: list[Made] = field(default_factory=list)
    work: int = 0

    def count(self) -> None:
        """Count one unit of work of the database."""
        self.work += 1

    async def run(self, work: Callable[[], Steps[T]], operation: Operation) -> T:
        return await self.database.run(lambda: self._noting(work(), operation), operation)

    async def version(self) -> int:
        return await self.database.version()

    async def overwrite_deleted(self) -> bool:
        return await self.database.overwrite_deleted()

    async def close(self) -> None:
        await self.database.close()

    def _noting(self, steps: Steps[T], operation: Operation) -> Steps[T]:
        rows: list[Row] | None = None
        while True:
            try:
                statement: Statement = next(steps) if rows is None else steps.send(rows)
            except StopIteration as end:
                result: T = end.value
                return result
            sql, values = statement
            made = Made(operation.name, _place_in(steps), sql, tuple(values), -self.work)
            self.made.append(made)
            rows = yield statement
            made.work += self.work


def _place_in(steps: object) -> Place:
    """Where the generator is, or the one that it waits for."""
    while isinstance(steps, GeneratorType) and isinstance(steps.gi_yieldfrom, GeneratorType):
        steps = steps.gi_yieldfrom
    assert isinstance(steps, GeneratorType)
    assert steps.gi_frame is not None, "it has ended"
    return Place(Path(steps.gi_code.co_filename).name, steps.gi_frame.f_lineno)


def written() -> Iterator[tuple[str, range]]:
    """The file and the lines of each statement that the operations have."""
    for path in sorted(_FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and ast.unparse(node.returns or node).startswith("Steps["):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Yield):
                        yield path.name, range(inner.lineno, (inner.end_lineno or inner.lineno) + 1)


def operation_names() -> set[str]:
    """All operations of all groups, by the names that observers see."""
    return {
        f"{group.__name__}.{name}".lower()
        for group in GROUPS
        for name, member in vars(group).items()
        if isinstance(member, BoundOperation)
    }
