"""What a process does in a storm: all that can be done with sessions, at random, with a note of each thing it was told.

The notes are lines of a file, so that those of a killed process are there too.
"""

import asyncio
import json
import os
import random
import secrets
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar

from llmgine.errors import LeaseLostError, StoreError, SupersededError, UserError
from llmgine.messages.commands import BranchSessionCommand, EditPromptCommand, RegenerateTurnCommand
from llmgine.messages.steps import OutcomeStep, ReplyStep, Step, Turn
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import now
from llmgine.sessions.costs import Cost, Spent
from llmgine.sessions.database import Operation, Steps
from llmgine.sessions.operations.runs import Runs
from llmgine.sessions.records import Claimed
from tests.llmgine.sessions.examples import ADA, part, prompt

SESSIONS = ("s0", "s1", "s2")
MESSAGES = 60  # that anybody may admit, several times
SERVER = "server"  # whose settings and tokens all sessions share
DAY = 20_000
VICTIM = 0  # the process that kills itself
LAST_WORDS = "last words"  # the message that it answers then
_PAUSE = 0.02  # seconds

T = TypeVar("T")
Note = dict[str, Any]


def session_of(message: str) -> str:
    """The session that a message belongs to."""
    return SESSIONS[int(message) % len(SESSIONS)]


@dataclass
class Running:
    """A turn that a process runs, and its next step."""

    turn: Turn
    next_step: int
    is_stopped: bool

    @property
    def key(self) -> tuple[str, int, int]:
        """Turn, attempt and claim."""
        return self.turn.id, self.turn.attempt, self.turn.claim


