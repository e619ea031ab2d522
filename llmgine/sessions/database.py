"""What a database engine must offer the store: transactions, each run as a whole."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

Row = Mapping[str, Any]
Statement = tuple[str, Sequence[object]]
T = TypeVar("T")

# A transaction is a generator: it yields statements ($1, $2, … and their values), is sent back their rows, and returns
# its result. So the same function is driven in one go on SQLite's thread and statement by statement on a network.
Transaction = Generator[Statement, list[Row], T]


class Database(Protocol):
    """One open database."""

    async def run(self, transaction: Transaction[T]) -> T:
        """Run a transaction and commit it, or roll it back when it raises.

        Raises:
            StoreError: The database cannot do it (locked, full, gone); the text says what to do.
        """

    async def version(self) -> int:
        """A number that changes when another process commits; cheap enough to ask four times a second.

        Raises:
            StoreError: The database cannot say.
        """

    async def close(self) -> None:
        """Close the database; closing twice is harmless."""
