"""ToolChatEngine: answers the commands of a chat, and runs its turns."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, TypeVar, Unpack

from llmgine.bus import MessageBus
from llmgine.context import ContextManager
from llmgine.engine.auditing import KEPT_DAYS, entry, record_use
from llmgine.engine.model import Model
from llmgine.engine.pausing import Pausing
from llmgine.engine.session_runners import SessionRunners
from llmgine.engine.setting_changes import Choices, SettingChanges
from llmgine.engine.store_changes import Changes
from llmgine.engine.titles import Titles
from llmgine.engine.tool_calls import ToolCalls
from llmgine.engine.tool_policy import ToolPolicy
from llmgine.engine.turn import Renderer, TurnParts
from llmgine.engine.turn_limits import TurnLimits
from llmgine.errors import StoreError, UserError
from llmgine.messages.commands import (
    Admitted,
    BranchSessionCommand,
    ClearSessionCommand,
    DecideToolCallCommand,
    DeletePromptCommand,
    EditPromptCommand,
    ForgetTurnCommand,
    PromptCommand,
    RecordUseCommand,
    RegenerateTurnCommand,
    RenameSessionCommand,
    StopTurnCommand,
)
from llmgine.messages.events import (
    SessionBranchedEvent,
    SessionClearedEvent,
    SessionRenamedEvent,
    TurnAdmittedEvent,
    TurnForgottenEvent,
)
from llmgine.messages.message import SpanContext
from llmgine.messages.steps import DecisionStep
from llmgine.messages.text import collapse_spaces, shorten
from llmgine.messages.translatable import tr
from llmgine.observability.redaction import Redactor
from llmgine.sessions import SessionStore
from llmgine.sessions.clock import microseconds, now
from llmgine.sessions.records import AuditAction, Revision
from llmgine.tools.declared import ToolOptions
from llmgine.tools.tool import Tool
from llmgine.tools.tool_manager import ToolManager

MAX_TITLE = 80  # characters

_AFTER_FAILURE = 1.0  # seconds until a store that failed is asked again
_PATIENCE = 1.0  # seconds for what is under way at the end, such as a prompt that is being stored
_DAY = 86_400_000_000  # microseconds
_SWEEP_INTERVAL = 3600.0  # seconds between two looks whether it is another day

T = TypeVar("T")

_log = logging.getLogger(__name__)


class ToolChatEngine:
    """Chat with a model that calls tools.

    Args:
        bus: Where commands come from and events go.
        store: Where everything durable is.
        model: Who answers.
        context: What the model is shown.
        renderers: For each source of prompts that posts outcomes somewhere, how they look there.
        approval_timeout: Seconds a tool call waits for approval.
        titles: Whether the model gives conversations a title, by one small call each.
        redact: Takes secrets out of what people say and tools give.
        choices: What people may choose of what costs money; of models only the program's own, unless given.
        allowed_tools: The names of the tools that may be used at all; empty for all.
        limits: How much one turn may use.
    """

    def __init__(
        self,
        *,
        bus: MessageBus,
        store: SessionStore,
        model: Model,
        context: ContextManager,
        renderers: Mapping[str, Renderer] | None = None,
        approval_timeout: float = 600.0,
        titles: bool = False,
        redact: Redactor | None = None,
        choices: Choices | None = None,
        allowed_tools: Collection[str] = (),
        limits: TurnLimits | None = None,
    ) -> None:
        self._redact = redact or Redactor()
        self.tools = ToolManager(redact=self._redact, allowed=allowed_tools)
        self.model = model
        self._bus = bus
        self._store = store
        self._changes = Changes(store)
        self._policies: dict[str, ToolPolicy] = {}
        limits = limits or TurnLimits()
        calls = ToolCalls(
            self.tools,
            self._changes,
            approval_timeout=approval_timeout,
            policies=self._policies,
            most=limits.calls,
        )
        parts = TurnParts(model, context, self.tools, calls, renderers or {}, limits)
        self._runners = SessionRunners(store, bus, self._changes, parts)
        self._pausing = Pausing(bus, store, self._runners)
        self.settings = SettingChanges(bus, store, model, choices or Choices())
        self._titles = Titles(bus, store, model) if titles else None
        self._watcher: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[Any]] = set()  # what a cancelled caller does not end
        self._swept = 0  # the day on which old rows were deleted last

    @property
    def changes(self) -> Changes:
        """Wakes those who wait for the store."""
        return self._changes

    async def start(self) -> None:
        """Begin to answer commands."""
        redacted = self._redact.before  # secrets that people wrote go no further
        self._bus.register_command_handler(PromptCommand, redacted(self._prompt))
        self._bus.register_command_handler(EditPromptCommand, redacted(self._edit_prompt))
        self._bus.register_command_handler(DeletePromptCommand, redacted(self._delete_prompt))
        self._bus.register_command_handler(RegenerateTurnCommand, redacted(self._regenerate))
        self._bus.register_command_handler(StopTurnCommand, redacted(self._stop_turn))
        self._bus.register_command_handler(ForgetTurnCommand, redacted(self._forget))
        self._bus.register_command_handler(ClearSessionCommand, redacted(self._clear))
        self._bus.register_command_handler(BranchSessionCommand, redacted(self._branch))
        self._bus.register_command_handler(RenameSessionCommand, redacted(self._rename))
        self._bus.register_command_handler(DecideToolCallCommand, redacted(self._decide))
        self._bus.register_command_handler(RecordUseCommand, redacted(self._record_use))
        self.settings.start(self._redact)
        self._pausing.start()
        await self.model.lessons.start()
        if self._titles is not None:
            self._titles.start()
        self._watcher = asyncio.create_task(self._watch_for_stops())

    async def drain(self, seconds: float) -> None:
        """Begin no turn any more, and give those that run so long to end; prompts are still stored."""
        await self._runners.drain(seconds)

    async def stop(self) -> None:
        """Stop answering. Turns that run stay unfinished in the store, for the next start to take up."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        await self._runners.close()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_PATIENCE)
        if self._titles is not None:
            await self._titles.stop()
        await self._changes.close()

    async def register_tool(self, tool: Tool | Callable[..., object], **options: Unpack[ToolOptions]) -> Tool:
        """Offer a function to the model; see `ToolManager.register`."""
        return self.tools.register(tool, **options)

    def register_tool_policy(self, source: str, policy: ToolPolicy) -> None:
        """Let a front end decide, before each call, whether tools still run for those who ask there."""
        self._policies[source] = policy

    async def recover(self, sources: Collection[str], session_id: str | None = None) -> int:
        """Take up the unfinished turns of dead processes that came from these front ends; returns how many."""
        self._runners.serve(sources)
        turns = await self._store.take_over(sources, session_id)
        self._runners.resume(turns)
        return len(turns)

    async def _prompt(self, command: PromptCommand) -> Admitted:
        if not command.text.strip():
            raise UserError(tr("There is no text to answer."))
        # What was admitted is also run, though its caller be cancelled in between.
        return await self._whole(self._admit(command))

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Do all of this, also where the caller is cancelled meanwhile."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # so that nobody misses it where the caller was cancelled

    async def _admit(self, command: PromptCommand) -> Admitted:
        admitted = await self._store.turns.admit(command, secrets.token_hex(8), now(), self._store.timezone)
        if not admitted.duplicate and not admitted.joined:
            await self._bus.publish(
                TurnAdmittedEvent(
                    session_id=command.session_id,
                    turn_id=admitted.turn_id,
                    source=command.source,
                    origin=command.origin,
                    place=admitted.place,
                )
            )
        if not admitted.joined:  # a duplicate may be of an admission of which nobody heard that it was committed
            span = SpanContext(trace_id=command.trace_id, span_id=command.span_id)
            self._runners.wake(command.session_id, admitted.turn_id, None if admitted.duplicate else span)
        return admitted

    async def _edit_prompt(self, command: EditPromptCommand) -> bool:
        if not command.text.strip():
            raise UserError(tr("There is no text to answer."))
        return await self._whole(self._edit(command))

    async def _edit(self, command: EditPromptCommand) -> bool:
        revised = await self._store.prompts.edit(command)
        self._begin_again(command, revised)
        return revised.what != "no"

    async def _delete_prompt(self, command: DeletePromptCommand) -> bool:
        return await self._whole(self._delete(command))

    async def _delete(self, command: DeletePromptCommand) -> bool:
        revised = await self._store.prompts.delete(command.session_id, command.turn_id, command.source_id)
        if revised.what == "whole":
            return await self._forget(ForgetTurnCommand(session_id=revised.session_id, turn_id=command.turn_id))
        self._begin_again(command, revised)
        return revised.what != "no"

    def _begin_again(self, command: EditPromptCommand | DeletePromptCommand, revised: Revision) -> None:
        if revised.what == "again":
            self._runners.give_up(command.turn_id)
        if revised.what in {"again", "no"}:  # a "no" may be that of an operation that was run again after its commit
            span = SpanContext(trace_id=command.trace_id, span_id=command.span_id)
            self._runners.wake(revised.session_id, command.turn_id, span)

    async def _regenerate(self, command: RegenerateTurnCommand) -> Admitted:
        return await self._whole(self._queue_again(command))

    async def _queue_again(self, command: RegenerateTurnCommand) -> Admitted:
        await self._store.turns.regenerate(command)
        span = SpanContext(trace_id=command.trace_id, span_id=command.span_id)
        self._runners.wake(command.session_id, command.turn_id, span)
        return Admitted(turn_id=command.turn_id, place=0)

    async def _stop_turn(self, command: StopTurnCommand) -> int:
        turns = await self._store.stops.request(command.session_id, command.turn_id)
        for turn in turns:
            self._runners.stop(turn.id)
        return len(turns)

    async def _watch_for_stops(self) -> None:
        """Stop our turns that another process asked to stop."""
        while True:
            before = self._changes.mark_of_others()
            try:
                await self._sweep()
                for turn_id in await self._store.stops.mine():
                    self._runners.stop(turn_id)
            except StoreError as error:
                _log.warning("Requests to stop cannot be read: %s", error)
                await asyncio.sleep(_AFTER_FAILURE)
            else:
                await self._changes.wait_for_others(_SWEEP_INTERVAL, since=before)

    async def _sweep(self) -> None:
        """Delete what only past days needed, once a day."""
        if self._swept != self._store.today.day:
            day = self._store.today.day
            while await self._store.allowances.sweep(day):
                pass
            await self._store.allowances.forget(day)
            await self._store.stops.sweep()
            while await self._store.audit.sweep(now() - KEPT_DAYS * _DAY):
                pass
            self._swept = day

    async def _forget(self, command: ForgetTurnCommand) -> bool:
        """Until it is forgotten or gone: one that runs is stopped, and may have been regenerated in between."""
        session_id, turn_id = command.session_id, command.turn_id
        has_ended = False
        # Who deletes their own message, or is forgotten with all they said, is not written down with it.
        audit = entry("forgot", turn_id, place=session_id, origin=command.audit) if command.audit else None
        while (turn := await self._store.forget(session_id, turn_id, audit)) is None:
            running = await self._store.stops.request(session_id, turn_id)
            if not running:
                if has_ended:
                    return False
                has_ended = True  # perhaps just now, so that it can be forgotten
                continue
            self._runners.stop(turn_id)
            await self._runners.ended(session_id, [turn_id])
        self._changes.notify()
        await self._bus.publish(
            TurnForgottenEvent(
                session_id=session_id, turn_id=turn_id, source=turn.source, origin=turn.origin, turn=turn
            )
        )
        return True

    async def _clear(self, command: ClearSessionCommand) -> None:
        turns = await self._store.stops.request(command.session_id, None)
        for turn in turns:
            self._runners.stop(turn.id)
        await self._runners.ended(command.session_id, [turn.id for turn in turns])
        audit = entry("cleared", "", place=command.session_id, origin=command.audit)
        await self._store.sessions.clear(command.session_id, now(), keep_title=command.keep_title, audit=audit)
        await self._bus.publish(SessionClearedEvent(session_id=command.session_id))

    async def _branch(self, command: BranchSessionCommand) -> int:
        turns = await self._store.branches.make(command, secrets.token_hex(8), now())
        await self._bus.publish(
            SessionBranchedEvent(session_id=command.session_id, new_session_id=command.new_session_id, turns=turns)
        )
        return turns

    async def _rename(self, command: RenameSessionCommand) -> None:
        title = None if command.title is None else shorten(collapse_spaces(command.title), MAX_TITLE) or None
        await self._store.sessions.rename(command.session_id, title, now())
        await self._bus.publish(SessionRenamedEvent(session_id=command.session_id, title=title))

    async def _record_use(self, command: RecordUseCommand) -> None:
        await record_use(self._store, command)

    async def _decide(self, command: DecideToolCallCommand) -> bool:
        decision = DecisionStep(
            call_id=command.call_id,
            approved=command.approved,
            decided_by=command.decided_by,
            reason=command.reason,
            always=command.always,
        )
        at = microseconds(self._store.clock.now())
        by, place = command.decided_by, command.session_id
        done: AuditAction = ("approved always" if command.always else "approved") if command.approved else "denied"
        audit = entry(done, "", place=place, by=by, origin=command.audit)
        counted = await self._store.decisions.decide(
            command.turn_id, decision, at, unless_paused=command.unless_paused, audit=audit
        )
        self._changes.notify()
        return counted