class Worker:
    """One process."""

    def __init__(self, store: SessionStore, number: int, folder: Path, seed: int) -> None:
        self._store = store
        self._number = number
        self._chance = random.Random(f"{seed} {number}")  # noqa: S311  not a secret
        self._notes = os.open(folder / f"notes-{number}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._running: dict[str, Running] = {}
        self._told: dict[str, str] = {}  # the turns of the messages it admitted
        self._count = 0  # what makes tokens and values unlike all others

    def note(self, what: str, **facts: object) -> None:
        """Write down what was asked or told."""
        os.write(self._notes, f"{json.dumps({'what': what, 'by': self._number, **facts})}\n".encode())

    async def sure(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until the database answers; what is asked again has to be the same."""
        while True:
            try:
                return await ask()
            except (LeaseLostError, SupersededError):
                raise
            except StoreError as error:
                self.note("unanswered", error=str(error))
                await asyncio.sleep(_PAUSE)

    async def live(self, operations: int) -> None:
        """Do so many things, and then only what lets all turns end."""
        deeds: dict[Callable[[], Awaitable[None]], int] = {
            self.admit: 8,
            self.run: 20,
            self.edit: 2,
            self.stop: 1,
            self.forget: 1,
            self.regenerate: 2,
            self.branch: 1,
            self.change: 2,
            self.take_over: 1,
        }
        for count in range(operations):
            if self._number == VICTIM and count == operations // 2:
                await self.die()
            [deed] = self._chance.choices(list(deeds), list(deeds.values()))
            await deed()
        while True:
            for session in SESSIONS:
                await self.run(session)
            await self.take_over()
            if not self._running and not await self.sure(lambda: self._store.turns.unfinished_of({"test"})):
                return
            await asyncio.sleep(_PAUSE)

    async def admit(self, message: str = "", session: str = "") -> None:
        """Admit a message, which others may do at the same time."""
        message = message or str(self._chance.randrange(MESSAGES))
        said = prompt(message, session_id=session or session_of(message))
        turn_id, moment = secrets.token_hex(8), now()
        place = await self.sure(lambda: self._store.turns.admit(said, turn_id, moment))
        self._told[message] = place.turn_id
        self.note("admitted", message=message, turn=place.turn_id, new=not place.duplicate)

    async def run(self, session: str = "") -> None:
        """Begin to run a turn, or take the next step of the one that runs."""
        session = session or self._chance.choice(SESSIONS)
        running = self._running.get(session)
        if running is None:
            found = await self.sure(lambda: self._store.turns.claim(session))
            if isinstance(found, Claimed):
                self._running[session] = Running(found.turn.turn, found.next_step, found.stop_requested)
            return
        try:
            if running.is_stopped or self._chance.random() < 0.4:
                await self._finish(running)
                del self._running[session]
            else:
                await self._reply(running)
        except SupersededError:
            del self._running[session]

    async def _reply(self, running: Running) -> None:
        number, step, spent = running.next_step, self._step(running), self._spent(running)
        self._about("writing", running, number)
        await self._spend(spent, lambda: self._store.runs.append_reply(running.turn, number, step, spent))
        self._about("wrote", running, number)
        running.next_step += 1

    async def _finish(self, running: Running) -> None:
        number, spent = running.next_step, self._spent(running)
        status: Literal["stopped", "done"] = "stopped" if running.is_stopped else "done"
        outcome = OutcomeStep(state=status, partial=str(running.turn.claim), seconds=0.0)
        steps: list[tuple[int, Step]] = [(number, self._step(running)), (number + 1, outcome)]
        for place, _ in steps:
            self._about("writing", running, place)
        parts = [part(running.turn, "text", 0, 0)]
        await self._spend(spent, lambda: self._store.runs.finish(running.turn, status, steps, parts, spent))
        for place, _ in steps:
            self._about("wrote", running, place)
        self._about("ended", running, number)

    async def _spend(self, spent: Spent, ask: Callable[[], Awaitable[None]]) -> None:
        """Ask what spends tokens. Where it is refused at once they are not spent; later, nobody knows."""
        tries = 0

        def counted() -> Awaitable[None]:
            nonlocal tries
            tries += 1
            return ask()

        self.note("spending", tokens=spent.cost.tokens, session=spent.counted_in[0])
        try:
            await self.sure(counted)
        except SupersededError:
            if tries == 1:
                self.note("not spent", tokens=spent.cost.tokens)
            raise
        self.note("spent", tokens=spent.cost.tokens)

    def _about(self, what: str, running: Running, number: int) -> None:
        turn_id, attempt, claim = running.key
        self.note(what, turn=turn_id, attempt=attempt, claim=claim, number=number)

    def _step(self, running: Running) -> ReplyStep:
        text = str(running.turn.claim)
        return ReplyStep(round=running.next_step, text=text, finish="stop", model="m", usage=None, seconds=0.0)

    def _spent(self, running: Running) -> Spent:
        self._count += 1
        return Spent(
            counted_in=(running.turn.session_id, SERVER, "*"),
            cost=Cost(tokens=self._count * 10 + self._number),
            day=DAY,
        )

    async def edit(self) -> None:
        """Change what somebody said."""
        message = str(self._chance.randrange(MESSAGES))
        if message in self._told:
            version, turn_id = now(), self._told[message]
            edit = EditPromptCommand(
                session_id=session_of(message), turn_id=turn_id, source_id=message, version=version, text=str(version)
            )
            await self.sure(lambda: self._store.prompts.edit(edit))

    async def stop(self) -> None:
        """Have all turns of a session stopped."""
        session = self._chance.choice(SESSIONS)
        await self.sure(lambda: self._store.stops.request(session, None))
        stopped = set(await self.sure(self._store.stops.mine))
        for running in self._running.values():
            running.is_stopped |= running.turn.id in stopped

    async def forget(self) -> None:
        """Take back what somebody said."""
        message = str(self._chance.randrange(MESSAGES))
        if message in self._told:
            await self.sure(lambda: self._store.forget(session_of(message), self._told[message]))

    async def regenerate(self) -> None:
        """Have the last turn of a session answered anew."""
        session = self._chance.choice(SESSIONS)
        turn = await self.sure(lambda: self._store.turns.last(session))
        if turn is not None:
            command = RegenerateTurnCommand(session_id=session, turn_id=turn.id, attempt=turn.attempt)
            await self._unless_refused(lambda: self._store.turns.regenerate(command))

    async def branch(self) -> None:
        """Let a conversation go on in another session: one of its own, or one that others may make too."""
        session = self._chance.choice(SESSIONS)
        branch_id, moment = secrets.token_hex(8), now()
        target = self._chance.choice(["shared", f"own {branch_id}"])
        command = BranchSessionCommand(session_id=session, new_session_id=target)
        await self._unless_refused(lambda: self._store.branches.make(command, branch_id, moment))

    async def _unless_refused(self, ask: Callable[[], Awaitable[object]]) -> None:
        try:
            await self.sure(ask)
        except UserError:
            self.note("refused")

    async def change(self) -> None:
        """Make a setting of its own in the scope that all share."""
        self._count += 1
        name, value, moment = f"of {self._number}", str(self._count), now()
        await self.sure(lambda: self._store.settings.change(SERVER, name, value, ADA, moment))
        self.note("set", name=name, value=value)

    async def take_over(self) -> None:
        """Go on with what dead processes left."""
        for turn in await self.sure(lambda: self._store.take_over({"test"})):
            self.note("took", turn=turn.id, claim=turn.claim)

    async def die(self) -> NoReturn:
        """Be killed in the middle of a transaction of a turn that it runs."""
        await self.admit(LAST_WORDS, SESSIONS[0])
        while (running := self._running.get(SESSIONS[0])) is None or running.turn.id != self._told[LAST_WORDS]:
            await self.run(SESSIONS[0])
            await asyncio.sleep(_PAUSE)

        def half() -> Steps[None]:
            step, spent = self._step(running), self._spent(running)
            yield from Runs.append_reply.steps(self._store.runs, running.turn, running.next_step, step, spent)
            os.kill(os.getpid(), signal.SIGKILL)

        self._about("died", running, running.next_step)
        await self._store.run(half, Operation("storm.die"))
        raise AssertionError


async def storm(store: SessionStore, number: int, folder: Path, seed: int, operations: int) -> None:
    """What each process does."""
    await Worker(store, number, folder, seed).live(operations)


def notes(folder: Path) -> list[Note]:
    """All that was noted so far, each process's in order."""
    files = sorted(folder.glob("notes-*"))
    return [json.loads(line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]
