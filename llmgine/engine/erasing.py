"""Erasing what is stored: a person's words when they ask, and what is no longer needed, by and by."""

import asyncio
import heapq
import logging
from dataclasses import dataclass, field
from pathlib import Path

from llmgine.bus import MessageBus
from llmgine.engine.retention import Retention
from llmgine.errors import LLMgineError
from llmgine.messages.commands import ForgetTurnCommand
from llmgine.messages.erasing_commands import (
    ForgetMessagesCommand,
    ForgetPersonCommand,
    ForgottenPerson,
    ReportServersCommand,
)
from llmgine.messages.steps import Turn
from llmgine.messages.without_person import Person
from llmgine.observability.overwriting import Forgetting
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import at, now
from llmgine.sessions.forgetting import erase_own_sessions, erase_person
from llmgine.sessions.forgetting import theirs as turns_of
from llmgine.sessions.forgotten_list import write_list
from llmgine.sessions.records import Forgotten, TheirTurn
from llmgine.sessions.sqlite_copies import in_thread

TAKEN_AWAY = 100  # answers of a person whose messages are taken away, the newest ones; each is some requests

_INTERVAL = 3600.0  # seconds between two looks at what is to be erased
_AGAIN = 0.1  # seconds until the database's log can perhaps be emptied
_TRIES = 50

_log = logging.getLogger(__name__)


@dataclass
class _Theirs:
    """What is theirs in the store: turns that are open, the newest that are posted, and the ids of all."""

    ids: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    files: int = 0
    places: set[str] = field(default_factory=set)
    posted: int = 0
    open: list[Turn] = field(default_factory=list)
    newest: list[tuple[int, str, Turn]] = field(default_factory=list)

    def add(self, found: TheirTurn) -> None:
        """Count one more turn."""
        turn = found.turn
        self.ids.add(turn.id)
        self.files += found.files
        if turn.place is not None:
            self.places.add(turn.place)
        if turn.place is not None and not found.in_server:  # nobody else speaks in a DM
            self.sessions.add(turn.session_id)
        if turn.state in ("queued", "running", "waiting"):
            self.open.append(turn)
        elif turn.posts:
            self.posted += 1
            heapq.heappush(self.newest, (int(turn.created_at.timestamp() * 1e6), turn.id, turn))
            if len(self.newest) > TAKEN_AWAY:
                heapq.heappop(self.newest)


