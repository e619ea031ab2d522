"""The session store: every durable fact of the application, each change one transaction."""

import contextlib
import math
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from llmgine.errors import ConfigurationError
from llmgine.messages.steps import Turn
from llmgine.sessions import operations
from llmgine.sessions.clock import SteadyClock
from llmgine.sessions.database import Database, Observer, Operation, Steps
from llmgine.sessions.migrate import migrate
from llmgine.sessions.owners import Owners
from llmgine.sessions.records import Today
from llmgine.sessions.sqlite import SqliteDatabase

T = TypeVar("T")

_FRESH = 0.5  # seconds
_CHANGE_SETTINGS = {
    "settings.change",
    "sessions.set_system_prompt",
    "sessions.clear",
    "branches.make",
    "decisions.decide",
}


async def open_store(url: str) -> "SessionStore":
    """Open the store at `url`: `sqlite:///relative/path.db` or `sqlite:////absolute/path.db`.

    A database of an older program is brought to the present schema, with a copy made first.

    Raises:
        ConfigurationError: The address is of no kind we know, or the database cannot be used.
        NewerStoreError: The database was written by a newer program.
        StoreError: The database could not be brought to the present schema.
    """
    path = sqlite_path(url)
    database = await SqliteDatabase.open(path)
    try:
        await migrate(database, path)
        owners = Owners(path.parent / "owners")
    except OSError as error:
        await database.close()
        raise ConfigurationError(f"DATABASE_URL: {path.parent / 'owners'} cannot be used: {error.strerror}") from error
    except BaseException:
        await database.close()
        raise
    return SessionStore(database, owners)


def sqlite_path(url: str) -> Path:
    """The file that a store's address names.

    Raises:
        ConfigurationError: The address is of no kind we know.
    """
    path = Path(url.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:///") or not path.name:
        scheme, colon, _ = url.partition(":")
        wrong = f"{scheme}: is not supported" if colon and scheme != "sqlite" else "it names no file"
        raise ConfigurationError(f"DATABASE_URL: {wrong}; use sqlite:///data/llmgine.db")
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
        daily_tokens: How many tokens all sessions together may use in a day; None for any number.
    """

    def __init__(self, database: Database, owners: Owners) -> None:
        self._database = database
        self._observers: list[Observer] = []
        self._version: int | None = None  # of what other processes wrote, as it was seen last
        self._looked_at = -math.inf  # when it was seen
        self._settings_changes = 0
        self.owners = owners
        self.clock = SteadyClock()
        self.daily_tokens: int | None = None
        me = owners.me
        self.sessions = operations.Sessions(self, me)
        self.settings = operations.Settings(self, me)
        self.allowances = operations.Allowances(self, me)
        self.branches = operations.Branches(self, me)
        self.turns = operations.Turns(self, me)
        self.prompts = operations.Prompts(self, me)
        self.runs = operations.Runs(self, me)
        self.stops = operations.Stops(self, me)
        self.decisions = operations.Decisions(self, me)
        self.deliveries = operations.Deliveries(self, me)
        self.lessons = operations.Lessons(self, me)
        self.cursors = operations.Cursors(self, me)
        self.logins = operations.Logins(self, me)

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
            self._settings_changes += operation.name in _CHANGE_SETTINGS

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Let an observer stand around every operation from here on; returns what ends it."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    @property
    def today(self) -> Today:
        """The present day and what may be used in it."""
        return Today(day=self.clock.today(), tokens=self.daily_tokens)

    async def version(self) -> int:
        """A number that changes when another process writes."""
        now, found = time.monotonic(), await self._database.version()
        self._settings_changes += found != self._version
        self._version, self._looked_at = found, now
        return found

    @property
    def settings_version(self) -> int | None:
        """A number that changes when somebody may have changed a setting, in this process or another.

        None when nobody has looked for half a second at what other processes wrote; `version` does.
        """
        return self._settings_changes if time.monotonic() - self._looked_at < _FRESH else None

    async def take_over(self, sources: Collection[str], session_id: str | None = None) -> list[Turn]:
        """Make the unfinished turns of dead processes ours, in one session or all (None); oldest first."""
        turns = await self.turns.unfinished_of(sources, session_id)
        dead = {owner for owner in {turn.owner for turn in turns} if not self.owners.is_alive(owner)}
        return await self.turns.take_over([turn for turn in turns if turn.owner in dead])

    async def forget(self, session_id: str, turn_id: str) -> Turn | None:
        """Delete a turn's texts; None when there is nothing to forget, or a living process is at it."""
        owners = [turn.owner for turn in await self.turns.unfinished(session_id) if turn.id == turn_id]
        dead = next((owner for owner in owners if not self.owners.is_alive(owner)), "")
        return await self.turns.forget(session_id, turn_id, dead)

    async def undelivered(self, source: str) -> list[Turn]:
        """Ended turns with parts that were not sent, oldest first, of processes that are dead or of this one."""
        turns = await self.deliveries.undelivered(source)
        return [turn for turn in turns if turn.owner == self.owners.me or not self.owners.is_alive(turn.owner)]

    async def close(self) -> None:
        """Close the database and let go of this process's turns: from here on another process may take them up."""
        await self._database.close()
        self.owners.close()
