"""Operations: transactions written once for every database engine, and what an engine must offer to run them.

An operation is a generator without I/O. It yields statements, is sent their rows, and returns its result; so the same
function runs in one go on SQLite's thread and statement by statement over a network. The statements are written for
SQLite and PostgreSQL alike: `$1`, `$2` … for values, BIGINT and 0/1, JSON as TEXT, times as microseconds since 1970.

An operation may be run again when nobody knows whether it was committed. So it is handed over as a function that makes
the generator, and ids and times are made before it.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from llmgine.messages.text import clean_text

Row = Mapping[str, Any]
Statement = tuple[str, Sequence[object]]

T = TypeVar("T")
P = ParamSpec("P")
G = TypeVar("G", bound="Group")

Steps = Generator[Statement, list[Row], T]


@dataclass
class Operation:
    """One run of an operation, as observers see it.

    Attributes:
        name: The group and the function, such as `turns.admit`.
        about: The arguments it was called with.
        writes: Whether it may change something; reads take no lock.
        long: Whether a read may be of very many rows: short ones do not wait for it.
        announced: Whether other processes have to notice soon that it was done; see `Database.version`.
        exclusive: Whether no other exclusive operation may run at the same time, in any process. It may take long.
        statements: How many statements it made so far.
        rows: How many rows it was sent so far.
    """

    name: str
    about: tuple[object, ...] = ()
    writes: bool = True
    long: bool = False
    announced: bool = False
    exclusive: bool = False
    statements: int = 0
    rows: int = 0


# Wraps each operation: may wait before it, raise instead of it, or inspect it afterwards.
Observer = Callable[[Operation], AbstractAsyncContextManager[None]]


class Database(Protocol):
    """One open database."""

    async def run(self, work: Callable[[], Steps[T]], operation: Operation) -> T:
        """Run an operation as one transaction: all of it, or nothing where it raises.

        Args:
            work: Makes the generator; called again for each try.
            operation: What it is; the statements and rows are counted in it.

        Raises:
            StoreError: The database cannot do it (locked, full, gone); the text says what to do.
        """

    async def version(self) -> int:
        """A number that changes when another process commits an announced operation, and perhaps any other.

        It is cheap enough to ask four times a second.

        Raises:
            StoreError: The database cannot say.
        """

    async def overwrite_deleted(self) -> bool:
        """See that nothing of what was deleted is left in the files, as far as the database's owner can do that.

        Returns:
            False where somebody reads or writes at the moment: try again.

        Raises:
            StoreError: The database cannot do it.
        """

    async def close(self) -> None:
        """Close the database; closing twice is harmless."""


class Transactor(Protocol):
    """Runs the operations of groups."""

    async def run(self, work: Callable[[], Steps[T]], operation: Operation) -> T:
        """See `Database.run`."""


class Group:
    """Operations on one kind of fact.

    Args:
        transactor: Who runs them.
        me: The id of this process, see `Owners`.
    """

    def __init__(self, transactor: Transactor, me: str) -> None:
        self._transactor = transactor
        self._me = me


class BoundOperation(Generic[G, P, T]):
    """A method of a group that runs as one transaction; `steps` is its generator, for use inside another one."""

    def __init__(
        self,
        function: Callable[Concatenate[G, P], Steps[T]],
        *,
        writes: bool = False,
        long: bool = False,
        announced: bool = False,
    ) -> None:
        self.steps = function
        self.__doc__ = function.__doc__
        self._name = function.__qualname__.lower()
        self._writes = writes
        self._long = long
        self._announced = announced

    @overload
    def __get__(self, group: None, owner: type[G]) -> "BoundOperation[G, P, T]": ...
    @overload
    def __get__(self, group: G, owner: type[G]) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, group: G | None, owner: type[G]) -> "BoundOperation[G, P, T] | Callable[P, Awaitable[T]]":
        if group is None:
            return self

        def call(*args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
            operation = Operation(self._name, (*args, *kwargs.values()), self._writes, self._long, self._announced)
            # A group is the only one that calls its operations.
            return group._transactor.run(lambda: self.steps(group, *args, **kwargs), operation)  # noqa: SLF001

        return call


def operation(function: Callable[Concatenate[G, P], Steps[T]]) -> BoundOperation[G, P, T]:
    """Make a method of a group a transaction that may write."""
    return BoundOperation(function, writes=True)


def announced(function: Callable[Concatenate[G, P], Steps[T]]) -> BoundOperation[G, P, T]:
    """Make a method of a group a transaction that may write, and that other processes have to notice soon."""
    return BoundOperation(function, writes=True, announced=True)


def query(function: Callable[Concatenate[G, P], Steps[T]]) -> BoundOperation[G, P, T]:
    """Make a method of a group a transaction that only reads."""
    return BoundOperation(function)


def listing(function: Callable[Concatenate[G, P], Steps[T]]) -> BoundOperation[G, P, T]:
    """Make a method of a group a transaction that reads, perhaps very much: short reads do not wait for it."""
    return BoundOperation(function, long=True)


def listed(values: Sequence[object], first: int = 1) -> str:
    """Placeholders for a list of values: `$1, $2, $3`, or from another number on."""
    return ", ".join(f"${number}" for number in range(first, first + len(values)))


def storable(values: Sequence[object]) -> list[object]:
    """The values of a statement without what a text in a database cannot have."""
    return [clean_text(value) if isinstance(value, str) else value for value in values]
