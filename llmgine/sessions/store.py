"""The session store: every durable fact of the application, each change one transaction."""

import contextlib
import math
import time
from collections.abc import Callable, Collection
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from llmgine.errors import ConfigurationError, cannot_use
from llmgine.messages.steps import Turn
from llmgine.sessions import operations
from llmgine.sessions.clock import SteadyClock
from llmgine.sessions.costs import Today
from llmgine.sessions.database import Database, Observer, Operation, Steps
from llmgine.sessions.migrate import migrate
from llmgine.sessions.owners import LockFiles, Owners
from llmgine.sessions.records import AuditEntry
from llmgine.sessions.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from llmgine.sessions.postgres import PostgresDatabase

T = TypeVar("T")

_FRESH = 0.5  # seconds
_POSTGRES = ("postgresql://", "postgres://")


LEASE_SECONDS = 6.0  # how long a silent process counts as alive, where others may be on other machines


async def open_store(url: str, *, lease_seconds: float = LEASE_SECONDS) -> "SessionStore":
    """Open the store at `url`: `sqlite:///relative/path.db`, `sqlite:////absolute/path.db` or `postgresql://…`.

    A database of an older program is brought to the current schema; a SQLite database is copied first.

    Args:
        url: The address; see `postgres_address.read_address` for those of PostgreSQL.
        lease_seconds: On PostgreSQL, how many seconds a silent process counts as alive.

    Raises:
        ConfigurationError: The address is not of a kind we know, or the database cannot be used.
        NewerStoreError: The database was written by a newer program.
        StoreError: The database cannot be used now, or it could not be brought to the current schema.
    """
    if url.startswith(_POSTGRES):
        return await _open_postgres(url, lease_seconds)
    path = sqlite_path(url)
    database = await SqliteDatabase.open(path)
    try:
        await migrate(database, path)
        owners = LockFiles(path.parent / "owners")
    except OSError as error:
        await database.close()
        raise cannot_use(f"DATABASE_URL: {path.parent / 'owners'} cannot be used", error) from error
    except BaseException:
        await database.close()
        raise
    return SessionStore(database, owners)


async def _open_postgres(url: str, lease_seconds: float) -> "SessionStore":
    try:
        module = import_module("llmgine.sessions.postgres")
    except ImportError as error:
        raise ConfigurationError(
            "DATABASE_URL: PostgreSQL needs an extra; install it with `uv sync --extra postgres`"
        ) from error
    database: PostgresDatabase = await module.PostgresDatabase.open(url, lease_seconds=lease_seconds)
    try:
        await migrate(database)
    except BaseException:
        await database.leases.close()
        await database.close()
        raise
    return SessionStore(database, database.leases)


def database_file(url: str) -> Path | None:
    """The file that a store's address names; None for a database on a server.

    Raises:
        ConfigurationError: The address is not of a kind we know.
    """
    return None if url.startswith(_POSTGRES) else sqlite_path(url)


