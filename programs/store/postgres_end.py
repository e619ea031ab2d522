"""A PostgreSQL database that is copied from or to."""

import contextlib
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any

import asyncpg

from llmgine.sessions.postgres_address import Address, explained, read_address
from programs.store.ends import TABLES, Values, next_batch

_SETTINGS = {
    "application_name": "llmgine copy",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "synchronous_commit": "off",  # a copy can be continued after a crash, so only its end waits for the disk
    "cursor_tuple_fraction": "1",  # all rows are read: sorting them is faster than going through an index
}
_COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
# The last one is raised where a connection breaks in the middle of an answer.
_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_IN_USE = """
    SELECT EXISTS (SELECT 1 FROM process WHERE expires_at > EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)
"""


class PostgresEnd:
    """See `Source` and `Target`; made by `open`."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", address: Address, *, snapshot: bool) -> None:
        self.name = f"postgresql://{address.where}"
        self._address = address
        self._connection = connection
        self._snapshot = snapshot

    @classmethod
    async def open(cls, url: str, *, snapshot: bool) -> "PostgresEnd":
        """Connect.

        Args:
            url: The address, as `postgres_address.read_address` takes it.
            snapshot: Whether all reads are to see one moment. It cannot be written then, and may be a replica.

        Raises:
            ConfigurationError: The address, the user or the database is wrong.
            StoreError: The server does not answer.
        """
        address = read_address(url)
        if snapshot:
            address.options["target_session_attrs"] = "any"
        with _explained(address):
            connection = await asyncpg.connect(**address.options, server_settings=_SETTINGS)
            if snapshot:
                await connection.transaction(isolation="repeatable_read", readonly=True).start()
        return cls(connection, address, snapshot=snapshot)

    async def columns(self, table: str) -> list[str]:
        """See `Source`."""
        return [row[0] for row in await self._fetch(_COLUMNS, table)]

    async def numbers(self, sql: str) -> list[int]:
        """See `Source`."""
        return [int(row[0]) for row in await self._fetch(sql)]

    async def texts(self, sql: str) -> list[str]:
        """See `Target`."""
        return [str(row[0]) for row in await self._fetch(sql)]

    async def in_use(self) -> bool:
        """See `Source`."""
        if not await self.columns("process"):
            return False
        with _explained(self._address):
            connection = await asyncpg.connect(**self._address.options)  # ours may see the leases as they were
            try:
                return bool(await connection.fetchval(_IN_USE))
            finally:
                await connection.close()

    async def batches(self, table: str, columns: Sequence[str]) -> AsyncGenerator[list[Values]]:
        """See `Source`."""
        sql = f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608  names of our own
        if self._snapshot:
            sql += f" ORDER BY {', '.join(columns)}"
        with _explained(self._address):
            async with contextlib.nullcontext() if self._snapshot else self._connection.transaction():
                cursor = await self._connection.cursor(sql)
                rows: list[Values] = []
                while rows := [tuple(row) for row in await cursor.fetch(next_batch(rows))]:
                    yield rows

    async def write(self, table: str, columns: Sequence[str], rows: list[Values]) -> None:
        """See `Target`."""
        with _explained(self._address):
            await self._connection.copy_records_to_table(table, records=rows, columns=columns)

    async def change(self, *statements: str) -> None:
        """See `Target`."""
        with _explained(self._address):
            async with self._connection.transaction():
                await self._connection.execute("SET LOCAL synchronous_commit = on")
                for statement in statements:
                    await self._connection.execute(statement)

    async def analyze(self) -> None:
        """See `Target`."""
        with _explained(self._address):
            await self._connection.execute(f"ANALYZE {', '.join(TABLES)}")

    async def close(self) -> None:
        """See `Source`."""
        self._connection.terminate()  # what was to be kept is committed

    async def _fetch(self, sql: str, *values: object) -> list[Any]:
        with _explained(self._address):
            return await self._connection.fetch(sql, *values)


@contextlib.contextmanager
def _explained(address: Address) -> Iterator[None]:
    """Raise errors as one sentence."""
    try:
        yield
    except (*_ERRORS, OSError, TimeoutError, ValueError) as error:
        raise explained(error, address.where) from None  # what is below may show the password