class Erasing:
    """Answers the commands that forget people, and erases what is due.

    Args:
        bus: Where the commands come from.
        store: What is erased from.
        retention: What is erased because it is old.
        database: The file, if the store has one; its backups and the list of forgotten people are beside it.
        log: The log of the bus, if there is one.
        interval: Seconds between two looks.
    """

    def __init__(
        self,
        bus: MessageBus,
        store: SessionStore,
        retention: Retention,
        *,
        database: Path | None = None,
        log: Path | None = None,
        interval: float = _INTERVAL,
    ) -> None:
        self.retention = retention
        self._bus = bus
        self._store = store
        self._database = database
        self._log = log
        self._interval = interval
        self._one = asyncio.Lock()  # one person at a time
        self._forgetting: dict[str, asyncio.Task[ForgottenPerson]] = {}  # by person
        self._asked: set[str] = set()  # who asked since their forgetting began
        self._stopped = False
        self._tasks: set[asyncio.Task[object]] = set()

    def start(self) -> None:
        """Answer commands, and finish what an earlier process left."""
        self._bus.register_command_handler(ForgetPersonCommand, self._forget_person)
        self._bus.register_command_handler(ReportServersCommand, self._report_servers)
        self._bus.register_command_handler(ForgetMessagesCommand, self._forget_messages)
        self._keep(asyncio.create_task(self._work()))

    async def stop(self) -> None:
        """End; what is not finished is continued by the next start."""
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, task: "asyncio.Task[object]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        while True:
            try:
                for one in await self._store.people.unfinished():
                    await asyncio.shield(self._joined(one.person))
                await self.retention.erase_due()
            except (LLMgineError, OSError) as error:
                _log.warning("What is to be erased could not all be erased, and is tried again: %s", error)
            await asyncio.sleep(self._interval)

    async def _report_servers(self, command: ReportServersCommand) -> int:
        return await self.retention.report_servers(command.source, command.account, command.guilds)

    async def _forget_messages(self, command: ForgetMessagesCommand) -> None:
        found = self._store.context_messages
        # Most messages that are deleted were not read by the bot, and a read takes no lock.
        if command.source_ids and (stored := await found.stored(command.source, command.source_ids)):
            await found.erase(stored)
        if command.place is not None:
            await found.erase_place(command.source, command.place, self.retention.context_since)

    async def _forget_person(self, command: ForgetPersonCommand) -> ForgottenPerson:
        """Noted first: what a crash interrupts is continued. Its caller may be cancelled meanwhile.

        Who asks again meanwhile gets the same answer, so nobody can have everything looked through many times at once.
        """
        person = Person(command.person).id
        await self._store.people.begin(person, now())
        self._asked.add(person)
        return await asyncio.shield(self._joined(person))

    def _joined(self, person: str) -> "asyncio.Task[ForgottenPerson]":
        """The forgetting of a person that is under way, or a new one."""
        task = self._forgetting.get(person)
        if task is None:
            task = self._forgetting[person] = asyncio.create_task(self._forget_until_now(person))
            self._keep(task)
        return task

    async def _forget_until_now(self, person: str) -> ForgottenPerson:
        """Forget what was said until it was asked for last, which may be while this is done."""
        turns = files = mentions = left = 0
        try:
            while True:
                self._asked.discard(person)
                for one in [one for one in await self._store.people.unfinished() if one.person == person]:
                    found = await self._forget(one)
                    turns, files, mentions = turns + found.turns, files + found.files, mentions + found.mentions
                    left = found.left
                if person not in self._asked:
                    return ForgottenPerson(turns=turns, files=files, mentions=mentions, left=left)
        finally:
            del self._forgetting[person]

    async def _forget(self, one: Forgotten) -> ForgottenPerson:
        async with self._one:
            if self._database is not None:
                await asyncio.to_thread(write_list, self._database, await self._store.people.forgotten())
            theirs = _Theirs()
            async for found in turns_of(self._store, one.person, one.forgotten_at):
                theirs.add(found)
            # Before the store forgets which turns are theirs.
            await self._store.people.erase_dms(one.person, sorted(theirs.sessions))
            for turn in theirs.open:
                await self._forget_turn(turn)
            await self._erase_from_log(one, theirs)
            for _, _, turn in sorted(theirs.newest, reverse=True):
                await self._forget_turn(turn)
            erased = await erase_person(self._store, one.person, one.forgotten_at)
            is_all = await erase_own_sessions(self._store, one.person)
            await self._erase_from_log(one, theirs)  # what was logged meanwhile, such as the forgetting of their turns
            await self._finish(one, is_all=is_all)
            left = theirs.posted - len(theirs.newest)
            return ForgottenPerson(turns=len(theirs.ids), files=theirs.files, mentions=erased.mentions, left=left)

    async def _forget_turn(self, turn: Turn) -> None:
        """Stop it if it runs, erase it, and have its messages taken away."""
        (await self._bus.execute(ForgetTurnCommand(session_id=turn.session_id, turn_id=turn.id))).unwrap()
        await self._store.people.forget_title(turn)

    async def _erase_from_log(self, one: Forgotten, theirs: _Theirs) -> None:
        if self._log is None:
            return
        self._bus.flush_log()
        ended = asyncio.Event()
        work = Forgetting(
            *(Person(one.person), at(one.forgotten_at), theirs.ids, theirs.sessions, theirs.places), ended.is_set
        )
        log = self._log
        await in_thread(lambda: work.run(log), ended.set)

    async def _finish(self, one: Forgotten, *, is_all: bool) -> None:
        """Erase what is left in the files of the database, and note that it is done, unless messages are in the way."""
        for _ in range(_TRIES):
            if await self._store.overwrite_deleted():
                if is_all:
                    await self._store.people.finish(one.person, one.forgotten_at, now())
                return
            await asyncio.sleep(_AGAIN)
        _log.warning("Somebody reads the database all the time, so its log still has what was deleted")
