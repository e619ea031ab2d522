"""Running the turns of each session in order, sessions side by side."""

import asyncio
import contextvars
import logging
from collections.abc import Iterable

from llmgine.bus import MessageBus
from llmgine.engine.backoff import Backoff
from llmgine.engine.store_changes import Changes
from llmgine.engine.turn import TurnParts, TurnRun
from llmgine.engine.turn_context import TurnContext
from llmgine.messages.message import SpanContext, inside, next_id
from llmgine.messages.steps import Turn
from llmgine.sessions import SessionStore
from llmgine.sessions.records import Blocked, Claimed

_LOOK_AGAIN = 1.0  # seconds; a process that dies changes nothing in the store, so its turns are looked at now and then

_log = logging.getLogger(__name__)


class _Runner:
    """The runner of one session; it lives while the session has turns of this process.

    Attributes:
        woken: The turns that were admitted and not begun, as far as it was told.
    """

    def __init__(self) -> None:
        self.woken: set[str] = set()
        self.task: asyncio.Task[None] | None = None


class SessionRunners:
    """Runs this process's turns of each session, oldest first.

    A turn of another living process that is before ours is waited for. When that process dies it is run here, before
    ours, if it came from one of the front ends that are `served`; else it is left to its own.
    """

    def __init__(self, store: SessionStore, bus: MessageBus, changes: Changes, parts: TurnParts) -> None:
        self._store = store
        self._bus = bus
        self._changes = changes
        self._parts = parts
        self._runners: dict[str, _Runner] = {}
        self._running: dict[str, TurnRun] = {}
        self._spans: dict[str, SpanContext] = {}
        self._resumed: set[str] = set()
        self._served: set[str] = set()
        self._orphaned: set[str] = set()  # sessions in which a process died that had a turn before ours
        self._closed = False

    def wake(self, session_id: str, turn_id: str, span: SpanContext | None) -> None:
        """A turn was admitted: see that it is run. Its messages belong to `span`."""
        if self._closed:  # it stays in the store, for the next start
            return
        if span is not None:
            self._spans[turn_id] = span
        runner = self._runners.get(session_id)
        if runner is not None:
            runner.woken.add(turn_id)
            return
        runner = self._runners[session_id] = _Runner()
        runner.woken.add(turn_id)
        # A context of its own: the runner outlives the command it was started by.
        loop = asyncio.get_running_loop()
        runner.task = loop.create_task(self._work(session_id, runner), context=contextvars.Context())

    def serve(self, sources: Iterable[str]) -> None:
        """These front ends are here: what dead processes left of them can be run."""
        self._served |= set(sources)

    def resume(self, turns: Iterable[Turn]) -> None:
        """Run turns that were taken over from a dead process."""
        for turn in turns:
            self._resumed.add(turn.id)
            self.wake(turn.session_id, turn.id, None)

    def stop(self, turn_id: str) -> None:
        """Stop a turn of ours, if it runs; one that waits finds the request in the store when its time comes."""
        if turn_id in self._running:
            self._running[turn_id].stop()

    def give_up(self, turn_id: str) -> None:
        """End the present attempt of a turn of ours, if it runs, with no outcome: the next one is in the store."""
        if turn_id in self._running:
            self._running[turn_id].give_up()

    async def ended(self, session_id: str, turn_ids: Iterable[str]) -> None:
        """Wait until these turns have their outcomes, those of dead processes aside."""
        while True:
            turns = await self._store.turns.unfinished(session_id)
            owners = {turn.owner for turn in turns if turn.id in turn_ids}
            if owners == await self._store.owners.dead(owners):
                return
            await self._changes.wait(_LOOK_AGAIN)

    async def drain(self, seconds: float) -> None:
        """Begin no turn any more, and let those that run end; what waits for a person is not waited for."""
        self._closed = True
        deadline = asyncio.get_running_loop().time() + seconds
        while any(not run.waits_for_a_person for run in self._running.values()):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return
            await self._changes.wait(min(left, _LOOK_AGAIN))

    async def close(self) -> None:
        """End all runners and begin none; turns that ran stay unfinished in the store."""
        self._closed = True
        tasks = [runner.task for runner in self._runners.values() if runner.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, session_id: str, runner: _Runner) -> None:
        backoff = Backoff()
        try:
            while runner.woken and not self._closed:
                woken, runner.woken = runner.woken, set()  # who is woken from here on may be claimed by the next look
                try:
                    claimed = await self._claim(session_id)
                    if claimed is None:
                        self._forget(woken)
                    else:
                        runner.woken |= woken - {claimed.turn.turn.id}
                        await self._run(claimed)
                        backoff = Backoff()
                except Exception:  # the store failed: what was admitted has to end, so it is tried again
                    _log.exception("Session %s cannot go on; trying again in %g s", session_id, backoff.next)
                    runner.woken |= woken
                    await backoff.wait()
        finally:
            del self._runners[session_id]

    def _forget(self, turn_ids: Iterable[str]) -> None:
        """These turns are not ours to run any more."""
        for turn_id in turn_ids:
            self._spans.pop(turn_id, None)
            self._resumed.discard(turn_id)

    async def _claim(self, session_id: str) -> Claimed | None:
        """The oldest turn of ours, once all turns of other living processes before it have ended."""
        dead: set[str] = set()
        while not self._closed:
            if session_id in self._orphaned:  # first: where this fails, what it made ours is not to be run as if new
                self.resume(await self._store.take_over(self._served, session_id))
                self._orphaned.discard(session_id)
            found = await self._store.turns.claim(session_id, dead=dead, resumed=self._resumed)
            if not isinstance(found, Blocked):
                return found
            gone = await self._store.owners.dead([found.owner])
            dead |= gone
            if gone:
                self._orphaned.add(session_id)
            else:
                await self._changes.wait(_LOOK_AGAIN)
        return None

    async def _run(self, claimed: Claimed) -> None:
        turn = claimed.turn.turn
        resumed = turn.id in self._resumed
        self._resumed.discard(turn.id)
        span = self._spans.pop(turn.id, None)
        new = next_id()
        run = self._running[turn.id] = TurnRun(TurnContext(claimed, self._store, self._bus), self._parts)
        try:
            if claimed.stop_requested:
                run.stop()
            with inside(span or SpanContext(trace_id=f"{new:016x}", span_id=f"{new:016x}")):
                await run.run(resumed=resumed)
        except Exception:
            self._resumed.add(turn.id)  # so that tries are counted, and bounded
            raise
        finally:
            del self._running[turn.id]
            self._changes.notify()