def sqlite_path(url: str) -> Path:
    """The file that a store's address names.

    Raises:
        ConfigurationError: The address is not of a kind we know.
    """
    path = Path(url.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:///") or not path.name:
        scheme, colon, _ = url.partition(":")
        wrong = f"{scheme}: is not supported" if colon and scheme != "sqlite" else "it names no file"
        raise ConfigurationError(
            f"DATABASE_URL: {wrong}; use sqlite:///data/llmgine.db, or postgresql://user@host/database"
        )
    if path.name == ":memory:":
        raise ConfigurationError("DATABASE_URL: sessions kept in memory would be lost; use sqlite:///data/llmgine.db")
    return path


class SessionStore:
    """Sessions, turns, steps and deliveries. Safe to use from several processes at once.

    Its operations are called on its groups, such as `store.turns.admit(…)`. Each is one transaction and may raise
    `StoreError`. Ids and times are arguments (see `clock`), so that an operation can be run again.

    Attributes:
        owners: The processes on this store, and which of them is this one.
        clock: What the deadlines of approvals are kept by.
        limits: The program's own limits of a day; its `day` is that of no limit.
        timezone: The zone of people who set none.
    """

    def __init__(self, database: Database, owners: Owners) -> None:
        self._database = database
        self._observers: list[Observer] = []
        self._version: int | None = None  # of what other processes wrote, as it was seen last
        self._looked_at = -math.inf  # when it was seen
        self._settings_changes = 0
        self._taking: dict[str, Turn] = {}  # turns of dead processes, as they were before they are ours
        self.owners = owners
        self.clock = SteadyClock()
        self.limits = Today(day=0)
        self.timezone = "UTC"
        me = owners.me
        self.sessions = operations.Sessions(self, me)
        self.settings = operations.Settings(self, me)
        self.allowances = operations.Allowances(self, me)
        self.audit = operations.Audit(self, me)
        self.branches = operations.Branches(self, me)
        self.turns = operations.Turns(self, me)
        self.prompts = operations.Prompts(self, me)
        self.runs = operations.Runs(self, me)
        self.result_files = operations.ResultFiles(self, me)
        self.pauses = operations.Pauses(self, me)
        self.stops = operations.Stops(self, me)
        self.decisions = operations.Decisions(self, me)
        self.deliveries = operations.Deliveries(self, me)
        self.context_messages = operations.ContextMessages(self, me)
        self.lessons = operations.Lessons(self, me)
        self.cursors = operations.Cursors(self, me)
        self.logins = operations.Logins(self, me)
        self.people = operations.People(self, me)
        self.purges = operations.Purges(self, me)

    async def run(self, work: Callable[[], Steps[T]], operation: Operation) -> T:
        """Run an operation of a group, or one of your own, as one transaction, with all observers around it.

        Args:
            work: Makes the generator of the operation; see `database`.
            operation: What it is.

        Raises:
            StoreError: The database cannot do it.
        """
        try:
            if not self._observers:
                return await self._database.run(work, operation)
            async with contextlib.AsyncExitStack() as stack:
                for observer in self._observers:
                    await stack.enter_async_context(observer(operation))
                return await self._database.run(work, operation)
        finally:
            self._settings_changes += operation.announced

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Wrap every operation from here on in an observer; returns a function that removes it."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    @property
    def today(self) -> Today:
        """The current day and what may be used in it."""
        return self.limits.model_copy(update={"day": self.clock.today()})

    async def version(self) -> int:
        """A number that changes when another process writes."""
        now, found = time.monotonic(), await self._database.version()
        self._settings_changes += found != self._version
        self._version, self._looked_at = found, now
        return found

    @property
    def settings_version(self) -> int | None:
        """A number that changes when somebody may have changed a setting, in this process or another.

        None when nobody has checked for half a second what other processes wrote; `version` does.
        """
        return self._settings_changes if time.monotonic() - self._looked_at < _FRESH else None

    async def take_over(self, sources: Collection[str], session_id: str | None = None) -> list[Turn]:
        """Make the unfinished turns of dead processes ours, in one session or all (None); oldest first.

        Those that a call before made ours without hearing of it are among them.
        """
        turns = await self.turns.unfinished_of(sources, session_id)
        dead = await self.owners.dead({turn.owner for turn in turns})
        self._taking |= {turn.id: turn for turn in turns if turn.owner in dead}
        unfinished = {turn.id for turn in turns}
        taking = [turn for turn in self._taking.values() if turn.id in unfinished]
        taken = await self.turns.take_over(taking)
        for turn in taking:
            self._taking.pop(turn.id, None)
        await self._settle_left()
        return taken

    async def _settle_left(self) -> None:
        """Settle what dead processes reserved for calls of the model."""
        dead = await self.owners.dead(await self.allowances.owners() - {self.owners.me})
        if dead:
            await self.allowances.settle_left(sorted(dead))

    async def forget(self, session_id: str, turn_id: str, audit: AuditEntry | None = None) -> Turn | None:
        """Delete a turn's texts; None when there is nothing to forget, or a living process runs it."""
        owners = {turn.owner for turn in await self.turns.unfinished(session_id) if turn.id == turn_id}
        dead = next(iter(await self.owners.dead(owners)), "")
        return await self.turns.forget(session_id, turn_id, dead, audit)

    async def undelivered(self, source: str) -> list[Turn]:
        """Ended turns with parts that were not sent, oldest first, of processes that are dead or of this one."""
        turns = await self.deliveries.undelivered(source)
        theirs = await self.owners.dead({turn.owner for turn in turns}) | {self.owners.me}
        return [turn for turn in turns if turn.owner in theirs]

    async def overwrite_deleted(self) -> bool:
        """See `Database.overwrite_deleted`."""
        return await self._database.overwrite_deleted()

    async def close(self) -> None:
        """Close the database and release this process's turns: from here on another process may continue them."""
        try:
            await self._database.close()
        finally:
            await self.owners.close()
