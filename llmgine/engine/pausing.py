"""The commands that pause answers, or tools with effects, and resume them."""

from llmgine.bus import MessageBus
from llmgine.engine.auditing import entry
from llmgine.engine.session_runners import SessionRunners
from llmgine.messages.events import PausedEvent, ResumedEvent
from llmgine.messages.pausing_commands import PauseCommand, ResumeCommand
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import now
from llmgine.sessions.records import PauseBegun


class Pausing:
    """Answers them. Whether something is paused is looked up in the transactions of the turns that it is to stop."""

    def __init__(self, bus: MessageBus, store: SessionStore, runners: SessionRunners) -> None:
        self._bus = bus
        self._store = store
        self._runners = runners

    def start(self) -> None:
        """Begin to answer commands."""
        self._bus.register_command_handler(PauseCommand, self._pause)
        self._bus.register_command_handler(ResumeCommand, self._resume)

    async def _pause(self, command: PauseCommand) -> PauseBegun:
        scope, what, by = command.scope, command.what, command.paused_by
        audit = entry("paused", what, place=scope, by=by, origin=command.audit)
        begun = await self._store.pauses.begin(scope, what, command.mark, by, now(), audit=audit)
        for turn in begun.stopped:
            self._runners.stop(turn.id)
        if begun.is_new:
            await self._bus.publish(PausedEvent(scope=scope, what=what, paused_by=by, stopped=len(begun.stopped)))
        return begun

    async def _resume(self, command: ResumeCommand) -> bool:
        scope, what = command.scope, command.what
        audit = entry("resumed", what, place=scope, by=command.resumed_by, origin=command.audit)
        ended = await self._store.pauses.end(scope, what, command.mark, audit=audit)
        if ended:
            await self._bus.publish(ResumedEvent(scope=scope, what=what, resumed_by=command.resumed_by))
        return ended
